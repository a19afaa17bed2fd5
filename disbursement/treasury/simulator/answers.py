"""What a bank sends back, in each format: pure functions from answers to bytes."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree
from openpyxl import Workbook

from disbursement.domain import money

from ..formats.bank_return_csv import COLUMNS, TRAILER, write_csv

PAIN002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
CAMT053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_WORDS = {"paid": "成功", "bounced": "退票", "refunded": "退款"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one payment: `result` is paid, bounced or refunded; `code` an ISO reason, `reason` its words."""

    line_id: str
    name: str
    account: str
    amount: Decimal
    result: str
    on: date
    reference: str
    code: str = ""
    reason: str = ""


def csv(answers: Sequence[Answer], *, payer: str = "") -> bytes:
    return write_csv(_cells(answer) for answer in answers)


def csv_gbk(answers: Sequence[Answer], *, payer: str = "") -> bytes:
    return csv(answers).decode("utf-8-sig").encode("gb18030")


def xlsx(answers: Sequence[Answer], *, payer: str = "") -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("回单")
    sheet.append(COLUMNS)
    for answer in answers:
        sheet.append(_cells(answer))
    sheet.append([TRAILER, str(len(answers)), f"{money.total(a.amount for a in answers):.2f}"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def pain002(answers: Sequence[Answer], *, payer: str = "") -> bytes:
    """A status report with a block for each batch. A refund is no status: it is told as a payment made."""
    root = etree.Element(f"{{{PAIN002}}}Document", nsmap={None: PAIN002})  # type: ignore[dict-item]
    report = _sub(root, "CstmrPmtStsRpt")
    header = _sub(report, "GrpHdr")
    on = max((answer.on for answer in answers), default=date(2026, 1, 1))
    _sub(header, "MsgId", f"STS-{on:%Y%m%d}-{len(answers)}")
    _sub(header, "CreDtTm", f"{on.isoformat()}T18:00:00+08:00")
    blocks: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        blocks[answer.line_id.split("-")[0]].append(answer)
    group = _sub(report, "OrgnlGrpInfAndSts")
    _sub(group, "OrgnlMsgId", next(iter(blocks), "NONE"))
    _sub(group, "OrgnlMsgNmId", "pain.001.001.09")
    _sub(group, "GrpSts", "PART")
    for number, told in blocks.items():
        block = _sub(report, "OrgnlPmtInfAndSts")
        _sub(block, "OrgnlPmtInfId", number)
        for answer in told:
            _transaction(block, answer)
    return _bytes(root)


def camt053(answers: Sequence[Answer], *, payer: str = "0000000000000000") -> bytes:
    """A statement of the account that pays: a debit for each payment, a credit for what came back."""
    root = etree.Element(f"{{{CAMT053}}}Document", nsmap={None: CAMT053})  # type: ignore[dict-item]
    message = _sub(root, "BkToCstmrStmt")
    on = max((answer.on for answer in answers), default=date(2026, 1, 1))
    header = _sub(message, "GrpHdr")
    _sub(header, "MsgId", f"STM-{on:%Y%m%d}-{len(answers)}")
    _sub(header, "CreDtTm", f"{on.isoformat()}T23:00:00+08:00")
    statement = _sub(message, "Stmt")
    _sub(statement, "Id", f"{on:%Y%m%d}-{len(answers)}")
    _sub(statement, "CreDtTm", f"{on.isoformat()}T23:00:00+08:00")
    _sub(_sub(_sub(_sub(statement, "Acct"), "Id"), "Othr"), "Id", payer)
    out = money.total(answer.amount for answer in answers if answer.result == "paid")
    back = money.total(answer.amount for answer in answers if answer.result != "paid")
    opening = Decimal("900000000.00")
    _balance(statement, "OPBD", opening, on)
    _balance(statement, "CLBD", opening - out + back, on)
    _sub(_sub(_sub(statement, "TxsSummry"), "TtlNtries"), "NbOfNtries", str(len(answers)))
    for answer in answers:
        _entry(statement, answer, payer)
    return _bytes(root)


ANSWER_FORMATS: Mapping[str, tuple[str, Callable[..., bytes]]] = {
    "csv": (".csv", csv),
    "csvgbk": (".csv", csv_gbk),
    "xlsx": (".xlsx", xlsx),
    "pain002": (".xml", pain002),
    "camt053": (".xml", camt053),
}


def write_answer(kind: str, answers: Sequence[Answer], *, payer: str = "0000000000000000") -> tuple[str, bytes]:
    """(ending of the name, bytes) in one of ANSWER_FORMATS."""
    suffix, write = ANSWER_FORMATS[kind]
    return suffix, write(answers, payer=payer)


def _cells(answer: Answer) -> list[str]:
    reason = " ".join(part for part in (answer.code, answer.reason) if part)
    amount = f"{answer.amount:.2f}"
    return [
        answer.line_id,
        answer.account,
        amount,
        _WORDS[answer.result],
        answer.on.isoformat(),
        answer.reference,
        reason,
    ]


def _transaction(block: etree._Element, answer: Answer) -> None:
    element = _sub(block, "TxInfAndSts")
    _sub(element, "StsId", answer.reference or "S")
    _sub(element, "OrgnlInstrId", answer.line_id)
    _sub(element, "OrgnlEndToEndId", answer.line_id)
    _sub(element, "TxSts", "RJCT" if answer.result == "bounced" else "ACSC")
    if answer.result == "bounced":
        why = _sub(element, "StsRsnInf")
        _sub(_sub(why, "Rsn"), "Cd", answer.code or "NARR")
        if answer.reason:
            _sub(why, "AddtlInf", answer.reason)
    _sub(element, "AccptncDtTm", f"{answer.on.isoformat()}T10:00:00+08:00")
    _sub(element, "AcctSvcrRef", answer.reference or "S")
    original = _sub(element, "OrgnlTxRef")
    _sub(_sub(original, "Amt"), "InstdAmt", f"{answer.amount:.2f}").set("Ccy", "CNY")
    _sub(_sub(_sub(original, "Cdtr"), "Pty"), "Nm", answer.name[:140] or "—")
    _sub(_sub(_sub(_sub(original, "CdtrAcct"), "Id"), "Othr"), "Id", answer.account)


def _balance(statement: etree._Element, kind: str, amount: Decimal, on: date) -> None:
    balance = _sub(statement, "Bal")
    _sub(_sub(_sub(balance, "Tp"), "CdOrPrtry"), "Cd", kind)
    _sub(balance, "Amt", f"{abs(amount):.2f}").set("Ccy", "CNY")
    _sub(balance, "CdtDbtInd", "CRDT" if amount >= 0 else "DBIT")
    _sub(_sub(balance, "Dt"), "Dt", on.isoformat())


def _entry(statement: etree._Element, answer: Answer, payer: str) -> None:
    paid = answer.result == "paid"
    entry = _sub(statement, "Ntry")
    _sub(entry, "Amt", f"{answer.amount:.2f}").set("Ccy", "CNY")
    _sub(entry, "CdtDbtInd", "DBIT" if paid else "CRDT")
    _sub(_sub(entry, "Sts"), "Cd", "BOOK")
    _sub(_sub(entry, "BookgDt"), "Dt", answer.on.isoformat())
    _sub(entry, "AcctSvcrRef", answer.reference or "S")
    code = _sub(_sub(entry, "BkTxCd"), "Domn")
    _sub(code, "Cd", "PMNT")
    family = _sub(code, "Fmly")
    _sub(family, "Cd", "RCDT" if answer.result == "refunded" else "ICDT")
    _sub(family, "SubFmlyCd", "RRTN" if answer.result == "bounced" else "DMCT")
    details = _sub(_sub(entry, "NtryDtls"), "TxDtls")
    _sub(_sub(details, "Refs"), "EndToEndId", answer.line_id)
    _sub(details, "Amt", f"{answer.amount:.2f}").set("Ccy", "CNY")
    _sub(details, "CdtDbtInd", "DBIT" if paid else "CRDT")
    parties = _sub(details, "RltdPties")
    # Whoever gives the money back is the debtor of that transfer; a return keeps the parties of the payment.
    sides = (answer.account, payer) if answer.result == "refunded" else (payer, answer.account)
    _sub(_sub(_sub(_sub(parties, "DbtrAcct"), "Id"), "Othr"), "Id", sides[0])
    _sub(_sub(_sub(_sub(parties, "CdtrAcct"), "Id"), "Othr"), "Id", sides[1])
    if answer.result == "bounced":
        why = _sub(details, "RtrInf")
        _sub(_sub(why, "Rsn"), "Cd", answer.code or "NARR")
        if answer.reason:
            _sub(why, "AddtlInf", answer.reason)
    elif answer.result == "refunded":
        _sub(_sub(details, "RmtInf"), "Ustrd", f"退款 {answer.reason}".strip())


def _sub(parent: etree._Element, tag: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{tag}")
    if text is not None:
        element.text = text
    return element


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
