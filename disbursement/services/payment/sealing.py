"""Seal, send, acknowledge: persist first, then send, and sending again sends the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO, cast

from django.db import transaction
from django.db.models import Exists, OuterRef

from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import BatchAction, BatchState, PayableAction, Role
from disbursement.ledger.posting import post_attempts
from disbursement.models import (
    AccountState,
    AttemptOutcome,
    Batch,
    BatchApproval,
    DeliveryState,
    InterestDeclaration,
    Payable,
    PayeeAccount,
    PaymentAttempt,
    SealedFile,
    TransferKind,
)
from disbursement.services.payment.bulk import lock_all, move_many, pending_lines, tell_many
from disbursement.services.payment.files import control_totals, sha256_of, spooled, write_file
from disbursement.services.payment.gateways import hand_over
from disbursement.services.payment.transitions import lock_batch, move_batch
from disbursement.treasury.formats import payment_format
from matching.stored_bytes import create_with_content, pieces_of

_CASE = "payable__application"
_SENDABLE = (BatchState.SEALED, BatchState.SENT, BatchState.ACKNOWLEDGED, BatchState.RECONCILED, BatchState.CLOSED)


@transaction.atomic
def seal(*, batch_id: int, now: datetime, on_piece: Callable[[int], None] | None = None) -> SealedFile:
    """Store the bytes that were signed and commit the money; the file there is if it was sealed before.

    All of it or nothing, in one transaction: a batch is never sealed in part. `on_piece` is told how many lines a
    piece of the work had.

    Raises Invalid where the bytes are no longer those that were signed (they are never sent then), an earlier payment
    may have arrived after all or an account was replaced, Conflict where a signer declared an interest since,
    WrongState where signatures are missing.
    """
    batch = lock_batch(batch_id=batch_id)
    standing = SealedFile.objects.filter(batch=batch).defer("content").first()
    if standing is not None:
        return standing
    lines = batch.attempts.filter(outcome=AttemptOutcome.PENDING)
    lock_all(payable_ids=lines.order_by("payable_id").values_list("payable_id", flat=True).iterator(chunk_size=20_000))
    if batch.state == BatchState.APPROVED:
        _still_to_be_paid(batch=batch)
        standing = _store(batch=batch, now=now)
    # Raises WrongState for a batch that is not yet approved.
    move_batch(batch=batch, action=BatchAction.SEAL, role=Role.SYSTEM, now=now)
    assert standing is not None
    last = 0
    while rows := pending_lines(batch_id=batch.pk, after=last):
        last = rows[-1][0]
        payables = [payable for _, payable, _ in rows]
        move_many(payable_ids=payables, action=PayableAction.SEAL, role=Role.SYSTEM, now=now, note=batch.number)
        attempts = [attempt for _, _, attempt in rows]
        post_attempts(line=batch.budget_line, kind=TransferKind.COMMIT, attempt_ids=attempts, now=now)
        if on_piece is not None:
            on_piece(len(rows))
    tell_many(event="sealed", query=lines.order_by("payable_id"), now=now, key=batch.number, batch=batch.pk)
    return standing


def _store(*, batch: Batch, now: datetime) -> SealedFile:
    """The file as it was signed, kept for ever. Raises Invalid where it is another now."""
    with spooled() as file:
        write_file(batch=batch, out=cast(BinaryIO, file))
        if sha256_of(file) != batch.file_sha256:
            raise invalid("file", f"批次{batch.number}的内容与签署时不一致，不能封存。请退回经办重新提交。")
        if control_totals(code=batch.format, file=file) != (batch.count, batch.total):
            raise invalid("file", f"批次{batch.number}的文件合计与批次不符，不能封存。请退回经办重新提交。")
        extension = payment_format(batch.format).extension
        pk = create_with_content(
            SealedFile,
            content=pieces_of(file),
            batch=batch,
            format=batch.format,
            name=f"{batch.number}-{batch.file_sha256[:8]}.{extension}",
            sha256=batch.file_sha256,
            count=batch.count,
            total=batch.total,
            sealed_at=now,
        )
    return SealedFile.objects.defer("content").get(pk=pk)


def _still_to_be_paid(*, batch: Batch) -> None:
    """Raise where something came up after the signatures: an earlier payment that may have arrived after all, an
    account that the enterprise has replaced, or an interest that a signer declared.
    """
    lines = batch.attempts.filter(outcome=AttemptOutcome.PENDING)
    replaced = lines.filter(
        ~Exists(
            PayeeAccount.objects.filter(
                enterprise=OuterRef("payable__enterprise"),
                state=AccountState.CHECKED,
                account_number=OuterRef("account_number"),
                account_name=OuterRef("payee_name"),
            )
        )
    )
    if late_change := "、".join(str(a.payable.application.number) for a in replaced.select_related(_CASE)[:5]):
        raise invalid(
            "file",
            f"批次{batch.number}中申报{late_change}的收款账户在校验以后已更换或停用，不能封存。"
            "请退回经办，将该款项暂缓；解除暂缓后按新账户列入下一批次。",
        )
    doubtful = (
        PaymentAttempt.objects.filter(payable__in=lines.values("payable_id"), contradicted=True)
        .select_related(_CASE)
        .order_by("pk")
    )
    shown = "、".join(str(attempt.payable.application.number) for attempt in doubtful[:5])
    if shown:
        raise invalid(
            "file",
            f"批次{batch.number}中申报{shown}的上次支付，银行答复前后矛盾，可能已经到账，不能封存。"
            "请退回经办，将该款项暂缓并向银行核实。",
        )
    late = InterestDeclaration.objects.filter(
        ended_at__isnull=True,
        enterprise__in=Payable.objects.filter(pk__in=lines.values("payable_id")).values("enterprise_id"),
        user__in=BatchApproval.objects.filter(batch=batch, round=batch.round).values("person"),
    ).select_related("enterprise")
    if (found := late.first()) is not None:
        raise Conflict(
            f"批次{batch.number}的签署人在签署后申报了与{found.enterprise.name}的利益关系，不能封存。"
            "请退回经办，由其他人员重新签署。"
        )


def send(*, batch_id: int, now: datetime) -> Batch:
    """Hand the sealed bytes over, then record it. Done again (after a crash, or on demand) it hands over the
    same bytes under the same key. A file that a person has to take to the bank leaves its batch sealed.

    Raises WrongState for an unsealed batch, Invalid where the bank refused the file or may not have it (the batch
    stays sealed).
    """
    is_sealed = SealedFile.objects.filter(batch_id=batch_id).exists()
    delivery = hand_over(batch_id=batch_id, now=now) if is_sealed else None
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
