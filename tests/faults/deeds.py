"""What the launcher's children do: run the command, build a month up to a point, picture what stands in the
database.
"""

from __future__ import annotations

import io
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    Batch,
    Cycle,
    LedgerTransfer,
    Payable,
    PaymentAttempt,
    ReturnLine,
    SealedFile,
    StateChange,
)
from disbursement.services.payment.reconciliation import reconcile
from matching.registry.models import BudgetLine, OutboxMessage
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import at

PAYABLES = 12


def cycle(*argv: str) -> str:
    out = io.StringIO()
    call_command("cycle", *argv, stdout=out)
    return out.getvalue()


@transaction.atomic
def build_approved() -> None:
    """Payables on two lines, one of an enterprise that the credit check will stop."""
    people.budget_line(code="talent")
    items = [money.version("100000"), money.version("33333.33", line="talent")]
    made = [money.payable(item=items[n % 2]) for n in range(PAYABLES)]
    base.learn(made[0].enterprise, now=at("2026-03-15"), valid_on=at("2026-03-14").date(), credit_records=["dishonest"])


@transaction.atomic
def build_signed() -> None:
    """Cut off and signed by everybody."""
    people._numbers = count(10_000)  # another process has used the first numbers
    finance = money.Finance()
    for batch, fmt in zip(money.cut(), ["bank_csv", "pain001"], strict=True):
        money.signed(batch, finance, file_format=fmt)


def build_sent(folder: str) -> None:
    """Sealed and sent; the bank's files lie in the folder, one of them twice over in other words."""
    cycle("seal", "--as-of", "2026-03-20T18:00")
    for batch in Batch.objects.order_by("number"):
        Path(folder, f"{batch.number}.csv").write_bytes(money.answer(batch, bounced=[2]))
        Path(folder, f"{batch.number}-again.csv").write_bytes(money.answer(batch, bounced=[2], only=[1, 2]))


def picture() -> dict[str, Any]:
    """Everything that must come out the same however often the way there was interrupted; ids apart, for sequences
    have gaps.
    """
    for batch in Batch.objects.exclude(sent_at=None):
        reconcile(batch_id=batch.pk, now=at("2026-03-30"))
    rows: dict[str, Any] = {
        "cycle": list(Cycle.objects.values_list("month", "state", "cut_at")),
        "batches": list(
            Batch.objects.order_by("number").values_list("number", "state", "count", "total", "file_sha256", "sent_at")
        ),
        "payables": list(
            Payable.objects.order_by("id").values_list("id", "state", "amount", "pay_month", "hold_reason")
        ),
        "attempts": list(
            PaymentAttempt.objects.order_by("payable_id", "batch__number").values_list(
                "payable_id", "batch__number", "line_no", "amount", "outcome", "outcome_on"
            )
        ),
        "transfers": sorted(LedgerTransfer.objects.values_list("kind", "payable_id", "amount"), key=str),
        "posted": sorted(ReturnLine.objects.filter(status="posted").values_list("line_id", "result", "amount")),
        "exceptions": ReturnLine.objects.filter(status="exception").count(),
        "changes": sorted(StateChange.objects.values_list("payable_id", "batch__number", "action"), key=str),
        "told": sorted(OutboxMessage.objects.filter(topic__startswith="payable.").values_list("topic", flat=True)),
        "findings": [ledger_findings(line=line) for line in BudgetLine.objects.all()],
    }
    files = sorted(Path(settings.HUIDA_TREASURY_OUTBOX).glob("*")) if settings.HUIDA_TREASURY_OUTBOX.exists() else []
    rows["sealed"] = [(f.name, bytes(f.content).hex()) for f in SealedFile.objects.order_by("name")]
    rows["delivered"] = [(f.name, f.read_bytes().hex()) for f in files if not f.name.startswith(".")]
    return {key: repr(value) for key, value in rows.items()}
