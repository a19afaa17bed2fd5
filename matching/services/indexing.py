"""What changes reaches the search server in order, however long that was away.

A change writes a row for what it changed (`PendingIndexWrite`), in a transaction of the database; no server is asked,
so nothing waits for one. A worker drains the rows: it reads the PRESENT state of what they name, writes it, and takes
away exactly the rows that it saw. It may die anywhere and be repeated, and two may run at once: what is written says by
itself which of two states is the later one (`matching.services.profile_index`), or is named by its content (clauses).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from django.conf import settings
from django.db import connection

from matching.backends import patience
from matching.models import PendingIndexWrite

logger = logging.getLogger(__name__)

PROFILES, CLAUSES = "profiles", "clauses"
_PIECE = 1000
_SECONDS = 60.0
"""How long a request of a worker that writes may take."""

Write = Callable[[Sequence[int]], None]
"""Brings the index to the present state of these objects; raises BackendUnavailable where the server is away."""


def in_use() -> bool:
    """Whether the settings ask for Elasticsearch."""
    return bool(settings.HUIDA_MATCHER == "elasticsearch")


def note(*, kind: str, ids: Iterable[int]) -> None:
    """Say that these objects changed, in the caller's transaction. Asks no server, and fails only with the database."""
    PendingIndexWrite.objects.bulk_create([PendingIndexWrite(kind=kind, object_id=pk) for pk in ids], batch_size=5000)


def note_all_profiles() -> None:
    """Say that every profile has to be written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO matching_pendingindexwrite (kind, object_id) "
            "SELECT %s, enterprise_id FROM matching_profile ORDER BY enterprise_id",
            [PROFILES],
        )


def pending_ids(*, kind: str) -> list[int]:
    """Which objects are still to be written, each once, ascending."""
    rows = PendingIndexWrite.objects.filter(kind=kind).order_by("object_id").values_list("object_id", flat=True)
    return list(rows.distinct())


def pending_count() -> int:
    """How many writes wait."""
    return PendingIndexWrite.objects.count()


def drain(*, kind: str, write: Write, most: int | None = None) -> int:
    """Settle pending writes of a kind, the longest waiting first, about ``most`` at most; returns how many.

    Raises BackendUnavailable where the server is away: what was not written stays pending.
    """
    settled = 0
    while most is None or settled < most:
        rows = PendingIndexWrite.objects.filter(kind=kind).order_by("pk").values_list("pk", "object_id")
        seen = list(rows[:_PIECE])
        if not seen:
            break
        with patience.unhurried(_SECONDS):
            write(sorted({object_id for _, object_id in seen}))
        PendingIndexWrite.objects.filter(pk__in=[pk for pk, _ in seen]).delete()
        settled += len(seen)
    return settled
