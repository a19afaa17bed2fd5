"""The month: when it is cut off, which month an approval is paid in, how many must approve a batch. Dates are
Asia/Shanghai.

A month is written as its first day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from .calendar import Calendar

DEFAULT_CUTOFF_DAY = 20
_LAST_SAFE_DAY = 28
_DECEMBER = 12

# (from this total in 元 on, approvers needed); rising.
Tiers = Sequence[tuple[Decimal, int]]
DEFAULT_TIERS: Tiers = ((Decimal("0.00"), 1), (Decimal("5000000.00"), 2))


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    if month.month == _DECEMBER:
        return date(month.year + 1, 1, 1)
    return date(month.year, month.month + 1, 1)


def years_later(month: date, years: int) -> date:
    return date(month.year + years, month.month, 1)


def month_label(month: date) -> str:
    return f"{month.year}年{month.month}月"


def cutoff_date(month: date, *, calendar: Calendar, day: int = DEFAULT_CUTOFF_DAY) -> date:
    """The cut-off of a month: its `day`th (1–28), moved back to a working day, or on where the month has none
    before.
    """
    if not 1 <= day <= _LAST_SAFE_DAY:
        raise ValueError("截止日应为每月1日至28日。")
    wanted = month.replace(day=day)
    earlier = calendar.previous_working_day(wanted)
    return earlier if earlier.month == wanted.month else calendar.next_working_day(wanted)


def pay_month(
    approved_on: date,
    *,
    calendar: Calendar,
    day: int = DEFAULT_CUTOFF_DAY,
    set_days: Mapping[date, date] | None = None,
) -> date:
    """The month in which something approved on that day is paid: this one up to its cut-off day, else the
    next whose cut-off is not past. `set_days`: month → cut-off day, where another than the default was set.
    """
    known = set_days or {}
    month = month_of(approved_on)
    while approved_on > (known.get(month) or cutoff_date(month, calendar=calendar, day=day)):
        month = next_month(month)
    return month


def approvals_needed(total: Decimal, *, tiers: Tiers = DEFAULT_TIERS) -> int:
    """How many different approvers a batch of this total needs; at least one."""
    return max([1, *(count for floor, count in tiers if total >= floor)])
