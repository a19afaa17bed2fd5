"""Whatever a correction names can be answered: a fact of the enterprise, a condition; what data proves is not asked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.domain.errors import Invalid
from disbursement.models import Correction, CorrectionSubject, Judgement
from disbursement.services.application import corrections, drafts, judging
from disbursement.services.application.correction_answers import wanted_by
from disbursement.services.application.corrections import Ask
from disbursement.services.review.complete_list import compose
from matching.models import Fact
from portal.accounts.models import User
from tests.factories import matching as base
from tests.factories import papers
from tests.factories.disbursement import CRITERIA, MATERIALS, Case, case, invoices, item

pytestmark = pytest.mark.django_db
HERE, HONEST, SPENT = CRITERIA["all"]
STAFF: dict[str, Any] = {
    "fact": "insured_staff",
    "gte": "10",
    "id": "people",
    "text": "员工不少于10人",
    "evidence": ["roll"],
}
ROLL: dict[str, Any] = {"code": "roll", "name": "参保证明", "required": False, "source": "applicant", "note": ""}
EMPLOYEES = Ask(CorrectionSubject.FIELD, "insured_staff", "与参保人数不符", "请核对后更正。")
PEOPLE = Ask(CorrectionSubject.LEAF, "people", "人数存疑", "请说明。")
PLACE = Ask(CorrectionSubject.LEAF, "here", "注册地存疑", "请说明迁入情况。")


def made_case() -> Case:
    """An item whose form asks how many are insured, and whose condition names the paper that proves it."""
    version = item(
        criteria={"all": [HERE, HONEST, SPENT, STAFF]},
        form=[{"type": "fact", "fact": "insured_staff"}],
        materials=[*MATERIALS, ROLL],
    )
    made = case(version).drafted()
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, form={"insured_staff": "30"})
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    return made.later()


def ask(made: Case, *items: Ask) -> Correction:
    asked = corrections.ask(application_id=made.id, items=items, actor=made.acceptor, now=made.now)
    made.later(days=3)
    return asked


def supply(made: Case, **told: Any) -> None:
    corrections.supply(application_id=made.id, actor=made.agent, now=made.now, **told)
    made.later()


def wanted(made: Case, correction: Correction) -> Any:
    rules = judging.rules_of(version=made.version, now=made.now)
    return wanted_by(application=made.fresh(), correction=correction, rules=rules)


def test_what_the_enterprise_says_of_itself_is_mended_from_the_day_of_submission() -> None:
    made = made_case()
    asked = ask(made, EMPLOYEES)
    assert wanted(made, asked).fields == {"insured_staff"}
    with pytest.raises(Invalid, match="尚未更正"):
        supply(made, form={"insured_staff": "30"})
    supply(made, form={"insured_staff": "25"})
    assert made.fresh().state == "submitted"
    latest = Judgement.objects.filter(application=made.application).latest("pk")
    assert latest.facts["insured_staff"] == "25"
    assert made.application.submitted_at is not None
    said = Fact.objects.filter(enterprise=made.enterprise, key="insured_staff").latest("pk")
    assert (said.value, said.source, said.valid_on) == ("25", "企业填报", date(2026, 3, 2))


def test_what_an_authority_says_is_not_asked_of_the_enterprise() -> None:
    made = made_case()
    base.learn(made.enterprise, now=made.now, valid_on=date(2026, 3, 2), source="人社", insured_staff="28")
    with pytest.raises(Invalid, match="由人社提供，企业不能更正"):
        ask(made, EMPLOYEES)
    desk = Client()
    desk.force_login(User.objects.get(pk=made.acceptor.user_id or 0))
    page = desk.get(reverse("desk:ask_correction", args=[made.id])).content.decode()
    assert "field.insured_staff" not in page
    assert "leaf.people" in page


def test_a_fact_that_an_authority_takes_over_meanwhile_bars_nobody() -> None:
    made = made_case()
    asked = ask(made, EMPLOYEES)
    base.learn(made.enterprise, now=made.now, valid_on=date(2026, 3, 2), source="人社", insured_staff="28")
    assert not wanted(made, asked).fields
    supply(made)
    assert made.fresh().state == "submitted"


def test_a_condition_is_answered_by_its_paper_its_figure_or_in_words() -> None:
    made = made_case()
    asked = ask(made, PEOPLE)
    offered = wanted(made, asked)
    assert (offered.materials, offered.words) == ({"roll"}, True)
    assert "insured_staff" in offered.fields
    with pytest.raises(Invalid, match="尚未答复"):
        supply(made)
    made.upload("roll", papers.pdf(mark="roll"))
    supply(made)
    ask(made, PEOPLE)
    supply(made, form={"insured_staff": "31"})
    ask(made, PEOPLE)
    supply(made, note="3月新招1人，已参保")
    assert made.fresh().log.filter(action="supply").latest("seq").note == "3月新招1人，已参保"


def test_a_condition_without_a_paper_of_its_own_is_answered_by_any() -> None:
    made = made_case()
    offered = wanted(made, ask(made, PLACE))
    assert offered.materials == {"invoice", "licence", "lease", "roll"}
    assert offered.invoices  # a figure of the form may be what the condition hangs on
    with pytest.raises(Invalid):
        supply(made)
    supply(made, invoices=invoices("300000"), note="迁入登记已完成")


def test_the_page_of_a_correction_offers_all_of_it() -> None:
    made = made_case()
    ask(made, EMPLOYEES, PEOPLE)
    client = Client()
    client.force_login(User.objects.get(pk=made.agent.user_id or 0))
    address = reverse("enterprise:respond", args=[made.id])
    page = client.get(address).content.decode()
    for there in ('name="fact-insured_staff"', 'id="file-roll"', 'name="note"'):
        assert there in page
    refused = client.post(address, {"supply": "1", "fact-insured_staff": "30", "note": "无误"})
    assert "尚未更正" in refused.content.decode()
    assert client.post(address, {"supply": "1", "fact-insured_staff": "32", "note": "已核对"}).status_code == 302
    assert made.fresh().form["insured_staff"] == "32"


def test_what_data_proves_is_not_asked_for_on_paper() -> None:
    version = item(
        criteria={"all": [{**HERE, "evidence": ["proof"]}, HONEST, SPENT]},
        materials=[*MATERIALS, {**ROLL, "code": "proof", "required": True}],
    )
    made = case(version)
    day = made.now.date()
    for value, on in ((None, day - timedelta(days=1)), ("510105", day)):
        base.learn(made.enterprise, now=made.now, valid_on=on, source="市场监管", registered_region=value)
    made.submitted()
    assert "proof" not in {ask.code for ask in compose(application=made.fresh(), now=made.now)}


def test_an_answer_that_is_taken_out_is_taken_out() -> None:
    note: dict[str, Any] = {"type": "text", "key": "expert", "label": "外籍专家", "required": False}
    name = {**note, "key": "device", "label": "设备", "required": True}
    made = case(item(criteria={"all": [HERE, HONEST, SPENT]}, form=[note, name], materials=MATERIALS)).drafted()
    form = {"expert": "有", "device": "车床"}
    drafts.save_draft(application_id=made.id, actor=made.agent, now=made.now, form=form)
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    made.later()
    asked = ask(made, *(Ask(CorrectionSubject.FIELD, key, "不符", "请删去。") for key in ("expert", "device")))
    assert wanted(made, asked).fields == {"expert", "device"}
    client = Client()
    client.force_login(User.objects.get(pk=made.agent.user_id or 0))
    address = reverse("enterprise:respond", args=[made.id])
    refused = client.post(address, {"supply": "1", "fact-expert": "", "fact-device": ""})
    assert "请填写“设备”" in refused.content.decode()
    assert made.fresh().form["expert"] == "有"
    assert client.post(address, {"supply": "1", "fact-expert": "", "fact-device": "铣床"}).status_code == 302
    answers = made.fresh().form
    assert "expert" not in answers
    assert answers["device"] == "铣床"
