"""A piece of a return file, posted by statement: matched, and put into the books with all that follows.

Python decides for each line what is to become of it; the database does it for all lines of a kind at once. Everything
of a piece is one transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction

from disbursement.domain.workflow import PAYABLE, BatchAction, BatchState, PayableState, Refused, Role
from disbursement.ledger.posting import lock_accounts, post_attempts, post_payables
from disbursement.ledger.standing import is_closed
from disbursement.models import (
    AttemptOutcome,
    Batch,
    LineStatus,
    Payable,
    PaymentAttempt,
    ReturnFile,
    ReturnLine,
    ReturnResult,
    TransferKind,
)
from disbursement.services.budget.take_over import take_over
from disbursement.services.payment.bulk import move_many
from disbursement.services.payment.return_matching import EFFECTS, Attempt, Judged, match
from disbursement.services.payment.transitions import lock_batch, move_batch, tell
from disbursement.treasury.formats import ReturnRow
from matching.registry.models import BudgetLine
from matching.statements import among, put_rows

_EVENT = {
    AttemptOutcome.PAID: "paid",
    AttemptOutcome.BOUNCED: "bounced",
    AttemptOutcome.REFUNDED: "refunded",
}
_LINE_COLUMNS = (
    "file_id",
    "row_no",
    "line_id",
    "batch_id",
    "attempt_id",
    "result",
    "amount",
    "occurred_on",
    "reference",
    "reason",
    "status",
    "problem",
    "created_at",
    "resolution",
)


@dataclass(slots=True)
class _Told:
    """What the bank said of an attempt: by which file each result was posted, the last day of a 成功 and the first of a
    退票. Days count of duplicates too, where the bank gave them: a payment that was routed again is 成功 for the second
    time.
    """

    files: dict[str, int] = field(default_factory=dict)
    paid_last: date | None = None
    bounced_first: date | None = None

    def hear(self, result: str, day: date | None) -> bool:
        """Take a line in; whether by it the bank says that it paid after it bounced. What was known already, and may
        have been settled by a person, it does not say again.
        """
        was, before = self._is_torn, self.paid_last
        if result == ReturnResult.PAID and day is not None:
            self.paid_last = max(day, self.paid_last or day)
        elif result == ReturnResult.BOUNCED and day is not None:
            self.bounced_first = min(day, self.bounced_first or day)
        return self._is_torn and not (was and self.paid_last == before)

    @property
    def _is_torn(self) -> bool:
        return self.paid_last is not None and self.bounced_first is not None and self.paid_last > self.bounced_first


@transaction.atomic
def post_rows(*, file_id: int, rows: Sequence[ReturnRow], now: datetime) -> None:
    """Post those of the rows that were not taken before. `rows` are of one file, each once."""
    # Rows of the same file may have been posted meanwhile by another run: the file's lock decides.
    file = ReturnFile.objects.select_for_update().only("pk", "name").get(pk=file_id)
    seen = _taken(file, [row.row_no for row in rows])
    lines = match([row for row in rows if row.row_no not in seen])
    settled = [line for line in lines if line.status != LineStatus.POSTED]
    _write(settled, file=file, now=now)
    touched: dict[int, Batch] = {}
    known = [(line, line.attempt) for line in lines if line.attempt is not None and not line.problem]
    earlier = _earlier([attempt.pk for _, attempt in known])
    for wave in _waves(known):
        _apply(wave, earlier=earlier, file=file, now=now)
        touched.update((a.batch.pk, a.batch) for line, a in wave if line.status == LineStatus.POSTED)
    for batch_id in sorted(touched):
        take_as_sent(batch_id=batch_id, file=file, now=now)


def _taken(file: ReturnFile, numbers: Sequence[int]) -> set[int]:
    """Those row numbers of a file that stand in the database. Also asked for as a range, or all rows before them would
    be looked at each time.
    """
    if not numbers:
        return set()
    span = (min(numbers), max(numbers))
    found = file.lines.filter(row_no__range=span, row_no__among=numbers).order_by()
    return set(found.values_list("row_no", flat=True))


def take_as_sent(*, batch_id: int, file: ReturnFile, now: datetime, reference: str = "") -> None:
    """A bank that answers has had the file, under its own number where it gives one."""
    batch = lock_batch(batch_id=batch_id)
    if batch.state == BatchState.SEALED:
        move_batch(
            batch=batch, action=BatchAction.SEND, role=Role.SYSTEM, now=now, sent_at=now, note=f"回单 {file.name}"
        )
    if batch.state == BatchState.SENT:
        move_batch(
            batch=batch,
            action=BatchAction.ACKNOWLEDGE,
            role=Role.SYSTEM,
            now=now,
            acknowledged_at=now,
            acknowledgement=(reference or file.name)[:100],
        )


def _waves(known: Sequence[tuple[Judged, Attempt]]) -> Iterator[list[tuple[Judged, Attempt]]]:
    """Split so that no attempt comes twice in one wave: each wave can then be posted by statement."""
    waves: list[list[tuple[Judged, Attempt]]] = []
    used: dict[int, int] = defaultdict(int)
    for line, attempt in known:
        index = used[attempt.pk]
        used[attempt.pk] += 1
        if index == len(waves):
            waves.append([])
        waves[index].append((line, attempt))
    yield from waves


def _earlier(attempt_ids: Sequence[int]) -> dict[int, _Told]:
    found: dict[int, _Told] = defaultdict(_Told)
    rows = ReturnLine.objects.filter(attempt_id__among=attempt_ids).exclude(status=LineStatus.EXCEPTION).order_by()
    columns = ("attempt_id", "status", "result", "file_id", "occurred_on")
    for attempt_id, status, result, file_id, day in rows.values_list(*columns):
        if status == LineStatus.POSTED:
            found[attempt_id].files[result] = file_id
        found[attempt_id].hear(result, day)
    return found


def _apply(
    wave: Sequence[tuple[Judged, Attempt]], *, earlier: dict[int, _Told], file: ReturnFile, now: datetime
) -> None:
    groups: dict[tuple[str, str], list[tuple[Judged, Attempt]]] = defaultdict(list)
    contradicted: list[int] = []
    for line, attempt in wave:
        known = earlier[attempt.pk]
        key = (attempt.outcome, line.row.result)
        if line.row.result in known.files:
            line.status = LineStatus.DUPLICATE
            line.problem = f"该结果已于第{known.files[line.row.result]}号回单入账"
            if not line.row.is_dated:
                # The day of a report that repeats is no day of the payment: kept, it would pass for a second one.
                line.row = replace(line.row, occurred_on=None)
        else:
            problem, state = _after(attempt.state, key)
            if problem:
                line.status, line.problem = LineStatus.EXCEPTION, problem
                continue
            known.files[line.row.result] = file.pk
            groups[key].append((line, attempt))
            attempt.outcome, attempt.state = EFFECTS[key][2].value, state
        if known.hear(line.row.result, line.row.occurred_on) and attempt.outcome == AttemptOutcome.BOUNCED:
            contradicted.append(attempt.pk)
    _write([line for line, _ in wave], file=file, now=now)
    if len(groups) > 1:
        _lock_lines([attempt.payable_id for group in groups.values() for _, attempt in group])
    for key, group in groups.items():
        _effect(key, group, file=file, now=now)
    if contradicted:
        PaymentAttempt.objects.filter(pk__among=contradicted).update(contradicted=True)


def _lock_lines(payable_ids: Sequence[int]) -> None:
    """The accounts of all lines that will be posted to, in the order in which everything locks them: each kind of
    result begins that order anew.
    """
    # Asked apart: joined, every payable of a line would be looked at for the sake of these.
    concerned = Payable.objects.filter(pk__among=payable_ids).order_by().values_list("budget_line", flat=True)
    for line in BudgetLine.objects.filter(pk__in=set(concerned.distinct())).order_by("pk"):
        lock_accounts(line=line)


def _after(state: PayableState, key: tuple[str, str]) -> tuple[str, PayableState]:
    """Why what the bank says cannot be posted on a payable in its present state, empty where it can; and the state that
    it leads to.
    """
    if key not in EFFECTS:
        return "银行结果与此前入账的结果冲突，请向银行核实", state
    after = state
    try:
        for action in EFFECTS[key][1]:
            after = PAYABLE.find(after, action, Role.SYSTEM).target
    except Refused as error:
        return str(error), state
    return "", after


def _effect(key: tuple[str, str], group: Sequence[tuple[Judged, Attempt]], *, file: ReturnFile, now: datetime) -> None:
    kinds, moves, outcome = EFFECTS[key]
    if not moves:
        return
    result = key[1]
    by_line: dict[BudgetLine, list[int]] = defaultdict(list)
    for _, attempt in group:
        by_line[attempt.batch.budget_line].append(attempt.pk)
    amounts = {attempt.pk: (attempt.payable_id, attempt.amount) for _, attempt in group}
    late: dict[BudgetLine, list[int]] = defaultdict(list)
    for line in sorted(by_line, key=lambda found: found.pk):
        if is_closed(line=line):
            for own, ids in _by_own_line(by_line.pop(line), amounts):
                if is_closed(line=own):
                    moved = [amounts[pk] for pk in ids]
                    target = take_over(line=own, amounts=moved, now=now, reason=f"回单 {file.name}")
                    (late if result == ReturnResult.BOUNCED else by_line)[target] += ids
                else:
                    by_line[own] += ids
    told = (file.pk, result)
    for line in sorted({*by_line, *late}, key=lambda found: found.pk):
        for kind in kinds if by_line[line] else ():
            post_attempts(line=line, kind=kind, attempt_ids=by_line[line], now=now, told=told)
        if late[line]:
            # Paid in the books of a year that is closed, where nothing is undone: free on the successor, and reserved.
            post_attempts(line=line, kind=TransferKind.REFUND, attempt_ids=late[line], now=now, told=told)
            owed = [amounts[pk][0] for pk in late[line]]
            post_payables(line=line, kind=TransferKind.RESERVE, payable_ids=owed, now=now)
    payables = [attempt.payable_id for _, attempt in group]
    for action in moves:
        move_many(payable_ids=payables, action=action, role=Role.SYSTEM, now=now, note=f"回单 {file.name}")
    condition, ids = among("a.id", [attempt.pk for _, attempt in group])
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE disbursement_paymentattempt AS a SET outcome = %s, (outcome_on, outcome_reason) ="
            " (SELECT l.occurred_on, l.reason FROM disbursement_returnline l WHERE l.attempt_id = a.id"
            f" AND l.result = %s AND l.status = 'posted') WHERE {condition}",
            [outcome.value, result, *ids],
        )
    rows = f"{group[0][0].row.row_no}-{result}"
    tell(event=_EVENT[outcome], payables=payables, now=now, key=f"{file.pk}:{rows}", file=file.pk)


def _by_own_line(
    attempt_ids: Sequence[int], amounts: dict[int, tuple[int, Decimal]]
) -> Iterator[tuple[BudgetLine, list[int]]]:
    """Attempts by the lines on which their payables stand now: one may have been carried over since its batch."""
    owners = {amounts[pk][0]: pk for pk in attempt_ids}
    standing = dict(Payable.objects.filter(pk__among=owners).values_list("pk", "budget_line_id"))
    for line in BudgetLine.objects.filter(pk__in=set(standing.values())).order_by("pk"):
        yield line, [pk for payable, pk in owners.items() if standing[payable] == line.pk]


def _write(lines: Sequence[Judged], *, file: ReturnFile, now: datetime) -> None:
    put_rows(
        table="disbursement_returnline",
        columns=_LINE_COLUMNS,
        rows=(
            (
                file.pk,
                line.row.row_no,
                line.row.line_id,
                None if line.batch is None else line.batch.pk,
                None if line.attempt is None else line.attempt.pk,
                line.row.result,
                line.row.amount,
                line.row.occurred_on,
                line.row.reference,
                line.row.reason,
                line.status.value,
                line.problem[:300],
                now,
                "",
            )
            for line in lines
        ),
    )
