"""ISO 20022 bank to customer statement, `camt.053.001.02` to `.13`: what was booked on the account that pays.

A debit that bears one of our line ids is a payment made. A credit that bears one is money back: 退票 where the entry
is a return (return information, a reversal, the transaction code RRTN), unless the payee wanted it so; 退款 otherwise.
Entries that are not ours are counted and left alone, save returns that name no payment: somebody must look at those.
The opening balance and the booked entries must give the closing balance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from lxml import etree

from disbursement.domain import money

from . import iso20022 as iso
from .returned import (
    BATCH_NUMBER,
    Cover,
    Findings,
    ReturnRow,
    amount_in,
    broken,
    count_in,
    flat,
    good,
)

MESSAGE = "camt.053"
_NAMES = ("Acct", "Bal", "TxsSummry", "TxDtls", "Ntry", "Stmt")
_OPENING, _CLOSING = ("OPBD", "PRCD"), "CLBD"
_IDS = ("Refs/EndToEndId", "Refs/InstrId", "Refs/TxId")


@dataclass(frozen=True, slots=True)
class _Entry:
    """The head of an entry: what its details share."""

    amount: Decimal
    credit: bool
    reversal: bool
    booked: bool
    on: date | None
    returned: bool
    reference: str


@dataclass(slots=True)
class _State:
    row_no: int = 0
    account: str = ""
    balances: dict[str, Decimal] = field(default_factory=dict)
    announced: int | None = None
    entries: int = 0
    moved: Decimal = money.ZERO
    unsure: bool = False  # an amount could not be read: balances prove nothing
    head: _Entry | str | None = None  # of the entry that is open; the words where it cannot be read
    details: int = 0
    detailed: Decimal = money.ZERO
    held: etree._Element | None = None  # a detail without an amount of its own
    strangers: int = 0
    unbooked: int = 0


def camt053_rows(content: bytes, findings: Findings) -> Iterator[ReturnRow]:
    """The entries that concern us, one by one, in the order of the statement."""
    state = _State()
    for element in iso.elements(content, message=MESSAGE, names=_NAMES, findings=findings):
        parent = element.getparent()
        where = "" if parent is None else etree.QName(parent).localname
        match etree.QName(element).localname, where:
            case "Acct", "Stmt":
                state.account = _own_account(element)
            case "Bal", "Stmt":
                _balance(element, state, findings)
            case "TxsSummry", "Stmt":
                state.announced = _announced(element)
            case "TxDtls", "NtryDtls":
                yield from _detail(element, state)
            case "Ntry", "Stmt":
                yield from _entry(element, state, findings)
                iso.forget(element)
            case "Stmt", _:
                _check(element, state, findings)
                state = _State(row_no=state.row_no, strangers=state.strangers, unbooked=state.unbooked)
                iso.forget(element)
    if state.strangers:
        findings.notes.append(f"对账单中{state.strangers}笔与本系统的付款无关，未处理。")
    if state.unbooked:
        findings.notes.append(f"对账单中{state.unbooked}笔尚未记账（非 BOOK），未入账。")


def _own_account(element: etree._Element) -> str:
    try:
        return iso.text(element, "Id/Othr/Id", "Id/IBAN")
    except iso.Unclear:
        return ""


def _announced(element: etree._Element) -> int | None:
    try:
        return count_in(iso.text(element, "TtlNtries/NbOfNtries"))
    except iso.Unclear:
        return None


def _balance(element: etree._Element, state: _State, findings: Findings) -> None:
    try:
        kind = iso.text(element, "Tp/CdOrPrtry/Cd")
        if kind not in (*_OPENING, _CLOSING):
            return
        said = iso.child(element, "Amt")
        amount = None if said is None else amount_in(flat(said.text or ""))
        if amount is None or amount < 0:
            raise iso.Unclear(f"余额{kind}无法识别")
        state.balances[kind] = amount if iso.text(element, "CdtDbtInd") == "CRDT" else -amount
    except iso.Unclear as error:
        findings.problems.append(f"对账单余额：{error}；请与银行核对。")
        state.unsure = True


def _head(entry: etree._Element) -> _Entry | str:
    try:
        amount = iso.amount(entry, "Amt")
        direction = iso.text(entry, "CdtDbtInd")
        if amount is None or direction not in ("CRDT", "DBIT"):
            raise iso.Unclear("分录缺少金额或借贷方向")
        return _Entry(
            amount=amount,
            credit=direction == "CRDT",
            reversal=iso.text(entry, "RvslInd") in ("true", "1"),
            booked=iso.text(entry, "Sts/Cd", "Sts") == "BOOK",
            on=iso.day(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"),
            returned=iso.text(entry, "BkTxCd/Domn/Fmly/SubFmlyCd") == "RRTN",
            reference=iso.text(entry, "AcctSvcrRef", "NtryRef"),
        )
    except iso.Unclear as error:
        return str(error)


def _open(detail: etree._Element, state: _State) -> _Entry | str:
    if state.head is None:
        parent = detail.getparent()
        entry = None if parent is None else parent.getparent()
        state.head = "分录结构不符" if entry is None else _head(entry)
    return state.head


def _detail(element: etree._Element, state: _State) -> Iterator[ReturnRow]:
    head = _open(element, state)
    if state.held is not None:
        yield _no_amount(state.held, state)
        iso.forget(state.held)
        state.held = None
    state.details += 1
    if isinstance(head, str):
        yield from _unreadable(element, state, head)
        iso.forget(element)
        return
    try:
        amount = iso.amount(element, "Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt")
    except iso.Unclear as error:
        yield from _unreadable(element, state, str(error))
        iso.forget(element)
        return
    if amount is None:
        # The only detail of an entry has the entry's amount; whether it is, the next element tells.
        state.held = element
        return
    state.detailed += amount
    yield from _row(element, state, head, amount)
    iso.forget(element)


def _entry(element: etree._Element, state: _State, findings: Findings) -> Iterator[ReturnRow]:
    head = _head(element) if state.head is None else state.head
    state.entries += 1
    if isinstance(head, str):
        state.unsure = True
        if not state.details:
            yield from _unreadable(element, state, head)
    else:
        if state.held is not None:
            if state.details == 1:
                yield from _row(state.held, state, head, head.amount)
            else:
                yield _no_amount(state.held, state)
        elif not state.details:
            yield from _plain(element, state, head)
        elif state.detailed != head.amount:
            findings.problems.append(
                f"对账单第{state.entries}条分录{head.amount}元，明细合计{state.detailed}元，两者不符；请与银行核对。"
            )
        if head.booked:
            state.moved += head.amount if head.credit else -head.amount
    state.head, state.details, state.detailed, state.held = None, 0, money.ZERO, None


def _plain(element: etree._Element, state: _State, head: _Entry) -> Iterator[ReturnRow]:
    """An entry without details: a whole file booked as one, or one known by its text alone."""
    try:
        number = iso.text(element, "NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")
        count = count_in(iso.text(element, "NtryDtls/Btch/NbOfTxs"))
    except iso.Unclear as error:
        yield from _unreadable(element, state, str(error))
        return
    if not BATCH_NUMBER.fullmatch(number):
        yield from _row(element, state, head, head.amount)
        return
    if not head.booked:
        state.unbooked += 1
    elif head.credit or head.reversal or count is None or head.on is None:
        yield _broken(
            state, number, f"批次{number}整笔{'贷记' if head.credit else '借记'}，不能据以入账；请向银行索取明细"
        )
    else:
        state.row_no += 1
        yield ReturnRow(
            row_no=state.row_no,
            line_id=number,
            result="paid",
            amount=head.amount,
            occurred_on=head.on,
            reference=head.reference[:80],
            reason="整批记账",
            cover=Cover(count, head.amount),
        )


def _row(element: etree._Element, state: _State, head: _Entry, amount: Decimal) -> Iterator[ReturnRow]:
    """What one detail (or an entry without any) tells of a payment of ours, if it does."""
    if not head.booked:
        state.unbooked += 1
        return
    try:
        named = _named(element)
        why = iso.reason(element, "RtrInf")
        direction = iso.text(element, "CdtDbtInd")
        is_return = bool(iso.children(element, "RtrInf")) or head.reversal or head.returned or _returned(element)
        if not named:
            if head.credit and is_return:
                yield _broken(state, "", f"退回{amount}元，未注明原付款的明细号；请向银行查询")
            else:
                state.strangers += 1
            return
        if len(named) > 1:
            raise iso.Unclear(f"提到多个明细号：{'、'.join(named[:3])}")
        if direction not in ("", "CRDT" if head.credit else "DBIT"):
            raise iso.Unclear("明细与分录的借贷方向相反")
        if head.on is None:
            raise iso.Unclear("分录没有记账日期")
        if not head.credit and head.reversal:
            raise iso.Unclear("借记分录又注明冲正，含义不明")
        result = "paid" if not head.credit else _kind_of_credit(is_return=is_return, code=why.code)
        state.row_no += 1
        yield good(
            row_no=state.row_no,
            line_id=named[0],
            result=result,
            amount=amount,
            day=head.on,
            reference=iso.text(element, "Refs/AcctSvcrRef") or head.reference,
            reason=why.words or ("" if result == "paid" else _text_of(element)),
            account=_counterparty(element, state),
        )
    except iso.Unclear as error:
        yield from _unreadable(element, state, str(error))


def _kind_of_credit(*, is_return: bool, code: str) -> str:
    return "bounced" if is_return and code not in iso.GIVEN_BACK else "refunded"


def _returned(element: etree._Element) -> bool:
    return iso.text(element, "BkTxCd/Domn/Fmly/SubFmlyCd") == "RRTN"


def _named(element: etree._Element) -> list[str]:
    """Our line ids in the references; in the remittance text only where the references have none."""
    return iso.line_ids(*(iso.text(element, path) for path in _IDS)) or iso.line_ids(_text_of(element))


def _text_of(element: etree._Element) -> str:
    parts = [flat(part.text or "") for part in iso.children(element, "RmtInf/Ustrd")]
    return " ".join(
        part for part in [*parts, iso.text(element, "AddtlTxInf"), iso.text(element, "AddtlNtryInf")] if part
    )


def _counterparty(element: etree._Element, state: _State) -> str:
    """The account on the other side: of the two that are named, the one that is not the statement's."""
    named = [iso.account(element, f"RltdPties/{side}") for side in ("CdtrAcct", "DbtrAcct")]
    return next((number for number in named if number and number != state.account), "")


