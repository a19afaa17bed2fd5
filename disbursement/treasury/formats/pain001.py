"""ISO 20022 customer credit transfer initiation, `pain.001.001.09`: one payment block, one transaction a
line.

The element order is that of the schema. Chinese bank codes (联行号) travel as clearing system member ids of
CNAPS.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse
from lxml import etree

from disbursement.domain import money

from .base import ControlTotals, FormatError, Party, PaymentLine, PaymentOrder, checked, clean

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_CURRENCY = "CNY"
_CLEARING_SYSTEM = "CNAPS"
_SHORT, _LONG, _TEXT = 35, 140, 140
_INDENT = b" " * 6  # of a transaction in the document
_AT_ONCE = 500


class Pain001:
    code = "pain001"
    extension = "xml"

    def write(self, order: PaymentOrder) -> bytes:
        out = io.BytesIO()
        self.write_to(order, out)
        return out.getvalue()

    def write_to(self, order: PaymentOrder, out: BinaryIO) -> None:
        head, tail = _frame(order)
        out.write(head)
        for piece in _pieces(checked(order)):
            out.write(_transactions(piece))
        out.write(tail)

    def read_totals(self, content: bytes) -> ControlTotals:
        amounts: dict[str, Decimal] = {}
        for line_id, amount in self.amounts(io.BytesIO(content)):
            if line_id in amounts:
                raise FormatError(f"文件中明细号{line_id}重复。")
            amounts[line_id] = amount
        return ControlTotals(amounts)

    def amounts(self, file: BinaryIO) -> Iterator[tuple[str, Decimal]]:
        block: Any = None
        said: set[tuple[str, str]] = set()
        count, total = 0, money.ZERO
        try:
            for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
                tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
                if event == "start":
                    block = element if tag == "PmtInf" else block
                elif tag in ("GrpHdr", "PmtInf"):
                    said.add((_text(element, "NbOfTxs"), _text(element, "CtrlSum")))
                elif tag == "CdtTrfTxInf":
                    line_id, amount = _amount(element)
                    count, total = count + 1, total + amount
                    yield line_id, amount
                    if block is not None:
                        block.remove(element)
        except (ParseError, DefusedXmlException, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"文件不是可读的XML：{error}") from error
        if said != {(str(count), f"{total:.2f}")}:
            raise FormatError("文件的控制合计与明细不符。")


def _amount(transaction: Any) -> tuple[str, Decimal]:
    line_id = _text(transaction, "PmtId/EndToEndId")
    try:
        return line_id, money.money(_text(transaction, "Amt/InstdAmt"))
    except money.NotMoney as error:
        raise FormatError(f"文件中明细{line_id}：{error}") from error


def _frame(order: PaymentOrder) -> tuple[bytes, bytes]:
    """What stands before the transactions, and what after."""
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    initiation = _sub(root, "CstmrCdtTrfInitn")
    header = _sub(initiation, "GrpHdr")
    count, total = str(order.count), f"{order.total:.2f}"
    _sub(header, "MsgId", order.number)
    _sub(header, "CreDtTm", order.created_at.isoformat(timespec="seconds"))
    _sub(header, "NbOfTxs", count)
    _sub(header, "CtrlSum", total)
    _sub(_sub(header, "InitgPty"), "Nm", clean(order.payer.name, limit=_LONG))
    block = _sub(initiation, "PmtInf")
    _sub(block, "PmtInfId", order.number)
    _sub(block, "PmtMtd", "TRF")
    _sub(block, "BtchBookg", "true")
    _sub(block, "NbOfTxs", count)
    _sub(block, "CtrlSum", total)
    _sub(_sub(block, "ReqdExctnDt"), "Dt", order.execute_on.isoformat())
    _party(block, "Dbtr", order.payer)
    _account(block, "DbtrAcct", order.payer)
    _agent(block, "DbtrAgt", order.payer)
    _sub(block, "CdtTrfTxInf")
    whole = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    head, _, tail = whole.rpartition(_INDENT + b"<CdtTrfTxInf/>\n")
    return head, tail


def _transactions(lines: Iterable[PaymentLine]) -> bytes:
    """Some of them, as they stand in the whole document."""
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    block = _sub(_sub(root, "CstmrCdtTrfInitn"), "PmtInf")
    for line in lines:
        transaction = _sub(block, "CdtTrfTxInf")
        ids = _sub(transaction, "PmtId")
        _sub(ids, "InstrId", clean(line.line_id, limit=_SHORT))
        _sub(ids, "EndToEndId", clean(line.line_id, limit=_SHORT))
        _sub(_sub(transaction, "Amt"), "InstdAmt", f"{line.amount:.2f}").set("Ccy", _CURRENCY)
        _agent(transaction, "CdtrAgt", line.payee)
        _party(transaction, "Cdtr", line.payee)
        _account(transaction, "CdtrAcct", line.payee)
        _sub(_sub(transaction, "RmtInf"), "Ustrd", clean(line.purpose, limit=_TEXT))
    whole = etree.tostring(root, encoding="UTF-8", pretty_print=True)
    first, end = whole.index(_INDENT + b"<CdtTrfTxInf>"), whole.rindex(b"</CdtTrfTxInf>\n")
    return whole[first : end + len(b"</CdtTrfTxInf>\n")]


def _pieces(lines: Iterable[PaymentLine]) -> Iterator[list[PaymentLine]]:
    walk = iter(lines)
    while piece := list(islice(walk, _AT_ONCE)):
        yield piece


def _sub(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    if text is not None:
        element.text = text
    return element


def _party(parent: etree._Element, tag: str, party: Party) -> None:
    _sub(_sub(parent, tag), "Nm", clean(party.name, limit=_LONG))


def _account(parent: etree._Element, tag: str, party: Party) -> None:
    _sub(_sub(_sub(_sub(parent, tag), "Id"), "Othr"), "Id", clean(party.account_number, limit=34))


def _agent(parent: etree._Element, tag: str, party: Party) -> None:
    institution = _sub(_sub(parent, tag), "FinInstnId")
    if party.bank_code:
        member = _sub(institution, "ClrSysMmbId")
        _sub(_sub(member, "ClrSysId"), "Prtry", _CLEARING_SYSTEM)
        _sub(member, "MmbId", clean(party.bank_code, limit=_SHORT))
    _sub(institution, "Nm", clean(party.bank_name, limit=_LONG))


def _text(parent: Any, path: str) -> str:
    found = parent.find("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/")))
    if found is None or not found.text:
        raise FormatError(f"文件缺少{path}。")
    return str(found.text)
