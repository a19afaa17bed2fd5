"""The days of the story, whenever it is told."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.calendar import shipped
from disbursement.domain.cycle import month_of, next_month
from portal.demo.story.timeline import LEAD, SETTLED, Timeline

CALENDAR = shipped()
days = st.dates(min_value=date(2024, 7, 1), max_value=date(2027, 12, 31))


@given(days)
def test_everything_happens_on_working_days_before_today(today: date):
    time = Timeline.until(today, calendar=CALENDAR)
    told = [time.published, time.cut(time.first), time.cut(time.second), time.cut(time.latest), time.end]
    assert told == sorted(told)
    assert time.end < today
    assert all(CALENDAR.is_working_day(day) for day in told)


@given(days)
def test_the_returns_of_the_second_month_are_in(today: date):
    time = Timeline.until(today, calendar=CALENDAR)
    assert CALENDAR.working_days_between(time.cut(time.second), time.end) >= SETTLED
    assert next_month(time.first) == time.second
    assert time.latest in (time.second, next_month(time.second))


@given(days)
def test_the_latest_month_is_the_last_that_was_cut_off(today: date):
    time = Timeline.until(today, calendar=CALENDAR)
    assert time.cut(time.latest) <= time.end
    assert time.cut(next_month(time.latest)) > time.end


@given(days)
def test_what_is_approved_before_a_cut_off_is_not_before_the_one_before(today: date):
    time = Timeline.until(today, calendar=CALENDAR)
    approved = time.before(time.cut(time.first), 3)
    assert approved > time.cut(month_of(time.first - timedelta(days=1)))
    assert CALENDAR.working_days_between(time.published, time.cut(time.first)) == LEAD + 1


@given(days, st.integers(min_value=0, max_value=9))
def test_a_clock_shows_as_many_days_as_were_asked_for(today: date, used: int):
    time = Timeline.until(today, calendar=CALENDAR)
    day = time.used(used)
    assert CALENDAR.working_days_between(day, today) >= used
    assert day == time.end or CALENDAR.working_days_between(time.after(day, 1), today) < used


@given(days, st.integers(min_value=0, max_value=9))
def test_before_and_after_are_each_others_way_back(today: date, count: int):
    time = Timeline.until(today, calendar=CALENDAR)
    assert time.after(time.before(time.end, count), count) == time.end
