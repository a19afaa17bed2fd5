"""The working-day calendar in force."""

from __future__ import annotations

from disbursement.domain import calendar
from disbursement.models import CalendarYear, SpecialDay


def working_calendar() -> calendar.Calendar:
    """The shipped calendar, each year that the district has entered taking the place of the shipped one."""
    shipped = calendar.shipped()
    years = {entry.year: entry.is_official for entry in CalendarYear.objects.all()}
    if not years:
        return shipped
    holidays = [(day, name) for day, name in shipped.holidays.items() if day.year not in years]
    weekends = [(day, name) for day, name in shipped.working_weekends.items() if day.year not in years]
    for special in SpecialDay.objects.all():
        (weekends if special.is_working else holidays).append((special.day, special.name))
    provisional = {year for year, official in years.items() if not official}
    return calendar.build(
        holidays=holidays,
        working_weekends=weekends,
        years=shipped.years | years.keys(),
        provisional=(shipped.provisional - years.keys()) | provisional,
    )
