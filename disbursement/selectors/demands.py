"""Money asked back from enterprises to which something is still to be paid."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from disbursement.domain.workflow import PayableState
from disbursement.models import AttemptOutcome, Batch, Clawback


def open_demands(*, enterprise_ids: Collection[int] | QuerySet[Any, Any]) -> QuerySet[Clawback]:
    """What those enterprises still owe, the oldest first."""
    found = Clawback.objects.filter(payable__enterprise_id__in=enterprise_ids, payable__state=PayableState.CLAWBACK)
    return found.select_related("payable__enterprise", "payable__application__item").order_by("due_on", "pk")


def demands_beside(*, batch: Batch) -> QuerySet[Clawback]:
    """What the enterprises of a batch's lines still owe, the oldest first."""
    lines = batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN)
    return open_demands(enterprise_ids=lines.values("payable__enterprise_id"))
