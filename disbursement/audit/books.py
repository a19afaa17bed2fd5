"""The ledger: every balance is the sum of its transfers, at no time below zero, every transfer goes its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from disbursement.audit.findings import Finding, Scope
from disbursement.ledger.posting import REVERSES, ROUTES
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import AccountKind, LedgerAccount, LedgerTransfer, TransferKind
from matching.registry.models import BudgetLine

_BOOKS = "请停止在该科目上审核和支付，逐笔核对预算流水；错误以冲销更正，不得改动原流水。"
_ZERO = Decimal("0.00")


def check_ledger(*, scope: Scope, counts: Counter[str]) -> Iterator[Finding]:
    """Replay the transfers of each budget line in the order in which they were posted."""
    query = BudgetLine.objects.filter(ledger_accounts__isnull=False).distinct().order_by("pk")
    if scope.lines is not None:
        query = query.filter(pk__in=scope.lines)
    for line in query:
        counts["lines"] += 1
        place = f"预算科目 {line}"
        for problem in ledger_findings(line=line):
            yield Finding("ledger", place, f"{problem}。", _BOOKS)
        yield from _replay(line, place, counts=counts)


def _replay(line: BudgetLine, place: str, *, counts: Counter[str]) -> Iterator[Finding]:
    kinds = dict(LedgerAccount.objects.filter(budget_line=line).values_list("pk", "kind"))
    balances = dict.fromkeys(kinds, _ZERO)
    is_told = False
    transfers = LedgerTransfer.objects.filter(debit__in=kinds).order_by("pk").select_related("reversal_of")
    for transfer in transfers.iterator(chunk_size=2000):
        counts["transfers"] += 1
        where = f"{place} 流水 {transfer.key}"
        yield from _shape(transfer, kinds, where)
        balances[transfer.debit_id] = balances.get(transfer.debit_id, _ZERO) - transfer.amount
        balances[transfer.credit_id] = balances.get(transfer.credit_id, _ZERO) + transfer.amount
        if not is_told and kinds[transfer.debit_id] != AccountKind.SOURCE and balances[transfer.debit_id] < 0:
            is_told = True
            yield Finding("ledger", where, f"记这一笔时“{kinds[transfer.debit_id]}”已经透支。", _BOOKS)


def _shape(transfer: LedgerTransfer, kinds: dict[int, str], where: str) -> Iterator[Finding]:
    route = ROUTES.get(TransferKind(transfer.kind)) if transfer.kind in TransferKind.values else None
    if route is None or (kinds.get(transfer.debit_id), kinds.get(transfer.credit_id)) != route:
        yield Finding("ledger", where, "转出、转入账户与事由不符，或跨了预算科目。", _BOOKS)
    if transfer.amount <= 0:
        yield Finding("ledger", where, f"金额{transfer.amount}元不是正数。", _BOOKS)
    parts = transfer.key.split(":")
    subject = transfer.payable_id if transfer.payable_id is not None else None
    if parts[0] != transfer.kind or (subject is not None and parts[1:2] != [str(subject)]):
        yield Finding("ledger", where, "唯一标识与事由或应付款项不符。", _BOOKS)
    reversed_kind = REVERSES.get(TransferKind(transfer.kind)) if transfer.kind in TransferKind.values else None
    undone = transfer.reversal_of
    if reversed_kind is not None and (
        undone is None
        or (undone.kind, undone.amount, undone.payable_id) != (reversed_kind, transfer.amount, transfer.payable_id)
        or (undone.debit_id, undone.credit_id) != (transfer.credit_id, transfer.debit_id)
    ):
        yield Finding("ledger", where, "冲销与被冲销的流水不符。", _BOOKS)
