"""What finance is told of budget lines: warnings, and changes that wait for nobody any more."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from disbursement.models import BudgetChange
from matching.registry.models import BudgetLine
from portal.accounts.access import FINANCE_ROLES
from portal.accounts.models import RoleAssignment
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link


def of_alert(*, line_id: int, code: str, text: str) -> Iterator[Message]:
    """A warning about a line, to each person of finance whom it concerns."""
    line = BudgetLine.objects.get(pk=line_id)
    for user_id in _finance(line):
        yield Message(
            key=f"budget:{line.pk}:{code}:{user_id}",
            kind=NotificationKind.SERVICE,
            title=_("预算提醒：%(line)s") % {"line": line},
            body=text,
            link=link("desk:forecast") + f"?year={line.year}",
            user_id=user_id,
            department_id=line.department_id,
        )


def of_change(*, change_id: int) -> Iterator[Message]:
    """What became of a change, to the person who proposed it."""
    change = BudgetChange.objects.select_related("line").get(pk=change_id)
    title = _("%(kind)s已批准：%(line)s") if change.approved else _("%(kind)s未获批准：%(line)s")
    yield Message(
        key=f"budget-change:{change.pk}",
        kind=NotificationKind.SERVICE,
        title=title % {"kind": change.get_kind_display(), "line": change.line},
        body=change.note or change.reason,
        link=link("desk:budget_line", change.line_id),
        user_id=change.proposed_by_id,
        department_id=change.line.department_id,
    )


def _finance(line: BudgetLine) -> list[int]:
    held = RoleAssignment.objects.filter(role__in=FINANCE_ROLES)
    held = held.filter(department__isnull=True) | held.filter(department=line.department_id)
    return sorted(set(held.values_list("user_id", flat=True)))
