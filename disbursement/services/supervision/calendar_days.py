"""Changing a day of the working calendar: first how many clocks and pay months it moves, then the change itself.

A clock is read against the calendar whenever it is looked at, so nothing of it is stored anew: what was charged stays
charged. The forecasts of the pay month follow through the outbox: topic `calendar.changed` {"days": […]}.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain import calendar as domain
from disbursement.domain import clocks
from disbursement.domain.calendar import Calendar, CalendarError
from disbursement.domain.clocks import Colour
from disbursement.domain.errors import Fault, Invalid
from disbursement.models import Application, CalendarYear, SpecialDay, StepClock
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.pay_month import cuts_of
from disbursement.services.supervision import pay_month
from matching.days import day_of
from matching.registry import outbox

_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """Days that become free (`is_working` False) or worked, under a name; and days that become like any other."""

    days: tuple[date, ...] = ()
    is_working: bool = False
    name: str = ""
    removed: tuple[date, ...] = ()

    @property
    def touched(self) -> tuple[date, ...]:
        return (*self.days, *self.removed)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change moves today: running clocks in all, those whose day or use moves, those that change colour, and the
    applications whose money comes in another month (application, before, after).
    """

    running: int
    clocks: int
    turned: int
    months: Sequence[tuple[Application, date, date]]

    @property
    def is_none(self) -> bool:
        return not self.clocks and not self.months


def preview(*, change: Change, now: datetime) -> Effect:
    """What the change would move, without making it. Raises Invalid where the days contradict each other."""
    today, before = day_of(now), working_calendar()
    after = _changed(before, change)
    running = moved = turned = 0
    found = StepClock.objects.filter(stopped_on__isnull=True).prefetch_related("pauses").order_by("pk")
    for clock in found.iterator(chunk_size=_CHUNK):
        value = clock.as_clock(clock.pauses.all())
        was = clocks.read(value, as_of=today, calendar=before)
        will_be = clocks.read(value, as_of=today, calendar=after)
        running += 1
        moved += (was.used, was.due) != (will_be.used, will_be.due)
        turned += was.colour is not will_be.colour and Colour.GREEN in (was.colour, will_be.colour)
    months = pay_month.moved_between(
        today=today, before=cuts_of(as_of=today, calendar=before), after=cuts_of(as_of=today, calendar=after)
    )
    return Effect(running=running, clocks=moved, turned=turned, months=months)


@transaction.atomic
def apply(*, year_id: int, change: Change, now: datetime) -> None:
    """Make the change in a year that was entered. Raises Invalid where the days contradict each other or its year."""
    year = CalendarYear.objects.select_for_update().get(pk=year_id)
    if any(day.year != year.year for day in change.touched):
        raise Invalid(Fault("first", _("日期须在 %(year)s 年内。") % {"year": year.year}))
    _changed(working_calendar(), change)
    SpecialDay.objects.filter(year=year, day__in=change.removed).delete()
    if SpecialDay.objects.filter(day__in=change.days).exists():
        raise Invalid(Fault("first", _("其中有的日期已录入，请先删去。")))
    SpecialDay.objects.bulk_create(
        SpecialDay(year=year, day=day, is_working=change.is_working, name=change.name) for day in change.days
    )
    days = sorted(day.isoformat() for day in change.touched)
    outbox.emit(topic="calendar.changed", payload={"days": days}, now=now)


def _changed(calendar: Calendar, change: Change) -> Calendar:
    named = [(day, change.name) for day in change.days]
    try:
        return domain.changed(
            calendar,
            free=[] if change.is_working else named,
            worked=named if change.is_working else [],
            removed=change.removed,
        )
    except CalendarError as error:
        raise Invalid(Fault("first", str(error))) from error
