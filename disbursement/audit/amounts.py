"""Whether the books have a payable's money where its state says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from disbursement.audit.findings import Finding
from disbursement.domain.workflow import PayableState
from disbursement.ledger.reconcile import HOLDING
from disbursement.models import Payable

_AMOUNT = "请对照核定和预算流水查明正确金额；已按错误金额支付的，按追回或补付办理。"
_ZERO = Decimal("0.00")


def check_amounts(payable: Payable, place: str) -> Iterator[Finding]:
    """The ledger has this payable's money exactly where its state says, reserved once, on its line; carried over, on
    the next year's, with nothing left on the line that it came from.
    """
    net: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    left = {moved.from_line_id for moved in payable.carry_overs.all()}
    taken = list(payable.take_overs.all())
    known = {payable.budget_line_id, *left, *(moved.from_line_id for moved in taken)}
    on_line: dict[int, Decimal] = defaultdict(lambda: _ZERO)
    for transfer in payable.transfers.all():
        net[transfer.debit.kind] -= transfer.amount
        net[transfer.credit.kind] += transfer.amount
        for account, sign in ((transfer.debit, -1), (transfer.credit, 1)):
            if account.budget_line_id in left and account.kind == "reserved":
                on_line[account.budget_line_id] += sign * transfer.amount
            if account.budget_line_id not in known:
                yield Finding("payables.amount", place, f"预算流水 {transfer.key} 记在别的预算科目上。", _AMOUNT)
    if payable.budget_line_id is not None and not net:
        yield Finding("payables.amount", place, "记着预算科目，却没有在那里预留过。", _AMOUNT)
    if any(on_line.values()):
        yield Finding("payables.amount", place, "款项已结转，原科目上却还有它的预留。", _AMOUNT)
    where = HOLDING.get(PayableState(payable.state))
    expected: dict[str, Decimal] = defaultdict(lambda: _ZERO)
    # What came back of a demand is free again; what another year's line took over stays paid in the year that paid.
    demand = getattr(payable, "clawback", None)
    back = sum((receipt.applied for receipt in demand.receipts.all()), _ZERO) if demand is not None else _ZERO
    if where is not None:
        rest = payable.amount - back if payable.state == PayableState.CLAWBACK else payable.amount
        expected[where.value] += rest
        expected["appropriated"] -= rest
    for moved in taken:
        expected["source"] -= moved.amount
        expected["paid"] += moved.amount
    expected = {kind: amount for kind, amount in expected.items() if amount}
    actual = {kind: amount for kind, amount in net.items() if amount}
    if actual != expected:
        shown = "、".join(f"{kind} {amount}元" for kind, amount in sorted(actual.items())) or "没有"
        problem = f"状态“{payable.get_state_display()}”金额{payable.amount}元，预算流水为：{shown}。"
        yield Finding("payables.amount", place, problem, _AMOUNT)
    if payable.amount < payable.entitled and payable.award.shortfall != "pro_rata":
        yield Finding("payables.amount", place, "实付少于应付，但该事项不是按比例兑付。", _AMOUNT)
    if not payable.entitled >= payable.amount > 0:
        yield Finding("payables.amount", place, f"实付{payable.amount}元与应付{payable.entitled}元不合理。", _AMOUNT)
