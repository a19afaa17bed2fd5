"""The year's cut-off days: the default of the settings, each month in which somebody set another taking its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from disbursement.domain.calendar import Calendar
from disbursement.domain.cycle import cutoff_date, next_month, pay_month
from disbursement.models import CutOffDay, Cycle
from disbursement.selectors.calendar import working_calendar

# Paid from so many working days after the cut-off, on so many days: signing, sealing, and the bank's own time.
WINDOW_FROM = 3
WINDOW_DAYS = 5
# Of which a calendar is shown.
YEARS = range(2020, 2100)


def set_days() -> Mapping[date, date]:
    """Month (its first day) → the cut-off day that was set for it, the last decision counting."""
    return dict(CutOffDay.objects.order_by("pk").values_list("month", "day"))


def cut_off_day(*, month: date, calendar: Calendar | None = None) -> date:
    """The cut-off day of a month: what was set for it, else the settings' day moved to a working day."""
    found = CutOffDay.objects.filter(month=month).order_by("-pk").values_list("day", flat=True).first()
    return found or cutoff_date(month, calendar=calendar or working_calendar(), day=settings.HUIDA_CUTOFF_DAY)


def month_paid(*, approved_on: date, calendar: Calendar) -> date:
    """The month (its first day) in which something approved on that day is paid."""
    return pay_month(approved_on, calendar=calendar, day=settings.HUIDA_CUTOFF_DAY, set_days=set_days())


@dataclass(frozen=True, slots=True)
class MonthOfYear:
    """One month as it is published: its cut-off, the days on which it pays, why its day is another, how it stands;
    and whether that day is a Saturday or Sunday that is worked (调休上班).
    """

    month: date
    cut_off_on: date
    pays_from: date
    pays_until: date
    default_day: date
    reason: str
    state: str
    is_worked_weekend: bool = False

    @property
    def is_moved(self) -> bool:
        return self.cut_off_on != self.default_day


def months_of(*, year: int) -> list[MonthOfYear]:
    """The twelve months of a year. Three queries."""
    calendar = working_calendar()
    decided = {row.month: row for row in CutOffDay.objects.filter(month__year=year).order_by("pk")}
    cycles = {cycle.month: cycle for cycle in Cycle.objects.filter(month__year=year)}
    found, month = [], date(year, 1, 1)
    while month.year == year:
        default = cutoff_date(month, calendar=calendar, day=settings.HUIDA_CUTOFF_DAY)
        row, cycle = decided.get(month), cycles.get(month)
        day = cycle.cut_off_on if cycle is not None else row.day if row is not None else default
        found.append(
            MonthOfYear(
                month=month,
                cut_off_on=day,
                pays_from=calendar.add_working_days(day, WINDOW_FROM),
                pays_until=calendar.add_working_days(day, WINDOW_FROM + WINDOW_DAYS),
                default_day=default,
                reason=row.reason if row is not None and row.day == day else "",
                state=cycle.state if cycle is not None else "",
                is_worked_weekend=day in calendar.working_weekends,
            )
        )
        month = next_month(month)
    return found