def _unreadable(element: etree._Element, state: _State, problem: str) -> Iterator[ReturnRow]:
    """An element that names a payment of ours but cannot be read is an exception; any other is a stranger."""
    try:
        named = _named(element)
    except iso.Unclear:
        named = iso.line_ids("".join(str(part) for part in element.itertext()))
    if named:
        yield _broken(state, named[0], problem)
    else:
        state.strangers += 1


def _no_amount(element: etree._Element, state: _State) -> ReturnRow:
    named = iso.line_ids("".join(str(part) for part in element.itertext()))
    return _broken(state, named[0] if named else "", "合并分录中的明细未载明金额，不能核对")


def _check(element: etree._Element, state: _State, findings: Findings) -> None:
    opening = next((state.balances[kind] for kind in _OPENING if kind in state.balances), None)
    closing = state.balances.get(_CLOSING)
    if state.announced is not None and state.announced != state.entries:
        findings.problems.append(f"对账单载明{state.announced}条分录，实有{state.entries}条；请与银行核对。")
    if opening is None or closing is None:
        findings.problems.append("对账单缺少期初或期末余额（OPBD、CLBD），无法核对是否完整。")
    elif not state.unsure and opening + state.moved != closing:
        findings.problems.append(
            f"对账单期初{opening}元，记账净额{state.moved}元，期末{closing}元，三者不符；请与银行核对。"
        )


def _broken(state: _State, line_id: str, problem: str) -> ReturnRow:
    state.row_no += 1
    return broken(row_no=state.row_no, line_id=line_id, said=f"{MESSAGE} 第{state.row_no}笔", problem=problem)
