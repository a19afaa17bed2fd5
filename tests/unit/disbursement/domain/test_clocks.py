"""Clocks in working days, with pauses."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.calendar import shipped
from disbursement.domain.clocks import Clock, Colour, Pause, colour, due, read

CALENDAR = shipped()
MONDAY = date(2026, 3, 2)


def test_a_clock_runs_out_after_its_working_days() -> None:
    reading = read(Clock(MONDAY, 5), as_of=date(2026, 3, 4), calendar=CALENDAR)
    assert (reading.used, reading.left, reading.due, reading.colour) == (2, 3, date(2026, 3, 9), Colour.GREEN)


@pytest.mark.parametrize(
    ("used", "limit", "expected"),
    [
        (0, 5, "green"),
        (3, 5, "green"),
        (4, 5, "yellow"),
        (5, 5, "yellow"),
        (6, 5, "red"),
        (1, 1, "yellow"),
        (2, 1, "red"),
    ],
)
def test_yellow_is_four_fifths_of_the_limit_and_red_is_past_it(used: int, limit: int, expected: str) -> None:
    assert colour(used=used, limit=limit) == expected


def test_time_in_correction_does_not_count_and_moves_the_due_day() -> None:
    clock = Clock(MONDAY, 5, [Pause(date(2026, 3, 4), date(2026, 3, 11))])
    reading = read(clock, as_of=date(2026, 3, 12), calendar=CALENDAR)
    assert (reading.used, reading.due) == (3, date(2026, 3, 16))


def test_a_paused_clock_stands_still_and_has_no_due_day() -> None:
    clock = Clock(MONDAY, 5, [Pause(date(2026, 3, 4))])
    early = read(clock, as_of=date(2026, 3, 5), calendar=CALENDAR)
    late = read(clock, as_of=date(2026, 6, 5), calendar=CALENDAR)
    assert (early.used, late.used) == (2, 2)
    assert (late.paused, late.due) == (True, None)


def test_a_stopped_clock_keeps_what_it_showed() -> None:
    reading = read(Clock(MONDAY, 5, stopped=date(2026, 3, 4)), as_of=date(2026, 12, 31), calendar=CALENDAR)
    assert (reading.used, reading.running, reading.colour) == (2, False, Colour.GREEN)


@pytest.mark.parametrize(
    "pauses",
    [
        [Pause(date(2026, 3, 1))],
        [Pause(date(2026, 3, 5), date(2026, 3, 4))],
        [Pause(date(2026, 3, 4)), Pause(date(2026, 3, 5))],
        [Pause(date(2026, 3, 4), date(2026, 3, 9)), Pause(date(2026, 3, 5), date(2026, 3, 10))],
    ],
)
def test_pauses_that_overlap_or_precede_the_start_are_refused(pauses: list[Pause]) -> None:
    with pytest.raises(ValueError):
        Clock(MONDAY, 5, pauses)


def test_a_limit_is_at_least_a_day() -> None:
    with pytest.raises(ValueError):
        Clock(MONDAY, 0)


@given(
    start=st.dates(date(2024, 1, 1), date(2027, 6, 1)),
    limit=st.integers(1, 40),
    gaps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 20)), max_size=3),
)
def test_on_its_due_day_a_clock_has_used_exactly_its_limit(
    start: date, limit: int, gaps: list[tuple[int, int]]
) -> None:
    pauses, day = [], start
    for wait, length in gaps:
        begin = day + timedelta(days=wait)
        day = begin + timedelta(days=length)
        pauses.append(Pause(begin, day))
    clock = Clock(start, limit, pauses)
    end = due(clock, calendar=CALENDAR)
    assert read(clock, as_of=end, calendar=CALENDAR).used == limit
    assert read(clock, as_of=end - timedelta(days=1), calendar=CALENDAR).used == limit - 1
    assert read(clock, as_of=end, calendar=CALENDAR).colour is not Colour.RED
