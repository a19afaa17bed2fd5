"""Ranges of numbers and of dates, and how a value, a ratio or an interval of possible values stands to them."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .values import Period, times


@dataclass(frozen=True, slots=True)
class Bounds:
    """One lower bound, one upper bound, or both; ``eq`` is both at once. None is unbounded."""

    lower: Decimal | None = None
    lower_strict: bool = False
    upper: Decimal | None = None
    upper_strict: bool = False

    @property
    def eq(self) -> Decimal | None:
        """The only number admitted, where there is just one."""
        return self.lower if self.lower is not None and self.lower == self.upper else None

    @property
    def holds_nothing(self) -> bool:
        if self.lower is None or self.upper is None:
            return False
        if self.lower == self.upper:
            return self.lower_strict or self.upper_strict
        return self.lower > self.upper

    def admits(self, value: Decimal) -> bool:
        return not self._below(value) and not self._above(value)

    def admits_ratio(self, numerator: Decimal, denominator: Decimal) -> bool:
        """Whether numerator ÷ denominator (> 0) is inside, exactly: the bounds are multiplied instead."""
        return self.scaled(denominator).admits(numerator)

    def scaled(self, factor: Decimal) -> "Bounds":
        """The same range with both bounds multiplied by ``factor`` (> 0)."""
        return Bounds(
            None if self.lower is None else times(self.lower, factor),
            self.lower_strict,
            None if self.upper is None else times(self.upper, factor),
            self.upper_strict,
        )

    def judge_interval(self, least: Decimal, greatest: Decimal | None) -> bool | None:
        """True where every number from ``least`` to ``greatest`` (None: without end) is inside, False where none
        is, else None. Both ends belong to the interval."""
        if self._above(least) or (greatest is not None and self._below(greatest)):
            return False
        reaches_over = self.upper is not None and (greatest is None or self._above(greatest))
        return None if reaches_over or self._below(least) else True

    def judge_counts(self, sure: int, possible: int) -> bool | None:
        """The same over the whole numbers from ``sure`` to ``sure + possible``."""
        if not possible:
            return self.admits(Decimal(sure))
        answers = {self.admits(Decimal(count)) for count in range(sure, sure + possible + 1)}
        return answers.pop() if len(answers) == 1 else None

    def _below(self, value: Decimal) -> bool:
        return self.lower is not None and (value < self.lower or (self.lower_strict and value == self.lower))

    def _above(self, value: Decimal) -> bool:
        return self.upper is not None and (value > self.upper or (self.upper_strict and value == self.upper))


@dataclass(frozen=True, slots=True)
class DateBounds:
    """The date operators; a date must satisfy each that stands. Durations count back from ``as_of``."""

    on_or_after: date | None = None
    on_or_before: date | None = None
    within_last: Period | None = None
    at_least_ago: Period | None = None

    @property
    def durations_exclude_each_other(self) -> bool:
        """Whether no day is both within the one and as long ago as the other, as of any day.

        Months differ in length, so where months and days are mixed every day of eight years is tried.
        """
        within, ago = self.within_last, self.at_least_ago
        if within is None or ago is None:
            return False
        if within.months >= ago.months and within.days >= ago.days:
            return False
        if within.months <= ago.months and within.days <= ago.days:
            return True
        # Far enough from year 1 for the longest durations that can differ in order.
        start = date(8000, 1, 1)
        both = DateBounds(within_last=within, at_least_ago=ago)
        return all(both.window(start + timedelta(days=day)) is None for day in range(8 * 366))

    def window(self, as_of: date) -> tuple[date, date] | None:
        """First and last day admitted as of a day (``date.min``, ``date.max``: no end); None where none is."""
        first, last = date.min, date.max
        if self.on_or_after is not None:
            first = max(first, self.on_or_after)
        if self.on_or_before is not None:
            last = min(last, self.on_or_before)
        if self.within_last is not None:
            # Longer ago than the calendar reaches: no day is too early.
            first = max(first, self.within_last.before(as_of) or date.min)
            last = min(last, as_of)
        if self.at_least_ago is not None:
            latest = self.at_least_ago.before(as_of)
            if latest is None:
                return None
            last = min(last, latest)
        return (first, last) if first <= last else None

    def admits(self, value: date, as_of: date) -> bool:
        window = self.window(as_of)
        return window is not None and window[0] <= value <= window[1]
