"""Drafts whose item was published anew meanwhile: they are filled in by what will be asked at submission."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.domain.errors import Invalid
from disbursement.models import ApplicationInvoice, BulkDeed, DraftSheet, LaneChoice, Promise
from disbursement.services.application import drafts, judging, materials
from disbursement.services.evidence import library
from disbursement.services.evidence.library import Details
from disbursement.services.review import bulk_review, decisions, quality, reviews
from disbursement.services.review.complete_list import lacking
from matching.models import PolicyVersion
from tests.factories import papers
from tests.factories.disbursement import Case, applicant, case, invoices, item
from tests.integration.portal.conftest import NOW, member, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]
TOLD = "申报要求已更新"
LEASE: dict[str, Any] = {"code": "lease", "name": "租赁合同", "source": "applicant", "promise": "承诺合同真实。"}
STRICT = {name: said for name, said in LEASE.items() if name != "promise"}
PLAN: dict[str, Any] = {"code": "plan", "name": "实施方案", "source": "applicant"}
MODEL: dict[str, Any] = {"key": "model", "label": "设备型号", "type": "text", "required": True}
OPTIONS = [{"code": "a", "label": "甲"}, {"code": "b", "label": "乙"}]
SITE: dict[str, Any] = {"key": "site", "label": "建设地点", "type": "text", "required": True}


def begun(**rules: Any) -> tuple[Case, Client]:
    version = item(now=NOW - timedelta(days=30), **{"materials": [LEASE], **rules})
    made = case(version=version, enterprise=applicant())
    made.now = NOW
    made.application = drafts.create_draft(
        item_id=version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=NOW
    )
    drafts.save_draft(
        application_id=made.id,
        actor=made.agent,
        now=NOW,
        invoices=None if rules.get("award", ...) is None else invoices("300000"),
        contact_name="张三",
        contact_phone="028-81000000",
    )
    return made, signed_in(member(made.enterprise))


def changed(made: Case, **rules: Any) -> PolicyVersion:
    return item(code=made.version.item.code, now=NOW - timedelta(hours=1), **{"materials": [LEASE], **rules})


def get(client: Client, made: Case, name: str) -> str:
    return client.get(reverse(f"enterprise:{name}", args=[made.id])).content.decode()


def faults(made: Case) -> set[str]:
    found = drafts.check_draft(application_id=made.id, actor=made.agent, now=NOW)
    return {fault.place for fault in found.faults}


@pytest.mark.parametrize("name", ["edit", "materials", "check", "copy", "rehearsal"])
def test_whoever_opens_a_draft_gets_it_as_it_is_asked_now_and_is_told_once(name: str) -> None:
    made, client = begun()
    newer = changed(made, materials=[LEASE, PLAN])
    assert TOLD in get(client, made, name)
    assert made.fresh().version == newer
    assert TOLD not in get(client, made, name)


def test_a_material_that_is_required_since_can_be_brought() -> None:
    made, client = begun()
    changed(made, materials=[LEASE, PLAN])
    assert 'id="material.plan"' in get(client, made, "materials")
    made.upload("plan")
    assert "material.plan" not in faults(made)


def test_a_question_that_is_asked_since_can_be_answered_and_answers_stay() -> None:
    made, client = begun(form=[SITE])
    drafts.save_draft(application_id=made.id, actor=made.agent, now=NOW, form={"site": "三号楼"})
    changed(made, form=[SITE, MODEL])
    page = get(client, made, "edit")
    assert 'name="fact-model"' in page
    assert "三号楼" in page


def test_a_submission_that_is_refused_shows_what_is_asked_now() -> None:
    made, client = begun()
    changed(made, materials=[PLAN])
    page = client.post(reverse("enterprise:check", args=[made.id]))
    assert page.status_code == 422
    assert TOLD in page.content.decode()
    assert "material.plan" in page.content.decode()


def test_a_page_that_was_open_before_empties_nothing_that_it_does_not_show() -> None:
    made, client = begun(form=[SITE])
    old = {"version": str(made.version.pk), "fact-site": "三号楼"}
    get(client, made, "edit")
    changed(made, form=[SITE, MODEL])
    get(signed_in(member(made.enterprise, "agent", "吴工")), made, "edit")
    drafts.save_draft(application_id=made.id, actor=made.agent, now=NOW, form={"model": "HX-1"})
    revision = str(DraftSheet.objects.get(application_id=made.id).revision)
    url = reverse("enterprise:keep", args=[made.id])
    answer = client.post(url, {"revision": revision, **old, **shown_contact(made)}).json()
    assert "请刷新页面" in answer["changed"]
    form = made.fresh().form
    assert (form["site"], form["model"]) == ("三号楼", "HX-1")
    now = {"revision": str(answer["revision"]), **old, "version": str(made.application.version_id)}
    assert client.post(url, {**now, "fact-model": "HX-2"}).json()["changed"] == ""
    assert made.fresh().form["model"] == "HX-2"


def shown_contact(made: Case) -> dict[str, str]:
    application = made.fresh()
    return {"contact_name": application.contact_name, "contact_phone": application.contact_phone}


def test_an_unusable_answer_to_what_is_asked_no_more_does_not_bar_the_way() -> None:
    area = {"key": "area", "label": "厂房面积", "type": "number", "required": False}
    made, client = begun(form=[area], materials=[])
    data = {"revision": "1", "version": str(made.version.pk), "fact-area": "一百", "invoice-0-number": ""}
    client.post(reverse("enterprise:keep", args=[made.id]), data)
    assert "form.area" in faults(made)
    changed(made, materials=[])
    get(client, made, "edit")
    assert "form.area" not in faults(made)


@pytest.mark.parametrize("kind", ["choice", "choices", "table", "number", "date"])
def test_an_answer_of_another_kind_than_is_asked_now_is_shown_or_asked_again(kind: str) -> None:
    made, client = begun(form=[SITE])
    drafts.save_draft(application_id=made.id, actor=made.agent, now=NOW, form={"site": "三号楼"})
    beside: dict[str, Any] = {
        "choice": {"options": OPTIONS},
        "choices": {"options": OPTIONS},
        "table": {"columns": [{"key": "n", "label": "号"}]},
    }
    changed(made, form=[{**SITE, "type": kind, **beside.get(kind, {})}])
    for name in ("edit", "materials", "check", "copy", "rehearsal"):
        assert client.get(reverse(f"enterprise:{name}", args=[made.id])).status_code == 200
    assert "form.site" in faults(made)


def test_a_total_that_was_typed_is_asked_with_its_table_where_it_is_that_of_a_table_now() -> None:
    rules: dict[str, Any] = {
        "criteria": {"all": [{"fact": "equipment_investment", "gte": "1000", "id": "enough"}]},
        "award": None,
    }
    made, client = begun(**rules)
    drafts.save_draft(application_id=made.id, actor=made.agent, now=NOW, form={"equipment_investment": "120000"})
    columns = [{"key": "number", "label": "合同号"}, {"key": "amount", "label": "金额", "type": "money"}]
    table = {"key": "contracts", "label": "设备合同", "type": "table", "columns": columns, "total": "amount"}
    changed(made, **rules, form=[{**table, "fact": "equipment_investment"}])
    get(client, made, "edit")
    assert "form.contracts" in faults(made)


def test_an_item_that_takes_no_applications_now_leaves_its_drafts_alone() -> None:
    made, client = begun()
    changed(made, window={"from": "2027-01-01", "until": "2027-12-31"})
    assert TOLD not in get(client, made, "edit")
    assert made.fresh().version == made.version


@pytest.mark.parametrize("now_asked", [STRICT, {**LEASE, "promise": "承诺合同真实、期限三年。"}])
def test_a_promise_that_is_not_offered_in_these_words_any_more_replaces_no_material(now_asked: Any) -> None:
    made, client = begun()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=NOW)
    assert "material.lease" not in faults(made)
    changed(made, materials=[now_asked])
    assert "material.lease" in faults(made), "before anybody opened the draft again"
    page = get(client, made, "materials")
    assert "待上传" in page
    assert "承诺已不适用" in page
    assert 'name="promise"' not in page
    with pytest.raises(Invalid, match="请上传"):
        materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=NOW)
    assert Promise.objects.filter(application=made.application).count() == 1, "what was signed stays on record"
    made.upload("lease")
    assert "material.lease" not in faults(made)


def test_a_promise_that_the_version_does_not_offer_is_lacking_in_review_without_its_paper() -> None:
    made, _client = begun()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=NOW)
    changed(made, materials=[STRICT])
    made.upload("lease")
    drafts.submit(application_id=made.id, actor=made.agent, now=NOW)
    application = made.fresh()
    rules = judging.rules_of(version=application.version, now=NOW)
    assert lacking(application=application, rules=rules) == []
    application.materials.update(replaced_at=NOW)
    assert [rule.code for rule in lacking(application=application, rules=rules)] == ["lease"]


def test_a_promise_that_the_version_does_not_offer_counts_nowhere_against_the_enterprise() -> None:
    fast: dict[str, Any] = {"delivery": "fast", "delivery_terms": {"acceptance_days": 1, "review_days": 3}}
    made, _client = begun(**fast)
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=NOW)
    changed(made, materials=[STRICT], **fast)
    made.upload("lease")
    drafts.submit(application_id=made.id, actor=made.agent, now=NOW)
    chosen = LaneChoice.objects.get(application=made.application)
    assert (chosen.lane, chosen.reasons) == ("fast", [])
    [row] = bulk_review.preview(
        deed=BulkDeed.ACCEPT, application_ids=[made.id], actor=made.acceptor, now=NOW, candidates=lambda _: []
    )
    assert list(row.why_not) == []
    reviews.accept(application_id=made.id, actor=made.acceptor, now=NOW)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=NOW)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=NOW)
    decisions.approve(application_id=made.id, actor=made.second, now=NOW)
    decided, promised = quality.population(month=NOW.date().replace(day=1))
    assert ([thing.key for thing in decided], promised) == ([made.id], [])


def test_an_invoice_table_that_is_asked_no_more_is_gone_with_the_submission_and_not_before() -> None:
    made, client = begun(materials=[])
    table = ApplicationInvoice.objects.filter(application=made.application)
    asked_no_more: dict[str, Any] = {
        "criteria": {"all": [{"fact": "registered_region", "in": ["510105"], "id": "here"}]},
        "award": None,
    }
    changed(made, materials=[], **asked_no_more)
    get(client, made, "edit")
    assert table.exists()
    drafts.submit(application_id=made.id, actor=made.agent, now=NOW)
    assert not table.exists()


def test_an_invoice_table_that_is_asked_again_brings_its_total_along() -> None:
    made, client = begun(materials=[])
    form = {key: value for key, value in made.fresh().form.items() if key != "invoice_total"}
    type(made.application).objects.filter(pk=made.id).update(form=form)
    changed(made, materials=[PLAN])
    get(client, made, "edit")
    assert made.fresh().form["invoice_total"] == "300000"


def test_a_certificate_that_is_asked_since_comes_from_the_library_also_in_place_of_an_old_promise() -> None:
    made, client = begun()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=NOW)
    changed(made, materials=[{**STRICT, "source": "library"}])
    library.add(
        enterprise_id=made.enterprise.pk,
        kind="lease",
        details=Details(issuer="某所", issued_on=(NOW - timedelta(days=9)).date(), is_long_term=True),
        content=papers.pdf(),
        name="合同.pdf",
        actor=made.agent,
        now=NOW,
    )
    get(client, made, "materials")
    assert made.fresh().materials.get().code == "lease"
