"""Warnings before cards (预警): the holder of a step is told while there is still time, once for each clock and level.

Each warning is a row, a line of the ledger and an event, in one transaction: topic `clock.warned` {"warning": id}. Who
holds the step, who stands in for the absent and who leads the department is the inbox's to say.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain import clocks
from disbursement.domain.actors import Actor
from disbursement.domain.calendar import Calendar
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.supervision import DEFAULT_RULE, Rule, WarningLevel, levels_due
from disbursement.domain.workflow import ClockStep
from disbursement.models import StepClock
from disbursement.models.supervision import ClockWarning, WarningRule
from disbursement.selectors.calendar import working_calendar
from disbursement.services.supervision import ledger as supervision
from matching.days import day_of
from matching.registry import outbox

TOPIC = "clock.warned"
_CHUNK = 500


def rules() -> dict[str, Rule]:
    """The rule of each step, by step; the default where none was set."""
    found = {row.step: Rule(row.percent, row.days_before) for row in WarningRule.objects.all()}
    return {step.value: found.get(step.value, DEFAULT_RULE) for step in ClockStep}


def set_rule(
    *, step: ClockStep, percent: int | None, days_before: int | None, actor: Actor, now: datetime
) -> WarningRule:
    """Say when the holder of a step is warned; for those who supervise the whole district. Raises Denied, Invalid."""
    if actor.user_id is None or None not in actor.supervised:
        raise Denied(_("预警规则由全区督查人员设置。"))
    if percent is not None and not 1 <= percent < clocks.YELLOW_PERCENT:
        raise Invalid(Fault("percent", _("比例应为 1 至 79：到 80% 已经是黄牌。")))
    if days_before is not None and not 1 <= days_before <= 60:
        raise Invalid(Fault("days_before", _("天数应为 1 至 60 个工作日。")))
    values = {"percent": percent, "days_before": days_before, "changed_by_id": actor.user_id, "changed_at": now}
    return WarningRule.objects.update_or_create(step=step.value, defaults=values)[0]


def warn(*, now: datetime) -> int:
    """Warn of every running clock that has come near its limit; how many warnings are new. Can die and run twice."""
    today = day_of(now)
    calendar = working_calendar()
    by_step = rules()
    running = StepClock.objects.filter(stopped_on__isnull=True).prefetch_related("pauses")
    given = ClockWarning.objects.filter(clock__stopped_on__isnull=True)
    had = set(given.values_list("clock_id", "level"))
    count = 0
    for clock in running.order_by("pk").iterator(chunk_size=_CHUNK):
        due = _due(clock, by_step[clock.step], today=today, calendar=calendar)
        for level in due:
            if (clock.pk, level.value) not in had:
                count += _warn(clock=clock, level=level, today=today, calendar=calendar, now=now)
    return count


def _due(clock: StepClock, rule: Rule, *, today: date, calendar: Calendar) -> tuple[WarningLevel, ...]:
    reading = clocks.read(clock.as_clock(clock.pauses.all()), as_of=today, calendar=calendar)
    # What stands still is nobody's turn; it is warned of when it runs again.
    return () if reading.paused else levels_due(used=reading.used, limit=reading.limit, rule=rule)


@transaction.atomic
def _warn(*, clock: StepClock, level: WarningLevel, today: date, calendar: Calendar, now: datetime) -> bool:
    reading = clocks.read(clock.as_clock(clock.pauses.all()), as_of=today, calendar=calendar)
    warning, is_new = ClockWarning.objects.get_or_create(
        clock=clock,
        level=level.value,
        defaults={
            "used": reading.used,
            "limit": reading.limit,
            "department_id": clock.department_id,
            "holder_id": clock.holder_id,
            "warned_at": now,
        },
    )
    if is_new:
        supervision.enter_warning(warning=warning, now=now)
        outbox.emit(topic=TOPIC, payload={"warning": warning.pk}, now=now, dedupe_key=f"{TOPIC}:{warning.pk}")
    return is_new
