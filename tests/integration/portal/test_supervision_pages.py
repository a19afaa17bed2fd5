"""Supervision through its pages: the ledger and its files, what is contested, what is urged, one's own figures, and
what an enterprise reads of the month of its money.
"""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from disbursement.models import Document, EntryAppeal, SupervisionEntry, Urging, WarningRule
from disbursement.services.review import reviews
from disbursement.services.supervision import clocks, warnings
from matching.registry import outbox
from portal.accounts.models import User
from tests.factories import disbursement as people
from tests.factories.disbursement import Case, at, case
from tests.integration.portal.conftest import NOW, member, official, signed_in

pytestmark = pytest.mark.django_db


class Scene:
    """A case that drew both cards, its acceptor with a real role, and a supervisor of the district."""

    def __init__(self) -> None:
        self.case = overdue()
        self.acceptor = User.objects.get(pk=self.case.acceptor.user_id or 0)
        self.desk = signed_in(self.acceptor)
        self.watching = signed_in(official("supervisor"))
        self.red = SupervisionEntry.objects.get(kind="red", application_id=self.case.id)


def overdue() -> Case:
    made = case(limits={"acceptance": {"statutory": 5, "promised": 5}}).submitted()
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    warnings.warn(now=at(made.now.date() + timedelta(days=3), 1))
    clocks.charge_cards(now=NOW)
    return made


@pytest.fixture
def scene(frozen: Any) -> Scene:
    return Scene()


def text(client: Client, name: str, *arguments: object, query: str = "") -> str:
    response = client.get(reverse(name, args=arguments) + query)
    assert response.status_code == 200, (name, response.status_code)
    return str(response.content.decode())


def test_the_ledger_is_filtered_and_leads_to_the_case_and_to_its_file(scene: Scene) -> None:
    page = text(scene.watching, "desk:ledger")
    assert scene.case.enterprise.name in page
    assert str(scene.acceptor) in page
    assert "现在亮着的牌" in page
    assert text(scene.watching, "desk:ledger", query="?kind=red").count("记录时") == 0
    nothing = text(scene.watching, "desk:ledger", query="?since=2025-01-01&until=2025-01-31&person=x&item=9&kind=\0")
    assert "没有符合条件的记录" in nothing
    sheet = scene.watching.get(reverse("desk:ledger_file", args=["xlsx"]))
    rows = list(load_workbook(io.BytesIO(sheet.content)).active.values)  # type: ignore[union-attr]
    assert len(rows) == 1 + SupervisionEntry.objects.count()
    plain = scene.watching.get(reverse("desk:ledger_file", args=["csv"])).content.decode("utf-8-sig")
    assert scene.case.enterprise.name in plain
    assert scene.watching.get(reverse("desk:ledger_file", args=["pdf"])).status_code == 404
    figures = text(scene.watching, "desk:figures")
    assert str(scene.acceptor) in figures
    assert scene.watching.get(reverse("desk:figures_file", args=["csv"])).status_code == 200


def test_a_person_contests_a_card_on_the_page_and_a_supervisor_strikes_it_out(scene: Scene) -> None:
    own = text(scene.desk, "desk:own_limits")
    assert scene.case.enterprise.name in own
    contest = reverse("desk:ledger_contest", args=[scene.red.pk])
    assert scene.desk.post(contest, {"grounds": ""}).status_code == 422
    assert scene.desk.post(contest, {"grounds": "停机三天"}).status_code == 302
    assert "停机三天" in text(scene.watching, "desk:ledger_entry", scene.red.pk)
    assert scene.case.enterprise.name in text(scene.watching, "desk:ledger", query="?contested=1")
    decide = reverse("desk:ledger_decide", args=[scene.red.pk])
    assert scene.desk.post(decide, {"reason": "属实", "strike": "yes"}).status_code == 403
    assert scene.watching.post(decide, {"reason": "", "strike": "yes"}).status_code == 422
    assert scene.watching.post(decide, {"reason": "停机属实", "strike": "yes"}).status_code == 302
    assert EntryAppeal.objects.get().is_struck is True
    assert "已撤销" in text(scene.desk, "desk:ledger_entry", scene.red.pk)


def test_a_line_is_urged_answered_and_closed_on_the_pages(scene: Scene) -> None:
    urge = reverse("desk:ledger_urge", args=[scene.red.pk])
    assert scene.watching.post(urge, {"urge-text": "", "urge-due_on": "2026-03-30"}).status_code == 422
    assert scene.watching.post(urge, {"urge-text": "请说明原因", "urge-due_on": "2026-03-30"}).status_code == 302
    urging = Urging.objects.get()
    assert "请说明原因" in text(scene.desk, "desk:own_limits")
    answer = reverse("desk:urging_answer", args=[urging.pk])
    assert scene.desk.post(answer, {"reply": ""}).status_code == 422
    assert scene.desk.post(answer, {"reply": "已增派人员"}).status_code == 302
    close = reverse("desk:urging_close", args=[urging.pk])
    assert scene.desk.post(close, {"is_settled": "yes", "closing": "好"}).status_code == 403
    assert scene.watching.post(close, {"closing": "好"}).status_code == 422
    assert scene.watching.post(close, {"is_settled": "yes", "closing": "已到位"}).status_code == 302
    assert "已到位" in text(scene.desk, "desk:urging", urging.pk)
    assert "没有督办" in text(scene.watching, "desk:urgings")
    assert "整改到位" in text(scene.watching, "desk:urgings", query="?show=all")


