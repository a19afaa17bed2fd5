"""The desk: how a file got to the bank, gateways, and exceptions by age."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from disbursement.models import Delivery, Gateway, ReturnLine
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.exceptions import by_age
from matching.days import day_of
from tests.factories import disbursement as people
from tests.factories import money
from tests.integration.portal.conftest import official, signed_in

from .test_gateways import a_gateway, a_sealed_batch, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance_desk() -> Client:
    return signed_in(official("finance_maker"))


def test_a_file_taken_by_hand_is_marked_as_handed_over_on_the_batch_page(finance_desk: Client) -> None:
    a_gateway(kind="by_hand")
    batch = a_sealed_batch(money.Finance())
    send(batch)
    page = finance_desk.get(f"/desk/batches/{batch.pk}/").content.decode()
    assert "待人工交银行" in page
    assert Delivery.objects.get().key in page
    finance_desk.post(f"/desk/batches/{batch.pk}/delivery/handed-over/", {"reference": "柜台0001"})
    batch.refresh_from_db()
    assert (batch.state, batch.acknowledgement) == ("acknowledged", "柜台0001")


def test_a_sending_that_failed_says_why_and_is_tried_again_from_the_page(
    finance_desk: Client, settings: Any, tmp_path: Any
) -> None:
    gateway = a_gateway(folder="icbc")
    blocked = settings.HUIDA_TREASURY_FOLDERS / "icbc"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the folder should be")
    batch = a_sealed_batch(money.Finance())
    finance_desk.post(f"/desk/batches/{batch.pk}/delivery/again/")
    page = finance_desk.get(f"/desk/batches/{batch.pk}/").content.decode()
    assert "无法写入" in page
    assert "再次发送" in page
    blocked.unlink()
    finance_desk.post(f"/desk/batches/{batch.pk}/delivery/again/")
    batch.refresh_from_db()
    assert (batch.state, Delivery.objects.get().gateway) == ("sent", gateway)


def test_an_administrator_sets_a_gateway_up_and_others_do_not(finance_desk: Client) -> None:
    line = people.budget_line()
    wanted: dict[str, Any] = {
        "code": "icbc",
        "name": "工行",
        "kind": "http",
        "url": "https://bank.example/api",
        "timeout": "20",
    }
    wanted |= {"token_variable": "HUIDA_GATEWAY_ICBC", "lines": [line.pk], "is_active": "on"}
    admin = signed_in(official("administrator"))
    assert finance_desk.post("/desk/gateways/new/", wanted).status_code in (302, 403, 404)
    assert not Gateway.objects.exists()
    bad = admin.post("/desk/gateways/new/", {**wanted, "url": "http://bank.example/api"})
    assert "须为 https" in bad.content.decode()
    bad = admin.post("/desk/gateways/new/", {**wanted, "token_variable": "SECRET_KEY"})
    assert "HUIDA_GATEWAY_" in bad.content.decode()
    admin.post("/desk/gateways/new/", wanted)
    gateway = Gateway.objects.get()
    assert (gateway.url, gateway.lines.get().budget_line) == ("https://bank.example/api", line)
    admin.post(f"/desk/gateways/{gateway.pk}/edit/", {**wanted, "kind": "by_hand", "lines": []})
    gateway.refresh_from_db()
    assert (gateway.kind, gateway.lines.count()) == ("by_hand", 0)
    assert "工行" in finance_desk.get("/desk/gateways/").content.decode()


def test_exceptions_are_grouped_by_age_in_one_query_and_filtered(finance_desk: Client) -> None:
    now = timezone.now()
    calendar = working_calendar()
    for number, age in enumerate((0, 3, 4, 10, 11, 60), start=1):
        days = 0
        while calendar.working_days_between(day_of(now) - timedelta(days=days), day_of(now)) < age:
            days += 1
        content = money.return_file({f"99999999{number}-000001": ("5.00", "退票" if age > 4 else "成功")})
        money.receive(content, name=f"{number}.csv", now=now - timedelta(days=days))
    with CaptureQueriesContext(connection) as captured:
        groups = by_age(ReturnLine.objects.all(), today=day_of(now))
    assert len(captured) == 2  # the calendar, and all groups at once
    assert [group.count for group in groups] == [2, 2, 2]
    page = finance_desk.get("/desk/exceptions/?age=old").content.decode()
    assert "999999996-000001" in page
    assert "999999991-000001" not in page
    page = finance_desk.get("/desk/exceptions/?result=paid").content.decode()
    assert "999999991-000001" in page
    assert "999999996-000001" not in page
