"""The pages of a draft: kept as typed, merged, copied, rehearsed, checked."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, DraftSheet
from disbursement.services.application import drafts, rehearsal, sheets
from matching.models import Fact
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories.disbursement import Case, applicant, case, invoices, item
from tests.integration.portal.conftest import NOW, member, signed_in
from tests.unit.disbursement.test_sheets import FORM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]
RULES: dict[str, Any] = {
    "form": FORM,
    "criteria": {"all": [{"fact": "equipment_investment", "gte": "1000", "id": "enough", "text": "投资达标"}]},
    "award": {"rules": [{"rate": "10", "of": "equipment_investment", "cap": "50000"}]},
    "materials": [],
}


def begun(**known: Any) -> tuple[Case, Client]:
    """A draft, and a person of its enterprise before a screen."""
    made = case(version=item(now=NOW - timedelta(days=30), **RULES), enterprise=applicant(**known))
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=NOW
    )
    return made, signed_in(member(made.enterprise))


def whole(made: Case, **typed: str) -> dict[str, str]:
    """What a page sends that shows every field."""
    return {"revision": str(DraftSheet.objects.get(application_id=made.id).revision), **typed}


def keep(client: Client, made: Case, **typed: str) -> Any:
    return client.post(reverse("enterprise:keep", args=[made.id]), whole(made, **typed))


def edit(client: Client, made: Case) -> str:
    return client.get(reverse("enterprise:edit", args=[made.id])).content.decode()


def row(number: int, contract: str, amount: str) -> dict[str, str]:
    return {f"fact-contracts-{number}-number": contract, f"fact-contracts-{number}-amount": amount}


def test_the_form_shows_its_fields_with_help_unit_and_what_is_on_file() -> None:
    made, client = begun(insured_staff=30)
    page = edit(client, made)
    assert "设备型号" in page
    assert "（建设性质属于“改造”时必填）" in page
    assert "不能在这里修改" in page, "an authority has said it"
    assert 'name="fact-insured_staff" value="30"' in page
    assert "disabled" in page
    assert '<script type="module" src="/static/portal/draft.js">' in page


def test_what_the_conditions_wait_for_is_not_called_optional_where_an_item_declares_no_form() -> None:
    rules = {name: rule for name, rule in RULES.items() if name != "form"}
    made = case(version=item(now=NOW - timedelta(days=30), **rules), enterprise=applicant())
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=NOW
    )
    asked, found, _ = edit(signed_in(member(made.enterprise)), made).partition('name="fact-equipment_investment"')
    assert found
    assert "选填" not in asked.rpartition("<label")[2]


def test_a_page_that_saves_by_itself_is_told_money_conditions_and_when() -> None:
    made, client = begun()
    edit(client, made)
    answer = keep(client, made, **row(0, "H1", "12万")).json()
    assert answer["revision"] == 1
    assert answer["saved"] == NOW.strftime("%H:%M")
    assert "12,000.00 元" in answer["aside"]
    assert "条件全部满足" in answer["aside"]
    assert made.fresh().form == {
        "contracts": [{"number": "H1", "amount": "120000"}],
        "equipment_investment": "120000",
    }


def test_what_cannot_be_used_is_kept_and_told_beside_its_field() -> None:
    made, client = begun()
    edit(client, made)
    answer = keep(client, made, **{"fact-old_area": "一百", "contact_phone": "请打给我"}).json()
    assert set(answer["wrong"]) == {"old_area", "@contact_phone"}
    assert "请填写数字" in answer["notes"]["old_area"]
    page = edit(client, made)
    assert 'value="一百"' in page, "nothing is lost"
    assert 'value="请打给我"' in page
    # A half-filled row waits; the full one beside it counts already.
    rows = {**row(0, "H1", "5000"), **row(1, "", "7000")}
    keep(client, made, **{"fact-old_area": "100", "contact_phone": "028-81000000"}, **rows)
    assert made.fresh().form["equipment_investment"] == "5000"
    assert 'value="7000"' in edit(client, made)


@pytest.mark.parametrize(("choice", "ends"), [("mine", "HX-2"), ("theirs", "HX-1"), ("", "HX-1")])
def test_two_pages_change_one_answer_and_the_person_chooses(choice: str, ends: str) -> None:
    made, client = begun()
    other = signed_in(member(made.enterprise, "agent", "吴工"))
    edit(client, made)
    late = whole(made, **{"fact-model": "HX-2"})
    keep(other, made, **{"fact-model": "HX-1"})
    page = client.post(reverse("enterprise:edit", args=[made.id]), {**late, "save": "1"}).content.decode()
    assert "被同时修改，请选择" in page
    assert 'value="HX-2"' in page, "what was typed stays on the screen"
    assert made.fresh().form == {"model": "HX-1"}
    said = {"clash-model": "1", **({"settle-model": choice} if choice else {})}
    keep(client, made, **{"fact-model": "HX-2"}, **said)
    assert made.fresh().form == {"model": ends}


def test_what_a_co_worker_wrote_meanwhile_comes_onto_the_page() -> None:
    made, client = begun()
    other = signed_in(member(made.enterprise, "agent", "吴工"))
    edit(client, made)
    mine = whole(made, **{"fact-kind": "new"})
    keep(other, made, **{"fact-model": "HX-1"})
    answer = client.post(reverse("enterprise:keep", args=[made.id]), mine).json()
    assert list(answer["blocks"]) == ["model"]
    assert 'value="HX-1"' in answer["blocks"]["model"]
    assert "也在填写这份申报" in answer["beside"]
    assert made.fresh().form == {"model": "HX-1", "kind": "new"}


def test_a_draft_handed_in_meanwhile_is_said_to_the_page_that_still_types() -> None:
    made = people.case_in(ApplicationState.SUBMITTED)
    answer = signed_in(member(made.enterprise)).post(reverse("enterprise:keep", args=[made.id]), {"revision": "0"})
    assert answer.status_code == 409
    assert answer.json()["gone"] == reverse("enterprise:application", args=[made.id])


def test_nobody_keeps_copies_or_rehearses_the_draft_of_others() -> None:
    made, _client = begun()
    stranger = signed_in(member(applicant()))
    for name in ("keep", "copy", "rehearsal", "edit", "check"):
        assert stranger.get(reverse(f"enterprise:{name}", args=[made.id])).status_code == 404


def test_a_page_without_a_script_adds_rows_estimates_and_goes_on() -> None:
    made, client = begun()
    edit(client, made)
    url = reverse("enterprise:edit", args=[made.id])
    page = client.post(url, {**whole(made, **row(0, "H1", "5000")), "more-fact-contracts": "1"}).content.decode()
    assert "fact-contracts-3-number" in page
    response = client.post(url, {**whole(made, **row(0, "H1", "5000")), "estimate": "1"})
    assert response.headers["Location"].endswith("#estimate")
    response = client.post(url, {**whole(made, **row(0, "H1", "5000")), "next": "1"})
    assert response.headers["Location"] == reverse("enterprise:materials", args=[made.id])


def test_checking_the_answers_shows_each_with_a_way_to_change_it() -> None:
    made, client = begun()
    edit(client, made)
    keep(client, made, **row(0, "H1", "5000"), **{"fact-insured_staff": "45", "fact-kind": "upgrade"})
    page = client.get(reverse("enterprise:check", args=[made.id])).content.decode()
    change = reverse("enterprise:edit", args=[made.id])
    assert f'href="{change}#id_fact-model"' in page
    assert "请填写“设备型号”" in page
    assert "请填写“原厂房面积”" in page
    assert "第 1 行：合同号 H1，金额 5,000 元" in page
    assert "企业填报，提交后更新画像" in page
    refused = client.post(reverse("enterprise:check", args=[made.id]))
    assert refused.status_code == 422
    assert f'<a href="{change}#id_fact-model">请填写“设备型号”。</a>' in refused.content.decode()


def test_answers_of_last_year_are_seen_chosen_and_told_before_submission() -> None:
    made, client = begun()
    edit(client, made)
    keep(client, made, **row(0, "H1", "5000"), **{"fact-model": "HX-1", "fact-kind": "new"})
    drafts.save_draft(
        application_id=made.id, actor=made.agent, now=NOW, contact_name="周", contact_phone="028-81000000"
    )
    drafts.submit(application_id=made.id, actor=made.agent, now=NOW)
    again = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=NOW
    )
    drafts.save_draft(application_id=again.pk, actor=made.agent, now=NOW, form={"kind": "upgrade"})
    url = reverse("enterprise:copy", args=[again.pk])
    assert f"?from={made.id}" in client.get(url).content.decode()
    page = client.get(url, {"from": made.id}).content.decode()
    assert "清单合计计入金额，不沿用以往的清单" in page
    assert "现已填写" in page
    client.post(url, {"from": made.id, "key": ["model", "contracts"]})
    again.refresh_from_db()
    assert again.form == {"model": "HX-1", "kind": "upgrade"}
    told = client.get(reverse("enterprise:check", args=[again.pk])).content.decode()
    assert "已沿用" in told
    assert "未沿用" in told


def counts() -> dict[str, int]:
    """How many rows each table holds."""
    return {model._meta.label: model._base_manager.count() for model in apps.get_models() if model._meta.managed}


def test_a_rehearsal_tells_what_would_be_decided_and_leaves_no_trace() -> None:
    base.department("fgj", "发改局")
    steps = [
        {"kind": "site_visit", "name": "现场核查", "days": 3},
        {"kind": "joint", "name": "部门会审", "days": 5, "departments": ["fgj"], "silence_consents": True},
    ]
    made = case(version=item(now=NOW - timedelta(days=30), review={"steps": steps}), enterprise=applicant())
    made.now = NOW
    made.drafted()
    client = signed_in(member(made.enterprise))
    client.get(reverse("enterprise:rehearsal", args=[made.id]))
    before, form = counts(), Application.objects.filter(pk=made.id).values().get()
    page = client.get(reverse("enterprise:rehearsal", args=[made.id])).content.decode()
    assert counts() == before
    assert Application.objects.filter(pk=made.id).values().get() == form
    assert "这是预演，不作数" in page
    assert "按现在的内容，预计能够通过" in page
    assert "150,000.00 元" in page
    assert "预计兑现月份" in page
    # What this item asks of its review beside the usual, with who is asked.
    assert "现场核查</strong>（3个工作日内）" in "".join(page.split())
    assert "同时征求发改局的意见。逾期没有答复的，视为同意。" in page


def test_a_rehearsal_names_what_is_missing_and_what_clashes() -> None:
    rows = invoices("300000")
    first = case(version=item(now=NOW - timedelta(days=30)), enterprise=applicant())
    first.now = NOW
    first.drafted()
    sheets.overwrite(application_id=first.id, actor=first.agent, now=NOW, states={"@invoices": {"value": rows}})
    drafts.submit(application_id=first.id, actor=first.agent, now=NOW)
    second = case(version=item(now=NOW - timedelta(days=30)), enterprise=first.enterprise)
    second.application = drafts.create_draft(
        item_id=second.version.item_id, enterprise_id=first.enterprise.pk, actor=second.agent, now=NOW
    )
    drafts.save_draft(application_id=second.id, actor=second.agent, now=NOW, invoices=rows)
    found = rehearsal.rehearse(application_id=second.id, actor=second.agent, now=NOW)
    assert not found.would_be_submitted
    assert {"material.invoice", "contact_name"} <= {fault.place for fault in found.faults}
    number = first.fresh().number
    assert number is not None
    assert any(number in clash for clash in found.clashes)
    client = signed_in(member(first.enterprise))
    page = client.get(reverse("enterprise:check", args=[second.id])).content.decode()
    assert number in page.split('id="clashes"')[1].split("</section>")[0]
    assert page.count(reverse("enterprise:choices")) >= 2


@pytest.mark.parametrize("nonsense", ["\0", "1e400", "x\r\ny", "9" * 400, "😀" * 50])
def test_nonsense_in_every_field_is_refused_or_kept_and_never_stumbled_over(nonsense: str) -> None:
    made, client = begun()
    names = re.findall(r'name="([^"]+)"', edit(client, made))
    typed = dict.fromkeys([*names, "clash-model", "settle-model", "revision"], nonsense)
    for extra in ("save", "upload", "estimate", "more", "more-fact-contracts"):
        url = reverse("enterprise:edit", args=[made.id])
        assert client.post(url, {**typed, extra: nonsense}).status_code in (200, 302)
    assert client.post(reverse("enterprise:keep", args=[made.id]), typed).status_code == 200
    for name in ("copy", "rehearsal", "check"):
        address = reverse(f"enterprise:{name}", args=[made.id])
        assert client.get(address, {"from": nonsense}).status_code < 500
        assert client.post(address, {"from": nonsense, "key": nonsense}).status_code < 500
    assert "\\u0000" not in json.dumps(DraftSheet.objects.get(application_id=made.id).typed)


def test_the_list_tells_how_far_each_draft_is_and_who_is_at_it() -> None:
    made, client = begun()
    other = signed_in(member(made.enterprise, "agent", "吴工"))
    edit(other, made)
    keep(other, made, **{"fact-model": "HX-1", "fact-old_area": "一百"})
    page = client.get(reverse("enterprise:applications")).content.decode()
    assert "已填 1 / 5 项" in page
    assert "1 处要更正" in page
    assert "吴工 正在填写" in page


def test_a_declaration_in_the_form_counts_in_the_estimate_but_not_on_file_before_submission() -> None:
    made, client = begun()
    edit(client, made)
    keep(client, made, **{"fact-insured_staff": "45"})
    assert made.fresh().form == {"insured_staff": "45"}
    assert not Fact.objects.filter(enterprise=made.enterprise, key="insured_staff").exists()
