"""Changing a day of the calendar: previewed with what it moves, confirmed, followed by clocks and forecasts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from disbursement.domain import calendar as domain
from disbursement.domain.calendar import CalendarError
from disbursement.models import CalendarYear, PayForecast, SpecialDay
from disbursement.services.supervision import calendar_days
from disbursement.services.supervision.calendar_days import Change
from matching.registry import outbox
from tests.factories.disbursement import at, case
from tests.integration.portal.conftest import official, signed_in

pytestmark = pytest.mark.django_db
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
THREE = tuple(date(2026, 3, day) for day in (10, 11, 12))


@pytest.fixture
def year() -> CalendarYear:
    made = CalendarYear.objects.create(year=2026, is_official=True)
    SpecialDay.objects.create(year=made, day=date(2026, 10, 1), name="国庆节")
    return made


def test_a_changed_calendar_refuses_what_contradicts_itself() -> None:
    shipped = domain.shipped()
    freed = domain.changed(shipped, free=[(date(2026, 3, 10), "市民节")])
    assert not freed.is_working_day(date(2026, 3, 10))
    assert domain.changed(freed, removed=[date(2026, 3, 10)]).is_working_day(date(2026, 3, 10))
    with pytest.raises(CalendarError):
        domain.changed(shipped, worked=[(date(2026, 3, 10), "调休")])


def test_a_preview_counts_what_moves_and_changes_nothing(year: CalendarYear) -> None:
    made = case().submitted()
    paused = case(version=made.version).submitted().asked()
    effect = calendar_days.preview(change=Change(days=THREE, name="市民节"), now=at("2026-03-03"))
    assert (effect.running, effect.clocks) == (2, 0)
    assert [(application.pk, before, after) for application, before, after in effect.months] == [
        (made.id, MARCH, APRIL)
    ]
    assert paused.fresh().state == "correction"
    near = calendar_days.preview(change=Change(days=(date(2026, 3, 3),), name="市民节"), now=at("2026-03-03"))
    assert (near.clocks, near.is_none) == (2 - 1, False)
    assert not SpecialDay.objects.filter(day__month=3).exists()
    far = calendar_days.preview(change=Change(days=(date(2026, 12, 30),), name="市民节"), now=at("2026-03-03"))
    assert far.is_none


def test_a_change_that_is_made_moves_the_forecasts_with_its_reason(year: CalendarYear) -> None:
    made = case().submitted()
    calendar_days.apply(year_id=year.pk, change=Change(days=THREE, name="市民节"), now=made.now)
    outbox.deliver(now=made.now)
    row = PayForecast.objects.filter(application_id=made.id).latest("seq")
    assert (row.month, row.previous, row.cause) == (APRIL, MARCH, "calendar")
    calendar_days.apply(year_id=year.pk, change=Change(removed=THREE), now=made.now)
    outbox.deliver(now=made.now)
    assert PayForecast.objects.filter(application_id=made.id).latest("seq").month == MARCH


def test_the_page_shows_what_moves_before_it_saves_and_saves_at_once_what_moves_nothing(
    year: CalendarYear, monkeypatch: Any
) -> None:
    from django.utils import timezone

    made = case().submitted()
    monkeypatch.setattr(timezone, "now", lambda: made.now)
    admin = signed_in(official("administrator"))
    page = reverse("desk:calendar_year", args=[year.pk])
    told = {"first": "2026-03-10", "last": "2026-03-12", "is_working": "free", "name": "市民节"}
    shown = admin.post(page, told).content.decode()
    assert "核对影响后再保存" in shown
    assert made.enterprise.name in shown
    assert not SpecialDay.objects.filter(day__month=3).exists()
    assert admin.post(page, {**told, "confirm": "1"}).status_code == 302
    assert SpecialDay.objects.filter(day__month=3).count() == 3
    assert "已录入，请先删去" in admin.post(page, {**told, "confirm": "1"}).content.decode()
    row = SpecialDay.objects.get(day=date(2026, 10, 1))
    assert admin.post(reverse("desk:calendar_day_delete", args=[year.pk, row.pk])).status_code == 302
    assert not SpecialDay.objects.filter(pk=row.pk).exists()
