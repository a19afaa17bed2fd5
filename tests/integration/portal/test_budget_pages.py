"""The budget desk and the enterprise's choice, through their pages."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from disbursement.models import AwardLimit, BudgetChange, Choice, YearEnd
from disbursement.services.budget import alerts as budget_alerts
from matching.registry import outbox
from matching.registry.models import BudgetLine, OutboxMessage
from portal.inbox.models import Notification
from tests.factories import disbursement as people
from tests.factories import money
from tests.integration.portal.conftest import NOW, World, member, signed_in

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    assert response.status_code in (200, 422), response.status_code
    return str(response.content.decode())


def deliver(topic: str) -> None:
    """What waits of this topic alone: the world has much else to tell."""
    OutboxMessage.objects.filter(delivered_at__isnull=True).exclude(topic=topic).delete()
    outbox.deliver(now=NOW)


def line() -> BudgetLine:
    return BudgetLine.objects.get(code="innovation", year=2026)


def test_a_change_is_proposed_on_the_page_and_decided_by_another(world: World) -> None:
    maker, approver = world.clients["finance_maker"], world.clients["finance_approver"]
    url = reverse("desk:budget_change_new", args=[line().pk])
    assert "最多可调出" in text(maker.get(url))
    wrong = {"kind": "adjust", "amount": "-99999999", "paper_number": "青财〔2026〕1号", "reason": "压减"}
    assert "最多可调出" in text(maker.post(url, wrong))
    assert not BudgetChange.objects.exists()
    assert maker.post(url, {**wrong, "amount": "5000"}).status_code == 302
    change = BudgetChange.objects.get()
    before = line().ceiling
    waiting = reverse("desk:budget_changes")
    assert "须由提出人以外" in text(maker.get(waiting))
    assert "批准</button>" in text(approver.get(waiting))
    decide = reverse("desk:budget_change_decide", args=[change.pk])
    assert "不批准的原因" in text(approver.post(decide, {"refuse": "1"}, follow=True))
    approver.post(decide, {"approve": "1"})
    assert line().ceiling == before + 5000
    assert "青财〔2026〕1号" in text(maker.get(reverse("desk:budget_line", args=[line().pk])))
    for who in ("supervisor", "administrator", "reviewer", "ours"):
        assert world.clients[who].post(url, wrong).status_code == 403


def test_the_forecast_is_a_table_a_chart_and_two_files(world: World) -> None:
    client = world.clients["finance_maker"]
    page = text(client.get(reverse("desk:forecast"), {"year": "2026"}))
    assert '<rect class="part--' in page
    assert "科技创新专项" in page
    assert "在办申报预计" in text(client.get(reverse("desk:forecast"), {"year": "\0", "fund": "none"}))
    sheet = client.get(reverse("desk:forecast_file", args=["csv"]), {"year": "2026"}).content.decode("utf-8-sig")
    assert len(sheet.splitlines()) == 1 + 12 * BudgetLine.objects.filter(year=2026).count()
    book = load_workbook(io.BytesIO(client.get(reverse("desk:forecast_file", args=["xlsx"])).content))
    assert book.worksheets[0].max_row == len(sheet.splitlines())
    assert client.get(reverse("desk:forecast_file", args=["doc"])).status_code == 404


def test_the_forecast_asks_no_more_for_more_lines(world: World, django_assert_max_num_queries: Any) -> None:
    client, url = world.clients["finance_maker"], reverse("desk:forecast")
    client.get(url)

    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(url)
    for code in "abcdefgh":
        people.budget_line(code=f"more-{code}")
    with django_assert_max_num_queries(len(few)):
        client.get(url)


def test_a_warning_reaches_the_inbox_of_finance(world: World) -> None:
    BudgetLine.objects.filter(code="innovation", year=2026).update(ceiling=99_999_999)
    people.budget_line(code="spent", ceiling="100")
    money.granted("90", item=money.version("90", line="spent"))
    assert budget_alerts.warn(now=NOW) >= 1
    deliver("budget.alert")
    told = Notification.objects.filter(title__startswith="预算提醒：2026", user=world.users["finance_checker"])
    assert any("占额度 90%" in found.body for found in told)
    assert "预算提醒" in text(world.clients["finance_checker"].get(reverse("inbox:list")))
    assert not Notification.objects.filter(title__startswith="预算提醒", user=world.users["reviewer"]).exists()


def test_a_limit_is_declared_and_ended_by_a_policy_officer(world: World) -> None:
    officer = world.clients["policy_officer"]
    url = reverse("desk:limit_new")
    data = {
        "name": "年度总额",
        "basis": "青府发〔2026〕1号",
        "covers_all": "on",
        "fact_share": "100",
        "from_year": "2026",
    }
    assert "至少设定一种限制" in text(officer.post(url, data))
    assert officer.post(url, {**data, "per_year": "5000000"}).status_code == 302
    limit = AwardLimit.objects.get()
    assert "每家企业每年不超过 5,000,000.00 元" in text(world.clients["reviewer"].get(reverse("desk:limits")))
    assert world.clients["finance_maker"].post(url, data).status_code == 403
    officer.post(reverse("desk:limit_end", args=[limit.pk]), {"reason": "文件废止"})
    limit.refresh_from_db()
    assert limit.ended_at is not None


def test_the_year_end_page_says_what_is_open_and_closes_what_can_be(world: World, capsys: Any) -> None:
    approver = world.clients["finance_approver"]
    page = text(approver.get(reverse("desk:year_end", args=[2026])))
    assert "12月1日起才能关闭" in page
    assert "还不能关账" in page
    people.budget_line(code="another", year=2026, ceiling="1000")
    page = text(approver.get(reverse("desk:year_end", args=[2026])))
    assert (page.count("12月1日起才能关闭"), page.count("还不能关账")) == (1, 2), "told once for the year"
    people.budget_line(code="old", year=2025, ceiling="1000")
    close = reverse("desk:year_end_close", args=[2025])
    assert world.clients["finance_maker"].post(close, {"paper_number": "x"}).status_code == 403
    with pytest.raises(CommandError, match="--by"):
        call_command("year_end", "2025", "--close")
    call_command("year_end", "2025")
    assert "可以关账" in capsys.readouterr().out
    assert "请填写批准文号" in text(approver.post(close, {}, follow=True))
    assert "已关账 1 个科目" in text(approver.post(close, {"paper_number": "青财〔2026〕2号"}, follow=True))
    assert YearEnd.objects.get().released == 1000
    call_command("year_end", "2025", "--close", "--by", world.users["finance_approver"].username, "--paper", "再次")
    deliver("notice.wanted")
    report = approver.get(reverse("desk:year_end_report", args=[2025]))
    assert report.content.startswith(b"%PDF")


def test_an_enterprise_sees_what_competes_tries_another_choice_and_makes_one(world: World) -> None:
    enterprise = people.applicant()
    low = money.version("30000", code="page-low")
    high = money.version("100000", code="page-high", exclusive_with=["page-low"])
    applied = [money.application(enterprise=enterprise, item=item) for item in (low, high)]
    client, url = signed_in(member(enterprise)), reverse("enterprise:choices")
    page = text(client.get(url))
    assert "总额最高的组合" in page
    assert "改选这一项，总额少 70,000.00 元" in page
    assert "比最高的少 70,000.00 元" in text(client.post(url, {"take": "page-low", "try": "1"}))
    assert not Choice.objects.exists()
    assert "只能选一项" in text(client.post(url, {"take": ["page-low", "page-high"]}))
    assert client.post(url, {"take": "page-high", "give_up": "1"}).status_code == 302
    applied[0].refresh_from_db()
    assert applied[0].state == "withdrawn"
    assert Choice.objects.get().total == 100000
    assert "互不冲突" in text(world.clients["ours"].get(url))
