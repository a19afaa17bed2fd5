"""The treasury voucher: true to its published schema, under whatever names, in both encodings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from disbursement.treasury.formats import FormatError, PaymentOrder, name_voucher_elements
from disbursement.treasury.formats.voucher import TAGS, TreasuryVoucher
from disbursement.treasury.simulator.orders import NotAnOrder, read_order
from tests.contract.payment_formats.test_payment_formats import FIRST, ORDER, orders

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parents[4] / "docs/schemas/treasury_voucher.xsd")))
ENCODINGS = pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])


@ENCODINGS
@given(order=orders())
def test_every_voucher_is_valid_under_the_published_schema(encoding: str, order: PaymentOrder) -> None:
    root = etree.fromstring(TreasuryVoucher("voucher", encoding=encoding).write(order))
    SCHEMA.assertValid(root)
    assert len(root.findall("Details/Detail")) == order.count


@pytest.mark.parametrize("change", [("100000.01", "100000.1"), ("202603001-000002", "202603001-2"), ("CNY", "USD")])
def test_the_schema_refuses_what_is_not_a_voucher(change: tuple[str, str]) -> None:
    content = TreasuryVoucher("voucher", encoding="UTF-8").write(ORDER).decode().replace(*change)
    assert not SCHEMA.validate(etree.fromstring(content.encode()))


@ENCODINGS
def test_a_rare_character_arrives_as_itself(encoding: str) -> None:
    name = "㐂𠮷堃·囍€科技"
    payee = replace(FIRST.payee, name=name)
    order = replace(ORDER, lines=[replace(FIRST, payee=payee)])
    content = TreasuryVoucher("voucher", encoding=encoding).write(order)
    assert content.startswith(f'<?xml version="1.0" encoding="{encoding}"?>'.encode())
    assert etree.fromstring(content).findtext("Details/Detail/Payee/AccountName") == name
    assert b"?\x3c/AccountName" not in content
    if encoding == "GBK":
        content.decode("gbk")
        assert b"&#13314;" in content


def test_a_treasury_has_its_own_names_and_files_under_the_old_ones_are_still_read() -> None:
    voucher = TreasuryVoucher("voucher", encoding="UTF-8")
    old = voucher.write(ORDER)
    voucher.rename({"root": "支付凭证", "line": "明细", "amount": "金额"})
    new = voucher.write(ORDER)
    assert etree.fromstring(new).findtext("Details/明细/金额") == "100000.00"
    assert voucher.read_totals(old) == voucher.read_totals(new)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [({"nonsense": "A"}, "没有"), ({"line": "1 2"}, "不是合法的XML元素名"), ({"line": TAGS["amount"]}, "重复")],
)
def test_names_that_cannot_be_used_are_refused(tags: dict[str, str], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        TreasuryVoucher("voucher", encoding="UTF-8").rename(tags)


@pytest.mark.parametrize("code", ["voucher", "vouchergbk"])
def test_the_simulated_bank_reads_a_voucher_by_the_names_of_its_treasury(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encodings = {"voucher": "UTF-8", "vouchergbk": "GBK"}
    own = {name: TreasuryVoucher(name, encoding=encoding) for name, encoding in encodings.items()}
    monkeypatch.setattr("disbursement.treasury.formats.registry.PAYMENT_FORMATS", own)
    monkeypatch.setattr("disbursement.treasury.simulator.orders.PAYMENT_FORMATS", own)
    before = own[code].write(ORDER)
    names = {"root": "支付凭证", "head": "凭证头", "line": "明细", "line_id": "明细号", "payee": "收款人"}
    name_voucher_elements({**names, "account": "账号"})
    for content in (before, own[code].write(ORDER)):
        read = read_order(content)
        assert read.payer == ORDER.payer.account_number
        assert [(line.line_id, line.account) for line in read.lines] == [
            (line.line_id, line.payee.account_number) for line in ORDER.lines
        ]
    with pytest.raises(NotAnOrder, match="不是国库支付凭证"):
        read_order(b"<other/>")
