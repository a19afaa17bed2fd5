"""The district's own working calendar."""

from datetime import date

import pytest

from disbursement.models import CalendarYear, SpecialDay
from disbursement.selectors.calendar import working_calendar

pytestmark = pytest.mark.django_db


def test_untouched_it_is_the_shipped_one() -> None:
    assert not working_calendar().is_working_day(date(2026, 10, 1))


def test_a_year_that_was_entered_takes_the_place_of_the_shipped_one() -> None:
    year = CalendarYear.objects.create(year=2027, is_official=True)
    SpecialDay.objects.create(year=year, day=date(2027, 2, 4), name="春节")
    SpecialDay.objects.create(year=year, day=date(2027, 2, 14), is_working=True, name="春节")
    calendar = working_calendar()
    assert not calendar.is_working_day(date(2027, 2, 4))
    assert calendar.is_working_day(date(2027, 2, 14))
    assert calendar.is_working_day(date(2027, 2, 5))  # the provisional shipped holiday is gone
    assert not calendar.is_working_day(date(2026, 10, 1))
    assert calendar.warnings(date(2026, 12, 1)) == []


def test_a_new_year_adds_to_the_known_ones() -> None:
    CalendarYear.objects.create(year=2028, is_official=False)
    assert ["暂定" in text for text in working_calendar().warnings(date(2028, 1, 5))] == [True]
