"""The enterprise's own page of its case: what is told, and what can be answered there."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Opinion, Rating
from disbursement.models.steps import ExpertPaper
from disbursement.services.application import applications, ratings
from disbursement.services.payment import payments
from disbursement.services.review import publicity, recalls, reviews
from disbursement.services.review.conditions import Reason
from matching.registry import outbox
from portal.accounts.models import User
from portal.inbox.models import Notification
from tests.factories import matching as base
from tests.factories import papers
from tests.factories.disbursement import Case, at, case, case_in
from tests.factories.money import Finance

pytestmark = pytest.mark.django_db


def signed_in(user_id: int | None) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=user_id or 0))
    return client


def page_of(made: Case) -> str:
    return signed_in(made.agent.user_id).get(reverse("enterprise:application", args=[made.id])).content.decode()


def test_an_opinion_against_is_not_read_by_the_enterprise_before_it_is_decided() -> None:
    made = case().in_review()
    reviews.recommend_rejection(
        application_id=made.id,
        text="疑似关联交易，建议不通过",
        reasons=[Reason("发票疑似虚开", leaf="spent")],
        actor=made.reviewer,
        now=made.now,
    )
    reviews.send_back(
        application_id=made.later().id, text="请核对关联交易的证据", actor=made.second, now=made.later().now
    )
    theirs = page_of(made)
    for secret in ("关联交易", "虚开", "建议不通过"):
        assert secret not in theirs
    assert "审核完毕，提交复审" in theirs
    desk = signed_in(made.second.user_id).get(reverse("desk:application", args=[made.id])).content.decode()
    assert "疑似关联交易，建议不通过" in desk


def told(made: Case) -> list[tuple[str, str]]:
    outbox.deliver(now=made.now)
    rows = Notification.objects.filter(enterprise=made.enterprise, kind="application").order_by("pk")
    return [(row.title, row.body) for row in rows]


def test_a_visit_is_told_with_its_day_and_its_calling_off_too() -> None:
    made = case().visiting()
    title, body = told(made)[-1]
    assert "将进行现场核查" in title
    assert "3月5日核查生产线" in body
    recalls.cancel_visit(application_id=made.id, text="企业停产检修", actor=made.reviewer, now=made.now)
    assert "现场核查已取消" in told(made)[-1][0]
    assert "企业停产检修" in page_of(made)


def test_publicity_is_told_with_its_days_and_address_and_an_objection_with_its_answer(settings: Any) -> None:
    settings.HUIDA_BASE_URL = "https://huida.example/"
    made = case(publicity_days=5).second_review()
    shown = publicity.publicise(application_id=made.id, actor=made.second, now=made.now)
    body = told(made)[-1][1]
    for words in ("2026-03-03 至 2026-03-09", "150,000.00 元", f"https://huida.example/publicity/{shown.pk}/"):
        assert words in body
    objection = publicity.object_to(
        publicity_id=shown.pk, name="李四", contact="028-1", text="不实", now=at(shown.starts_on)
    )
    publicity.answer_objection(
        objection_id=objection.pk, sustained=True, answer="发票确有重复。", actor=made.second, now=at(shown.starts_on)
    )
    outbox.deliver(now=at(shown.starts_on))
    message = Notification.objects.get(enterprise=made.enterprise, title__contains="公示异议成立")
    assert "处理意见：发票确有重复。" in message.body


def test_a_bad_record_is_seen_before_anything_is_promised() -> None:
    made = case().submitted()
    acceptor = signed_in(made.acceptor.user_id)
    address = reverse("desk:application", args=[made.id])
    assert "信用提示" not in acceptor.get(address).content.decode()
    records = [{"code": "wage_arrears", "on": "2026-02-01"}]
    base.learn(made.enterprise, now=made.now, valid_on=date(2026, 2, 1), credit_records=records)
    shown = acceptor.get(address).content.decode()
    assert "信用提示" in shown
    assert "未修复的失信记录" in shown


def test_experts_are_entered_on_the_page_with_what_they_signed() -> None:
    made = case().in_review()
    reviews.ask_expert(application_id=made.id, question="先进性", actor=made.reviewer, now=made.now)
    desk = signed_in(made.reviewer.user_id)
    address = reverse("desk:act", args=[made.id, "report"])
    refused = desk.post(address, {"report-experts": "王某", "report-text": "先进"})
    assert refused.status_code == 422
    assert "姓名，单位，职称" in refused.content.decode()
    paper = SimpleUploadedFile("意见.pdf", papers.pdf(mark="signed"), content_type="application/pdf")
    whole = {
        "report-experts": "王某，某大学，教授",
        "report-unconcerned": "on",
        "report-text": "技术先进",
        "report-papers": paper,
    }
    assert desk.post(address, whole).status_code == 302
    assert Opinion.objects.get(kind="expert").experts.get().unit == "某大学"
    page = desk.get(reverse("desk:application", args=[made.id])).content.decode()
    assert "王某（某大学，教授）" in page
    row = ExpertPaper.objects.get()
    assert desk.get(reverse("desk:expert_paper", args=[row.pk])).status_code == 200
    theirs = signed_in(made.agent.user_id)
    assert theirs.get(reverse("desk:expert_paper", args=[row.pk])).status_code in (302, 403, 404)
    assert "某大学" not in page_of(made)


def test_departments_are_recalled_on_the_page() -> None:
    made = case().asked_departments()
    desk = signed_in(made.reviewer.user_id)
    page = desk.get(reverse("desk:application", args=[made.id])).content.decode()
    assert "撤回会审" in page
    answer = desk.post(reverse("desk:act", args=[made.id, "recall"]), {"recall-text": "机构调整"})
    assert answer.status_code == 302
    assert made.fresh().state == "in_review"
    assert "机构调整" not in page_of(made)


ASKED = "请为这次办理打分"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ApplicationState.NOT_ACCEPTED, "不予受理"),
        (ApplicationState.REJECTED, "审核不通过"),
        (ApplicationState.REJECTION_UPHELD, "维持原决定"),
    ],
)
def test_who_was_refused_is_told_that_the_service_can_be_rated_and_rates_it(
    state: ApplicationState, words: str
) -> None:
    made = case_in(state)
    title, body = told(made)[-1]
    assert words in title
    assert "为这次办理打分" in body
    assert ASKED in page_of(made)
    desk = signed_in(made.agent.user_id)
    sent = desk.post(reverse("enterprise:rate", args=[made.id]), {"level": "1", "comment": "理由没有说清楚"})
    assert sent.status_code == 302
    assert Rating.objects.get(application_id=made.id).level == 1
    assert ASKED not in page_of(made)


def test_a_revoked_decision_asks_for_no_rating() -> None:
    made = case_in(ApplicationState.REVOKED)
    title, body = told(made)[-1]
    assert "已撤销" in title
    assert "打分" not in body
    assert ASKED not in page_of(made)


@pytest.mark.parametrize("rated_before", [False, True])
def test_a_case_whose_only_instalment_was_cancelled_closes_with_a_message_that_fits_its_page(
    rated_before: bool,
) -> None:
    made = case().approved()
    payments.cancel(
        payable_id=made.application.payables.get().pk, actor=Finance().approver, now=made.now, reason="企业放弃"
    )
    applications.close_settled(now=made.now)
    assert made.fresh().status is ApplicationState.CLOSED
    if rated_before:
        ratings.rate(application_id=made.id, level=3, actor=made.agent, now=made.now)
    title, body = told(made)[-1]
    assert "已办结" in title
    assert (ASKED in body) is (ASKED in page_of(made)) is (not rated_before)
