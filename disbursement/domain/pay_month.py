"""In which month the money comes, and why: one pure function over how an application or an instalment stands.

Before approval it is a forecast: every step that is still to come takes its promised working days, what waits for the
enterprise takes the days that the enterprise was given, and the decision falls into the first month whose cut-off it
does not miss. After approval it is the month promised, moved by what came between: a short budget, a hold, a payment
that the bank sent back. The first of `causes` is why the month is what it is. A month is its first day; days are
calendar days in Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from .calendar import Calendar
from .clocks import Clock, read
from .cycle import DEFAULT_CUTOFF_DAY, cutoff_date, month_label, month_of, next_month
from .states import ApplicationState, Labelled, PayableState


class Cause(Labelled):
    """Why a forecast is what it is, or why it moved."""

    ON_TIME = "on_time", "按承诺时限推算"
    CORRECTION = "correction", "补正材料"
    EXPERT = "expert", "专家评审"
    JOINT = "joint", "部门会审"
    OVERDUE = "overdue", "办理超过承诺时限"
    SENT_BACK = "sent_back", "退回审核"
    PUBLICITY = "publicity", "公示"
    OBJECTION = "objection", "公示异议处理"
    APPEAL = "appeal", "复核"
    CUT_OFF = "cut_off", "当月已截止"
    CALENDAR = "calendar", "工作日历调整"
    APPROVED = "approved", "审核通过"
    BUDGET = "budget", "预算不足"
    HELD = "held", "暂缓"
    BOUNCED = "bounced", "退票"
    MENDED = "mended", "新账户待核对"
    SLIPPED = "slipped", "顺延"
    PAID = "paid", "已兑现"
    ENDED = "ended", "不再兑现"


@dataclass(frozen=True, slots=True)
class Why:
    """One reason; `text` is a whole sentence for people, without the name of any person."""

    cause: Cause
    text: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """The month of the next money (None: none comes), whether it is promised, and why, the leading reason first."""

    month: date | None
    firm: bool
    causes: tuple[Why, ...]

    @property
    def lead(self) -> Why:
        return self.causes[0]

    @property
    def text(self) -> str:
        return "".join(why.text for why in self.causes)


@dataclass(frozen=True, slots=True)
class Cuts:
    """When months are cut off: `days` where a cycle was opened with its published day, `done` those cut off already;
    other months by `day` of the month and the calendar.
    """

    calendar: Calendar
    day: int = DEFAULT_CUTOFF_DAY
    days: Mapping[date, date] = field(default_factory=dict)
    done: frozenset[date] = frozenset()

    def cut_off(self, month: date) -> date:
        """The last day on which something may be approved, or mended, to be paid in the month."""
        found = self.days.get(month)
        return cutoff_date(month, calendar=self.calendar, day=self.day) if found is None else found

    def month_for(self, day: date) -> date:
        """The month in which something that is ready on that day is paid."""
        month = month_of(day)
        while month in self.done or day > self.cut_off(month):
            month = next_month(month)
        return month


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an application waits for beside its department: until `until` at the latest, where a day is known."""

    cause: Cause
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """How an application stands before its approval.

    `clock` is the step's clock (of its department, not of those asked for opinions), `step` its name; `ahead` are the
    working days of the steps that follow it, publicity among them; `publicity_until` the last day of a publicity that
    is under way.
    """

    state: ApplicationState
    clock: Clock | None = None
    step: str = ""
    ahead: int = 0
    waiting: Waiting | None = None
    publicity_until: date | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """How one instalment stands: `month` is the one it is scheduled for, `reason` why it was put off or is held."""

    state: PayableState
    month: date
    reason: str = ""


def forecast(situation: Situation, *, as_of: date, cuts: Cuts) -> Forecast:
    """The forecast of an application before its approval."""
    state = situation.state
    if state in _ENDED:
        return Forecast(None, True, (Why(Cause.ENDED, f"这件申报{state.label}。"),))
    ready, causes = _ready(situation, as_of=as_of, calendar=cuts.calendar)
    month = cuts.month_for(ready)
    if month_of(ready) in cuts.done and ready <= cuts.cut_off(month_of(ready)):
        text = f"{month_label(month_of(ready))}的兑现已经截止。"
        causes = (*causes, Why(Cause.CUT_OFF, text))
    return Forecast(month, False, causes)


def supply_by(situation: Situation, *, as_of: date, cuts: Cuts) -> date | None:
    """The last day on which what is asked for can be handed in without losing the month that handing it in today would
    give; None where nothing is asked for, or every day that is left gives the same month.
    """
    waiting = situation.waiting
    if waiting is None or waiting.until is None or situation.clock is None or waiting.until <= as_of:
        return None
    rest = _rest(situation, as_of=as_of, calendar=cuts.calendar)
    first = cuts.month_for(cuts.calendar.add_working_days(as_of, rest))
    if cuts.month_for(cuts.calendar.add_working_days(waiting.until, rest)) == first:
        return None
    low, high = as_of.toordinal(), waiting.until.toordinal()
    while high - low > 1:  # later days never give an earlier month
        middle = (low + high) // 2
        day = date.fromordinal(middle)
        if cuts.month_for(cuts.calendar.add_working_days(day, rest)) == first:
            low = middle
        else:
            high = middle
    return date.fromordinal(low)


