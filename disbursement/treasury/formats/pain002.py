"""ISO 20022 customer payment status report, `pain.002.001.03` to `.14`: what became of the payments of a file.

Three levels speak: the group (the file), the payment information (its one block), the transaction. A transaction's
word counts for itself. A whole file is taken as paid only where the bank says so with the count and the sum of the
file, and speaks of no single transaction. A whole file that was refused is never posted line by line: nothing was
paid, the accounts are not at fault, and where it was refused as a duplicate an earlier sending may have been paid. The
transactions that it lists as refused fall with it, unless one names its payee's account as the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from . import iso20022 as iso
from .base import FormatError
from .returned import (
    BATCH_NUMBER,
    LINE_ID,
    Cover,
    Findings,
    ReturnRow,
    amount_in,
    broken,
    count_in,
    flat,
    good,
)

MESSAGE = "pain.002"
# ExternalPaymentTransactionStatus1Code: settled; refused; on its way.
PAID = frozenset({"ACSC", "ACCC"})
REFUSED = frozenset({"RJCT"})
UNDER_WAY = frozenset({"ACTC", "ACCP", "ACSP", "ACWC", "ACFC", "ACWP", "PATC", "PART", "PDNG", "RCVD"})
_TAKEN = (PAID | UNDER_WAY) - {"RCVD", "PDNG"}
_NAMES = ("GrpHdr", "OrgnlGrpInfAndSts", "OrgnlPmtInfId", "TxInfAndSts", "OrgnlPmtInfAndSts")


@dataclass(slots=True)
class _State:
    """Where in the report the reader is."""

    row_no: int = 0
    created: date | None = None
    message_id: str = ""
    group: etree._Element | None = None
    group_id: str = ""
    group_refused: bool = False
    block_id: str = ""
    blocks: int = 0
    loose: int = 0  # transactions so far
    in_block: int = 0
    fallen: int = 0  # transactions refused with their file or block, so far
    fallen_in_block: int = 0
    waiting: Counter[str] = field(default_factory=Counter)


def pain002_rows(content: bytes, findings: Findings) -> Iterator[ReturnRow]:
    """Its lines one by one: each transaction that is paid or refused, in the order of the report."""
    state = _State()
    for element in iso.elements(content, message=MESSAGE, names=_NAMES, findings=findings):
        match etree.QName(element).localname:
            case "GrpHdr":
                try:
                    state.created = iso.day(element, "CreDtTm")
                    state.message_id = iso.text(element, "MsgId")
                except iso.Unclear as error:
                    findings.problems.append(f"报文头：{error}")
            case "OrgnlGrpInfAndSts":
                yield from _group(element, state, findings)
            case "OrgnlPmtInfId":
                state.block_id, state.in_block, state.fallen_in_block = flat(element.text or ""), 0, 0
            case "TxInfAndSts":
                yield from _transaction(element, state)
                iso.forget(element)
            case _:
                yield from _block(element, state, findings)
                iso.forget(element)
    # The group's word for all, now that it is known that nobody spoke for himself.
    if state.group is not None and not state.loose and not state.blocks and not findings.problems:
        yield from _covering(state.group, state, level="GrpSts", number=state.group_id)
    if state.fallen:
        findings.notes.append(f"报文整批拒绝，所列{state.fallen}笔随之拒绝，未逐笔入账。")
    if state.waiting:
        said = "、".join(f"{status} {count}笔" for status, count in sorted(state.waiting.items()))
        findings.notes.append(f"报文中{said}尚未办结，未入账；待银行给出最终结果。")


def _group(element: etree._Element, state: _State, findings: Findings) -> Iterator[ReturnRow]:
    state.group = element
    try:
        state.group_id = iso.text(element, "OrgnlMsgId")
        status = iso.text(element, "GrpSts")
    except iso.Unclear as error:
        findings.problems.append(f"原报文信息：{error}")
        return
    if status in REFUSED:
        state.group_refused = True
        yield _refused_whole(element, state, number=state.group_id)
    elif status in _TAKEN and BATCH_NUMBER.fullmatch(state.group_id):
        findings.accepted[state.group_id] = state.message_id[:100]


def _block(element: etree._Element, state: _State, findings: Findings) -> Iterator[ReturnRow]:
    state.blocks += 1
    try:
        status = iso.text(element, "PmtInfSts")
    except iso.Unclear as error:
        findings.problems.append(f"支付信息{state.block_id[:35]}：{error}")
        return
    told_with_group = state.in_block and (state.group_refused or not state.fallen_in_block)
    if status in REFUSED and not told_with_group:
        yield _refused_whole(element, state, number=state.block_id)
    elif not state.in_block:
        yield from _covering(element, state, level="PmtInfSts", number=state.block_id)
    if not findings.problems:
        _check_counts(element, state, findings)
    state.block_id, state.in_block, state.fallen_in_block = "", 0, 0


def _check_counts(element: etree._Element, state: _State, findings: Findings) -> None:
    """A block may say how many transactions it tells of."""
    said = [count_in(flat(part.text or "")) for part in iso.children(element, "NbOfTxsPerSts/DtldNbOfTxs")]
    told = sum(count or 0 for count in said)
    if said and state.in_block and told != state.in_block:
        findings.problems.append(
            f"支付信息{state.block_id[:35]}按状态合计{told}笔，明细{state.in_block}笔，两者不符；请与银行核对。"
        )


def _covering(element: etree._Element, state: _State, *, level: str, number: str) -> Iterator[ReturnRow]:
    """One row for a whole file that the bank says it has paid."""
    try:
        status = iso.text(element, level)
        count = count_in(iso.text(element, "OrgnlNbOfTxs"))
        said = iso.text(element, "OrgnlCtrlSum")
    except iso.Unclear as error:
        yield _broken(state, number, str(error))
        return
    if status not in PAID:
        if status in UNDER_WAY:
            state.waiting[status] += count or 0
        return
    total = amount_in(said)
    if not count or total is None or total <= 0 or state.created is None:
        yield _broken(
            state, number, f"整批状态{status}，但未载明原报文的笔数、金额或日期，不能据以入账；请向银行索取明细"
        )
        return
    state.row_no += 1
    yield ReturnRow(
        row_no=state.row_no,
        line_id=number[:60],
        result="paid",
        amount=total,
        occurred_on=state.created,
        reference="",
        reason=f"整批状态{status}",
        cover=Cover(count, total),
    )


def _refused_whole(element: etree._Element, state: _State, *, number: str) -> ReturnRow:
    try:
        why = iso.reason(element, "StsRsnInf")
    except iso.Unclear as error:
        why = iso.Reason("", str(error))
    advice = (
        "疑为重复发送，此前的一次可能已经支付，请向银行核实，切勿另行支付"
        if why.code in iso.DUPLICATES
        else "请与银行核实原因，处理后重新发送同一份文件"
    )
    return _broken(state, number, f"银行整批拒绝（RJCT {why.words or '未说明原因'}），未逐笔入账；{advice}")


def _transaction(element: etree._Element, state: _State) -> Iterator[ReturnRow]:
    state.loose += 1
    state.in_block += 1
    line_id = ""
    try:
        ids = [said for path in ("OrgnlEndToEndId", "OrgnlInstrId") if (said := iso.text(element, path))]
        line_id = ids[0] if ids else ""
        status = iso.text(element, "TxSts")
        if status in UNDER_WAY:
            state.waiting[status] += 1
            state.row_no += 1
            return
        if status in REFUSED and _falls_with_file(element, state):
            state.fallen += 1
            state.fallen_in_block += 1
            state.row_no += 1
            return
        yield _settled(element, state, ids=ids, status=status)
    except (iso.Unclear, FormatError) as error:
        yield _broken(state, line_id, str(error))


def _falls_with_file(element: etree._Element, state: _State) -> bool:
    """Whether a refused transaction is so only because its file or block is: its own reason is not its payee's account,
    or is the one that is given for all.
    """
    block = element.getparent()
    wholes = [state.group] if state.group_refused else []
    if block is not None and iso.text(block, "PmtInfSts") in REFUSED:
        wholes.append(block)
    own = iso.reason(element, "StsRsnInf").code
    above = {iso.reason(whole, "StsRsnInf").code for whole in wholes if whole is not None}
    if not wholes or own in iso.DUPLICATES - above:
        return False
    return own not in iso.OF_THE_PAYEE or own in above


def _settled(element: etree._Element, state: _State, *, ids: list[str], status: str) -> ReturnRow:
    if not ids:
        raise iso.Unclear("缺少原端到端标识（OrgnlEndToEndId）")
    if len(set(ids)) > 1:
        raise iso.Unclear(f"原端到端标识与原指令标识不同：{ids[0][:35]}、{ids[1][:35]}")
    for number in (state.block_id, state.group_id):
        if LINE_ID.fullmatch(ids[0]) and BATCH_NUMBER.fullmatch(number) and not ids[0].startswith(f"{number}-"):
            raise iso.Unclear(f"明细{ids[0]}不属于报文所述的批次{number}")
    if status not in PAID | REFUSED:
        raise iso.Unclear(f"状态“{status[:10] or '空'}”无法识别")
    amount = iso.amount(element, "OrgnlTxRef/Amt/InstdAmt", "OrgnlTxRef/IntrBkSttlmAmt")
    if amount is None:
        raise iso.Unclear("未载明原金额（OrgnlTxRef/Amt/InstdAmt），不能核对")
    own = iso.day(element, "OrgnlTxRef/IntrBkSttlmDt", "AccptncDtTm")
    day = own or state.created
    if day is None:
        raise iso.Unclear("未载明日期（AccptncDtTm 或报文头 CreDtTm）")
    why = iso.reason(element, "StsRsnInf")
    if status in REFUSED and why.code in iso.DUPLICATES:
        raise iso.Unclear(f"银行以重复为由拒绝（{why.words}），此前的一次可能已经支付；请向银行核实后处理")
    state.row_no += 1
    return good(
        row_no=state.row_no,
        line_id=ids[0],
        result="paid" if status in PAID else "bounced",
        amount=amount,
        day=day,
        reference=iso.text(element, "AcctSvcrRef", "ClrSysRef", "StsId"),
        reason=why.words if status in REFUSED else "",
        account=iso.account(element, "OrgnlTxRef/CdtrAcct"),
        is_dated=own is not None,
    )


def _broken(state: _State, line_id: str, problem: str) -> ReturnRow:
    state.row_no += 1
    return broken(row_no=state.row_no, line_id=line_id, said=f"{MESSAGE} 第{state.row_no}笔", problem=problem)
