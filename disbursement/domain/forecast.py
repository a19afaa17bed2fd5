"""What a year's budget line comes to, month by month, and what to warn of. Pure; in 元, months as first days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from . import money

# Of the ceiling, in %: from here on finance is warned.
NEARLY_USED = 80
# From this month on, where less than so many % of the ceiling is bound or expected, money is about to be left over.
LATE_MONTH = 10
LATE_SHARE = 70
# What a month can hold, from what is certain to what may come.
PARTS = {
    "paid": "已支付",
    "committed": "已封存待付",
    "reserved": "已预留",
    "later": "后续分期",
    "expected": "在办申报预计",
}


@dataclass(slots=True)
class Month:
    """What falls on a month, by part."""

    month: date
    paid: Decimal = money.ZERO
    committed: Decimal = money.ZERO
    reserved: Decimal = money.ZERO
    later: Decimal = money.ZERO
    expected: Decimal = money.ZERO

    @property
    def total(self) -> Decimal:
        return money.total(getattr(self, part) for part in PARTS)


@dataclass(frozen=True, slots=True)
class Alert:
    """A warning about a line; `code` names it for good, `text` is for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """A line's year: twelve months, what stands against its ceiling."""

    ceiling: Decimal
    months: list[Month] = field(default_factory=list)

    def sum_of(self, *parts: str) -> Decimal:
        return money.total(getattr(month, part) for month in self.months for part in parts)

    @property
    def bound(self) -> Decimal:
        """Paid, committed and reserved: what the ledger holds."""
        return self.sum_of("paid", "committed", "reserved")

    @property
    def total(self) -> Decimal:
        """All that is bound or may still come this year."""
        return self.sum_of(*PARTS)

    @property
    def free(self) -> Decimal:
        """What of the ceiling is not bound; never below zero."""
        return max(self.ceiling - self.bound, money.ZERO)

    @property
    def gap(self) -> Decimal:
        """By how much all that may come exceeds the ceiling; zero where it suffices."""
        return max(self.total - self.ceiling, money.ZERO)

    @property
    def runs_out(self) -> date | None:
        """The first month in which the ceiling no longer suffices; None where it does all year."""
        so_far = money.ZERO
        for month in self.months:
            so_far += month.total
            if so_far > self.ceiling:
                return month.month
        return None

    def share(self, amount: Decimal) -> int:
        """`amount` in whole % of the ceiling, rounded down; 0 without a ceiling."""
        return int(amount * 100 / self.ceiling) if self.ceiling else 0


def forecast(*, year: int, ceiling: Decimal, parts: Mapping[str, Mapping[date, Decimal]], as_of: date) -> Forecast:
    """The year's forecast. `parts`: part → month → amount. What was due in a month that is over, and is not paid, falls
    on the month of `as_of`; what lies outside the year is left out.
    """
    months = {number: Month(date(year, number, 1)) for number in range(1, 13)}
    now = as_of.replace(day=1)
    for part, by_month in parts.items():
        for month, amount in by_month.items():
            at = month if part == "paid" else max(month, now)
            if at.year < year:
                at = date(year, 1, 1)
            if at.year == year:
                there = months[at.month]
                setattr(there, part, getattr(there, part) + amount)
    return Forecast(ceiling, list(months.values()))


def alerts(found: Forecast, *, as_of: date) -> list[Alert]:
    """What to warn of, the gravest first; `as_of` in Asia/Shanghai."""
    told = []
    if found.ceiling and found.free == 0:
        told.append(Alert("exhausted", "额度已全部预留和支付，新的审核通过将无法预留预算。"))
    elif found.ceiling and found.bound * 100 >= found.ceiling * NEARLY_USED:
        used = found.share(found.bound)
        told.append(Alert("nearly_used", f"已预留和支付占额度 {used}%，余 {money.yuan(found.free)} 元。"))
    out = found.runs_out
    if out is not None and found.free > 0:
        told.append(
            Alert(
                f"runs_out_{out:%m}",
                f"按在办申报和后续分期推算，{out.year}年{out.month}月起额度不足，全年缺口 {money.yuan(found.gap)} 元。",
            )
        )
    late = as_of >= date(found.months[0].month.year, LATE_MONTH, 1) if found.months else False
    if late and found.ceiling and found.total * 100 < found.ceiling * LATE_SHARE:
        rest = found.ceiling - found.total
        told.append(Alert("unspent", f"临近年末，仍有 {money.yuan(rest)} 元没有安排，占额度 {found.share(rest)}%。"))
    return told
