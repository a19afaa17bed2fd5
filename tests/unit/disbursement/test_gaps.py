"""A promised material and its day: reminded before, told after, and then to be asked for like any other."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.domain.errors import Denied
from disbursement.models import Application, CorrectionSubject
from disbursement.selectors.attention import Attention, attention
from disbursement.services.application import applications, corrections, gaps, materials
from disbursement.services.application.corrections import Ask
from disbursement.services.review import decisions, reviews
from disbursement.services.review.complete_list import compose
from matching.registry.models import OutboxMessage
from portal.accounts.models import User
from tests.factories import papers
from tests.factories.disbursement import MATERIALS, Case, at, case, invoices

pytestmark = pytest.mark.django_db
LEASE = {**MATERIALS[2], "required": True, "promise": ""}
DAY = date(2026, 3, 13)  # a Friday


def promised() -> Case:
    made = case(materials=[*MATERIALS[:2], LEASE]).submitted(gaps={"lease": DAY})
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    return made.later()


def test_a_promise_signed_in_place_of_the_paper_answers_its_gap() -> None:
    made = case(materials=[*MATERIALS[:2], {**LEASE, "promise": "承诺合同真实。"}]).submitted(gaps={"lease": DAY})
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    for _click in range(2):
        materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.later().now)
    assert gaps.remind(now=at("2026-03-14")) == 0
    assert attention(applications=Application.objects.all(), as_of=date(2026, 3, 16)) == {}
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.later().now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.later().now)
    assert made.fresh().state == "approved"


def stages() -> list[str]:
    return [row.payload["stage"] for row in OutboxMessage.objects.filter(topic=gaps.TOPIC).order_by("pk")]


def test_reminders_come_three_working_days_before_and_after_the_day_each_once() -> None:
    made = promised()
    assert gaps.remind(now=at("2026-03-09")) == 0
    for day in ("2026-03-10", "2026-03-12", "2026-03-13"):
        assert gaps.remind(now=at(day)) == 1
    assert stages() == ["soon"]
    for day in ("2026-03-14", "2026-03-20"):
        gaps.remind(now=at(day))
    assert stages() == ["soon", "late"]
    made.upload("lease", papers.pdf(mark="lease"))
    assert gaps.remind(now=at("2026-03-21")) == 0


def test_what_is_past_its_day_is_marked_and_may_be_asked_for_without_being_an_afterthought() -> None:
    made = promised()
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.now)
    early = Ask(CorrectionSubject.FIELD, "invoice_total", "与发票不符", "按发票更正")
    corrections.ask(application_id=made.id, items=[early], actor=made.reviewer, now=made.now)
    corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now, invoices=invoices("310000"))
    assert attention(applications=Application.objects.all(), as_of=DAY) == {}
    late = at("2026-03-16")
    assert attention(applications=Application.objects.all(), as_of=late.date()) == {made.id: [Attention.GAP_OVERDUE]}
    assert "lease" not in {ask.code for ask in compose(application=made.fresh(), now=at(DAY))}
    asked = compose(application=made.fresh(), now=late)
    assert [ask.code for ask in asked] == ["lease"]
    correction = corrections.ask(application_id=made.id, items=asked, actor=made.reviewer, now=late)
    assert not correction.late_reason


def test_what_came_in_for_a_gap_is_not_changed_behind_the_reviewers_back() -> None:
    made = promised()
    together = [papers.pdf(mark="lease"), papers.pdf(mark="more")]
    for content in together:
        made.upload("lease", content)
    made.later()
    with pytest.raises(Denied, match="已补齐"):
        made.upload("lease", papers.pdf(mark="other"))
    assert made.application.materials.filter(code="lease", replaced_at__isnull=True).count() == 2
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.now)
    asked = [Ask(CorrectionSubject.MATERIAL, "lease", "看不清", "请重新上传")]
    corrections.ask(application_id=made.id, items=asked, actor=made.reviewer, now=made.now)
    made.later().upload("lease", papers.pdf(mark="other"))
    corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now)


def test_a_gap_of_an_application_that_is_over_asks_for_nothing() -> None:
    made = promised()
    client = Client()
    client.force_login(User.objects.get(pk=made.agent.user_id or 0))
    addresses = [reverse("enterprise:overview"), reverse("enterprise:application", args=[made.id])]
    asked = ["补齐容缺材料", "容缺材料“租赁合同”请在"]
    for address, words in zip(addresses, asked, strict=True):
        assert words in client.get(address).content.decode()
    applications.withdraw(application_id=made.id, actor=made.agent, now=made.now, reason="不再申报")
    for address, words in zip(addresses, asked, strict=True):
        assert words not in client.get(address).content.decode()
