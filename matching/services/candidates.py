"""A policy finds its enterprises through the index of profiles: who may come up.

The index proposes, `criteria.evaluate` decides: where a filter cannot say all that the criteria say it lets through too
much, never too little. What the index has not been told yet is a candidate too, so that nobody is missed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, groupby

from matching.backends.base import BackendUnavailable, Listed
from matching.backends.elastic.aliases import MissingIndex
from matching.backends.elastic.profiles.index import ProfileIndex
from matching.backends.elastic.profiles.queries import PolicyFilter
from matching.chunks import chunks
from matching.models import Profile
from matching.registry.models import OutboxMessage
from matching.services import indexing
from matching.services.profile_kind import ProfileKind
from matching.services.profile_readings import Reading, current_reading

_AT_ONCE = 5000
"""As many pending writes are settled before a question; of more the rest are candidates."""
_PAGE = 5000


@dataclass(frozen=True, slots=True)
class _Ready:
    """An index with which one question can be answered: ``pending`` it may know nothing of, ascending."""

    index: ProfileIndex
    reading: Reading
    pending: list[int]

    def filter(self, policy: Listed, as_of: date) -> PolicyFilter:
        return PolicyFilter(policy.criteria, as_of=as_of, figures=self.reading.figures)


def walk(*, policy: Listed, as_of: date, near: int, after: int = 0, size: int = 2000) -> Iterator[list[int]]:
    """The ids of enterprises above ``after`` that may be eligible, undetermined, or ineligible with at most ``near``
    unmet conditions, ascending, in lists of ``size`` (the last is shorter), each id once.

    None is missing; some may turn out not to come up, or to have no profile any longer. A walk that broke off goes on
    with ``after`` the last id it gave. Raises BackendUnavailable where the server is away.
    """
    ready = _ready()
    yield from _candidates(ready, ready.filter(policy, as_of), near=near, after=after, size=size)


def _candidates(ready: _Ready, asked: PolicyFilter, *, near: int, after: int, size: int) -> Iterator[list[int]]:
    found = ready.index.walk(asked.coming_up(near=near), after=after, size=max(size, _PAGE))
    late = (pk for pk in ready.pending if pk > after)
    merged = heapq.merge(chain.from_iterable(found), late)
    return chunks((pk for pk, _ in groupby(merged)), size)


def _ready() -> _Ready:
    """An index that is behind in nothing but what is pending. Raises BackendUnavailable."""
    if not indexing.in_use():
        raise BackendUnavailable("设置 HUIDA_MATCHER 没有选用 elasticsearch，企业画像索引未启用")
    kind = ProfileKind()
    indexing.drain(kind=kind, most=_AT_ONCE)
    try:
        ready = _look()
        whole = abs(Profile.objects.count() - ready.index.total()) <= len(ready.pending)
    except MissingIndex:
        whole = False
    if not whole:
        # Documents were lost, or are too many: what differs becomes pending.
        kind.mend()
        indexing.drain(kind=kind, most=_AT_ONCE)
        ready = _look()
    return ready


def _look() -> _Ready:
    # First what is pending, then the refresh: what another process takes away from the one shows in the other.
    reading = current_reading()
    pending = sorted({*indexing.pending_ids(kind=indexing.PROFILES), *_announced()})
    index = ProfileIndex()
    index.refresh()
    return _Ready(index, reading, pending)


def _announced() -> Iterator[int]:
    """Enterprises whose change waits in the outbox, and is not even pending yet."""
    waiting = OutboxMessage.objects.filter(delivered_at__isnull=True, topic="enterprise.facts_changed")
    return waiting.values_list("payload__enterprise_id", flat=True).iterator(chunk_size=10_000)
