"""What changes reaches the search server in order, however long that was away.

A change writes a row for what it changed (`PendingIndexWrite`), in a transaction of the database; no server is asked,
so nothing waits for one. A worker drains the rows: it reads the PRESENT state of what they name, writes it, and takes
away exactly the rows that it saw. It may die anywhere and be repeated, and two may run at once: what is written says by
itself which of two states is the later one (`matching.services.profile_kind`), or is named by its content (clauses).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from matching.backends import patience
from matching.backends.elastic.aliases import MissingIndex
from matching.backends.elastic.client import probe
from matching.models import PendingIndexWrite
from matching.services.index_kinds import IndexKind

PROFILES, CLAUSES = "profiles", "clauses"
_PIECE = 1000
_TRIES = 3
_LATE = timedelta(minutes=5)
_SECONDS = 60.0
"""How long a request of a worker that writes may take."""


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


def trouble(*, now: datetime) -> str:
    """What waits for the server longer than it should; empty where nothing does."""
    waiting = PendingIndexWrite.objects.filter(noted_at__lt=now - _LATE)
    if not in_use() or not waiting.exists():
        return ""
    return _("%(count)s 项变更等待写入索引已超过 %(minutes)s 分钟") % {
        "count": pending_count(),
        "minutes": _LATE.seconds // 60,
    }


def drain(*, kind: IndexKind, most: int | None = None) -> int:
    """Settle pending writes of a kind, the longest waiting first, about ``most`` at most; returns how many.

    Workers that drain at the same time share the work: each passes over what another has in hand. Raises
    BackendUnavailable where the server is away: what was not written stays pending.
    """
    probe()  # in a second, and outside of any transaction: a server that hangs is not waited for with rows locked
    settled = missing = 0
    while most is None or settled < most:
        try:
            done = _drain_piece(kind)
        except MissingIndex:
            missing += 1
            if missing == _TRIES:
                raise
            # Outside of the piece's transaction: whoever dies here, or on the way, leaves nothing unsaid.
            kind.mend()
            continue
        if done == 0:
            break
        settled += done
    return settled


def _drain_piece(kind: IndexKind) -> int:
    """A piece, in a transaction where rows can be shared out; elsewhere two may do the same work, to the same end."""
    rows = PendingIndexWrite.objects.filter(kind=kind.name).order_by("pk")
    if not connection.features.has_select_for_update_skip_locked:
        return _settle(kind, list(rows[:_PIECE].values_list("pk", "object_id")))
    with transaction.atomic():
        locked = rows.select_for_update(skip_locked=True)[:_PIECE]
        return _settle(kind, list(locked.values_list("pk", "object_id")))


def _settle(kind: IndexKind, seen: list[tuple[int, int]]) -> int:
    if seen:
        with patience.unhurried(_SECONDS):
            kind.write(sorted({object_id for _, object_id in seen}))
        PendingIndexWrite.objects.filter(pk__in=[pk for pk, _ in seen]).delete()
    return len(seen)
