"""Whether the figures agree: the four of a batch, and the ledger with the payables that it is about. Changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, Subquery, Sum

from disbursement.domain import money
from disbursement.domain.workflow import PayableState
from disbursement.models import (
    AccountKind,
    AttemptOutcome,
    Batch,
    ClawbackReceipt,
    LedgerAccount,
    LedgerTransfer,
    Payable,
    Reconciliation,
    ReturnLine,
    SealedFile,
    TakeOver,
)
from disbursement.treasury.formats import FormatError, payment_format
from disbursement.treasury.formats.base import Streams
from matching.registry.models import BudgetLine
from matching.stored_bytes import stored

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
    differences: list[str] = []
    in_file = _file_amounts(batch=batch, differences=differences)
    lines = _lines(batch=batch)
    approved, in_batch, filed, bank = _Side(""), _Side("批次"), _Side("文件"), _Side("银行")
    for line_id, owed, listed, told, sealed in _beside(lines, in_file):
        approved.count(owed)
        in_batch.compare(line_id, owed, listed)
        filed.compare(line_id, owed, sealed)
        bank.compare(line_id, owed, told)
    if (batch.count, batch.total) != (in_batch.number, in_batch.total):
        differences.append(
            f"批次登记{batch.count}笔{money.yuan(batch.total)}元，明细{in_batch.number}笔{money.yuan(in_batch.total)}元"
        )
    for side in (in_batch, filed, bank):
        differences.extend(side.differences())
    return FourFigures(
        approved=approved.figure,
        batch=in_batch.figure,
        file=filed.figure,
        bank=bank.figure,
        paid=_outcome(batch=batch, outcomes=[AttemptOutcome.PAID, AttemptOutcome.REFUNDED]),
        bounced=_outcome(batch=batch, outcomes=[AttemptOutcome.BOUNCED]),
        differences=differences,
    )


def shown_figures(*, batch: Batch, sealed: SealedFile) -> tuple[FourFigures, datetime | None]:
    """The four figures as they were last compared, and when: every return and every answer of a person compares them
    anew. Before the first comparison, what the books and the seal say, without reading the file.
    """
    last = Reconciliation.objects.filter(batch=batch).order_by("-pk").first()
    if last is not None:
        kept = {name: Figure(told["count"], money.money(told["total"])) for name, told in last.figures.items()}
        return FourFigures(**kept, differences=list(last.differences)), last.made_at
    rows = batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN)
    found = rows.aggregate(count=Count("id"), listed=Sum("amount"), owed=Sum("payable__amount"))
    none = Figure(0, money.ZERO)
    figures = FourFigures(
        approved=Figure(found["count"], money.from_sum(found["owed"])),
        batch=Figure(found["count"], money.from_sum(found["listed"])),
        file=Figure(sealed.count, sealed.total),
        bank=none,
        paid=none,
        bounced=none,
        differences=["尚未收到银行回单"],
    )
    return figures, None


@dataclass(slots=True)
class _Side:
    """One of the figures, counted as the lines go by; of what differs, the first few are kept."""

    name: str
    number: int = 0
    total: Decimal = money.ZERO
    wrong: list[str] = field(default_factory=list)
    more: int = 0

    def count(self, amount: Decimal | None) -> None:
        if amount is not None:
            self.number += 1
            self.total += amount

    def compare(self, line_id: str, owed: Decimal | None, amount: Decimal | None) -> None:
        self.count(amount)
        if amount == owed:
            return
        if len(self.wrong) < _SHOWN:
            self.wrong.append(f"明细{line_id}：核定{_shown(owed)}，{self.name}{_shown(amount)}")
        else:
            self.more += 1

    def differences(self) -> Iterator[str]:
        yield from self.wrong
        if self.more:
            yield f"{self.name}另有{self.more}笔与核定不一致"

    @property
    def figure(self) -> Figure:
        return Figure(self.number, self.total)


# Line id, then what was approved, what the batch says, what the bank answered for.
_Line = tuple[str, Decimal, Decimal, Decimal | None]


def _lines(*, batch: Batch) -> Iterator[_Line]:
    """The batch's lines in their order, streamed. A refund answers for its payment, too: what was given back had
    arrived.
    """
    told = (
        ReturnLine.objects.filter(attempt=OuterRef("pk"), batch=batch, status="posted")
        .order_by("-pk")
        .values("amount")[:1]
    )
    rows = (
        batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN)
        .annotate(told=Subquery(told))
        .order_by("line_no")
        .values_list("line_no", "payable__amount", "amount", "told")
    )
    for line_no, approved, listed, answered in rows.iterator(chunk_size=5000):
        yield batch.line_id(line_no or 0), approved, listed, answered


def _beside(
    lines: Iterator[_Line], in_file: Iterator[tuple[str, Decimal]]
) -> Iterator[tuple[str, Decimal | None, Decimal | None, Decimal | None, Decimal | None]]:
    """Both laid side by side by line id; each rises. What only one of them has stands alone."""
    line, sealed = next(lines, None), next(in_file, None)
    while line is not None or sealed is not None:
        if sealed is None or (line is not None and line[0] < sealed[0]):
            assert line is not None
            yield (*line, None)
            line = next(lines, None)
        elif line is None or sealed[0] < line[0]:
            yield sealed[0], None, None, None, sealed[1]
            sealed = next(in_file, None)
        else:
            yield (*line, sealed[1])
            line, sealed = next(lines, None), next(in_file, None)


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
    # What came back already is asked for no more; what a later year's line took over stays paid in the year that paid.
    open_demands = ClawbackReceipt.objects.filter(
        clawback__payable__budget_line=line, clawback__payable__state=PayableState.CLAWBACK
    )
    held[AccountKind.RECEIVABLE] -= money.from_sum(open_demands.aggregate(sum=Sum("applied"))["sum"])
    held[AccountKind.PAID] += _sum(TakeOver.objects.filter(from_line=line))
    for kind, amount in held.items():
        balance = accounts[kind].balance if kind in accounts else money.ZERO
        if balance != amount:
            found.append(f"“{kind.label}”余额{money.yuan(balance)}元，应付款项合计{money.yuan(amount)}元")
    return found


def _file_amounts(*, batch: Batch, differences: list[str]) -> Iterator[tuple[str, Decimal]]:
    """What the sealed bytes say, line by line, in rising order of the ids; what is wrong with them is added at the
    end.
    """
    sealed = SealedFile.objects.filter(batch=batch).defer("content").first()
    if sealed is None:
        differences.append("批次尚未封存文件")
        return
    last = ""
    try:
        for line_id, amount in sealed_amounts(sealed=sealed):
            if line_id <= last:
                raise FormatError(f"明细号{line_id}重复或次序颠倒。")
            yield line_id, amount
            last = line_id
    except FormatError as error:
        differences.append(f"封存文件无法读取：{error}")


def sealed_amounts(*, sealed: SealedFile) -> Iterator[tuple[str, Decimal]]:
    """Line ids and amounts in 元 of a sealed file, from its bytes, in the order of the file. Raises FormatError."""
    form = payment_format(sealed.format)
    file = stored(SealedFile, sealed.pk)
    if isinstance(form, Streams):
        yield from form.amounts(file)
    else:
        yield from form.read_totals(file.read()).amounts.items()


def _shown(amount: Decimal | None) -> str:
    return "没有" if amount is None else f"{money.yuan(amount)}元"


def _outcome(*, batch: Batch, outcomes: list[AttemptOutcome]) -> Figure:
    row = batch.attempts.filter(outcome__in=outcomes).aggregate(count=Count("id"), sum=Sum("amount"))
    return Figure(row["count"], money.from_sum(row["sum"]))


def _sum(query: Any) -> Decimal:
    return money.from_sum(query.aggregate(sum=Sum("amount"))["sum"])
