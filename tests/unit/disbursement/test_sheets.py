"""A draft kept as it is typed, by several people of one enterprise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.merging import Choice, Settlement
from disbursement.domain.workflow import WrongState
from disbursement.models import DraftChange, DraftPresence, DraftSheet
from disbursement.services.application import drafts, sheets
from matching.models import Fact
from tests.factories.disbursement import Case, agent, applicant, case, invoices, item

pytestmark = pytest.mark.django_db

OPTIONS = [{"code": "new", "label": "新建"}, {"code": "upgrade", "label": "改造"}]
FORM: list[dict[str, Any]] = [
    {"type": "text", "key": "model", "label": "设备型号", "longest": 60},
    {"type": "choice", "key": "kind", "label": "建设性质", "options": OPTIONS, "required": False},
    {
        "type": "number",
        "key": "old_area",
        "label": "原厂房面积",
        "unit": "㎡",
        "required": {"when": {"fact": "kind", "in": ["upgrade"]}},
    },
    {"type": "fact", "fact": "insured_staff", "required": False},
    {
        "type": "table",
        "key": "contracts",
        "label": "设备合同",
        "columns": [{"key": "number", "label": "合同号"}, {"key": "amount", "label": "金额", "type": "money"}],
        "fact": "equipment_investment",
        "total": "amount",
        "required": False,
    },
]
CRITERIA = {"all": [{"fact": "equipment_investment", "gte": "1000", "id": "enough"}]}


def with_form(**known: Any) -> Case:
    made = case(version=item(form=FORM, criteria=CRITERIA, award=None, materials=[]), enterprise=applicant(**known))
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=made.now
    )
    drafts.save_draft(
        application_id=made.id, actor=made.agent, now=made.now, contact_name="周", contact_phone="028-81000000"
    )
    return made


def save(made: Case, base: int, *, actor: Any = None, settled: Any = None, **states: Any) -> sheets.Saved:
    return sheets.save(
        application_id=made.id,
        actor=actor or made.agent,
        now=made.now,
        base=base,
        states={key: None if value is None else {"value": value} for key, value in states.items()},
        settled=settled,
    )


def revision(made: Case) -> int:
    return DraftSheet.objects.get(application_id=made.id).revision


def places(made: Case) -> set[str]:
    return {f.place for f in drafts.check_draft(application_id=made.id, actor=made.agent, now=made.now).faults}


def test_two_people_write_different_answers_and_both_are_kept() -> None:
    made = with_form()
    other, start = agent(made.enterprise), revision(made)
    save(made, start, model="HX-1", kind=None)
    done = save(made, start, actor=other, model=None, kind="new")
    assert made.fresh().form == {"model": "HX-1", "kind": "new"}
    assert done.taken == {"model": {"value": "HX-1"}}


def test_one_answer_written_by_two_is_asked_and_ends_as_was_chosen() -> None:
    made = with_form()
    other, start = agent(made.enterprise, "吴工"), revision(made)
    save(made, start, model="HX-1")
    told = save(made, start, actor=other, model="HX-2")
    assert [clash.key for clash in told.clashes] == ["model"]
    assert made.fresh().form == {"model": "HX-1"}, "nobody is overwritten unasked"
    said = {"model": Settlement(Choice.MINE, told.revision)}
    assert save(made, told.revision, actor=other, settled=said, model="HX-2").written == ("model",)
    assert made.fresh().form == {"model": "HX-2"}


def test_saving_the_same_again_is_no_revision() -> None:
    made = with_form()
    first = save(made, revision(made), model="HX-1")
    assert save(made, first.revision, model="HX-1").revision == first.revision
    assert DraftChange.objects.filter(key="model").count() == 1


def test_what_cannot_be_used_is_kept_as_typed_and_bars_the_submission() -> None:
    made = with_form()
    state = {"raw": "一百多", "messages": ["请填写数字。"]}
    sheets.save(application_id=made.id, actor=made.agent, now=made.now, base=revision(made), states={"old_area": state})
    sheet = DraftSheet.objects.get(application_id=made.id)
    assert sheet.typed == {"old_area": state}
    assert "old_area" not in made.fresh().form
    ready = drafts.check_draft(application_id=made.id, actor=made.agent, now=made.now)
    assert ("form.old_area", "原厂房面积：请填写数字。") in {(f.place, f.message) for f in ready.faults}
    save(made, sheet.revision, old_area="100")
    assert DraftSheet.objects.get(application_id=made.id).typed == {}


def test_required_fields_are_asked_for_and_conditional_ones_where_their_condition_holds() -> None:
    made = with_form()
    assert {"form.model", "form.contracts"} <= places(made)
    assert "form.old_area" not in places(made)
    save(made, revision(made), model="HX-1", kind="upgrade")
    assert "form.old_area" in places(made)
    assert "form.model" not in places(made)


def test_the_total_of_a_table_is_judged_by_and_never_typed() -> None:
    made = with_form()
    save(made, revision(made), contracts=[{"number": "H1", "amount": "600.50"}, {"number": "H2", "amount": "399.5"}])
    assert made.fresh().form["equipment_investment"] == "1000"
    ready = drafts.check_draft(application_id=made.id, actor=made.agent, now=made.now)
    assert ready.assessment is not None
    assert ready.assessment.verdict == "eligible"
    with pytest.raises(Invalid, match="没有“equipment_investment”这一项"):
        save(made, revision(made), equipment_investment="9000")
    save(made, revision(made), contracts=None)
    assert "equipment_investment" not in made.fresh().form


def test_a_fact_changed_in_the_form_is_declared_with_the_submission() -> None:
    made = with_form(insured_staff=30)
    rows = [{"number": "H1", "amount": "5000"}]
    save(made, revision(made), model="HX-1", contracts=rows, insured_staff="45")
    assert not Fact.objects.filter(source="企业填报").exists(), "a draft declares nothing"
    drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    source = Fact.objects.filter(enterprise=made.enterprise, key="insured_staff").order_by("pk").last()
    assert source is not None
    # The authority that knows it already is not overruled by what the enterprise types.
    assert (source.value, source.source) != ("45", "企业填报")


def test_an_unknown_fact_of_the_form_becomes_the_enterprises_own_statement() -> None:
    made = with_form()
    save(made, revision(made), model="HX-1", contracts=[{"number": "H1", "amount": "5000"}], insured_staff="45")
    drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    known = Fact.objects.get(enterprise=made.enterprise, key="insured_staff")
    assert (known.value, known.source) == ("45", "企业填报")


def test_how_a_draft_came_about_is_forgotten_with_its_submission() -> None:
    made = with_form()
    save(made, revision(made), model="HX-1", contracts=[{"number": "H1", "amount": "5000"}])
    drafts.submit(application_id=made.id, actor=made.agent, now=made.now)
    assert not DraftSheet.objects.exists()
    assert not DraftChange.objects.exists()
    assert not DraftPresence.objects.exists()
    with pytest.raises(WrongState):
        save(made, 0, model="HX-2")


def test_who_else_is_at_the_draft_is_told_for_two_minutes() -> None:
    made = with_form()
    other = agent(made.enterprise, "吴工")
    sheets.look(application_id=made.id, actor=other, now=made.now)
    _sheet, beside = sheets.look(application_id=made.id, actor=made.agent, now=made.now + timedelta(minutes=1))
    assert [person.name for person in beside] == ["吴工"]
    _sheet, beside = sheets.look(application_id=made.id, actor=made.agent, now=made.now + timedelta(minutes=3))
    assert beside == []


def test_a_stranger_neither_saves_nor_looks() -> None:
    made = with_form()
    stranger = agent(applicant())
    with pytest.raises(Denied):
        save(made, 0, actor=stranger, model="X")
    with pytest.raises(Denied):
        sheets.look(application_id=made.id, actor=stranger, now=made.now)


def test_invoices_of_two_people_are_merged_as_one_answer() -> None:
    made = case()
    made.drafted()
    other, start = agent(made.enterprise), revision(made)
    rows = invoices("1000")
    sheets.save(
        application_id=made.id, actor=made.agent, now=made.now, base=start, states={"@invoices": {"value": rows}}
    )
    told = sheets.save(
        application_id=made.id,
        actor=other,
        now=made.now,
        base=start,
        states={"@invoices": {"value": invoices("2000")}},
    )
    assert [clash.key for clash in told.clashes] == ["@invoices"]
    assert made.fresh().form["invoice_total"] == "1000"
