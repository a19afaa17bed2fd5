"""What is still to be told to the search index, where the settings ask for one."""

from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from matching.models import PendingIndexWrite
from matching.services import indexing

KIND = "items"
Wake = Callable[[], None]
_writers: list[Wake] = []
_menders: list[Wake] = []


def wake_with(*, writer: Wake, mender: Wake) -> None:
    """Names who wakes up a worker: one that writes what is pending, one that compares the whole index."""
    _writers[:] = [writer]
    _menders[:] = [mender]


def in_use() -> bool:
    """Whether the settings ask for it."""
    return bool(settings.HUIDA_SEARCH == "elasticsearch")


def note(*, page_id: int) -> None:
    """Say, in the caller's transaction, that a row was changed or taken away. Asks no server."""
    if in_use():
        indexing.note(kind=KIND, ids=[page_id])
        for wake in _writers:
            transaction.on_commit(wake, robust=True)


def ask_for_mending() -> None:
    """Have somebody look through the index, without waiting for it."""
    for wake in _menders:
        wake()


def pending_count() -> int:
    """How many writes the index has still to be told."""
    return PendingIndexWrite.objects.filter(kind=KIND).count()
