"""People of the district as actors, by id and not by request: whom work can be given to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Q

from disbursement.domain.actors import Actor, Grant
from disbursement.domain.workflow import Role
from portal.accounts.access import FINANCE_ROLES, REVIEW_ROLES
from portal.accounts.models import Membership, RoleAssignment, StaffRole, User

_KNOWN = {role.value for role in Role}


def actors(*, user_ids: Collection[int]) -> dict[int, Actor]:
    """Those people with every role and every enterprise they act for. Two queries."""
    grants: dict[int, set[Grant]] = defaultdict(set)
    for user_id, role, place in RoleAssignment.objects.filter(user_id__in=user_ids).values_list(
        "user_id", "role", "department_id"
    ):
        if role in _KNOWN:
            grants[user_id].add(Grant(Role(role), place))
    enterprises: dict[int, set[int]] = defaultdict(set)
    for user_id, enterprise_id in Membership.objects.filter(user_id__in=user_ids, revoked_at__isnull=True).values_list(
        "user_id", "enterprise_id"
    ):
        enterprises[user_id].add(enterprise_id)
    return {pk: Actor(pk, frozenset(grants[pk]), frozenset(enterprises[pk])) for pk in user_ids}


def in_use(user_ids: Collection[int]) -> dict[int, Actor]:
    """As `actors`, without those whose account is closed. Three queries."""
    found = User.objects.filter(pk__in=user_ids, is_active=True).values_list("pk", flat=True)
    return actors(user_ids=list(found))


def actor_of(*, user_id: int) -> Actor:
    return actors(user_ids=[user_id])[user_id]


def reviewers(*, department_id: int) -> list[Actor]:
    """Everyone who could review for a department, those of the whole district too; accounts in use only."""
    found = RoleAssignment.objects.filter(
        Q(department_id=department_id) | Q(department__isnull=True), role__in=REVIEW_ROLES, user__is_active=True
    )
    people = actors(user_ids=sorted(set(found.values_list("user_id", flat=True))))
    return [people[pk] for pk in sorted(people)]


def joint_reviewers(*, department_id: int) -> list[int]:
    """Whoever could give the department's opinion (ids): its own reviewers, never those of the whole district."""
    found = RoleAssignment.objects.filter(department_id=department_id, role=StaffRole.REVIEWER, user__is_active=True)
    return sorted(set(found.values_list("user_id", flat=True)))


def finance_staff() -> list[Actor]:
    """Everyone with a role of finance, accounts in use only."""
    found = RoleAssignment.objects.filter(role__in=FINANCE_ROLES, user__is_active=True)
    people = actors(user_ids=sorted(set(found.values_list("user_id", flat=True))))
    return [people[pk] for pk in sorted(people)]


def names(*, user_ids: Collection[int]) -> dict[int, str]:
    return {user.pk: str(user) for user in User.objects.filter(pk__in=user_ids)}