def test_a_department_is_urged_at_large_and_a_number_that_is_none_is_refused(scene: Scene) -> None:
    new = reverse("desk:urging_new")
    told = {
        "department": scene.red.department_id,
        "number": "2026-999999",
        "text": "请压减积压",
        "due_on": "2026-03-30",
    }
    refused = scene.watching.post(new, {**told, "number": "2026-999999"})
    assert refused.status_code == 422
    assert "没有编号为" in refused.content.decode()
    assert scene.watching.post(new, {**told, "number": scene.case.fresh().number}).status_code == 302
    assert Urging.objects.get().application_id == scene.case.id


def test_staff_see_their_own_lines_only_and_enterprises_none(scene: Scene) -> None:
    other = signed_in(official("acceptor", scene.case.version.item.department))
    assert other.get(reverse("desk:ledger_entry", args=[scene.red.pk])).status_code == 404
    assert other.get(reverse("desk:ledger")).status_code == 403
    assert scene.case.enterprise.name not in text(other, "desk:own_limits")
    elsewhere = signed_in(official("supervisor", people.item(code="away").item.department))
    assert elsewhere.get(reverse("desk:ledger")).status_code == 200
    ours = signed_in(member(scene.case.enterprise))
    for name, arguments in (("desk:own_limits", []), ("desk:urgings", []), ("desk:ledger_entry", [scene.red.pk])):
        assert ours.get(reverse(name, args=arguments)).status_code == 403


def test_warnings_reach_the_inbox_with_an_unread_count_that_cannot_be_muted(scene: Scene) -> None:
    outbox.deliver(now=NOW)
    home = text(scene.desk, "desk:home")
    assert "我的时限提醒" in home
    assert "条待看" in home
    listed = text(scene.desk, "inbox:list", query="?kind=supervision")
    assert "红牌：受理已用" in listed
    told = scene.acceptor.notifications.filter(kind="supervision").latest("pk")
    assert scene.desk.post(reverse("inbox:mute", args=[told.pk]), {"what": "department"}).status_code == 404
    assert "监察督办" not in text(scene.desk, "inbox:preferences")


def test_the_rules_are_set_on_the_page_and_bounds_are_told(scene: Scene) -> None:
    rules = reverse("desk:warning_rules")
    wrong = scene.watching.post(rules, {"step": "review", "review-percent": "90", "review-days_before": ""})
    assert wrong.status_code == 422
    assert "黄牌" in wrong.content.decode()
    told = {"step": "review", "review-percent": "50", "review-days_before": "2"}
    assert scene.watching.post(rules, told).status_code == 302
    assert WarningRule.objects.get().percent == 50
    assert scene.desk.get(rules).status_code == 403


def test_the_report_of_a_month_is_made_and_downloaded(scene: Scene) -> None:
    assert "出具" in text(scene.watching, "desk:supervision_reports")
    scene.watching.post(reverse("desk:supervision_report_make", args=[202603]))
    assert not Document.objects.exists()
    assert scene.watching.post(reverse("desk:supervision_report_make", args=[202613])).status_code == 404
    scene.watching.post(reverse("desk:supervision_report_make", args=[202602]))
    report = Document.objects.get()
    answer = scene.watching.get(reverse("desk:supervision_report", args=[report.pk]))
    assert answer.content.startswith(b"%PDF-")
    assert report.number in text(scene.watching, "desk:supervision_reports")


def test_an_enterprise_reads_when_its_money_comes_and_why_that_moved_without_any_name(frozen: Any) -> None:
    made = case().submitted().asked()
    ours = signed_in(member(made.enterprise))
    page = text(ours, "enterprise:application", made.id)
    assert "预计2026年4月兑现；原预计3月，因补正材料顺延。" in page
    assert "2026年3月 → 2026年4月" in page
    assert str(User.objects.get(pk=made.acceptor.user_id or 0)) not in page.split("兑现月份")[1].split("</section>")[0]
    desk = signed_in(official("acceptor", made.version.item.department))
    assert "因补正材料顺延" in text(desk, "desk:application", made.id)


def test_the_ledger_page_asks_as_often_for_many_lines_as_for_few(scene: Scene) -> None:
    def asked(name: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            text(scene.watching, name)
        return len(queries)

    few = {name: asked(name) for name in ("desk:ledger", "desk:figures", "desk:urgings")}
    for _more in range(2):
        overdue()
    assert {name: asked(name) for name in few} == few
