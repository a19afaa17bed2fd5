"""In which month the money comes: kept by the payables once approved, forecast from the clocks before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils.translation import gettext as _

from disbursement.domain import clocks, cycle
from disbursement.domain.calendar import Calendar
from disbursement.domain.workflow import PAYABLE_DONE, ApplicationState, ClockStep, PayableState
from disbursement.models import Application, StepClock
from disbursement.selectors.limits import limits_of

_S = ApplicationState
_BEFORE_REVIEW = frozenset({_S.DRAFT, _S.SUBMITTED, _S.CORRECTION})
_ENDED = frozenset({_S.NOT_ACCEPTED, _S.REJECTED, _S.REJECTION_UPHELD, _S.WITHDRAWN, _S.REVOKED})
_PAID = frozenset({PayableState.PAID, PayableState.SETTLED})


@dataclass(frozen=True, slots=True)
class PayMonth:
    """The month (its first day) of the next money. `firm`: promised at approval; else forecast from the time limits.

    `promised` is the month promised at first, `reason` says why it is not that any more (or what it waits for).
    `month` is None where nothing is paid any more.
    """

    month: date | None
    promised: date | None
    firm: bool
    reason: str = ""

    @property
    def slipped(self) -> bool:
        return self.month is not None and self.promised is not None and self.month > self.promised


def pay_month(*, application: Application, as_of: date, calendar: Calendar) -> PayMonth:
    """The promise or the forecast for one application, as of a day in Asia/Shanghai.

    Reads `payables` and `clocks` (with their `pauses`): prefetch these for a list.
    """
    state = application.status
    if state in _ENDED:
        return PayMonth(None, None, firm=True, reason=_("这件申报%(state)s。") % {"state": state.label})
    payables = sorted(application.payables.all(), key=lambda payable: payable.number)
    if payables:
        waiting = [p for p in payables if p.state not in PAYABLE_DONE and p.state != PayableState.PAID]
        if waiting:
            first = waiting[0]
            reason = first.slip_reason or (first.hold_reason if first.is_held else "")
            return PayMonth(first.pay_month, first.promised_month, firm=True, reason=reason)
        last = payables[-1]
        done = _("已全部兑现。") if all(p.state in _PAID for p in payables) else _("没有待兑现的款项。")
        return PayMonth(None, last.promised_month, firm=True, reason=done)
    decided_on, reason = _decision_day(application=application, as_of=as_of, calendar=calendar)
    month = cycle.pay_month(decided_on, calendar=calendar, day=settings.HUIDA_CUTOFF_DAY)
    return PayMonth(month, None, firm=False, reason=reason)


def _decision_day(*, application: Application, as_of: date, calendar: Calendar) -> tuple[date, str]:
    """By when the decision falls if every step takes its promised time from here on."""
    running = next((clock for clock in application.clocks.all() if clock.stopped_on is None), None)
    rules = application.version.rules
    days = 0
    reason = _("按承诺时限推算。")
    if running is not None:
        days, reason = _left(clock=running, as_of=as_of, calendar=calendar)
    elif application.status is _S.DRAFT:
        days = limits_of(rules=rules, step=ClockStep.ACCEPTANCE)[1]
        reason = _("如今天提交，按承诺时限推算。")
    if application.status in _BEFORE_REVIEW:
        days += limits_of(rules=rules, step=ClockStep.REVIEW)[1]
    if application.status is not _S.PUBLICITY:
        days += int(rules.get("publicity_days") or 0)
        return calendar.add_working_days(as_of, days), reason
    ends = [p.ends_on for p in application.publicities.all() if p.closed_at is None]
    return calendar.add_working_days(max([as_of, *ends]), 1), _("公示期满无异议后核定。")


def _left(*, clock: StepClock, as_of: date, calendar: Calendar) -> tuple[int, str]:
    reading = clocks.read(clock.as_clock(clock.pauses.all()), as_of=as_of, calendar=calendar)
    if reading.paused:
        text = _("现在%(why)s，时限暂停计算；恢复后按承诺时限推算。")
        why = next((pause.reason for pause in clock.pauses.all() if pause.ended_on is None), "")
        return max(reading.left, 1), text % {"why": why}
    if reading.left < 0:
        return 1, _("%(step)s已超过承诺时限 %(days)s 个工作日。") % {
            "step": ClockStep(clock.step).label,
            "days": -reading.left,
        }
    return reading.left, _("按承诺时限推算。")


def pay_months(*, applications: Iterable[Application], as_of: date, calendar: Calendar) -> dict[int, PayMonth]:
    """As `pay_month`, for a page of applications whose relations were prefetched."""
    return {a.pk: pay_month(application=a, as_of=as_of, calendar=calendar) for a in applications}
