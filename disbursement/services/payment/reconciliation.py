"""Reconcile a batch: the four figures, and what follows when they agree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from disbursement.domain.workflow import (
    BatchAction,
    BatchState,
    CycleAction,
    CycleState,
    PayableAction,
    PayableState,
    Role,
)
from disbursement.ledger.reconcile import FourFigures, four_figures
from disbursement.models import (
    AttemptOutcome,
    Batch,
    Cycle,
    LineStatus,
    Payable,
    PaymentAttempt,
    Reconciliation,
    ReturnLine,
)
from disbursement.services.payment.bulk import PIECE, lock_piece, move_many
from disbursement.services.payment.transitions import lock_batch, move_batch, move_cycle, tell
from matching.registry import outbox


def reconcile(*, batch_id: int, now: datetime, on_piece: Callable[[int], None] | None = None) -> FourFigures:
    """Compare the four figures of a batch and keep the result where it is new.

    Where they agree, the batch is reconciled and what was paid is settled, piece by piece; with no open exception it
    is closed, and the cycle with its last batch. May be run at any time, and again.
    """
    with transaction.atomic():
        batch = lock_batch(batch_id=batch_id)
        figures = four_figures(batch=batch)
        last = batch.reconciliations.order_by("-id").first()
        if last is None or (last.figures, last.differences) != (figures.to_json(), figures.differences):
            Reconciliation.objects.create(
                batch=batch,
                figures=figures.to_json(),
                differences=figures.differences,
                agrees=figures.agree,
                made_at=now,
            )
        waiting = batch.attempts.filter(outcome=AttemptOutcome.PENDING).exists()
        if figures.agree and not waiting and batch.state in (BatchState.SENT, BatchState.ACKNOWLEDGED):
            move_batch(batch=batch, action=BatchAction.RECONCILE, role=Role.SYSTEM, now=now, reconciled_at=now)
    if figures.agree and batch.state in (BatchState.RECONCILED, BatchState.CLOSED):
        # Later too: a payment may be found to have arrived long after the others.
        _settle(batch=batch, now=now, on_piece=on_piece)
    with transaction.atomic():
        batch = lock_batch(batch_id=batch_id)
        if batch.state == BatchState.RECONCILED and not open_exceptions(batch=batch):
            move_batch(batch=batch, action=BatchAction.CLOSE, role=Role.SYSTEM, now=now, closed_at=now)
        if batch.state == BatchState.CLOSED:
            close_cycle_if_done(cycle_id=batch.cycle_id, now=now)
    return figures


def close_cycle_if_done(*, cycle_id: int, now: datetime) -> bool:
    """Close a cut-off cycle all of whose batches are closed or dissolved. In the caller's transaction."""
    cycle = Cycle.objects.select_for_update().get(pk=cycle_id)
    unfinished = cycle.batches.exclude(state__in=[BatchState.CLOSED, BatchState.DISSOLVED]).exists()
    if cycle.state != CycleState.CUT_OFF or unfinished:
        return False
    move_cycle(cycle=cycle, action=CycleAction.CLOSE, now=now, closed_at=now)
    outbox.emit(topic="cycle.closed", payload={"cycle": cycle.pk}, now=now, dedupe_key=f"cycle.closed:{cycle.pk}")
    return True


def open_exceptions(*, batch: Batch) -> int:
    """Exceptions of the batch that nobody has dealt with: lines of returns, and contradicting answers."""
    lines = ReturnLine.objects.filter(batch=batch, status=LineStatus.EXCEPTION, resolved_at__isnull=True).count()
    return lines + batch.attempts.filter(contradicted=True).count()


def _settle(*, batch: Batch, now: datetime, on_piece: Callable[[int], None] | None) -> None:
    paid = PaymentAttempt.objects.filter(batch=batch, outcome=AttemptOutcome.PAID).order_by("line_no")
    last = 0
    while rows := list(paid.filter(line_no__gt=last).values_list("line_no", "payable_id")[:PIECE]):
        last = rows[-1][0] or 0
        with transaction.atomic():
            locked = lock_piece(query=Payable.objects.filter(pk__among=[payable for _, payable in rows]))
            # A payable already being clawed back, or settled, keeps its state.
            found = Payable.objects.filter(pk__among=locked).order_by("pk").values_list("pk", "state")
            ids = [pk for pk, state in found if state == PayableState.PAID]
            if not ids:
                continue
            note = f"批次{batch.number}对账一致"
            move_many(payable_ids=ids, action=PayableAction.SETTLE, role=Role.SYSTEM, now=now, note=note)
            tell(event="settled", payables=ids, now=now, key=f"{batch.number}:{ids[0]}", batch=batch.pk)
        if on_piece is not None:
            on_piece(len(ids))
