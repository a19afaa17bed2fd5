"""Seal, send, acknowledge: persist first, then send, and sending again sends the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import BatchAction, BatchState, PayableAction, Role
from disbursement.ledger.posting import Entry, post
from disbursement.models import (
    AttemptOutcome,
    Batch,
    BatchApproval,
    Delivery,
    DeliveryState,
    InterestDeclaration,
    Payable,
    PaymentAttempt,
    SealedFile,
    TransferKind,
)
from disbursement.services.batches import file_bytes
from disbursement.services.gateways import hand_over
from disbursement.services.transitions import lock_batch, lock_payables, move_batch, move_payables, tell
from disbursement.treasury.formats import payment_format
from disbursement.treasury.gateway import Gateway, GatewayError

_SENDABLE = (BatchState.SEALED, BatchState.SENT, BatchState.ACKNOWLEDGED, BatchState.RECONCILED, BatchState.CLOSED)


@transaction.atomic
def seal(*, batch_id: int, now: datetime) -> SealedFile:
    """Store the bytes that were signed and commit the money; the file there is if it was sealed before.

    Raises Invalid where the bytes are no longer those that were signed (they are never sent then) or an earlier
    payment may have arrived after all, Conflict where a signer declared an interest since, WrongState where
    signatures are missing.
    """
    batch = lock_batch(batch_id=batch_id)
    standing = SealedFile.objects.filter(batch=batch).first()
    if standing is not None:
        return standing
    payables = lock_payables(Payable.objects.filter(attempts__in=batch.attempts.filter(outcome=AttemptOutcome.PENDING)))
    if batch.state == BatchState.APPROVED:
        _still_to_be_paid(batch=batch, payables=payables)
        content = file_bytes(batch=batch)
        if hashlib.sha256(content).hexdigest() != batch.file_sha256:
            raise invalid("file", f"批次{batch.number}的内容与签署时不一致，不能封存。请退回经办重新提交。")
        totals = payment_format(batch.format).read_totals(content)
        if (totals.count, totals.total) != (batch.count, batch.total):
            raise invalid("file", f"批次{batch.number}的文件合计与批次不符，不能封存。请退回经办重新提交。")
        extension = payment_format(batch.format).extension
        standing = SealedFile.objects.create(
            batch=batch,
            format=batch.format,
            name=f"{batch.number}-{batch.file_sha256[:8]}.{extension}",
            content=content,
            sha256=batch.file_sha256,
            count=totals.count,
            total=totals.total,
            sealed_at=now,
        )
    # Raises WrongState for a batch that is not yet approved.
    move_batch(batch=batch, action=BatchAction.SEAL, role=Role.SYSTEM, now=now)
    assert standing is not None
    attempts = list(batch.attempts.filter(outcome=AttemptOutcome.PENDING).order_by("payable_id"))
    move_payables(payables=payables, action=PayableAction.SEAL, role=Role.SYSTEM, now=now, note=batch.number)
    post(
        line=batch.budget_line,
        kind=TransferKind.COMMIT,
        entries=[Entry(payable_id=a.payable_id, attempt_id=a.pk, amount=a.amount) for a in attempts],
        now=now,
    )
    tell(event="sealed", payables=payables, now=now, key=batch.number, batch=batch.pk)
    return standing


def _still_to_be_paid(*, batch: Batch, payables: Sequence[Payable]) -> None:
    """Raise where something came up after the signatures: an earlier payment that may have arrived after all, or
    an interest that a signer declared.
    """
    ids = [payable.pk for payable in payables]
    doubtful = PaymentAttempt.objects.filter(payable__in=ids, contradicted=True).select_related("payable__application")
    shown = "、".join(str(attempt.payable.application.number) for attempt in doubtful[:5])
    if shown:
        raise invalid(
            "file",
            f"批次{batch.number}中申报{shown}的上次支付，银行答复前后矛盾，可能已经到账，不能封存。"
            "请退回经办，将该款项暂缓并向银行核实。",
        )
    late = InterestDeclaration.objects.filter(
        ended_at__isnull=True,
        enterprise__in={payable.enterprise_id for payable in payables},
        user__in=BatchApproval.objects.filter(batch=batch, round=batch.round).values("person"),
    ).select_related("enterprise")
    if (found := late.first()) is not None:
        raise Conflict(
            f"批次{batch.number}的签署人在签署后申报了与{found.enterprise.name}的利益关系，不能封存。"
            "请退回经办，由其他人员重新签署。"
        )


def send(*, batch_id: int, now: datetime, gateway: Gateway | None = None) -> Batch:
    """Hand the sealed bytes over, then record it. Done again (after a crash, or on demand) it hands over the
    same bytes under the same key. A file that a person has to take to the bank leaves its batch sealed.

    Raises WrongState for an unsealed batch, Invalid where the bank refused the file or may not have it (the batch
    stays sealed).
    """
    sealed = SealedFile.objects.filter(batch_id=batch_id).defer("content").first()
    delivery: Delivery | None = None
    if sealed is not None and gateway is not None:
        try:
            gateway.deliver(name=sealed.name, content=bytes(sealed.content))
        except GatewayError as error:
            raise invalid("gateway", str(error)) from error
    elif sealed is not None:
        delivery = hand_over(batch_id=batch_id, now=now)
    with transaction.atomic():
        batch = lock_batch(batch_id=batch_id)
        if delivery is not None and delivery.state == DeliveryState.BY_HAND:
            return batch
        if batch.state not in _SENDABLE or batch.state == BatchState.SEALED:
            move_batch(batch=batch, action=BatchAction.SEND, role=Role.SYSTEM, now=now, sent_at=now)
    if delivery is not None and delivery.reference and batch.state == BatchState.SENT:
        return acknowledge(batch_id=batch_id, now=now, reference=delivery.reference)
    return batch


@transaction.atomic
def acknowledge(*, batch_id: int, now: datetime, reference: str = "") -> Batch:
    """The bank has taken the file; again changes nothing."""
    batch = lock_batch(batch_id=batch_id)
    if batch.acknowledged_at is None:
        move_batch(
            batch=batch,
            action=BatchAction.ACKNOWLEDGE,
            role=Role.SYSTEM,
            now=now,
            acknowledged_at=now,
            acknowledgement=reference[:100],
        )
    return batch
