"""The indices and the database: written, mended, or built anew, whatever kinds there are."""

from __future__ import annotations

import logging
from datetime import datetime

from matching.backends import patience
from matching.backends.base import BackendUnavailable
from matching.backends.elastic.client import probe
from matching.services import indexing
from matching.services.clause_index import listed_policies
from matching.services.index_kinds import Built, Progress, kind_named, kinds

__all__ = ["listed_policies", "mend_indices", "rebuild_index", "write_pending"]

logger = logging.getLogger(__name__)

_SECONDS = 60.0  # that a request of whoever writes or mends an index may take


def _ignored(done: int, total: int) -> None:
    """Nobody looks."""


def rebuild_index(*, only: str, now: datetime, on_progress: Progress = _ignored) -> Built:
    """Build the index of a kind anew, verify it and put it into service; go on with a rebuild that was stopped.

    Raises LookupError, BackendUnavailable, and RebuildFailed where the new index is not what was written.
    """
    with patience.unhurried(_SECONDS):
        return kind_named(only).rebuild(now=now, on_progress=on_progress)


def mend_indices() -> int:
    """Bring every index that the settings ask for to the database; returns how many rows differed. Where the server is
    away nothing is lost: the embedded engines stand in, and the next run mends."""
    mended = 0
    for kind in kinds():
        if kind.in_use:
            try:
                probe()
                with patience.unhurried(_SECONDS):
                    mended += kind.mend()
            except BackendUnavailable as error:
                logger.warning("the index %s could not be mended: %s", kind.name, error)
    return mended


def write_pending() -> int:
    """Settle what waits for the indices; returns how many writes. What the server does not take stays waiting."""
    settled = 0
    for kind in kinds():
        if kind.in_use:
            try:
                settled += indexing.drain(kind=kind)
            except BackendUnavailable as error:
                logger.warning("writes of the index %s wait for the server: %s", kind.name, error)
    return settled
