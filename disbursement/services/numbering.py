"""Numbers in series without gaps: given out in the transaction that uses them."""

from __future__ import annotations

from django.db import connection

from disbursement.models import Counter


def next_number(*, series: str) -> int:
    """The next number of a series, from 1. Locked until the transaction ends; a rollback gives it back."""
    if not connection.in_atomic_block:
        raise RuntimeError("a number must be taken inside the transaction that uses it")
    Counter.objects.get_or_create(series=series)
    counter = Counter.objects.select_for_update().get(series=series)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last
