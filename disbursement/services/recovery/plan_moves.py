"""Moving plans of paying back: the only writer of their `.state`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from disbursement.domain.actors import Actor
from disbursement.domain.instalments import PLAN, PlanAction, PlanState
from disbursement.domain.workflow import Role
from disbursement.models import ClawbackPlan, PlanChange


def move_plan(
    *,
    plan: ClawbackPlan,
    action: PlanAction,
    role: Role,
    now: datetime,
    actor: Actor | None = None,
    note: str = "",
    **changes: Any,
) -> None:
    """Move a locked plan and set `changes` with it. Raises WrongState or WrongRole."""
    row = PLAN.find(PlanState(plan.state), action, role)
    # The log first: the database lets a state change only if the log says so.
    PlanChange.objects.create(
        plan=plan,
        action=action.value,
        source=row.source.value,
        target=row.target.value,
        role=role.value,
        person_id=None if actor is None else actor.user_id,
        note=note[:300],
        made_at=now,
    )
    plan.state = row.target.value
    for name, value in changes.items():
        setattr(plan, name, value)
    plan.save(update_fields=["state", *changes])
