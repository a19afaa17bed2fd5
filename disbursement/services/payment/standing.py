"""Who of finance may touch one payable: the role for its department, and nobody with an interest or an earlier part."""

from __future__ import annotations

from disbursement.domain.actors import Actor
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import Role
from disbursement.models import Payable
from disbursement.services.payment.transitions import lock_payables, person, require_role
from disbursement.services.review import interests


def locked_payable(*, payable_id: int) -> Payable:
    """A payable with its line and enterprise, locked. Raises Invalid where there is none."""
    found = lock_payables(Payable.objects.filter(pk=payable_id).select_related("budget_line", "enterprise"))
    if not found:
        raise invalid("payable", "没有这笔应付款项。")
    return found[0]


def may_handle(*, payable: Payable, actor: Actor, roles: tuple[Role, ...]) -> Role:
    """The role, of these, in which the person may deal with it. Raises Denied for anybody without one, Conflict for an
    interest in the enterprise or an earlier part in the case.
    """
    department = None if payable.budget_line is None else payable.budget_line.department_id
    role = require_role(actor=actor, roles=roles, department_id=department)
    person(actor)
    interests.keep_away(actor=actor, enterprise=payable.enterprise, subject="该笔款项")
    interests.keep_past_away(actor=actor, payable=payable)
    return role
