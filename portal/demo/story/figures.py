"""The sums that the story ends on, each read from another place of the database."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from disbursement.domain.money import total
from disbursement.models import AttemptOutcome, PaymentAttempt, ReturnLine, ReturnResult, SealedFile
from disbursement.treasury.formats import payment_format


@dataclass(frozen=True, slots=True)
class Figures:
    """Of everything that was sealed, in 元: what was approved, batched, filed, and answered by the bank.

    `bank` is what it paid and what it returned; `paid` and `bounced` tell them apart.
    """

    approved: Decimal
    approved_count: int
    batch: Decimal
    batch_count: int
    file: Decimal
    file_count: int
    bank: Decimal
    bank_count: int
    paid: Decimal
    bounced: Decimal

    @property
    def agree(self) -> bool:
        counts = {self.approved_count, self.batch_count, self.file_count, self.bank_count}
        sums = {self.approved, self.batch, self.file, self.bank, self.paid + self.bounced}
        return len(counts) == len(sums) == 1

    @classmethod
    def read(cls) -> Figures:
        attempts = list(
            PaymentAttempt.objects.filter(batch__sealed_file__isnull=False)
            .exclude(outcome=AttemptOutcome.WITHDRAWN)
            .select_related("payable")
        )
        files = [
            payment_format(sealed.format).read_totals(bytes(sealed.content)) for sealed in SealedFile.objects.all()
        ]
        posted = list(ReturnLine.objects.filter(status="posted").exclude(result=ReturnResult.REFUNDED))
        amounts = {
            outcome: total(attempt.amount for attempt in attempts if attempt.outcome == outcome)
            for outcome in (AttemptOutcome.PAID, AttemptOutcome.BOUNCED)
        }
        return cls(
            approved=total(attempt.payable.amount for attempt in attempts),
            approved_count=len(attempts),
            batch=total(attempt.amount for attempt in attempts),
            batch_count=len(attempts),
            file=total(file.total for file in files),
            file_count=sum(file.count for file in files),
            bank=total(line.amount for line in posted if line.amount is not None),
            bank_count=len(posted),
            paid=amounts[AttemptOutcome.PAID],
            bounced=amounts[AttemptOutcome.BOUNCED],
        )
