"""From “apply” to “submit”."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import WrongState
from disbursement.models import Application, Judgement, StepClock, ToleratedGap
from disbursement.services.application import drafts, materials
from disbursement.services.award import combinations
from disbursement.services.review import reviews
from matching.registry.models import OutboxMessage
from matching.services import publish
from tests.factories import matching as base
from tests.factories.disbursement import (
    CRITERIA,
    MATERIALS,
    PDF,
    START,
    Case,
    agent,
    applicant,
    at,
    case,
    invoices,
    item,
)

pytestmark = pytest.mark.django_db


def submit(made: Case, **options: object) -> Application:
    return drafts.submit(application_id=made.id, actor=made.agent, now=made.now, **options)  # type: ignore[arg-type]


def test_a_second_click_on_apply_finds_the_first_ones_draft() -> None:
    made = case()
    made.drafted()
    again = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=agent(made.enterprise), now=made.now
    )
    assert again.pk == made.id
    assert again.form == {"invoice_total": "300000"}


def test_a_stranger_gets_no_draft_for_the_enterprise() -> None:
    made = case()
    with pytest.raises(Denied):
        drafts.create_draft(
            item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=agent(applicant()), now=made.now
        )


def test_a_draft_is_prefilled_with_what_the_profile_knows_of_the_form() -> None:
    award = {"rules": [{"rate": "50", "of": "guarantee_fee_paid"}, {"rate": "50", "of": "invoice_total"}]}
    known = applicant(guarantee_fee_paid="123456.78", invoice_total="5000")
    made = case(enterprise=known, award=award, criteria={"all": []})
    draft = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=made.now
    )
    assert draft.form == {"guarantee_fee_paid": "123456.78"}, "a total of invoices comes with its invoices"


def test_a_number_beyond_all_money_is_told_and_breaks_nothing_that_adds_up() -> None:
    award = {"rules": [{"rate": "50", "of": "guarantee_fee_paid"}]}
    made = case(award=award, criteria={"all": []}, materials=[])
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=made.now
    )
    beyond = {"guarantee_fee_paid": "900000000000000"}
    drafts.save_draft(
        application_id=made.id, actor=made.agent, now=made.now, form=beyond, contact_name="张三", contact_phone="028"
    )
    [fault] = drafts.check_draft(application_id=made.id, actor=made.agent, now=made.now).faults
    assert "超出范围" in fault.message
    with pytest.raises(Invalid, match="超出范围"):
        drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    found = combinations.compare(enterprise=made.enterprise, now=made.now)
    assert found.unknown == [made.version.item]
    assert found.candidates == []


def test_an_incomplete_draft_is_kept_and_an_emptied_answer_is_taken_out() -> None:
    made = case()
    made.drafted()
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, form={"invoice_total": "不知道"})
    assert made.fresh().form == {"invoice_total": "不知道"}
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, form={"invoice_total": ""})
    assert made.fresh().form == {}


def test_a_submitted_application_is_no_draft_any_more() -> None:
    made = case().submitted()
    with pytest.raises(WrongState):
        drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, form={"invoice_total": "1"})


def test_submission_numbers_judges_and_starts_the_acceptance_clock() -> None:
    made = case().submitted()
    application = made.fresh()
    assert application.number == "2026-000001"
    assert application.version == made.version
    judgement = Judgement.objects.get(application=application)
    assert (judgement.verdict, judgement.as_of) == ("eligible", START)
    clock = StepClock.objects.get(application=application)
    assert (clock.step, clock.promised_limit, clock.statutory_limit) == ("acceptance", 2, 5)
    told = OutboxMessage.objects.get(topic="application.changed")
    assert told.payload == {"application_id": made.id, "action": "submit", "state": "submitted", "seq": 1}


def test_numbers_run_on_without_gaps_even_where_a_submission_failed_between() -> None:
    case().submitted()
    failing = case()
    failing.drafted()
    drafts.save_draft(application_id=failing.id, actor=failing.agent, now=failing.now, form={"invoice_total": "x"})
    with pytest.raises(Invalid):
        submit(failing)
    assert case().submitted().fresh().number == "2026-000002"


def test_submitting_twice_hands_in_once() -> None:
    made = case().submitted()
    with pytest.raises(WrongState):
        submit(made)
    assert OutboxMessage.objects.filter(topic="application.changed").count() == 1
    assert Judgement.objects.count() == 1


def test_every_fault_of_a_draft_is_told_at_once_with_its_place() -> None:
    made = case()
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=made.now
    )
    with pytest.raises(Invalid) as told:
        submit(made)
    places = {fault.place for fault in told.value.faults}
    assert places == {"form.invoice_total", "material.invoice", "contact_name", "contact_phone"}


def test_a_value_of_the_wrong_kind_is_told_beside_its_field() -> None:
    made = case()
    made.drafted()
    form = {"invoice_total": "12,3"}
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, form=form)
    with pytest.raises(Invalid) as told:
        submit(made)
    assert [fault.place for fault in told.value.faults] == ["form.invoice_total"]
    assert "有效发票金额" in told.value.faults[0].message


def test_an_unmet_condition_must_be_acknowledged_and_then_does_not_bar_the_way() -> None:
    made = case()
    made.drafted()
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, invoices=invoices("50000"))
    with pytest.raises(Invalid) as told:
        submit(made)
    assert [fault.place for fault in told.value.faults] == ["leaf.spent"]
    assert "还差" in told.value.faults[0].message
    submit(made, acknowledge_unmet=True)
    assert Judgement.objects.get(application_id=made.id).verdict == "ineligible"


def test_a_missing_material_may_be_promised_by_a_day_and_is_granted_by_acceptance() -> None:
    made = case()
    made.drafted()
    for material in made.application.materials.all():
        materials.remove(material_id=material.pk, actor=made.agent, now=made.now)
    submit(made, gaps={"invoice": START + timedelta(days=9)})
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    gap = ToleratedGap.objects.get(application_id=made.id)
    assert gap.granted_by_id == made.acceptor.user_id
    assert made.application.log.filter(action="accept_with_gap").exists()


def test_a_day_promised_for_what_a_colleague_has_brought_meanwhile_is_no_gap() -> None:
    lease = {**MATERIALS[2], "required": True}
    proof = {"code": "proof", "name": "注册证明", "required": True, "from": "upload"}
    here, *others = CRITERIA["all"]
    made = case(materials=[*MATERIALS[:2], lease, proof], criteria={"all": [{**here, "evidence": ["proof"]}, *others]})
    for value, on in ((None, START - timedelta(days=1)), ("510105", START)):
        base.learn(made.enterprise, now=made.now, valid_on=on, source="市场监管", registered_region=value)
    made.drafted()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    day = START + timedelta(days=9)
    # The promise, the upload and the data each came after the page with its days was opened.
    submit(made, gaps={"invoice": day, "lease": day, "proof": day, "licence": day})
    assert list(ToleratedGap.objects.values_list("material_code", flat=True)) == ["licence"]


@pytest.mark.parametrize(
    ("code", "day", "words"),
    [
        ("invoice", START, "承诺补齐日期"),
        ("invoice", START + timedelta(days=60), "承诺补齐日期"),
        ("unheard-of", START + timedelta(days=3), "不需要材料"),
        ("key", START + timedelta(days=3), "不能容缺"),
    ],
)
def test_a_gap_that_cannot_be_tolerated_is_refused_with_its_reason(code: str, day: date, words: str) -> None:
    key = {"code": "key", "name": "关键材料", "required": True, "from": "upload", "tolerable": False}
    made = case(materials=[*MATERIALS, key])
    made.drafted()
    with pytest.raises(Invalid) as told:
        submit(made, gaps={code: day})
    assert any(words in fault.message for fault in told.value.faults)


def test_a_promise_stands_in_for_a_material_that_allows_it() -> None:
    lease = {"code": "lease", "name": "租赁合同", "required": True, "from": "upload", "promise": "承诺合同真实。"}
    made = case(materials=[lease])
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=made.now
    )
    drafts.save_draft(
        application_id=made.id,
        actor=made.agent,
        now=made.now,
        invoices=invoices("300000"),
        contact_name="张三",
        contact_phone="1",
    )
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    submit(made)
    assert made.fresh().state == "submitted"


def test_an_item_outside_its_window_or_off_the_list_takes_no_application() -> None:
    closed = item(window={"until": "2026-02-20"})
    with pytest.raises(Invalid, match="截止"):
        case(version=closed).drafted()
    later = item(window={"from": "2026-05-01"})
    with pytest.raises(Invalid, match="起受理"):
        case(version=later).drafted()
    publish.withdraw_item(item_code=closed.item.code, now=at(START))
    closed.item.refresh_from_db()
    with pytest.raises(Invalid, match="停止受理"):
        case(version=closed).drafted()


def test_an_application_is_judged_by_the_version_in_force_on_the_day_of_its_submission() -> None:
    made = case()
    made.drafted()
    newer = item(code=made.version.item.code, award={"rules": [{"fixed": "5000"}]}, now=made.now)
    assert newer.number == 2
    submit(made)
    assert made.fresh().version == newer


def test_what_is_in_the_evidence_library_is_reused() -> None:
    first = case()
    first.drafted().upload("licence")
    drafts.submit(application_id=first.id, actor=first.agent, now=first.now)
    reviews.accept(application_id=first.id, actor=first.acceptor, now=first.now)
    second = case(enterprise=first.enterprise)
    second.application = drafts.create_draft(
        item_id=second.version.item_id, enterprise_id=second.enterprise.pk, actor=second.agent, now=second.now
    )
    reused = second.application.materials.get()
    assert (reused.code, reused.reused_from) == ("licence", first.application.materials.get(code="licence"))
    opened = materials.open_material(material_id=reused.pk, actor=second.agent, now=second.now)
    assert b"".join(opened.pieces()) == PDF
