"""In which month the money comes: kept by the payables once approved, forecast from the clocks before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils.translation import gettext as _

from disbursement.domain import clocks
from disbursement.domain import pay_month as domain
from disbursement.domain.calendar import Calendar
from disbursement.domain.cycle import month_of
from disbursement.domain.pay_month import Cause, Cuts, Forecast, Owed, Situation, Waiting
from disbursement.domain.workflow import PAYABLE_DONE, ApplicationState, ClockStep, PayableState
from disbursement.models import Application, Correction, Cycle, Payable, StepClock
from disbursement.selectors.cut_off import set_days
from disbursement.selectors.limits import limits_of

_S = ApplicationState
_BEFORE_REVIEW = frozenset({_S.DRAFT, _S.SUBMITTED, _S.CORRECTION})
_CORRECTION = frozenset({_S.CORRECTION, _S.REVIEW_CORRECTION})
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


def cuts_of(*, as_of: date, calendar: Calendar) -> Cuts:
    """The cut-off days from a month on: those that cycles were opened with, else those set for a month. Two queries."""
    rows = Cycle.objects.filter(month__gte=month_of(as_of)).values_list("month", "cut_off_on", "cut_at")
    found = list(rows)
    return Cuts(
        calendar=calendar,
        day=settings.HUIDA_CUTOFF_DAY,
        days={**set_days(), **{month: day for month, day, _cut in found}},
        done=frozenset(month for month, _day, cut in found if cut is not None),
    )


def pay_month(*, application: Application, as_of: date, calendar: Calendar, cuts: Cuts | None = None) -> PayMonth:
    """The promise or the forecast for one application, as of a day in Asia/Shanghai.

    Reads `payables` and `clocks` (with their `pauses`): prefetch these for a list, and give it `cuts`, which are
    read here otherwise.
    """
    state = application.status
    if state in _ENDED:
        return PayMonth(None, None, firm=True, reason=_("这件申报%(state)s。") % {"state": state.label})
    cuts = cuts or cuts_of(as_of=as_of, calendar=calendar)
    payables = sorted(application.payables.all(), key=lambda payable: payable.number)
    if payables:
        waiting = [p for p in payables if p.state not in PAYABLE_DONE and p.state != PayableState.PAID]
        if waiting:
            found = domain.forecast_owed(owed_of(waiting[0]), as_of=as_of, cuts=cuts)
            reason = "" if found.lead.cause is Cause.APPROVED else found.text
            return PayMonth(found.month, waiting[0].promised_month, firm=True, reason=reason)
        last = payables[-1]
        done = _("已全部兑现。") if all(p.state in _PAID for p in payables) else _("没有待兑现的款项。")
        return PayMonth(None, last.promised_month, firm=True, reason=done)
    found = forecast_of(application=application, as_of=as_of, cuts=cuts)
    return PayMonth(found.month, None, firm=False, reason=found.text)


def forecast_of(*, application: Application, as_of: date, cuts: Cuts) -> Forecast:
    """The forecast of an application before its approval, with its reasons."""
    return domain.forecast(situation_of(application=application, calendar=cuts.calendar), as_of=as_of, cuts=cuts)


def owed_of(payable: Payable) -> Owed:
    """How an instalment stands, for the pure forecast."""
    reason = payable.hold_reason if payable.is_held else payable.slip_reason
    return Owed(PayableState(payable.state), payable.pay_month, reason)


def situation_of(*, application: Application, calendar: Calendar) -> Situation:
    """How an application stands, for the pure forecast. Reads `clocks` with `pauses`, and `publicities` or the open
    correction where the state asks for them.
    """
    state, rules = application.status, application.version.rules
    running = [clock for clock in application.clocks.all() if clock.stopped_on is None]
    own = next((clock for clock in running if clock.step != ClockStep.JOINT), None)
    ahead = 0 if state is _S.PUBLICITY else int(rules.get("publicity_days") or 0)
    if state in _BEFORE_REVIEW:
        ahead += limits_of(rules=rules, step=ClockStep.REVIEW)[1]
    if state is _S.DRAFT:
        ahead += limits_of(rules=rules, step=ClockStep.ACCEPTANCE)[1]
    ends = [p.ends_on for p in application.publicities.all() if p.closed_at is None] if state is _S.PUBLICITY else []
    return Situation(
        state=state,
        clock=None if own is None else own.as_clock(own.pauses.all()),
        step="" if own is None else ClockStep(own.step).label,
        ahead=ahead,
        waiting=_waiting(application, running, calendar),
        publicity_until=max(ends, default=None),
    )


def _waiting(application: Application, running: list[StepClock], calendar: Calendar) -> Waiting | None:
    state = application.status
    if state in _CORRECTION:
        listed: list[Correction] | None = getattr(application, "open_corrections", None)
        if listed is None:
            listed = list(application.corrections.filter(supplied_at__isnull=True, lapsed_at__isnull=True))
        return Waiting(Cause.CORRECTION, listed[0].due_on if listed else None)
    if state is _S.EXPERT:
        return Waiting(Cause.EXPERT)
    if state is not _S.JOINT_REVIEW:
        return None
    days = [
        clocks.due(clock.as_clock(clock.pauses.all()), calendar=calendar)
        for clock in running
        if clock.step == ClockStep.JOINT
    ]
    return Waiting(Cause.JOINT, max(days, default=None))
