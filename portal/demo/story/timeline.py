"""The days of the story: real working days of two months, told up to the day before `today`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings

from disbursement.domain.calendar import Calendar
from disbursement.domain.cycle import cutoff_date, month_of
from matching.days import SHANGHAI

_ONE_DAY = timedelta(days=1)
# Working days before a cut-off on which its applications come in; and after it until its returns are worked off.
LEAD = 14
SETTLED = 6


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant of a day in Asia/Shanghai."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


@dataclass(frozen=True, slots=True)
class Timeline:
    """`first` and `second` are the months told; `latest` is the last one that was cut off before `today`.

    Where `latest` lies so few days back that its returns are not in yet, it comes after `second`; else it is `second`.
    """

    today: date
    calendar: Calendar
    first: date
    second: date
    latest: date

    @classmethod
    def until(cls, today: date, *, calendar: Calendar) -> Timeline:
        """The story that ends on the last working day before `today` (Asia/Shanghai)."""
        end = calendar.previous_working_day(today - _ONE_DAY)
        latest = month_of(end)
        if _cut(latest, calendar) > end:
            latest = _before(latest)
        settled = calendar.working_days_between(_cut(latest, calendar), end) >= SETTLED
        second = latest if settled else _before(latest)
        return cls(today, calendar, _before(second), second, latest)

    @property
    def end(self) -> date:
        """The last day on which something happens."""
        return self.calendar.previous_working_day(self.today - _ONE_DAY)

    @property
    def published(self) -> date:
        return self.before(self.cut(self.first), LEAD + 1)

    def cut(self, month: date) -> date:
        return _cut(month, self.calendar)

    def before(self, day: date, days: int) -> date:
        """So many working days earlier."""
        for _ in range(days):
            day = self.calendar.previous_working_day(day - _ONE_DAY)
        return day

    def after(self, day: date, days: int) -> date:
        """So many working days later."""
        return self.calendar.add_working_days(day, days)

    def used(self, days: int) -> date:
        """The latest day of the story from which a clock shows at least so many working days today."""
        day = self.end
        while self.calendar.working_days_between(day, self.today) < days:
            day = self.calendar.previous_working_day(day - _ONE_DAY)
        return day

    def nights(self) -> list[date]:
        """Every day from publication up to the day before today."""
        span = (self.today - self.published).days
        return [self.published + timedelta(days=n) for n in range(span)]


def _cut(month: date, calendar: Calendar) -> date:
    return cutoff_date(month, calendar=calendar, day=settings.HUIDA_CUTOFF_DAY)


def _before(month: date) -> date:
    return month_of(month - _ONE_DAY)
