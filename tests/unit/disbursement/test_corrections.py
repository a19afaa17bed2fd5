"""Corrections: told once, supplied or lapsed, and the clock stands still meanwhile."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from disbursement.domain import clocks
from disbursement.domain.errors import Invalid
from disbursement.models import Correction, CorrectionItem, CorrectionSubject, Judgement, StepClock
from disbursement.selectors import desk
from disbursement.selectors.calendar import working_calendar
from disbursement.services.application import corrections, drafts
from disbursement.services.application.corrections import Ask
from disbursement.services.review import reviews
from disbursement.services.review.complete_list import compose
from disbursement.tasks import nightly_applications
from matching.services import vocabulary
from tests.factories import papers
from tests.factories.disbursement import START, Case, applicant, case, invoices

pytestmark = pytest.mark.django_db
INVOICE = Ask(CorrectionSubject.MATERIAL, "invoice", "缺页", "补页")
TOTAL = Ask(CorrectionSubject.FIELD, "invoice_total", "与发票不符", "按发票更正")
HERE = Ask(CorrectionSubject.LEAF, "here", "注册地存疑", "说明迁入情况")


def ask(made: Case, *items: Ask, days: int = 10) -> Correction:
    return corrections.ask(application_id=made.id, items=items, actor=made.acceptor, now=made.now, days=days)


def used(made: Case, day: date) -> int:
    clock = StepClock.objects.get(application_id=made.id, step="acceptance")
    return clocks.read(clock.as_clock(), as_of=day, calendar=working_calendar()).used


def test_a_correction_names_each_thing_in_words_and_has_a_deadline_in_working_days() -> None:
    made = case().submitted()
    correction = ask(made, INVOICE, TOTAL, HERE, days=5)
    assert correction.due_on == date(2026, 3, 9)
    labels = list(CorrectionItem.objects.filter(correction=correction).values_list("label", flat=True))
    assert labels == ["发票清单", "有效发票金额", "在青羊区注册"]


def test_the_clock_stands_still_from_the_correction_to_its_supply() -> None:
    made = case().submitted()
    made.later(days=1)
    ask(made, TOTAL)
    assert used(made, START + timedelta(days=8)) == 1
    made.later(days=7)
    corrections.supply(application_id=made.id, actor=made.agent, now=made.now, invoices=invoices("310000"))
    assert used(made, made.now.date()) == 1
    assert used(made, made.now.date() + timedelta(days=1)) == 2


def test_supplying_needs_each_thing_anew_and_judges_again() -> None:
    made = case().submitted()
    ask(made, INVOICE, TOTAL)
    made.later()
    with pytest.raises(Invalid) as told:
        corrections.supply(application_id=made.id, actor=made.agent, now=made.now)
    assert {fault.place for fault in told.value.faults} == {"material.invoice", "form.invoice_total"}
    made.upload("invoice", papers.pdf(mark="another"))
    corrections.supply(application_id=made.id, actor=made.agent, now=made.now, invoices=invoices("310000"))
    assert made.fresh().state == "submitted"
    latest = Judgement.objects.filter(application_id=made.id).latest("id")
    assert (latest.occasion, latest.facts["invoice_total"]) == ("correction", "310000")
    assert Correction.objects.get(application_id=made.id).supplied_at == made.now


def test_a_failed_supply_keeps_nothing() -> None:
    made = case().submitted()
    ask(made, INVOICE)
    with pytest.raises(Invalid):
        corrections.supply(application_id=made.id, actor=made.agent, now=made.now, invoices=invoices("310000"))
    assert made.fresh().form == {"invoice_total": "300000"}
    assert made.application.state == "correction"


def test_what_the_first_list_left_out_is_asked_for_later_only_with_a_reason_for_supervision() -> None:
    made = case().submitted()
    ask(made, TOTAL)
    corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now, invoices=invoices("310000"))
    with pytest.raises(Invalid, match="一次性告知"):
        ask(made, INVOICE)
    second = corrections.ask(
        application_id=made.id,
        items=[TOTAL, INVOICE],
        actor=made.acceptor,
        now=made.later().now,
        late_reason="收到举报后才发现",
    )
    assert second.round == 2
    assert {row.code: row.is_late for row in second.items.all()} == {"invoice_total": False, "invoice": True}
    assert [row.pk for row in desk.late_corrections(since=made.now - timedelta(days=1))] == [second.pk]


def test_what_has_changed_since_the_first_list_needs_no_reason() -> None:
    made = case().submitted()
    ask(made, INVOICE)
    made.later().upload("invoice", papers.pdf(mark="newer"))
    corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now, invoices=invoices("310000"))
    third = corrections.ask(application_id=made.id, items=[TOTAL], actor=made.acceptor, now=made.later().now)
    assert third.late_reason == ""
    assert desk.late_corrections(since=made.now - timedelta(days=1)) == []


def test_the_machine_begins_the_list_with_what_it_finds_and_each_thing_once() -> None:
    made = case(enterprise=applicant(registered_region="510104")).drafted()
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now, acknowledge_unmet=True)
    made.later()
    found = compose(application=made.fresh(), now=made.now)
    assert [(ask.subject, ask.code) for ask in found] == [("leaf", "here")]
    assert found[0].problem
    assert found[0].remedy
    made.application.materials.update(replaced_at=made.now)
    found = compose(application=made.fresh(), now=made.now)
    assert [(ask.subject, ask.code) for ask in found] == [("material", "invoice"), ("leaf", "here")]


def test_review_has_its_own_list() -> None:
    made = case().submitted()
    ask(made, TOTAL)
    corrections.supply(application_id=made.id, actor=made.agent, now=made.later().now, invoices=invoices("310000"))
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    found = corrections.ask(application_id=made.id, items=[INVOICE], actor=made.reviewer, now=made.later().now)
    assert (found.stage, found.round) == ("review", 1)
    assert made.fresh().state == "review_correction"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], "至少列出一项"),
        ([Ask(CorrectionSubject.MATERIAL, "unheard-of", "缺", "补")], "没有“unheard-of”"),
        ([INVOICE, INVOICE], "列了两次"),
        ([Ask(CorrectionSubject.MATERIAL, "invoice", " ", "补")], "请写明"),
    ],
)
def test_a_list_that_tells_nothing_is_refused(items: list[Ask], words: str) -> None:
    made = case().submitted()
    with pytest.raises(Invalid, match=words):
        ask(made, *items)
    assert made.fresh().state == "submitted"
    assert not Correction.objects.exists()


def test_an_overdue_correction_ends_the_application_once() -> None:
    made = case().submitted()
    correction = ask(made, INVOICE, days=1)
    assert corrections.lapse_overdue(now=made.later(days=1).now) == []
    made.later(days=1)
    assert corrections.lapse_overdue(now=made.now) == [correction.pk]
    assert corrections.lapse_overdue(now=made.now) == []
    assert made.fresh().state == "withdrawn"
    assert made.application.log.filter(action="lapse", role="system", actor=None).count() == 1


def test_the_night_can_come_twice() -> None:
    case().submitted().asked()
    first, second = nightly_applications(), nightly_applications()
    assert first["lapsed"] == 1
    assert set(second.values()) == {0}


def test_a_code_that_the_vocabulary_has_lost_is_told_where_a_case_is_looked_at_and_breaks_no_page() -> None:
    made = case(
        award={"rules": [{"fixed": "1000"}]},
        criteria={"fact": "project_region", "in": ["5101"]},
        materials=[],
    )
    vocabulary.save_code(list_name="region", code="510199", label="新设区", now=made.now)
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=made.now
    )
    told = {"project_region": "510199"}
    drafts.save_draft(
        application_id=made.id, actor=made.agent, now=made.now, form=told, contact_name="张三", contact_phone="028"
    )
    drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    vocabulary.remove_code(list_name="region", code="510199", now=made.now)
    [asked] = compose(application=made.fresh(), now=made.now)
    assert (asked.subject, asked.code) == ("field", "project_region")
    assert "按现行选项" in asked.remedy
