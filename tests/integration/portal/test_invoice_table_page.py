"""The invoice table on the page of a draft: what was typed comes back as it was typed, however often it is opened."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.models import ApplicationInvoice, DraftSheet
from disbursement.services.application import drafts
from tests.factories.disbursement import Case, applicant, case, invoices, item
from tests.integration.portal.conftest import NOW, member, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen")]
PART = {"kind": "contract", "used": "300000"}


def begun(*rows: dict[str, str]) -> tuple[Case, Client]:
    made = case(version=item(now=NOW - timedelta(days=30)), enterprise=applicant())
    made.application = drafts.create_draft(
        item_id=made.version.item_id, enterprise_id=made.enterprise.pk, actor=made.agent, now=NOW
    )
    drafts.save_draft(application_id=made.id, actor=made.agent, now=NOW, invoices=rows)
    return made, signed_in(member(made.enterprise))


def shown(page: str) -> dict[str, str]:
    """The invoice table's cells and selects, by name, with what a browser would send for each."""
    cells = dict(re.findall(r'name="(invoice-\d+-\w+)"\s+value="([^"]*)"', page))
    for name, options in re.findall(r'<select[^>]*name="(invoice-\d+-kind)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="(\w+)"\s+selected', options) or re.search(r'value="(\w+)"', options)
        assert chosen
        cells[name] = chosen[1]
    return cells


def opened(client: Client, made: Case) -> dict[str, str]:
    return shown(client.get(reverse("enterprise:edit", args=[made.id])).content.decode())


def test_a_part_of_a_contract_stays_one_when_the_draft_is_opened_again_and_sent() -> None:
    made, client = begun({**invoices("900000")[0], **PART})
    cells = opened(client, made)
    assert (cells["invoice-0-kind"], cells["invoice-0-used"]) == ("contract", "300000.00")
    revision = str(DraftSheet.objects.get(application_id=made.id).revision)
    client.post(reverse("enterprise:edit", args=[made.id]), {"revision": revision, "next": "1", **cells})
    row = ApplicationInvoice.objects.get(application_id=made.id)
    assert (row.kind, row.used) == ("contract", Decimal("300000"))
    assert made.fresh().form == {"invoice_total": "300000"}


def test_a_row_that_cannot_be_used_yet_keeps_its_kind_and_part_with_a_row_more() -> None:
    made, client = begun()
    typed = {f"invoice-0-{name}": text for name, text in {**invoices("900000")[0], **PART, "issuer": ""}.items()}
    page = client.post(reverse("enterprise:edit", args=[made.id]), {"revision": "0", "more": "1", **typed})
    for cells in (shown(page.content.decode()), opened(client, made)):
        assert (cells["invoice-0-kind"], cells["invoice-0-used"]) == ("contract", "300000")


def test_two_who_differ_in_the_part_used_are_told_in_what() -> None:
    paper = {**invoices("900000")[0], "kind": "contract"}
    made, client = begun({**paper, "used": "300000"})
    cells = {**opened(client, made), "invoice-0-used": "200000"}
    drafts.save_draft(application_id=made.id, actor=made.agent, now=NOW, invoices=[{**paper, "used": "400000"}])
    page = client.post(reverse("enterprise:edit", args=[made.id]), {"revision": "1", "save": "1", **cells})
    told = page.content.decode()
    assert f"合同 成都电子测试所 {paper['number']} 900000.00 本次使用 400000.00" in told
    assert "本次使用 200000.00" in told


def test_one_paper_by_code_and_by_name_costs_no_other_answer() -> None:
    made, client = begun()
    one = {**invoices("900000")[0], "number": "25510001"}
    issuer = made.enterprise
    cells = {
        **{f"invoice-0-{name}": text for name, text in {**one, "issuer": issuer.name}.items()},
        **{f"invoice-1-{name}": text for name, text in {**one, "issuer": issuer.credit_code}.items()},
    }
    sent = {"revision": "0", "save": "1", "contact_name": "张三", **cells}
    page = client.post(reverse("enterprise:edit", args=[made.id]), sent).content.decode()
    assert "是同一家单位，请删去一行" in page
    assert "已保存，有内容需要您看一下" in page
    assert made.fresh().contact_name == "张三"
    assert not ApplicationInvoice.objects.filter(application_id=made.id).exists()
    for again in (shown(page), opened(client, made)):
        assert [again[f"invoice-{n}-issuer"] for n in range(2)] == [issuer.name, issuer.credit_code]
