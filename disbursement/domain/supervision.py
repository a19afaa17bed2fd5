"""The figures of supervision: when a holder is warned, and what a span of days comes to, by department and person.

Pure. Working days are counted by the Chinese calendar; shares are in %, to one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from .states import Labelled

_TENTH = Decimal("0.1")


class WarningLevel(Labelled):
    SHARE = "share", "时限提醒"
    DAYS = "days", "到期提醒"


class EntryKind(Labelled):
    """What the ledger keeps."""

    WARNING = "warning", "预警"
    YELLOW = "yellow", "黄牌"
    RED = "red", "红牌"
    LATE_CORRECTION = "late_correction", "追加补正"
    LAPSED = "lapsed", "逾期未出具会审意见"
    BROKEN_PROMISE = "broken_promise", "未兑现时间承诺"
    QUALITY = "quality", "抽查发现问题"


CARDS = frozenset({EntryKind.YELLOW, EntryKind.RED})


@dataclass(frozen=True, slots=True)
class Rule:
    """Warn from `percent` of the limit on, or with at most `days_before` working days left; None: not so."""

    percent: int | None
    days_before: int | None


DEFAULT_RULE = Rule(percent=60, days_before=1)


def levels_due(*, used: int, limit: int, rule: Rule) -> tuple[WarningLevel, ...]:
    """The warnings that are due at this reading. Past the limit it is too late to warn: there are cards."""
    if used > limit:
        return ()
    found = []
    if rule.percent is not None and used * 100 >= limit * rule.percent:
        found.append(WarningLevel.SHARE)
    # A limit as short as the warning itself would warn on the first day of all.
    if rule.days_before is not None and limit > rule.days_before and limit - used <= rule.days_before:
        found.append(WarningLevel.DAYS)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Done:
    """A step that ended: the working days it used, and its promised limit."""

    used: int
    limit: int

    @property
    def in_time(self) -> bool:
        return self.used <= self.limit


@dataclass(slots=True)
class Tally:
    """What one department or person did in a span of days."""

    done: list[Done] = field(default_factory=list)
    running: int = 0
    counts: dict[EntryKind, int] = field(default_factory=dict)
    struck: int = 0

    def add(self, kind: EntryKind) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    @property
    def cases(self) -> int:
        """Steps that were ended in the span or are still at work."""
        return len(self.done) + self.running

    @property
    def yellow(self) -> int:
        return self.counts.get(EntryKind.YELLOW, 0)

    @property
    def red(self) -> int:
        return self.counts.get(EntryKind.RED, 0)

    @property
    def others(self) -> int:
        """Lines that are neither warnings nor cards."""
        return sum(n for kind, n in self.counts.items() if kind not in CARDS and kind is not EntryKind.WARNING)

    @property
    def cards_per_hundred(self) -> Decimal | None:
        """Cards for each hundred cases; None where there was none."""
        return share(self.yellow + self.red, self.cases)

    @property
    def mean(self) -> Decimal | None:
        """Working days on the average; None where nothing ended."""
        if not self.done:
            return None
        return (Decimal(sum(one.used for one in self.done)) / len(self.done)).quantize(_TENTH, ROUND_HALF_UP)

    @property
    def median(self) -> int | None:
        return percentile([one.used for one in self.done], 50)

    @property
    def p90(self) -> int | None:
        return percentile([one.used for one in self.done], 90)

    @property
    def promise(self) -> Decimal | None:
        """The promised limits of the same steps on the average."""
        if not self.done:
            return None
        return (Decimal(sum(one.limit for one in self.done)) / len(self.done)).quantize(_TENTH, ROUND_HALF_UP)

    @property
    def in_time_share(self) -> Decimal | None:
        """Steps that ended within their promised limit, in %."""
        return share(sum(one.in_time for one in self.done), len(self.done))


def share(part: int, whole: int) -> Decimal | None:
    """A share in %, to one place; None of nothing."""
    return None if not whole else (Decimal(100 * part) / whole).quantize(_TENTH, ROUND_HALF_UP)


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The least value that at least `percent` % of the values do not pass (nearest rank); None of none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def total(tallies: Iterable[Tally]) -> Tally:
    """All together."""
    whole = Tally()
    for tally in tallies:
        whole.done.extend(tally.done)
        whole.running += tally.running
        whole.struck += tally.struck
        for kind, count in tally.counts.items():
            whole.counts[kind] = whole.counts.get(kind, 0) + count
    return whole


def month_number(month: date) -> int:
    """A month as a number (202603), as addresses and the subjects of reports name it."""
    return month.year * 100 + month.month


def month_of_number(number: int) -> date:
    """The first day of the month that a number names. ValueError where it names none."""
    if not 2000 <= number // 100 <= 2199:
        raise ValueError("a month's number is its year and its month, as 202603")
    return date(number // 100, number % 100, 1)
