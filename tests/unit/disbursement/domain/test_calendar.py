"""Working days of the Chinese calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.calendar import Calendar, CalendarError, build, parse, shipped

DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
# Working days of each officially arranged year, as counted from the State Council's notices.
WORKING_DAYS = {2024: 251, 2025: 248, 2026: 248}


@pytest.mark.parametrize(("year", "expected"), WORKING_DAYS.items())
def test_an_official_year_has_its_known_number_of_working_days(year: int, expected: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    assert sum(map(shipped().is_working_day, days)) == expected


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2024-02-09", True),  # 除夕 was worked in 2024
        ("2024-02-18", True),  # a Sunday made up
        ("2025-01-28", False),  # 除夕
        ("2025-10-08", False),
        ("2026-01-04", True),
        ("2026-02-23", False),
        ("2026-05-09", True),
        ("2026-11-22", False),  # an ordinary Sunday
        ("2027-02-09", False),  # made up for a weekend of 春节
        ("2027-02-11", True),
    ],
)
def test_a_day_is_worked_or_free_as_arranged(day: str, worked: bool) -> None:
    assert shipped().is_working_day(date.fromisoformat(day)) is worked


def test_counting_starts_on_the_day_after() -> None:
    assert shipped().add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert shipped().working_days_between(date(2026, 9, 30), date(2026, 10, 8)) == 1


@given(DAYS, st.integers(1, 60))
def test_adding_and_counting_are_inverse(start: date, days: int) -> None:
    calendar = shipped()
    assert calendar.working_days_between(start, calendar.add_working_days(start, days)) == days


@given(DAYS)
def test_the_next_and_the_previous_working_day_are_worked_and_nearest(day: date) -> None:
    calendar = shipped()
    after, before = calendar.next_working_day(day), calendar.previous_working_day(day)
    assert calendar.is_working_day(after)
    assert calendar.is_working_day(before)
    assert before <= day <= after
    between = [before + timedelta(days=n) for n in range(1, (after - before).days)]
    assert not any(calendar.is_working_day(d) for d in between)


def test_a_year_without_official_holidays_is_warned_of_from_november_of_the_year_before() -> None:
    calendar = shipped()
    assert calendar.warnings(date(2026, 10, 31)) == []
    assert ["暂定" in text for text in calendar.warnings(date(2026, 11, 1))] == [True]
    assert ["尚未录入" in text for text in calendar.warnings(date(2028, 3, 1))] == [True]


def test_an_unknown_year_knows_weekends_alone() -> None:
    assert not shipped().is_working_day(date(2031, 10, 4))
    assert shipped().is_working_day(date(2031, 10, 1))


@pytest.mark.parametrize(
    ("holidays", "weekends", "message"),
    [
        ([("2026-10-10", "x")], [("2026-10-10", "x")], "既是节假日又是调休"),
        ([], [("2026-10-09", "x")], "不是周末"),
        ([("2025-10-01", "x")], [], "先录入该年份"),
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(
    holidays: list[tuple[str, str]], weekends: list[tuple[str, str]], message: str
) -> None:
    def dated(entries: list[tuple[str, str]]) -> list[tuple[date, str]]:
        return [(date.fromisoformat(day), name) for day, name in entries]

    with pytest.raises(CalendarError, match=message):
        build(holidays=dated(holidays), working_weekends=dated(weekends), years=[2026])


def test_a_holiday_that_ends_before_it_begins_is_refused() -> None:
    backwards = '"holidays": [["2026-05-05", "2026-05-01", "劳动节"]], "working_weekends": []'
    text = f'{{"years": {{"2026": {{"official": true, {backwards}}}}}}}'
    with pytest.raises(CalendarError, match="结束于开始之前"):
        parse(text)


def test_negative_days_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        shipped().add_working_days(date(2026, 1, 1), -1)


def test_a_calendar_with_no_working_day_is_found_out() -> None:
    endless = Calendar(holidays=_Every(), working_weekends={}, years=frozenset())
    with pytest.raises(ValueError, match="ten years"):
        endless.add_working_days(date(2026, 1, 1), 1)


class _Every(dict[date, str]):
    def __contains__(self, key: object) -> bool:
        return True
