"""Clocks: how much of a limit in working days has been used, and when it runs out.

A clock starts on a day, counts each working day after it, and stands still while paused (补正, 公示,
专家评审). It is a value made from what the log says; nothing ticks. Yellow at 80 % of the limit, red once it
is exceeded. All days are calendar days in Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .calendar import Calendar
from .workflow import Labelled

YELLOW_PERCENT = 80


class Colour(Labelled):
    GREEN = "green", "正常"
    YELLOW = "yellow", "黄牌"
    RED = "red", "红牌"


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands still from the day after `start` up to and including `end`; `end` None while it lasts.

    The day on which a pause begins still counts, and so does the first working day after it ends: a day is
    either the department's or the other side's, never both.
    """

    start: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """A limit of `limit` working days (≥ 1) from `start`, minus pauses, until `stopped` if it has been."""

    start: date
    limit: int
    pauses: Sequence[Pause] = ()
    stopped: date | None = None

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("a limit is at least one working day")
        previous = self.start
        for index, pause in enumerate(self.pauses):
            if pause.start < previous or (pause.end is not None and pause.end < pause.start):
                raise ValueError("pauses must be in order and not overlap")
            if pause.end is None and index != len(self.pauses) - 1:
                raise ValueError("only the last pause may be open")
            previous = pause.end or pause.start


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock shows on a day. `due` is None while it is paused: nobody can know the day then."""

    used: int
    limit: int
    colour: Colour
    due: date | None
    paused: bool
    running: bool

    @property
    def left(self) -> int:
        """Working days left; negative when overrun."""
        return self.limit - self.used


def read(clock: Clock, *, as_of: date, calendar: Calendar) -> Reading:
    """The clock's state on the day `as_of` (a stopped clock is read as of the day it stopped)."""
    end = min(as_of, clock.stopped) if clock.stopped is not None else as_of
    paused = any(p.start <= end and (p.end is None or p.end > end) for p in clock.pauses)
    used = _used(clock, end, calendar)
    running = clock.stopped is None or clock.stopped > as_of
    return Reading(
        used=used,
        limit=clock.limit,
        colour=colour(used=used, limit=clock.limit),
        due=None if paused and running else due(clock, calendar=calendar),
        paused=paused and running,
        running=running,
    )


def colour(*, used: int, limit: int) -> Colour:
    """Red past the limit, yellow from 80 % of it on."""
    if used > limit:
        return Colour.RED
    return Colour.YELLOW if used * 100 >= limit * YELLOW_PERCENT else Colour.GREEN


def due(clock: Clock, *, calendar: Calendar) -> date:
    """The last day within the limit, as the pauses stand; an open pause is taken as ending on the day it
    began.
    """
    left = clock.limit
    day = clock.start
    one = timedelta(days=1)
    while left:
        day += one
        if calendar.is_working_day(day) and not _is_paused(clock, day):
            left -= 1
    return day


def _is_paused(clock: Clock, day: date) -> bool:
    return any(p.end is not None and p.start < day <= p.end for p in clock.pauses)


def _used(clock: Clock, end: date, calendar: Calendar) -> int:
    used = calendar.working_days_between(clock.start, end)
    for pause in clock.pauses:
        until = end if pause.end is None else min(pause.end, end)
        used -= calendar.working_days_between(pause.start, until)
    return used
