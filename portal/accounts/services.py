"""Granting and revoking: who may act for an enterprise (经办人授权), who holds which role."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from cms.services.setup import seat_officer
from matching.models import Enterprise
from matching.registry.models import Department
from portal.accounts.models import Membership, MembershipKind, RoleAssignment, StaffRole, User


@transaction.atomic
def authorise_agent(*, enterprise: Enterprise, username: str, full_name: str, now: datetime) -> tuple[Membership, bool]:
    """Let the person with this account act for the enterprise; return the membership and whether the account is new.

    A new account has no password: its owner sets one through an invitation. `now` is aware. Raises ValidationError
    where the name does not belong to the account, the account is a district official's, or it is authorised already.
    """
    username, full_name = username.strip(), full_name.strip()
    user = User.objects.select_for_update().filter(username=username).first()
    is_new = user is None
    if user is None:
        user = User(username=username, full_name=full_name)
        user.set_unusable_password()
        user.full_clean(exclude=["password"])
        user.save()
    elif user.full_name != full_name or not user.is_active:
        raise ValidationError(
            {"full_name": _("账户名与姓名对不上。请向经办人本人核对账户名和实名后再填写。")}, code="mismatch"
        )
    elif user.is_superuser or user.is_staff or user.role_assignments.exists():
        raise ValidationError(
            {"username": _("这是区里工作人员的账户，不能作为企业经办人。请使用经办人本人的企业账户。")}, code="staff"
        )
    elif Membership.objects.filter(user=user, enterprise=enterprise, revoked_at__isnull=True).exists():
        raise ValidationError({"username": _("该账户已获本企业授权，无需重复添加。")}, code="already")
    membership = Membership.objects.create(user=user, enterprise=enterprise, kind=MembershipKind.AGENT, granted_at=now)
    return membership, is_new


@transaction.atomic
def revoke_agent(*, enterprise: Enterprise, membership_id: int, now: datetime) -> Membership:
    """End an agent's authorisation as of `now` (aware); ending it twice changes nothing. Raises DoesNotExist."""
    membership = Membership.objects.select_for_update().get(
        pk=membership_id, enterprise=enterprise, kind=MembershipKind.AGENT
    )
    if membership.revoked_at is None:
        membership.revoked_at = now
        membership.save(update_fields=["revoked_at"])
    return membership


@transaction.atomic
def grant_role(*, user: User, role: str, department: Department | None) -> RoleAssignment:
    """Give a person a role in a department (None: in the whole district); giving it twice changes nothing.

    Raises ValidationError where the person acts for an enterprise: officials and applicants are different accounts.
    """
    if user.memberships.filter(revoked_at__isnull=True).exists():
        raise ValidationError(_("该账户正代表企业办事，不能兼任工作人员角色。请为其另设工作账户。"), code="member")
    assignment, _created = RoleAssignment.objects.get_or_create(user=user, role=role, department=department)
    if role == StaffRole.POLICY_OFFICER:
        seat_officer(user=user, seated=True)
    return assignment


@transaction.atomic
def revoke_role(*, assignment_id: int) -> None:
    """Take a role away; taking it twice changes nothing."""
    assignment = RoleAssignment.objects.filter(pk=assignment_id).select_related("user").first()
    if assignment is None:
        return
    assignment.delete()
    if not assignment.user.role_assignments.filter(role=StaffRole.POLICY_OFFICER).exists():
        seat_officer(user=assignment.user, seated=False)


@transaction.atomic
def appoint_legal_representative(*, user: User, enterprise: Enterprise, now: datetime) -> Membership:
    """Make a person the enterprise's legal representative; the one before ceases to be it. `now` is aware.

    Raises ValidationError where the person is a district official.
    """
    if user.is_superuser or user.role_assignments.exists():
        raise ValidationError(
            {"credit_code": _("该账户有工作人员角色，不能登记为企业法定代表人。请为其另设企业账户。")}, code="staff"
        )
    alive = Membership.objects.select_for_update().filter(enterprise=enterprise, revoked_at__isnull=True)
    current = alive.filter(user=user, kind=MembershipKind.LEGAL_REPRESENTATIVE).first()
    if current is not None:
        return current
    alive.filter(kind=MembershipKind.LEGAL_REPRESENTATIVE).update(revoked_at=now)
    alive.filter(user=user).update(revoked_at=now)
    return Membership.objects.create(
        user=user, enterprise=enterprise, kind=MembershipKind.LEGAL_REPRESENTATIVE, granted_at=now
    )
