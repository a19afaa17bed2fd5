"""ISO 20022 customer credit transfer initiation, `pain.001.001.09`: one payment block, one transaction a
line.

The element order is that of the schema. Chinese bank codes (联行号) travel as clearing system member ids of
CNAPS.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from lxml import etree

from disbursement.domain import money

from .base import ControlTotals, FormatError, Party, PaymentOrder, check_order, clean

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_CURRENCY = "CNY"
_CLEARING_SYSTEM = "CNAPS"
_SHORT, _LONG, _TEXT = 35, 140, 140


class Pain001:
    code = "pain001"
    extension = "xml"

    def write(self, order: PaymentOrder) -> bytes:
        check_order(order)
        root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
        initiation = _sub(root, "CstmrCdtTrfInitn")
        header = _sub(initiation, "GrpHdr")
        _sub(header, "MsgId", order.number)
        _sub(header, "CreDtTm", order.created_at.isoformat(timespec="seconds"))
        _sub(header, "NbOfTxs", str(order.count))
        _sub(header, "CtrlSum", f"{order.total:.2f}")
        _sub(_sub(header, "InitgPty"), "Nm", clean(order.payer.name, limit=_LONG))
        block = _sub(initiation, "PmtInf")
        _sub(block, "PmtInfId", order.number)
        _sub(block, "PmtMtd", "TRF")
        _sub(block, "BtchBookg", "true")
        _sub(block, "NbOfTxs", str(order.count))
        _sub(block, "CtrlSum", f"{order.total:.2f}")
        _sub(_sub(block, "ReqdExctnDt"), "Dt", order.execute_on.isoformat())
        _party(block, "Dbtr", order.payer)
        _account(block, "DbtrAcct", order.payer)
        _agent(block, "DbtrAgt", order.payer)
        for line in order.lines:
            transaction = _sub(block, "CdtTrfTxInf")
            ids = _sub(transaction, "PmtId")
            _sub(ids, "InstrId", clean(line.line_id, limit=_SHORT))
            _sub(ids, "EndToEndId", clean(line.line_id, limit=_SHORT))
            _sub(_sub(transaction, "Amt"), "InstdAmt", f"{line.amount:.2f}").set("Ccy", _CURRENCY)
            _agent(transaction, "CdtrAgt", line.payee)
            _party(transaction, "Cdtr", line.payee)
            _account(transaction, "CdtrAcct", line.payee)
            _sub(_sub(transaction, "RmtInf"), "Ustrd", clean(line.purpose, limit=_TEXT))
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def read_totals(self, content: bytes) -> ControlTotals:
        try:
            root = fromstring(content, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise FormatError(f"文件不是可读的XML：{error}") from error
        amounts: dict[str, Decimal] = {}
        for transaction in root.iter(f"{{{NAMESPACE}}}CdtTrfTxInf"):
            line_id = _text(transaction, "PmtId/EndToEndId")
            if line_id in amounts:
                raise FormatError(f"文件中明细号{line_id}重复。")
            try:
                amounts[line_id] = money.money(_text(transaction, "Amt/InstdAmt"))
            except money.NotMoney as error:
                raise FormatError(f"文件中明细{line_id}：{error}") from error
        totals = ControlTotals(amounts)
        said = {
            (_text(part, "NbOfTxs"), _text(part, "CtrlSum"))
            for tag in ("GrpHdr", "PmtInf")
            for part in root.iter(f"{{{NAMESPACE}}}{tag}")
        }
        if said != {(str(totals.count), f"{totals.total:.2f}")}:
            raise FormatError("文件的控制合计与明细不符。")
        return totals


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
