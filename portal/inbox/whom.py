"""Whom of the district a message goes to: who holds a role there, the deputy in the place of each who is away."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import Q

from disbursement.domain.workflow import Role
from disbursement.models import Application, InterestDeclaration, Participation
from disbursement.services.review.staffing import deputies
from matching.days import day_of
from portal.accounts.models import Membership, RoleAssignment, StaffRole


def holders(roles: Collection[str], department_id: int | None) -> list[int]:
    """People (ids, ascending, accounts in use) who hold one of the roles in the department or in the whole district;
    without a department in the whole district alone.
    """
    held = RoleAssignment.objects.filter(
        Q(department_id=department_id) | Q(department__isnull=True) if department_id else Q(department__isnull=True),
        role__in=roles,
        user__is_active=True,
    )
    return sorted(set(held.values_list("user_id", flat=True)))


def present(people: Collection[int], now: datetime) -> list[int]:
    """Those people, a deputy in the place of each who is away; each once."""
    away = deputies(as_of=day_of(now), people=people)
    return list(dict.fromkeys(away[pk].deputy_id if pk in away else pk for pk in people))


def unconcerned(people: Iterable[int], enterprise_id: int) -> list[int]:
    """Those who need not keep away from the enterprise: no interest declared in it, and not acting for it."""
    declared = InterestDeclaration.objects.filter(enterprise_id=enterprise_id, ended_at__isnull=True)
    acting = Membership.objects.filter(enterprise_id=enterprise_id, revoked_at__isnull=True)
    away = {*declared.values_list("user_id", flat=True), *acting.values_list("user_id", flat=True)}
    return [pk for pk in people if pk not in away]


def at_desk(application: Application, acting: Role, now: datetime) -> list[int]:
    """Who is to act on it as that: whoever has it on the desk, as long as they could; else everybody who could, for
    what lies with somebody who left must not lie there unseen.
    """
    # An appeal goes to a second reviewer, too: to another one.
    held = StaffRole.SECOND_REVIEWER if acting is Role.APPEAL_REVIEWER else StaffRole(acting.value)
    able = free(holders([held], application.item.department_id), application, acting)
    own = [pk for pk in able if pk == application.handler_id]
    return free(present(own or able, now), application, acting)


def free(people: Collection[int], application: Application, acting: Role) -> list[int]:
    """Those who may still act as that: nobody acts twice in different roles, nobody on what they have to keep away
    from.
    """
    taken = Participation.objects.filter(application=application, user_id__in=people).exclude(role=acting.value)
    barred = set(taken.values_list("user_id", flat=True))
    return unconcerned([pk for pk in people if pk not in barred], application.enterprise_id)
