"""Setting the cut-off day of a month: by finance, for a reason, told to all whom it concerns."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.cycle import month_label, month_of
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import CutOffDay, Cycle
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.cut_off import cut_off_day
from disbursement.services.numbering import take_turn
from disbursement.services.payment.transitions import person, require_role
from matching.days import day_of
from matching.registry import outbox

_ROLES = (Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)


def turn_of(month: date) -> str:
    """What whoever sets a month's cut-off day and whoever opens the month take turns at: it has no row yet."""
    return f"cut-off-{month:%Y-%m}"


@transaction.atomic
def set_day(*, month: date, day: date, reason: str, actor: Actor, now: datetime) -> CutOffDay:
    """Set the cut-off day of a month (its first day) that is not cut off yet, to a working day of it after today.

    An open cycle follows at once; what was told before is told anew: topic `cycle.cut_off_moved` {decision}. Raises
    Invalid with everything wrong with it, Denied.
    """
    require_role(actor=actor, roles=_ROLES)
    month = month_of(month)
    take_turn(series=turn_of(month))
    cycle = Cycle.objects.select_for_update().filter(month=month).first()
    former = cycle.cut_off_on if cycle is not None else cut_off_day(month=month)
    calendar = working_calendar()
    faults = []
    if not reason.strip():
        faults.append(Fault("reason", "请填写调整的原因，企业和各部门都会看到。"))
    if month_of(day) != month:
        faults.append(Fault("day", f"截止日应在{month_label(month)}之内。"))
    elif not calendar.is_working_day(day):
        faults.append(Fault("day", f"{day.isoformat()}不是工作日，请选择工作日。"))
    if day <= day_of(now):
        faults.append(Fault("day", "截止日应晚于今天，以便各方安排。"))
    if day == former:
        faults.append(Fault("day", "与现在的截止日相同，无需调整。"))
    if cycle is not None and cycle.cut_at is not None:
        faults.append(Fault("day", f"{month_label(month)}已经截止，不能再调整。"))
    if faults:
        raise Invalid(faults)
    made = CutOffDay.objects.create(
        month=month,
        day=day,
        former=former,
        reason=reason.strip()[:300],
        decided_by_id=person(actor),
        decided_at=now,
    )
    if cycle is not None:
        cycle.cut_off_on = day
        cycle.save(update_fields=["cut_off_on"])
    outbox.emit(
        topic="cycle.cut_off_moved",
        payload={"decision": made.pk},
        now=now,
        dedupe_key=f"cycle.cut_off_moved:{made.pk}",
    )
    return made
