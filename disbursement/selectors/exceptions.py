"""What the bank sent and nobody has dealt with, by age and by what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Case, CharField, Count, QuerySet, Sum, Value, When

from disbursement.domain import money
from disbursement.models import LineStatus, ReturnLine
from matching.days import SHANGHAI

# (code, shown, from so many days, up to and with so many); the last has no end.
AGES: Sequence[tuple[str, str, int, int | None]] = (
    ("new", "2天以内", 0, 2),
    ("week", "3至7天", 3, 7),
    ("month", "8至30天", 8, 30),
    ("old", "30天以上", 31, None),
)


@dataclass(frozen=True, slots=True)
class AgeGroup:
    """Open exceptions of an age; `total` in 元, of those that say an amount."""

    code: str
    label: str
    count: int
    total: Decimal


def open_exceptions(lines: QuerySet[ReturnLine]) -> QuerySet[ReturnLine]:
    """Those of the lines that wait for somebody, the oldest first."""
    return lines.filter(status=LineStatus.EXCEPTION, resolved_at__isnull=True).order_by("created_at", "pk")


def of_age(lines: QuerySet[ReturnLine], *, code: str, today: date) -> QuerySet[ReturnLine]:
    """Those of one age group; all where there is no such group."""
    for known, _, youngest, oldest in AGES:
        if known == code:
            lines = lines.filter(created_at__lt=_start(today - timedelta(days=youngest - 1)))
            return lines if oldest is None else lines.filter(created_at__gte=_start(today - timedelta(days=oldest)))
    return lines


def by_age(lines: QuerySet[ReturnLine], *, today: date) -> list[AgeGroup]:
    """Every age group with what stands in it, in one query."""
    whens = [
        When(created_at__gte=_start(today - timedelta(days=oldest)), then=Value(code))
        for code, _, _, oldest in AGES
        if oldest is not None
    ]
    rows = (
        open_exceptions(lines)
        .order_by()
        .annotate(age=Case(*whens, default=Value(AGES[-1][0]), output_field=CharField()))
        .values_list("age")
        .annotate(count=Count("pk"), total=Sum("amount"))
    )
    found = {age: (count, total) for age, count, total in rows}
    return [
        AgeGroup(code, label, found.get(code, (0, None))[0], money.from_sum(found.get(code, (0, None))[1]))
        for code, label, _, _ in AGES
    ]


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI)
