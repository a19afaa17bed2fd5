"""Reading what the bank sends back.

A file is kept as it came; its lines are worked off in small transactions, so that a crash loses nothing and a
second run goes on where the first stopped. A line is matched on (batch, line id) and amount. What a line says
of an attempt is posted once; the same again is a duplicate; everything that cannot be posted is an exception
with its reason.

The order in which lines come makes no difference: a bounce always outdoes a success, for a bank that pays and
then returns is usual, while paying a bounced payment again after all is not. Where the success is dated later
than the bounce the attempt is marked as contradicted, and nothing more is paid on it until a person has asked
the bank.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import PAYABLE, BatchAction, BatchState, PayableAction, PayableState, Refused, Role
from disbursement.ledger.posting import Entry, post
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
from disbursement.services.reconciliation import reconcile
from disbursement.services.return_reading import preflight, rows
from disbursement.services.sealing import acknowledge
from disbursement.services.transitions import (
    CHUNK,
    lock_batch,
    lock_payables,
    move_batch,
    move_payables,
    person,
    tell,
)
from disbursement.treasury.formats import FormatError, ReturnRow
from disbursement.treasury.formats.base import clean
from matching.chunks import chunks
from matching.registry.models import BudgetLine

# A whole batch's number alone tells at least which batch an exception is about.
_LINE_ID = re.compile(r"^([0-9]{9})(?:-([0-9]{6}))?$")
# A sealed file may have been handed over, and the crash have come before that was recorded.
_SENT = (BatchState.SEALED, BatchState.SENT, BatchState.ACKNOWLEDGED, BatchState.RECONCILED, BatchState.CLOSED)
_O, _R, _P, _T = AttemptOutcome, ReturnResult, PayableAction, TransferKind
# (outcome so far, what the bank now says) → (ledger postings, payable's moves, new outcome); an empty step is
# posted without effect, because what it tells is outdone by what is known already.
_EFFECTS: dict[tuple[str, str], tuple[list[TransferKind], list[PayableAction], AttemptOutcome]] = {
    (_O.PENDING, _R.PAID): ([_T.PAY], [_P.PAY], _O.PAID),
    (_O.PENDING, _R.BOUNCED): ([_T.UNCOMMIT], [_P.BOUNCE], _O.BOUNCED),
    (_O.PENDING, _R.REFUNDED): ([_T.PAY, _T.REFUND], [_P.PAY, _P.REFUND], _O.REFUNDED),
    (_O.PAID, _R.BOUNCED): ([_T.UNPAY, _T.UNCOMMIT], [_P.BOUNCE], _O.BOUNCED),
    (_O.PAID, _R.REFUNDED): ([_T.REFUND], [_P.REFUND], _O.REFUNDED),
    (_O.BOUNCED, _R.PAID): ([], [], _O.BOUNCED),
    (_O.REFUNDED, _R.PAID): ([], [], _O.REFUNDED),
}
_EVENT = {_O.PAID: "paid", _O.BOUNCED: "bounced", _O.REFUNDED: "refunded"}


@dataclass(slots=True)
class ReturnReport:
    """What a run over a file did; the counts are of the whole file. `batches` were touched by it."""

    file: ReturnFile
    was_known: bool
    posted: int = 0
    duplicates: int = 0
    exceptions: int = 0
    batches: list[Batch] = field(default_factory=list)


def import_return(
    *,
    name: str,
    content: bytes,
    now: datetime,
    actor: Actor | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ReturnReport:
    """Take in a return file (CSV, XLSX, pain.002, camt.053), post its lines, reconcile the batches it concerns.

    Run again with the same bytes it goes on where it stopped, or changes nothing. Raises Invalid where the
    file is no return file at all; nothing is kept then. `on_progress` is told (lines done, lines in all).
    """
    try:
        said = preflight(name=name, content=content)
    except FormatError as error:
        raise invalid("file", str(error)) from error
    digest = hashlib.sha256(content).hexdigest()
    file, is_new = ReturnFile.objects.get_or_create(
        sha256=digest,
        defaults={
            "name": clean(name, limit=1000)[-200:],
            "content": content,
            "is_complete": said.is_complete,
            "problems": list(said.problems),
            "received_by_id": None if actor is None else actor.user_id,
            "received_at": now,
        },
    )
    if file.posted_at is None:
        done = 0
        for chunk in chunks(rows(name=name, content=content), CHUNK):
            _post_rows(file_id=file.pk, rows=chunk, now=now)
            done += len(chunk)
            if on_progress is not None:
                on_progress(done, max(said.count, done))
        file.posted_at = now
        file.save(update_fields=["posted_at"])
    for number, reference in said.accepted.items():
        batch = Batch.objects.filter(number=number, state=BatchState.SENT).first()
        if batch is not None:
            acknowledge(batch_id=batch.pk, now=now, reference=reference or file.name)
    report = ReturnReport(file=file, was_known=not is_new)
    statuses = list(file.lines.values_list("status", flat=True))
    report.posted = statuses.count(LineStatus.POSTED)
    report.duplicates = statuses.count(LineStatus.DUPLICATE)
    report.exceptions = statuses.count(LineStatus.EXCEPTION)
    report.batches = list(Batch.objects.filter(return_lines__file=file).distinct().order_by("number"))
    for batch in report.batches:
        reconcile(batch_id=batch.pk, now=now)
        batch.refresh_from_db()
    return report


@transaction.atomic
def resolve_exception(*, line_id: int, actor: Actor, now: datetime, resolution: str) -> ReturnLine:
    """A person has dealt with an exception, and says how. Finance only; changes no money."""
    roles = {Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER}
    if not roles & actor.roles:
        raise invalid("actor", "例外须由财务人员处理。")
    if not resolution.strip():
        raise invalid("resolution", "请填写处理说明。")
    line = ReturnLine.objects.select_for_update().get(pk=line_id)
    if line.status != LineStatus.EXCEPTION or line.resolved_at is not None:
        raise invalid("line", "该明细不是待处理的例外。")
    line.resolved_at, line.resolved_by_id, line.resolution = now, person(actor), resolution.strip()[:300]
    line.save(update_fields=["resolved_at", "resolved_by", "resolution"])
    if line.batch_id is not None:
        reconcile(batch_id=line.batch_id, now=now)
    return line


@dataclass(slots=True)
class _Match:
    """A readable row with the attempt it is about, and what was posted on that before (result → day)."""

    row: ReturnRow
    attempt: PaymentAttempt
    payable: Payable
    batch: Batch


@transaction.atomic
def _post_rows(*, file_id: int, rows: Sequence[ReturnRow], now: datetime) -> None:
    # Rows of the same file may have been posted meanwhile by another run: the file's lock decides.
    file = ReturnFile.objects.select_for_update().get(pk=file_id)
    seen = set(file.lines.filter(row_no__in=[r.row_no for r in rows]).values_list("row_no", flat=True))
    matches, lines = _match([row for row in rows if row.row_no not in seen], file=file, now=now)
    posted = _posted(matches)
    for wave in _waves(matches):
        for match in wave:
            lines.append(_line(match.row, file=file, now=now, match=match))
        _apply(wave, lines[-len(wave) :], posted=posted, file=file, now=now)
    ReturnLine.objects.bulk_create(sorted(lines, key=lambda line: line.row_no), batch_size=CHUNK)
    touched = {line.batch_id for line in lines if line.status == LineStatus.POSTED}
    for batch_id in sorted(pk for pk in touched if pk is not None):
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
                acknowledgement=file.name[:100],
            )


def _match(rows: Sequence[ReturnRow], *, file: ReturnFile, now: datetime) -> tuple[list[_Match], list[ReturnLine]]:
    """Find and lock what the rows are about: batches, then payables, each in the order of their ids."""
    keys = {row.row_no: found.groups() for row in rows if (found := _LINE_ID.match(row.line_id))}
    numbers = {number for number, _ in keys.values()}
    batches = {
        batch.number: batch
        for batch in Batch.objects.select_for_update(of=("self",))
        .select_related("budget_line", "cycle")
        .filter(number__in=numbers)
        .order_by("id")
    }
    line_nos = {int(line_no or 0) for _, line_no in keys.values()}
    candidates = PaymentAttempt.objects.filter(batch__in=batches.values(), line_no__in=line_nos).exclude(
        outcome=AttemptOutcome.WITHDRAWN
    )
    payables = {
        p.pk: p for p in lock_payables(Payable.objects.filter(pk__in=candidates.values_list("payable_id", flat=True)))
    }
    attempts = {(a.batch_id, a.line_no): a for a in candidates.all()}
    matches: list[_Match] = []
    exceptions: list[ReturnLine] = []
    for row in rows:
        number, line_no = keys.get(row.row_no, ("", "0"))
        batch = batches.get(number)
        attempt = None if batch is None else attempts.get((batch.pk, int(line_no or 0)))
        problem = _problem(row=row, batch=batch, attempt=attempt)
        if problem or batch is None or attempt is None:
            line = _line(row, file=file, now=now)
            line.batch, line.status, line.problem = batch, LineStatus.EXCEPTION, problem[:300]
            exceptions.append(line)
        else:
            matches.append(_Match(row, attempt, payables[attempt.payable_id], batch))
    return matches, exceptions


def _problem(*, row: ReturnRow, batch: Batch | None, attempt: PaymentAttempt | None) -> str:
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


def _waves(matches: Sequence[_Match]) -> Iterable[list[_Match]]:
    """Split so that no attempt comes twice in one wave: each wave can then be posted by statement."""
    waves: list[list[_Match]] = []
    used: dict[int, int] = defaultdict(int)
    for match in matches:
        index = used[match.attempt.pk]
        used[match.attempt.pk] += 1
        if index == len(waves):
            waves.append([])
        waves[index].append(match)
    return waves


def _posted(matches: Sequence[_Match]) -> dict[int, dict[str, ReturnLine]]:
    found: dict[int, dict[str, ReturnLine]] = defaultdict(dict)
    for line in ReturnLine.objects.filter(attempt_id__in=[m.attempt.pk for m in matches], status=LineStatus.POSTED):
        assert line.attempt_id is not None
        found[line.attempt_id][line.result] = line
    return found


def _apply(
    wave: Sequence[_Match],
    lines: Sequence[ReturnLine],
    *,
    posted: dict[int, dict[str, ReturnLine]],
    file: ReturnFile,
    now: datetime,
) -> None:
    groups: dict[tuple[str, str], list[_Match]] = defaultdict(list)
    for match, line in zip(wave, lines, strict=True):
        earlier = posted[match.attempt.pk]
        key = (match.attempt.outcome, match.row.result)
        if match.row.result in earlier:
            line.status = LineStatus.DUPLICATE
            line.problem = f"该结果已于第{earlier[match.row.result].file_id}号回单入账"
            continue
        problem = _not_allowed(match.payable, key)
        if problem:
            line.status, line.problem = LineStatus.EXCEPTION, problem[:300]
            continue
        earlier[match.row.result] = line
        groups[key].append(match)
        _mark_contradiction(match, earlier)
    for key, group in groups.items():
        _effect(key, group, file=file, now=now)


def _not_allowed(payable: Payable, key: tuple[str, str]) -> str:
    """Why what the bank says cannot be posted on a payable in its present state; empty where it can."""
    if key not in _EFFECTS:
        return "银行结果与此前入账的结果冲突，请向银行核实"
    _, moves, _ = _EFFECTS[key]
    state = PayableState(payable.state)
    try:
        for action in moves:
            state = _next(state, action)
    except Refused as error:
        return str(error)
    return ""


def _next(state: PayableState, action: PayableAction) -> PayableState:
    return PAYABLE.find(state, action, Role.SYSTEM).target


def _mark_contradiction(match: _Match, earlier: dict[str, ReturnLine]) -> None:
    paid, bounced = earlier.get(ReturnResult.PAID), earlier.get(ReturnResult.BOUNCED)
    if paid is None or bounced is None or paid.occurred_on is None or bounced.occurred_on is None:
        return
    match.attempt.contradicted = paid.occurred_on > bounced.occurred_on


def _effect(key: tuple[str, str], group: Sequence[_Match], *, file: ReturnFile, now: datetime) -> None:
    kinds, moves, outcome = _EFFECTS[key]
    by_line: dict[BudgetLine, list[Entry]] = defaultdict(list)
    for match in group:
        by_line[match.batch.budget_line].append(
            Entry(
                payable_id=match.payable.pk,
                attempt_id=match.attempt.pk,
                amount=match.attempt.amount,
                memo=match.row.reason,
            )
        )
        match.attempt.outcome = outcome.value
        if moves:
            match.attempt.outcome_on = match.row.occurred_on
            match.attempt.outcome_reason = match.row.reason
    for line in sorted(by_line, key=lambda found: found.pk):
        for kind in kinds:
            post(line=line, kind=kind, entries=by_line[line], now=now)
    payables = [match.payable for match in group]
    for action in moves:
        move_payables(payables=payables, action=action, role=Role.SYSTEM, now=now, note=f"回单 {file.name}")
    PaymentAttempt.objects.bulk_update(
        [match.attempt for match in group],
        ["outcome", "outcome_on", "outcome_reason", "contradicted"],
        batch_size=CHUNK,
    )
    if moves:
        rows = f"{group[0].row.row_no}-{key[0]}"
        tell(event=_EVENT[outcome], payables=payables, now=now, key=f"{file.pk}:{rows}", file=file.pk)


def _line(row: ReturnRow, *, file: ReturnFile, now: datetime, match: _Match | None = None) -> ReturnLine:
    return ReturnLine(
        file=file,
        row_no=row.row_no,
        line_id=row.line_id,
        batch=None if match is None else match.batch,
        attempt=None if match is None else match.attempt,
        result=row.result,
        amount=row.amount,
        occurred_on=row.occurred_on,
        reference=row.reference,
        reason=row.reason,
        status=LineStatus.POSTED,
        created_at=now,
    )
