"""Who held which role when, and who was ever authorised by an enterprise: what an audit asks of accounts.

Each grant and each end of a role leaves a row (`RoleChange`), by whatever way it came: page, administration, command.
Times are those of the database's clock, as are those of the audit's links: what a service calls “now” may be told.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from portal.accounts.models import Membership, RoleAssignment, RoleChange


class RoleHistory:
    """The history of roles, read once; for `disbursement.audit`."""

    def __init__(self) -> None:
        self._periods: dict[tuple[int, str], list[tuple[datetime, int]]] = defaultdict(list)
        self._standing: dict[tuple[int, str, int | None], bool] = {}
        for change in RoleChange.objects.order_by("pk"):
            self._periods[change.user_id, change.role].append((change.at, 1 if change.is_granted else -1))
            self._standing[change.user_id, change.role, change.department_id] = change.is_granted
        self._members = set(Membership.objects.values_list("user_id", "enterprise_id"))

    def held(self, *, user_id: int, role: str, at: datetime) -> bool:
        """Whether the person held the role anywhere at that moment (aware)."""
        return sum(step for moment, step in self._periods[user_id, role] if moment <= at) > 0

    def acted_for(self, *, user_id: int, enterprise_id: int) -> bool:
        """Whether the enterprise ever authorised the person."""
        return (user_id, enterprise_id) in self._members

    def problems(self) -> list[str]:
        """Roles that stand without having been granted, and grants that are gone without having been ended."""
        there = {(a.user_id, a.role, a.department_id): a for a in RoleAssignment.objects.select_related("user")}
        granted = {key for key, is_granted in self._standing.items() if is_granted}
        found = [f"{there[key]}：没有授权记录。" for key in sorted(set(there) - granted, key=str)]
        found += [
            f"人员 #{key[0]} 的“{key[1]}”：有授权记录，授权却不见了。" for key in sorted(granted - set(there), key=str)
        ]
        return found


@receiver(pre_save, sender=RoleAssignment, dispatch_uid="accounts.role.before")
def note_what_was(sender: Any, instance: RoleAssignment, **kwargs: Any) -> None:
    """A changed assignment ends the one that it was."""
    before = RoleAssignment.objects.filter(pk=instance.pk).first() if instance.pk else None
    if before is not None:
        _note(before, is_granted=False)


@receiver(post_save, sender=RoleAssignment, dispatch_uid="accounts.role.granted")
def note_grant(sender: Any, instance: RoleAssignment, raw: bool = False, **kwargs: Any) -> None:
    _note(instance, is_granted=True)


@receiver(post_delete, sender=RoleAssignment, dispatch_uid="accounts.role.ended")
def note_end(sender: Any, instance: RoleAssignment, **kwargs: Any) -> None:
    _note(instance, is_granted=False)


def _note(assignment: RoleAssignment, *, is_granted: bool) -> None:
    RoleChange.objects.create(
        user_id=assignment.user_id,
        role=assignment.role,
        department_id=assignment.department_id,
        is_granted=is_granted,
    )
