"""Whether the figures agree: the four of a batch, and the ledger with the payables that it is about. Changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum

from disbursement.domain import money
from disbursement.domain.workflow import PayableState
from disbursement.models import (
    AccountKind,
    AttemptOutcome,
    Batch,
    LedgerAccount,
    LedgerTransfer,
    Payable,
    ReturnLine,
    SealedFile,
)
from disbursement.treasury.formats import FormatError, payment_format
from matching.registry.models import BudgetLine

_SHOWN = 20
# Where the money of a payable lies while it is in a state.
HOLDING: dict[PayableState, AccountKind] = {
    PayableState.RESERVED: AccountKind.RESERVED,
    PayableState.SCHEDULED: AccountKind.RESERVED,
    PayableState.HELD: AccountKind.RESERVED,
    PayableState.BOUNCED: AccountKind.RESERVED,
    PayableState.MENDED: AccountKind.RESERVED,
    PayableState.SEALED: AccountKind.COMMITTED,
    PayableState.PAID: AccountKind.PAID,
    PayableState.SETTLED: AccountKind.PAID,
    PayableState.CLAWBACK: AccountKind.RECEIVABLE,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of payments and their sum in 元."""

    count: int
    total: Decimal

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, "total": f"{self.total:.2f}"}


@dataclass(frozen=True, slots=True)
class FourFigures:
    """approved = batch = file = bank, for a batch and each of its lines. `bank` counts what it paid and what
    it returned; `paid` and `bounced` tell them apart. `differences` are sentences for people; none means they
    agree.
    """

    approved: Figure
    batch: Figure
    file: Figure
    bank: Figure
    paid: Figure
    bounced: Figure
    differences: list[str] = field(default_factory=list)

    @property
    def agree(self) -> bool:
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        return {
            name: getattr(self, name).to_json() for name in ("approved", "batch", "file", "bank", "paid", "bounced")
        }


def four_figures(*, batch: Batch) -> FourFigures:
    """Compare what was approved, what the batch says, what the sealed bytes say, and what the bank
    answered.
    """
    attempts = list(
        batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN).select_related("payable").order_by("line_no")
    )
    ids = {batch.line_id(a.line_no or 0): a for a in attempts}
    approved = {line_id: attempt.payable.amount for line_id, attempt in ids.items()}
    in_batch = {line_id: attempt.amount for line_id, attempt in ids.items()}
    differences: list[str] = []
    in_file = _file_amounts(batch=batch, differences=differences)
    by_pk = {attempt.pk: line_id for line_id, attempt in ids.items()}
    posted = {
        by_pk[pk]: amount
        # A refund answers for its payment, too: what was given back had arrived.
        for pk, amount in ReturnLine.objects.filter(batch=batch, status="posted").values_list("attempt_id", "amount")
        if pk in by_pk and amount is not None
    }
    if (batch.count, batch.total) != (len(in_batch), money.total(in_batch.values())):
        differences.append(
            f"批次登记{batch.count}笔{money.yuan(batch.total)}元，"
            f"明细{len(in_batch)}笔{money.yuan(money.total(in_batch.values()))}元"
        )
    for name, other in (("批次", in_batch), ("文件", in_file), ("银行", posted)):
        differences.extend(_compare(approved, name, other))
    return FourFigures(
        approved=_figure(approved),
        batch=_figure(in_batch),
        file=_figure(in_file),
        bank=_figure(posted),
        paid=_outcome(batch=batch, outcomes=[AttemptOutcome.PAID, AttemptOutcome.REFUNDED]),
        bounced=_outcome(batch=batch, outcomes=[AttemptOutcome.BOUNCED]),
        differences=differences,
    )


def ledger_findings(*, line: BudgetLine) -> list[str]:
    """What is wrong with the books of a line: nothing, unless something wrote past the services. For
    people.
    """
    accounts = {AccountKind(a.kind): a for a in LedgerAccount.objects.filter(budget_line=line)}
    found: list[str] = []
    if not accounts:
        return found
    if sum(a.balance for a in accounts.values()):
        found.append("各账户余额之和不为零")
    for kind, account in accounts.items():
        credited = _sum(LedgerTransfer.objects.filter(credit=account))
        debited = _sum(LedgerTransfer.objects.filter(debit=account))
        if account.balance != credited - debited:
            found.append(
                f"“{kind.label}”余额{money.yuan(account.balance)}元，流水合计{money.yuan(credited - debited)}元"
            )
    held: dict[AccountKind, Decimal] = dict.fromkeys(
        (AccountKind.RESERVED, AccountKind.COMMITTED, AccountKind.PAID, AccountKind.RECEIVABLE), money.ZERO
    )
    for row in Payable.objects.filter(budget_line=line).order_by().values("state").annotate(sum=Sum("amount")):
        where = HOLDING.get(PayableState(row["state"]))
        if where is not None:
            held[where] += money.from_sum(row["sum"])
    for kind, amount in held.items():
        balance = accounts[kind].balance if kind in accounts else money.ZERO
        if balance != amount:
            found.append(f"“{kind.label}”余额{money.yuan(balance)}元，应付款项合计{money.yuan(amount)}元")
    return found


def _file_amounts(*, batch: Batch, differences: list[str]) -> dict[str, Decimal]:
    sealed = SealedFile.objects.filter(batch=batch).first()
    if sealed is None:
        differences.append("批次尚未封存文件")
        return {}
    try:
        return dict(payment_format(sealed.format).read_totals(bytes(sealed.content)).amounts)
    except FormatError as error:
        differences.append(f"封存文件无法读取：{error}")
        return {}


def _compare(approved: dict[str, Decimal], name: str, other: dict[str, Decimal]) -> Iterator[str]:
    wrong = [
        f"明细{key}：核定{_shown(approved.get(key))}，{name}{_shown(other.get(key))}"
        for key in sorted({*approved, *other})
        if approved.get(key) != other.get(key)
    ]
    yield from wrong[:_SHOWN]
    if len(wrong) > _SHOWN:
        yield f"{name}另有{len(wrong) - _SHOWN}笔与核定不一致"


def _shown(amount: Decimal | None) -> str:
    return "没有" if amount is None else f"{money.yuan(amount)}元"


def _figure(amounts: dict[str, Decimal]) -> Figure:
    return Figure(len(amounts), money.total(amounts.values()))


def _outcome(*, batch: Batch, outcomes: list[AttemptOutcome]) -> Figure:
    row = batch.attempts.filter(outcome__in=outcomes).aggregate(count=Count("id"), sum=Sum("amount"))
    return Figure(row["count"], money.from_sum(row["sum"]))


def _sum(query: Any) -> Decimal:
    return money.from_sum(query.aggregate(sum=Sum("amount"))["sum"])
