"""What the bank sent and nobody has dealt with, by age and by what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Case, CharField, Count, QuerySet, Sum, Value, When

from disbursement.domain import money
from disbursement.domain.calendar import Calendar
from disbursement.models import LineStatus, ReturnLine
from disbursement.selectors.calendar import working_calendar
from matching.days import SHANGHAI

# (code, shown, from more than so many working days, up to and with so many); the last has no end.
AGES: Sequence[tuple[str, str, int, int | None]] = (
    ("new", "3个工作日以内", -1, 3),
    ("week", "4至10个工作日", 3, 10),
    ("old", "超过10个工作日", 10, None),
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
    calendar = working_calendar()
    for known, _, above, most in AGES:
        if known == code:
            lines = lines.filter(created_at__lt=_start(_came_within(above, today=today, calendar=calendar)))
            if most is None:
                return lines
            return lines.filter(created_at__gte=_start(_came_within(most, today=today, calendar=calendar)))
    return lines


def old_exceptions(*, today: date) -> QuerySet[ReturnLine]:
    """The open ones of the last age: finance is told of these."""
    return of_age(open_exceptions(ReturnLine.objects.all()), code="old", today=today)


def by_age(lines: QuerySet[ReturnLine], *, today: date) -> list[AgeGroup]:
    """Every age group with what stands in it, in one query beside the calendar's."""
    calendar = working_calendar()
    whens = [
        When(created_at__gte=_start(_came_within(most, today=today, calendar=calendar)), then=Value(code))
        for code, _, _, most in AGES
        if most is not None
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


def _came_within(days: int, *, today: date, calendar: Calendar) -> date:
    """The first day from which on something that came is not older than so many working days; tomorrow for -1."""
    if days < 0:
        return today + timedelta(days=1)
    day = today
    while calendar.working_days_between(day - timedelta(days=1), today) <= days:
        day -= timedelta(days=1)
    return day


def _start(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=SHANGHAI)
