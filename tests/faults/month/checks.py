"""What must hold when a round is over, asked of the database, of the bank's own books, and of the audit."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Q

from disbursement.audit import service
from disbursement.audit.findings import Scope
from disbursement.domain.workflow import ApplicationState, BatchState, CycleState, PayableState
from disbursement.ledger.reconcile import four_figures, ledger_findings
from disbursement.models import (
    Application,
    AttemptOutcome,
    BackgroundRun,
    Batch,
    Cycle,
    Delivery,
    DeliveryState,
    LedgerTransfer,
    Payable,
    PaymentAttempt,
    ReturnFile,
    SealedFile,
)
from matching.registry.models import BudgetLine, OutboxMessage

from . import clock
from .lab import HonestBank, Lab
from .servers import until


def waits(lab: Lab) -> dict[str, Any]:
    """What has not come to its end, by what it is; nobody but the schedule works on it."""
    now = clock.read(lab.clock)
    found = {
        "outbox": list(OutboxMessage.objects.filter(delivered_at__isnull=True).values_list("topic", "last_error")[:5]),
        "deliveries": list(Delivery.objects.exclude(state=DeliveryState.DONE).values_list("key", "state", "problem")),
        "batches": list(
            Batch.objects.exclude(state__in=[BatchState.CLOSED, BatchState.DISSOLVED]).values_list("number", "state")
        ),
        "cycles": list(
            Cycle.objects.exclude(state=CycleState.CLOSED).filter(cut_off_on__lt=now.date()).values_list("month")
        ),
        "runs": list(BackgroundRun.objects.filter(ended_at__isnull=True).values_list("kind", "state")),
        "files": list(ReturnFile.objects.filter(posted_at__isnull=True).values_list("name", flat=True)),
        "payables": list(
            Payable.objects.exclude(state__in=[PayableState.SETTLED, PayableState.REFUNDED]).values_list("pk", "state")
        ),
        "applications": list(
            Application.objects.exclude(state=ApplicationState.CLOSED)
            .filter(payables__isnull=False)
            .exclude(payables__in=Payable.objects.exclude(state=PayableState.SETTLED))
            .values_list("number", "state")
        ),
    }
    return {name: rows for name, rows in found.items() if rows}


def come_to_rest(lab: Lab) -> None:
    """Let the schedule do what is left: ten minutes pass, nobody clicks, and nothing waits any longer."""
    lab.keep_up()
    clock.set_to(lab.clock, clock.read(lab.clock) + timedelta(minutes=10))
    left: list[dict[str, Any]] = []

    def rests() -> bool:
        lab.keep_up()
        left[:] = [lab.asks(lambda: waits(lab))]
        return left == [{}]

    try:
        until(rests, seconds=40, pause=0.1, what="coming to rest")
    except AssertionError as error:
        raise AssertionError(f"{error}; still waiting: {left}\n{lab.log('worker')}") from error


def hold(lab: Lab, bank: HonestBank) -> None:
    """Raise AssertionError unless every payment was made once and told rightly, to the last byte and cent."""
    _the_banks_book_is_ours(bank)
    _each_is_paid_once_or_explained(bank)
    for line in BudgetLine.objects.all():
        assert ledger_findings(line=line) == []
    for batch in Batch.objects.exclude(state=BatchState.DISSOLVED):
        assert four_figures(batch=batch).differences == []
    run = service.run(scope=Scope(), now=clock.read(lab.clock), finished=lambda: clock.read(lab.clock))
    assert run.finding_count == 0, run.findings[:5]
    assert OutboxMessage.objects.filter(attempts__gt=30).count() == 0


def _the_banks_book_is_ours(bank: HonestBank) -> None:
    """One order for each batch, of the very bytes that were signed and sealed; no line in two of them."""
    orders = bank.orders()
    sealed = {found.sha256: bytes(found.content) for found in SealedFile.objects.all()}
    assert sorted(taken.sha256 for taken, _ in orders) == sorted(sealed)
    for digest, content in sealed.items():
        assert hashlib.sha256(content).hexdigest() == digest
    approved = dict(Batch.objects.exclude(state=BatchState.DISSOLVED).values_list("number", "file_sha256"))
    assert {order.number: taken.sha256 for taken, order in orders} == approved
    lines = Counter(bank.paid_lines())
    ours = {
        attempt.batch.line_id(attempt.line_no or 0)
        for attempt in PaymentAttempt.objects.exclude(outcome=AttemptOutcome.WITHDRAWN).select_related("batch")
    }
    assert set(lines) == ours
    assert max(lines.values()) == 1


def _each_is_paid_once_or_explained(bank: HonestBank) -> None:
    assert Payable.objects.count() == 4
    for payable in Payable.objects.prefetch_related("attempts__batch"):
        alive = [a for a in payable.attempts.all() if a.outcome != AttemptOutcome.WITHDRAWN]
        truth = [bank.truth[a.batch.line_id(a.line_no or 0)] for a in alive]
        assert [a.outcome for a in alive] == truth, (payable.pk, truth)
        assert truth.count("paid") == (payable.state == PayableState.SETTLED), (payable.pk, payable.state, truth)
        assert truth.count("refunded") == (payable.state == PayableState.REFUNDED), (payable.pk, payable.state, truth)
        kinds = Counter(LedgerTransfer.objects.filter(payable=payable).values_list("kind", flat=True))
        assert kinds["reserve"] - kinds["unreserve"] == 1
        assert kinds["commit"] - kinds["uncommit"] == kinds["pay"] - kinds["unpay"] == 1, (payable.pk, kinds)
        assert kinds["refund"] == (payable.state == PayableState.REFUNDED)
    twice = Application.objects.filter(~Q(state=ApplicationState.CLOSED), payables__state=PayableState.SETTLED)
    assert not twice.exists()
