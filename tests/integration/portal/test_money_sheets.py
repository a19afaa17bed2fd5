"""Payables and a batch's lines: filtered, counted, and taken along."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from matching.registry.models import BudgetLine, Department
from portal.accounts.models import StaffRole
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money

pytestmark = pytest.mark.django_db


def desk(role: str = StaffRole.FINANCE_CHECKER, department: Department | None = None) -> Client:
    user = people.user()
    user.role_assignments.create(role=role, department=department)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_payables_are_filtered_by_month_and_line_and_the_file_holds_what_the_page_shows() -> None:
    first, second = money.payables(2)
    people.budget_line(code="other")
    other = money.payable("5000.00", item=money.version("5000", line="other"))
    type(other).objects.filter(pk=other.pk).update(pay_month="2026-04-01", slip_reason="顺延至2026年4月兑现：测试")
    line = BudgetLine.objects.get(code="other")
    client = desk()
    for query, count in (("", 3), ("month=2026-04", 1), (f"line={line.pk}", 1), ("month=2026-03", 2), ("month=x", 3)):
        assert f"共 {count} 笔" in client.get(f"/desk/payables/?{query}").text
        text = client.get(f"/desk/payables/file/csv/?{query}").content.decode("utf-8-sig")
        assert len(list(csv.reader(io.StringIO(text)))) == count + 1
    page = client.get("/desk/payables/?month=2026-04").text
    assert 'href="/desk/payables/file/xlsx/?month=2026-04"' in page
    sheet = load_workbook(io.BytesIO(client.get("/desk/payables/file/xlsx/").content)).active
    assert sheet is not None
    names = {row[2] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert names == {first.enterprise.name, second.enterprise.name, other.enterprise.name}
    assert client.get("/desk/payables/file/pdf/").status_code == 404


def test_a_character_that_no_sheet_can_hold_leaves_the_file_whole() -> None:
    payable = money.payable()
    type(payable).objects.filter(pk=payable.pk).update(slip_reason="核对\x0b后顺延\x02")
    for form in ("csv", "xlsx"):
        assert desk().get(f"/desk/payables/file/{form}/").status_code == 200
    sheet = load_workbook(io.BytesIO(desk().get("/desk/payables/file/xlsx/").content)).active
    assert sheet is not None
    assert any("核对 后顺延" in str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)


def test_a_signer_takes_every_line_of_a_batch_along_and_only_of_their_own_department() -> None:
    payable, _other = money.payables(2)
    [batch] = money.cut()
    address = f"/desk/batches/{batch.pk}/lines/xlsx/"
    assert address in desk().get(f"/desk/batches/{batch.pk}/").text
    sheet = load_workbook(io.BytesIO(desk().get(address).content)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][0] == batch.line_id(1)
    assert rows[1][9] == payable.account_number
    assert rows[-1][0] == "合计"
    assert str(rows[-1][10]) in ("200000", "200000.00")
    assert desk(department=base.department("far", "外单位")).get(address).status_code == 404
    assert desk(StaffRole.REVIEWER).get(address).status_code == 403


def test_a_file_of_payables_costs_the_same_queries_for_one_and_for_many(django_assert_max_num_queries: Any) -> None:
    money.payables(6)
    client = desk()
    with django_assert_max_num_queries(5):
        client.get("/desk/payables/file/csv/")
