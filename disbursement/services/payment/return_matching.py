"""What the lines of a return file are about, and which of them can be posted at all.

Python decides from a handful of columns, with what the lines are about locked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from disbursement.domain.bank_references import normal
from disbursement.domain.workflow import BatchState, PayableAction, PayableState
from disbursement.models import (
    AttemptOutcome,
    Batch,
    LineStatus,
    Payable,
    PaymentAttempt,
    ReturnResult,
    TransferKind,
    YearEnd,
)
from disbursement.services.budget.take_over import frozen_successor
from disbursement.services.recovery import bank_entries
from disbursement.treasury.formats import ReturnRow
from matching.registry.models import BudgetLine

# A whole batch's number alone tells at least which batch an exception is about.
_LINE_ID = re.compile(r"^([0-9]{9})(?:-([0-9]{6}))?$")
# A sealed file may have been handed over, and the crash have come before that was recorded.
_SENT = (BatchState.SEALED, BatchState.SENT, BatchState.ACKNOWLEDGED, BatchState.RECONCILED, BatchState.CLOSED)
_O, _R, _P, _T = AttemptOutcome, ReturnResult, PayableAction, TransferKind
# (outcome so far, what the bank now says) → (ledger postings, payable's moves, new outcome); an empty step is
# posted without effect, because what it tells is outdone by what is known already.
EFFECTS: dict[tuple[str, str], tuple[list[TransferKind], list[PayableAction], AttemptOutcome]] = {
    (_O.PENDING, _R.PAID): ([_T.PAY], [_P.PAY], _O.PAID),
    (_O.PENDING, _R.BOUNCED): ([_T.UNCOMMIT], [_P.BOUNCE], _O.BOUNCED),
    (_O.PENDING, _R.REFUNDED): ([_T.PAY, _T.REFUND], [_P.PAY, _P.REFUND], _O.REFUNDED),
    (_O.PAID, _R.BOUNCED): ([_T.UNPAY, _T.UNCOMMIT], [_P.BOUNCE], _O.BOUNCED),
    (_O.PAID, _R.REFUNDED): ([_T.REFUND], [_P.REFUND], _O.REFUNDED),
    (_O.BOUNCED, _R.PAID): ([], [], _O.BOUNCED),
    (_O.REFUNDED, _R.PAID): ([], [], _O.REFUNDED),
}
_MONEY_BACK = (_R.BOUNCED, _R.REFUNDED)
_WITHOUT_MONEY = tuple(key for key, (kinds, _, _) in EFFECTS.items() if not kinds)


@dataclass(slots=True)
class Attempt:
    """What a line is about, as it stands at this point of the piece."""

    pk: int
    payable_id: int
    amount: Decimal
    account_number: str
    outcome: str
    state: PayableState
    batch: Batch


@dataclass(slots=True)
class Judged:
    """A line, what it is about, and what becomes of it."""

    row: ReturnRow
    batch: Batch | None
    attempt: Attempt | None
    status: LineStatus = LineStatus.POSTED
    problem: str = ""


def match(rows: Sequence[ReturnRow]) -> list[Judged]:
    """Find and lock what the rows are about: batches, then payables, each in the order of their ids."""
    keys = {row.row_no: found.groups() for row in rows if (found := _LINE_ID.match(row.line_id))}
    batches = {
        batch.number: batch
        for batch in Batch.objects.select_for_update(of=("self",))
        .select_related("budget_line", "cycle")
        .filter(number__in={number for number, _ in keys.values()})
        .order_by("id")
    }
    candidates = PaymentAttempt.objects.filter(
        batch__in=batches.values(), line_no__among={int(line_no or 0) for _, line_no in keys.values()}
    ).exclude(outcome=AttemptOutcome.WITHDRAWN)
    ids = list(candidates.order_by().values_list("payable_id", flat=True))
    locked = Payable.objects.filter(pk__among=ids).order_by("pk").select_for_update()
    states = dict(locked.values_list("pk", "state"))
    by_pk = {batch.pk: batch for batch in batches.values()}
    # Read after the locks: another file may have answered for them meanwhile.
    attempts = {
        (batch_id, line_no): Attempt(
            pk, payable, amount, account, outcome, PayableState(states[payable]), by_pk[batch_id]
        )
        for pk, batch_id, line_no, payable, amount, account, outcome in candidates.order_by().values_list(
            "pk", "batch_id", "line_no", "payable_id", "amount", "account_number", "outcome"
        )
    }
    closed = set(
        YearEnd.objects.filter(line__in=[batch.budget_line_id for batch in by_pk.values()]).values_list(
            "line", flat=True
        )
    )
    recorded = bank_entries.known_among(row.reference for row in rows if row.result in _MONEY_BACK)
    judged = []
    for row in rows:
        number, line_no = keys.get(row.row_no, ("", "0"))
        batch = batches.get(number)
        attempt = None if batch is None else attempts.get((batch.pk, int(line_no or 0)))
        problem = _problem(row=row, batch=batch, attempt=attempt)
        if not problem and batch is not None and batch.budget_line_id in closed:
            problem = _closed_problem(row=row, attempt=attempt, line=batch.budget_line)
        entry = recorded.get(normal(row.reference)) if row.result in _MONEY_BACK else None
        if not problem and entry is not None:
            problem = f"流水号{entry.reference}已登记为{bank_entries.words_of(entry)}，请核对是否同一笔钱"
            if attempt is not None and (entry.attempt_id, row.result) == (attempt.pk, _R.REFUNDED):
                judged.append(Judged(row, batch, attempt, LineStatus.DUPLICATE, problem))
                continue
        if problem:
            judged.append(Judged(row, batch, None, LineStatus.EXCEPTION, problem))
        else:
            judged.append(Judged(row, batch, attempt))
    return judged


def _problem(*, row: ReturnRow, batch: Batch | None, attempt: Attempt | None) -> str:
    if row.problem:
        return row.problem
    if batch is None or attempt is None:
        return f"没有明细{row.line_id}的付款记录，请确认是否为本系统发出的付款"
    if batch.state not in _SENT:
        return f"批次{batch.number}尚未发送，不应有回单"
    if row.amount != attempt.amount:
        return f"金额不符：付款{attempt.amount}元，回单{row.amount}元"
    if row.account_number and row.account_number != attempt.account_number:
        return f"收款账号不符：付款至{attempt.account_number}，回单为{row.account_number}"
    return ""


def _closed_problem(*, row: ReturnRow, attempt: Attempt | None, line: BudgetLine) -> str:
    """Nothing is posted to a closed year: what was paid and comes back, refunded or bounced, goes to the line that
    succeeded, which takes the payment over and, where it bounced, pays it again. An answer that repeats what is known
    is no more than a duplicate. What moves no money is taken all the same: that a bounced payment arrived after all
    has to stop the one that was carried over.
    """
    if attempt is not None and attempt.outcome == row.result:
        return ""
    if attempt is not None and (attempt.outcome, row.result) == (_O.PAID, _R.BOUNCED):
        frozen = frozen_successor(line=line)
        return f"承接科目“{frozen}”已冻结，不能重新预留，请解冻后请银行另发回单" if frozen is not None else ""
    if attempt is not None and (attempt.outcome, row.result) in (*_WITHOUT_MONEY, (_O.PAID, _R.REFUNDED)):
        return ""
    return f"{line.year}年度已关账，不能再入账。请按退款登记，或联系预算部门按以前年度收支处理，处理结果登记在此"