def forecast_owed(owed: Owed, *, as_of: date, cuts: Cuts) -> Forecast:
    """The forecast of one instalment after approval."""
    state = owed.state
    if state in (PayableState.PAID, PayableState.SETTLED):
        return Forecast(None, True, (Why(Cause.PAID, "已兑现。"),))
    if state in _GONE:
        return Forecast(None, True, (Why(Cause.ENDED, f"这笔款项{state.label}。"),))
    reason = owed.reason.strip().rstrip("。")
    # Once a month is cut off without it, what waits cannot be paid in it any more.
    open_month = max(owed.month, cuts.month_for(as_of))
    day = cuts.cut_off(open_month)
    by = f"{day.month}月{day.day}日"
    if state is PayableState.HELD:
        return Forecast(open_month, True, (Why(Cause.HELD, f"暂缓：{reason}。{by}前解除的，在当月兑现。"),))
    if state is PayableState.BOUNCED:
        return Forecast(
            open_month, True, (Why(Cause.BOUNCED, f"银行退票：请更正收款账户，{by}前核对通过的，在当月兑现。"),)
        )
    if state is PayableState.MENDED:
        return Forecast(open_month, True, (Why(Cause.MENDED, f"新账户正在核对，{by}前核对通过的，在当月兑现。"),))
    if state is PayableState.AWAITING:
        text = f"{reason}。" if reason else "待安排预算。"
        return Forecast(owed.month, True, (Why(Cause.BUDGET, text),))
    if reason:
        cause = Cause.BUDGET if "预算" in reason else Cause.SLIPPED
        return Forecast(owed.month, True, (Why(cause, f"{reason}。"),))
    return Forecast(owed.month, True, (Why(Cause.APPROVED, "按审核通过时承诺的月份兑现。"),))


_S = ApplicationState
_ENDED = frozenset({_S.NOT_ACCEPTED, _S.REJECTED, _S.REJECTION_UPHELD, _S.WITHDRAWN, _S.REVOKED})
_GONE = frozenset({PayableState.REFUNDED, PayableState.CLAWBACK, PayableState.CLAWED_BACK, PayableState.CANCELLED})


def _ready(situation: Situation, *, as_of: date, calendar: Calendar) -> tuple[date, tuple[Why, ...]]:
    """By when the decision falls, and why then."""
    if situation.publicity_until is not None:
        # The working day after its last one; what is taken longer than that waits for its objections.
        due = calendar.add_working_days(situation.publicity_until, 1)
        if as_of <= due:
            return due, (Why(Cause.PUBLICITY, "公示期满无异议后核定。"),)
        return calendar.add_working_days(as_of, 1), (Why(Cause.OBJECTION, "公示期已满，异议处理完毕后核定。"),)
    rest = _rest(situation, as_of=as_of, calendar=calendar)
    begins, causes = as_of, list(_causes(situation, as_of=as_of, calendar=calendar))
    waiting = situation.waiting
    if waiting is not None and waiting.until is not None and waiting.until > as_of:
        begins = waiting.until
    return calendar.add_working_days(begins, rest), tuple(causes)


def _rest(situation: Situation, *, as_of: date, calendar: Calendar) -> int:
    """Working days until the decision, once what is waited for is there."""
    if situation.clock is None:
        return situation.ahead
    left = read(situation.clock, as_of=as_of, calendar=calendar).left
    # Past its limit, or called back on its last day: one day is the least that anything takes.
    return max(left, 1 if situation.waiting is not None or left < 0 else 0) + situation.ahead


def _causes(situation: Situation, *, as_of: date, calendar: Calendar) -> list[Why]:
    found = []
    waiting, clock = situation.waiting, situation.clock
    if waiting is not None:
        found.append(Why(waiting.cause, _WAITING[waiting.cause].format(by=_until(waiting.until))))
        if waiting.until is not None and waiting.until < as_of:
            found.append(Why(Cause.OVERDUE, f"{waiting.cause.label}已过期限。"))
    if clock is not None:
        left = read(clock, as_of=as_of, calendar=calendar).left
        if left < 0 and waiting is None:
            found.append(Why(Cause.OVERDUE, f"{situation.step}已超过承诺时限 {-left} 个工作日。"))
    if situation.state is _S.APPEAL:
        found.append(Why(Cause.APPEAL, "复核按承诺时限推算。"))
    if not found:
        text = "如今天提交，按承诺时限推算。" if situation.state is _S.DRAFT else "按承诺时限推算。"
        found.append(Why(Cause.ON_TIME, text))
    return found


def _until(day: date | None) -> str:
    return "" if day is None else f"（最迟{day.month}月{day.day}日）"


_WAITING = {
    Cause.CORRECTION: "已要求补正材料{by}，时限暂停计算；补正后按承诺时限推算。",
    Cause.EXPERT: "专家评审中，时限暂停计算；恢复后按承诺时限推算。",
    Cause.JOINT: "部门会审中{by}，审核时限暂停计算。",
}
