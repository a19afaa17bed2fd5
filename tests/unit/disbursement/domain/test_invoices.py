"""Rows of an invoice table, as people type them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from disbursement.domain.errors import Invalid
from disbursement.domain.invoices import Invoice, read_rows, total

TODAY = date(2026, 3, 2)
GOOD = {"issuer": "成都测试所", "number": "26510000000000000001", "issued_on": "2026-03-02", "amount": "1200.50"}


def test_rows_are_read_however_they_are_typed_and_empty_ones_left_out() -> None:
    typed = {"issuer": " 成都 测试所", "number": "２６５１００００", "issued_on": "2026-03-01", "amount": "￥1,200 元"}
    found = read_rows([{}, typed, {"issuer": " "}, GOOD], as_of=TODAY)
    assert found[0] == Invoice("成都测试所", "26510000", Decimal("1200.00"), date(2026, 3, 1))
    assert total(found) == Decimal("2400.50")
    assert read_rows([invoice.to_row() for invoice in found], as_of=TODAY) == found


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        ("issuer", "", "请填写开票方"),
        ("issuer", "所" * 201, "最多 200"),
        ("number", "", "请填写发票号码"),
        ("number", "A" * 41, "最多 40"),
        ("number", "2651000000000000001", "19 位数字"),
        ("number", "5100123456-12345678", "18 位数字"),
        ("number", "05100190021112345678", "不含发票代码"),
        ("issued_on", "", "请填写开票日期"),
        ("issued_on", "三月", "2026-03-01"),
        ("issued_on", "2026-03-03", "不能晚于今天"),
        ("amount", "", "请填写发票金额"),
        ("amount", "0.00", "应大于 0"),
        ("amount", "-5", "两位小数"),
        ("amount", "1.005", "两位小数"),
        ("amount", "1e3", "两位小数"),
    ],
)
def test_each_fault_names_its_row_and_column(column: str, text: str, told: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_rows([{}, {**GOOD, column: text}], as_of=TODAY)
    [fault] = raised.value.faults
    assert fault.place == f"invoice.2.{column}"
    assert told in fault.message


@pytest.mark.parametrize("number", ["26510000", "GB-2026/0007", "0012345678"])
def test_other_documents_keep_the_numbers_they_bear(number: str) -> None:
    assert read_rows([{**GOOD, "number": number}], as_of=TODAY)[0].number == number


def test_an_invoice_stands_in_a_table_once_a_digital_one_whoever_is_said_to_have_issued_it() -> None:
    with pytest.raises(Invalid) as raised:
        read_rows([GOOD, {**GOOD, "issuer": "91510105MA6CABCD12"}], as_of=TODAY)
    assert "第 2 张发票与第 1 张重复" in str(raised.value)
    paper = {**GOOD, "number": "26510000"}
    assert len(read_rows([paper, {**paper, "issuer": "另一家"}], as_of=TODAY)) == 2
