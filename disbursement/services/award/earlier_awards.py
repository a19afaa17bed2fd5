"""What was paid, written back as a fact of the enterprise, so that the next item's criteria can ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction

from disbursement.domain.workflow import PayableState
from disbursement.models import AttemptOutcome, PaymentAttempt, SetOff
from matching.days import day_of
from matching.models import Enterprise, Fact
from matching.services.facts import NewFact, record_many
from matching.services.vocabulary import current_vocabulary

FACT = "earlier_awards"
SOURCE = "惠达兑现"


@transaction.atomic
def write_back(*, enterprise_ids: Iterable[int], now: datetime) -> int:
    """Record the awards that enterprises have been paid, or that were set off against what they owed, beside what
    other sources know; how many facts changed.

    Made anew from the payments each time: run again it records nothing, and a bounce or a refund takes its record out.
    """
    vocabulary = current_vocabulary()
    if FACT not in vocabulary.facts:
        return 0
    known_types = vocabulary.code_list(FACT)
    facts = []
    for enterprise in Enterprise.objects.filter(pk__in=set(enterprise_ids)).order_by("pk"):
        paid = [record for record in _paid(enterprise_id=enterprise.pk) if record["code"] in known_types]
        told_before = Fact.objects.filter(enterprise=enterprise, key=FACT, source=SOURCE).exists()
        if paid or told_before:
            others = _of_other_sources(enterprise_id=enterprise.pk)
            value = [*others, *(record for record in paid if record not in others)]
            facts.append(NewFact(enterprise.pk, FACT, value, SOURCE, day_of(now)))
    return record_many(facts=facts, now=now).rows if facts else 0


def _paid(*, enterprise_id: int) -> list[dict[str, Any]]:
    attempts = (
        PaymentAttempt.objects.filter(payable__enterprise_id=enterprise_id, outcome=AttemptOutcome.PAID)
        .exclude(payable__state=PayableState.CLAWED_BACK)
        .order_by("outcome_on", "pk")
        .values_list("payable__application__version__rules__type", "outcome_on", "amount")
    )
    # What paid back a debt instead of being paid out was had as well.
    set_off = (
        SetOff.objects.filter(payable__enterprise_id=enterprise_id)
        .exclude(payable__state=PayableState.CLAWED_BACK)
        .order_by("decided_at", "pk")
        .values_list("payable__application__version__rules__type", "decided_at", "amount")
    )
    had = [*attempts, *((kind, day_of(at), amount) for kind, at, amount in set_off)]
    return [
        {"code": kind, "on": day.isoformat(), "amount": f"{amount:.2f}"}
        for kind, day, amount in sorted(had, key=lambda each: (each[1] is None, each[1] or date.min))
        if kind and day
    ]


def _of_other_sources(*, enterprise_id: int) -> list[Any]:
    latest = (
        Fact.objects.filter(enterprise_id=enterprise_id, key=FACT)
        .exclude(source=SOURCE)
        .order_by("-valid_on", "-recorded_at", "-pk")
        .first()
    )
    return list(latest.value) if latest is not None and isinstance(latest.value, list) else []
