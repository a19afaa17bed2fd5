"""Numbers in series without gaps: given out in the transaction that uses them."""

from __future__ import annotations

from django.db import connection

from disbursement.models import Counter


def next_number(*, series: str) -> int:
    """The next number of a series, from 1. Locked until the transaction ends; a rollback gives it back."""
    counter = take_turn(series=series)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def take_turn(*, series: str) -> Counter:
    """The counter of a series, locked until the transaction ends: also where there is no row yet to take turns at."""
    if not connection.in_atomic_block:
        raise RuntimeError("a number must be taken inside the transaction that uses it")
    Counter.objects.get_or_create(series=series)
    return Counter.objects.select_for_update().get(series=series)
