"""The payment calendar for everybody: cut-off days, when money comes, what a submission today may expect; as ICS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from icalendar import Calendar, Event

from disbursement.domain.cycle import month_label
from disbursement.domain.workflow import ClockStep
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.cut_off import YEARS, MonthOfYear, month_paid, months_of
from disbursement.selectors.limits import DEFAULT_LIMITS
from matching.days import day_of


@dataclass(frozen=True, slots=True)
class Expectation:
    """What something submitted on a day may expect, within the promised times of an item without times of its own."""

    submitted_on: date
    decided_by: date
    month: date
    pays_from: date
    pays_until: date


def expectation(*, day: date) -> Expectation:
    """What a submission on that day (Asia/Shanghai) may expect."""
    calendar = working_calendar()
    days = sum(DEFAULT_LIMITS[step][1] for step in (ClockStep.ACCEPTANCE, ClockStep.REVIEW))
    decided = calendar.add_working_days(day, days)
    month = month_paid(approved_on=decided, calendar=calendar)
    row = next(found for found in months_of(year=month.year) if found.month == month)
    return Expectation(day, decided, month, row.pays_from, row.pays_until)


@require_GET
def payday(request: HttpRequest, year: int | None = None) -> HttpResponseBase:
    """A year's cut-off days and pay windows, this year's by default."""
    today = day_of(timezone.now())
    shown = _year(year, today)
    rows = months_of(year=shown)
    return render(
        request,
        "public/payday.html",
        {
            "year": shown,
            "rows": [row for row in rows if row.pays_until >= today],
            "past": [row for row in rows if row.pays_until < today],
            "next": next((row for row in rows if row.cut_off_on >= today), None),
            "expected": expectation(day=today),
            "years": [each for each in (shown - 1, shown + 1) if each in YEARS],
            "warnings": working_calendar().warnings(date(shown, 1, 1)),
        },
    )


@require_GET
def payday_ics(request: HttpRequest, year: int) -> HttpResponse:
    """The same as a calendar to subscribe to (RFC 5545)."""
    now = timezone.now()
    shown = _year(year, day_of(now))
    content = calendar_file(rows=months_of(year=shown), now=now)
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="huida-{shown}.ics"'
    response["Cache-Control"] = "public, max-age=3600"
    return response


def calendar_file(*, rows: list[MonthOfYear], now: datetime) -> bytes:
    """Two events a month: the cut-off day, and the days on which money comes. Ids stay as days move."""
    found = Calendar()
    found.add("prodid", "-//Huida//cut-off days//ZH")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", _("%(district)s惠企政策兑现日历") % {"district": settings.HUIDA_DISTRICT})
    host = urlsplit(settings.HUIDA_BASE_URL).hostname or "huida"
    for row in rows:
        label = month_label(row.month)
        address = f"{settings.HUIDA_BASE_URL.rstrip('/')}{reverse('public:payday', args=[row.month.year])}"
        closing = [_("截止日（含当日）前审核通过的申报，列入%(month)s兑现。") % {"month": label}]
        if row.is_worked_weekend:
            closing.append(_("当日调休上班。"))
        if row.reason:
            closing.append(_("截止日有调整：%(reason)s") % {"reason": row.reason})
        paying = [_("%(month)s兑现的款项在此期间陆续到账，以银行到账为准。") % {"month": label}]
        for name, title, first, last, told in (
            ("cut-off", _("%(month)s兑现截止") % {"month": label}, row.cut_off_on, row.cut_off_on, closing),
            ("pay", _("%(month)s兑现到账") % {"month": label}, row.pays_from, row.pays_until, paying),
        ):
            event = Event()
            event.add("uid", f"{row.month:%Y-%m}-{name}@{host}")
            event.add("dtstamp", now)
            event.add("dtstart", first)
            event.add("dtend", last + timedelta(days=1))
            event.add("summary", title)
            event.add("transp", "TRANSPARENT")
            event.add("url", address)
            event.add("description", "\n".join(told))
            found.add_component(event)
    content: bytes = found.to_ical()
    return content


def _year(year: int | None, today: date) -> int:
    shown = today.year if year is None else year
    if shown not in YEARS:
        raise Http404
    return shown
