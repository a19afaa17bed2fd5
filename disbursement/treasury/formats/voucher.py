"""A treasury direct-payment voucher (国库集中支付凭证) in XML, UTF-8 or GBK, as an adapter.

It claims no conformity to a specification that we have not seen. What it holds is ours (docs/schemas/
treasury_voucher.xsd); what its elements are called is a table, so that a district gives them the names that its
treasury's system knows without touching code (`TreasuryVoucher.rename`). A file is read back by the names it was
written with: the root element tells which table that was.

In GBK a character that GBK has not becomes a numeric character reference: no name is ever sent with a question mark.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from decimal import Decimal

from lxml import etree

from disbursement.domain import money

from .base import ControlTotals, FormatError, Party, PaymentOrder, check_order, clean
from .iso20022 import opened

VERSION = "1.0"
# What stands for what. Values are element names; a district's table replaces any of them.
TAGS: Mapping[str, str] = {
    "root": "TreasuryPaymentVoucher",
    "head": "Head",
    "number": "VoucherNo",
    "created": "CreatedAt",
    "execute": "ExecuteOn",
    "currency": "Currency",
    "count": "TotalCount",
    "total": "TotalAmount",
    "total_words": "TotalAmountInWords",
    "payer": "Payer",
    "body": "Details",
    "line": "Detail",
    "line_id": "DetailNo",
    "payee": "Payee",
    "name": "AccountName",
    "account": "AccountNo",
    "bank": "BankName",
    "bank_code": "BankCode",
    "amount": "Amount",
    "purpose": "Purpose",
}
_NAME = re.compile(r"[A-Za-z_\u4e00-\u9fff][A-Za-z0-9_.\u4e00-\u9fff-]*")
_LIMIT = 140


class TreasuryVoucher:
    extension = "xml"

    def __init__(self, code: str, *, encoding: str) -> None:
        self.code = code
        self.encoding = encoding
        self._tables: list[Mapping[str, str]] = [TAGS]

    def rename(self, tags: Mapping[str, str]) -> None:
        """Write with these names from now on (what is not named keeps its own); files in the names before are still
        read. Raises FormatError for an unknown key, a name that XML does not allow, or one used twice.
        """
        table = {**TAGS, **tags}
        for key, name in tags.items():
            if key not in TAGS:
                raise FormatError(f"凭证标签表中没有“{key}”，可用：{'、'.join(TAGS)}。")
            if not _NAME.fullmatch(name):
                raise FormatError(f"凭证标签“{key}”的名称“{name}”不是合法的XML元素名。")
        if len(set(table.values())) != len(table):
            raise FormatError("凭证标签表中有重复的元素名，每个含义须各用一名。")
        self._tables = [table, *(t for t in self._tables if t["root"] != table["root"])]

    def names_under(self, root: str) -> Mapping[str, str]:
        """The table of names (as `TAGS`) of a file with this root element. Raises FormatError for a root of none."""
        for table in self._tables:
            if table["root"] == root:
                return table
        raise FormatError(f"文件的根元素“{root}”不是国库支付凭证。")

    def write(self, order: PaymentOrder) -> bytes:
        check_order(order)
        tags = self._tables[0]
        out = io.BytesIO()
        declared = self.encoding
        out.write(f'<?xml version="1.0" encoding="{declared}"?>\n'.encode("ascii"))
        with etree.xmlfile(out, encoding=declared) as xml, xml.element(tags["root"], version=VERSION):
            xml.write(_head(order, tags), pretty_print=True)
            with xml.element(tags["body"]):
                for line in order.lines:
                    element = etree.Element(tags["line"])
                    _add(element, tags["line_id"], line.line_id)
                    _party(element, tags["payee"], line.payee, tags)
                    _add(element, tags["amount"], f"{line.amount:.2f}")
                    _add(element, tags["purpose"], clean(line.purpose, limit=_LIMIT))
                    xml.write(element, pretty_print=True)
        out.write(b"\n")
        return out.getvalue()

    def read_totals(self, content: bytes) -> ControlTotals:
        amounts: dict[str, Decimal] = {}
        tags: Mapping[str, str] | None = None
        said: tuple[str, str] = ("", "")
        try:
            walk = etree.iterparse(opened(content), events=("start", "end"), resolve_entities=False, no_network=True)
            for event, element in walk:
                if tags is None:
                    tags = self.names_under(element.tag)
                elif event == "end" and element.tag == tags["head"]:
                    said = (element.findtext(tags["count"]) or "", element.findtext(tags["total"]) or "")
                elif event == "end" and element.tag == tags["line"]:
                    line_id = element.findtext(tags["line_id"]) or ""
                    if not line_id or line_id in amounts:
                        raise FormatError(f"文件中明细号{line_id}缺失或重复。")
                    amounts[line_id] = money.money(element.findtext(tags["amount"]) or "")
                    element.clear()
        except etree.XMLSyntaxError as error:
            raise FormatError(f"文件不是可读的XML：{error.msg}") from error
        except money.NotMoney as error:
            raise FormatError(f"文件中的金额无法识别：{error}") from error
        totals = ControlTotals(amounts)
        if said != (str(totals.count), f"{totals.total:.2f}"):
            raise FormatError("文件的控制合计与明细不符。")
        return totals


def _head(order: PaymentOrder, tags: Mapping[str, str]) -> etree._Element:
    head = etree.Element(tags["head"])
    _add(head, tags["number"], order.number)
    _add(head, tags["created"], order.created_at.isoformat(timespec="seconds"))
    _add(head, tags["execute"], order.execute_on.isoformat())
    _add(head, tags["currency"], "CNY")
    _add(head, tags["count"], str(order.count))
    _add(head, tags["total"], f"{order.total:.2f}")
    _add(head, tags["total_words"], money.in_words(order.total))
    _party(head, tags["payer"], order.payer, tags)
    return head


def _party(parent: etree._Element, tag: str, party: Party, tags: Mapping[str, str]) -> None:
    element = etree.SubElement(parent, tag)
    _add(element, tags["name"], clean(party.name, limit=_LIMIT))
    _add(element, tags["account"], party.account_number)
    _add(element, tags["bank"], clean(party.bank_name, limit=_LIMIT))
    if party.bank_code:
        _add(element, tags["bank_code"], party.bank_code)


def _add(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, tag).text = text
