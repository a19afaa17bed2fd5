"""Entries of the bank that people record: each once, by its reference, whatever it is recorded as.

Callers hold a transaction, and the locks of what the entry is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction

from disbursement.domain.actors import Actor
from disbursement.domain.bank_references import fault_of, normal
from disbursement.domain.errors import invalid
from disbursement.models import (
    BankEntry,
    Clawback,
    ClawbackReceipt,
    EntryUse,
    LineStatus,
    PaymentAttempt,
    ReturnLine,
    ReturnResult,
)
from disbursement.services.payment.transitions import person

_MONEY_BACK = (ReturnResult.BOUNCED, ReturnResult.REFUNDED)


def take(
    *,
    reference: str,
    actor: Actor,
    now: datetime,
    place: str = "reference",
    clawback: Clawback | None = None,
    attempt: PaymentAttempt | None = None,
    receipt: ClawbackReceipt | None = None,
) -> str:
    """Record an entry for exactly one of: a demand that it pays back, an attempt whose payment was refunded, a receipt
    whose excess was given back. Returns the reference as it is kept.

    Raises Invalid, naming the field `place`, for what is no bank's reference and for an entry that is known.
    """
    reference = normal(reference)
    if fault := fault_of(reference):
        raise invalid(place, fault)
    if known := _known_as(reference):
        raise invalid(place, known)
    use = EntryUse.RECOVERY if clawback else EntryUse.REFUND if attempt else EntryUse.EXCESS
    try:
        with transaction.atomic():
            BankEntry.objects.create(
                reference=reference,
                use=use,
                clawback=clawback,
                attempt=attempt,
                receipt=receipt,
                recorded_by_id=person(actor),
                recorded_at=now,
            )
    except IntegrityError as error:
        # Somebody recorded the same at the same moment; anything else is a defect and is seen.
        if not (known := _known_as(reference)):
            raise
        raise invalid(place, known) from error
    return reference


def known_among(references: Iterable[str]) -> dict[str, BankEntry]:
    """Which of these references of a bank people recorded already, by the reference as it is kept."""
    wanted = {found for reference in references if (found := normal(reference))}
    return {entry.reference: entry for entry in BankEntry.objects.filter(reference__in=wanted)} if wanted else {}


def words_of(entry: BankEntry) -> str:
    """What an entry was recorded as, for people."""
    if entry.clawback is not None:
        return f"追回{entry.clawback.number}的到账"
    if entry.attempt is not None:
        return f"批次{entry.attempt.batch.number}第{entry.attempt.line_no}行的退款"
    assert entry.receipt is not None
    return f"追回{entry.receipt.clawback.number}多退款的退还"


def _known_as(reference: str) -> str:
    """Why an entry cannot be recorded again; empty where it is not known."""
    entry = (
        BankEntry.objects.select_related("clawback", "attempt__batch", "receipt__clawback")
        .filter(reference=reference)
        .first()
    )
    if entry is not None:
        return f"流水号{reference}已登记为{words_of(entry)}，不能重复登记。"
    posted = ReturnLine.objects.filter(status=LineStatus.POSTED, result__in=_MONEY_BACK, reference=reference)
    line = posted.order_by("pk").first()
    if line is not None:
        return f"流水号{reference}已由银行回单入账为{line.get_result_display()}（明细{line.line_id}），不能重复登记。"
    return ""
