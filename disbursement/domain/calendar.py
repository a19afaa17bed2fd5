"""Working days of the Chinese calendar.

A `Calendar` is plain data: for each known year its public holidays and the weekends worked to make up for
them. The one that ships lies in `data/calendar.json`; a district edits its own copy in the database
(`disbursement.models.calendar`). In a year that is not known, Saturdays and Sundays are free and all else is
worked: good enough to go on with, and `warnings` says so in time. Dates are calendar days in Asia/Shanghai.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5
# A year after which the loop is surely lost, not merely long: no limit in this house is ten years.
_HORIZON = timedelta(days=3700)
# The State Council announces a year's holidays in November of the year before; from then on it may be asked
# for.
_ASK_FROM_MONTH = 11


class CalendarError(ValueError):
    """Calendar data that contradicts itself; the message is for people."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Holidays and made-up working days, by date, with the years for which they are known.

    `provisional` are known years that no official notice covers yet.
    """

    holidays: Mapping[date, str]
    working_weekends: Mapping[date, str]
    years: frozenset[int]
    provisional: frozenset[int] = field(default_factory=frozenset)

    def is_working_day(self, day: date) -> bool:
        if day in self.holidays:
            return False
        return day in self.working_weekends or day.weekday() < _SATURDAY

    def next_working_day(self, day: date) -> date:
        """The day itself if it is worked, else the first worked day after it."""
        while not self.is_working_day(day):
            day += _ONE_DAY
        return day

    def previous_working_day(self, day: date) -> date:
        """The day itself if it is worked, else the last worked day before it."""
        while not self.is_working_day(day):
            day -= _ONE_DAY
        return day

    def add_working_days(self, start: date, days: int) -> date:
        """The date `days` working days after `start`; the starting day itself is not counted
        (期间开始之日不计入).

        With 0 it is `start` or, where that is free, the next working day. `days` must be ≥ 0.
        """
        if days < 0:
            raise ValueError("days must not be negative")
        day = start
        left = days
        while left:
            day += _ONE_DAY
            if day - start > _HORIZON:
                raise ValueError("more than ten years of working days")
            if self.is_working_day(day):
                left -= 1
        return self.next_working_day(day)

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`; 0 where `end` is not after `start`.

        So `working_days_between(d, add_working_days(d, n)) == n`.
        """
        count = 0
        day = start
        while day < end:
            day += _ONE_DAY
            count += self.is_working_day(day)
        return count

    def warnings(self, as_of: date) -> list[str]:
        """What an administrator has to mend: years missing or provisional, this one and (from November) the
        next.
        """
        wanted = [as_of.year] + ([as_of.year + 1] if as_of.month >= _ASK_FROM_MONTH else [])
        found = []
        for year in wanted:
            if year not in self.years:
                found.append(
                    f"{year}年的节假日尚未录入，工作日将只按周末计算。请在“工作日历”中录入国务院办公厅的放假安排。"
                )
            elif year in self.provisional:
                found.append(f"{year}年的节假日为按法定假日推算的暂定安排。请在国务院办公厅通知发布后核对并确认。")
        return found


def changed(
    calendar: Calendar,
    *,
    free: Iterable[tuple[date, str]] = (),
    worked: Iterable[tuple[date, str]] = (),
    removed: Iterable[date] = (),
) -> Calendar:
    """The calendar with days set free, worked to make up for them, or made days like any other again.

    Raises CalendarError as `build` does.
    """
    gone = set(removed)
    holidays = {day: name for day, name in calendar.holidays.items() if day not in gone} | dict(free)
    weekends = {day: name for day, name in calendar.working_weekends.items() if day not in gone} | dict(worked)
    return build(
        holidays=holidays.items(),
        working_weekends=weekends.items(),
        years=calendar.years,
        provisional=calendar.provisional,
    )


def build(
    *,
    holidays: Iterable[tuple[date, str]],
    working_weekends: Iterable[tuple[date, str]],
    years: Iterable[int],
    provisional: Iterable[int] = (),
) -> Calendar:
    """A checked calendar. Raises CalendarError if a day is both, lies in no listed year, or a made-up day is
    no weekend.
    """
    free, made_up = dict(holidays), dict(working_weekends)
    known = frozenset(years)
    for day in sorted(free.keys() & made_up.keys()):
        raise CalendarError(f"{day.isoformat()} 既是节假日又是调休上班日，请删去其一。")
    for day in sorted(made_up):
        if day.weekday() < _SATURDAY:
            raise CalendarError(f"{day.isoformat()} 不是周末，不能设为调休上班日。")
    for day in sorted([*free, *made_up]):
        if day.year not in known:
            raise CalendarError(f"{day.isoformat()} 不在已列出的年份中，请先录入该年份。")
    return Calendar(free, made_up, known, frozenset(provisional) & known)


def parse(text: str) -> Calendar:
    """A calendar from the JSON of `data/calendar.json` (holidays as [first, last, name], both days
    included).
    """
    holidays: list[tuple[date, str]] = []
    weekends: list[tuple[date, str]] = []
    years: list[int] = []
    provisional: list[int] = []
    for year, entry in json.loads(text)["years"].items():
        years.append(int(year))
        if not entry["official"]:
            provisional.append(int(year))
        for first, last, name in entry["holidays"]:
            day, end = date.fromisoformat(first), date.fromisoformat(last)
            if end < day:
                raise CalendarError(f"{name}的假期结束于开始之前：{first} 至 {last}。")
            while day <= end:
                holidays.append((day, name))
                day += _ONE_DAY
        weekends.extend((date.fromisoformat(day), name) for day, name in entry["working_weekends"])
    return build(holidays=holidays, working_weekends=weekends, years=years, provisional=provisional)


@cache
def shipped() -> Calendar:
    """The calendar that comes with the product."""
    return parse((Path(__file__).parent / "data" / "calendar.json").read_text(encoding="utf-8"))
