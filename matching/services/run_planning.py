"""Planning a run: its candidates are walked in the order of their ids and stored as chunks, one after the other.

A planner that dies is followed by another, which goes on after the last stored chunk; of two at once the one whose
place was taken leaves. Together the chunks cover every id there can be, so that no row is out of their reach.
"""

from __future__ import annotations

import heapq
import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import chain, groupby

from django.conf import settings
from django.db import transaction

from matching import locks
from matching.backends.base import BackendUnavailable, Listed
from matching.chunks import chunks
from matching.models import Match, MatchChunk, MatchRun, PolicyVersion, Profile, RunState
from matching.models.run import EVERYONE_BEYOND
from matching.services import runs
from matching.services.comparing import is_within
from matching.services.listed import readable
from matching.services.matches import NEAR
from matching.services.vocabulary import current_vocabulary

logger = logging.getLogger(__name__)

CHUNK = 2000
"""Pairs judged in one transaction."""

# The last id of a chunk, and its candidates; None where everybody up to there is one.
_Page = tuple[int, list[int] | None]


def plan(*, run_id: int, now: datetime, on_chunk: Callable[[], None] | None = None) -> bool:
    """Store the chunks of a run that are not stored yet; `on_chunk` is called after each. False where it failed: that
    is kept with the run and tried again later, or the run has failed where it was tried too often."""
    try:
        carry_out(run_id=run_id, now=now, on_chunk=on_chunk)
    except Exception:  # whatever it was, it must be seen on the run's page, and others go on
        logger.exception("match run %s could not be planned", run_id)
        _failed(run_id, error=traceback.format_exc()[-4000:], now=now)
        return False
    runs.settle(run_id=run_id, now=now)
    return True


def carry_out(*, run_id: int, now: datetime, on_chunk: Callable[[], None] | None = None) -> None:
    """As `plan`; raises what goes wrong."""
    run = MatchRun.objects.select_related("version__item").get(pk=run_id)
    if run.state != RunState.PLANNING:
        return
    with transaction.atomic():
        locks.matching_alone()  # the barrier: who matched before it is over, who matches after it sees the version
    if runs.is_void(run):
        runs.supersede(item_id=run.item_id, now=now)
        return
    after = run.planned_to
    pages = _pages(run)
    page: _Page | None = next(pages, (EVERYONE_BEYOND, []))
    while page is not None:
        following = next(pages, None)
        # Beyond the last candidate nobody comes up, but somebody's row may have to be looked at.
        last = page[0] if following else EVERYONE_BEYOND
        if not _store(run_id, after=after, last=last, candidates=page[1], now=now):
            return
        if on_chunk:
            on_chunk()
        after, page = last, following


def is_open(*, version: PolicyVersion, day: date) -> bool:
    """Whether applications may be made on `day` (Asia/Shanghai)."""
    return is_within(window=(version.window_from, version.window_until), day=day)


def _store(run_id: int, *, after: int, last: int, candidates: list[int] | None, now: datetime) -> bool:
    """Store the chunk that follows `after`; False where the run has ended, or another planner was there first."""
    with transaction.atomic():
        run = MatchRun.objects.select_for_update(no_key=True).get(pk=run_id)
        if run.state != RunState.PLANNING or run.planned_to != after:
            return False
        MatchChunk.objects.create(run=run, first=after + 1, last=last, candidates=candidates, due_at=now)
        run.planned_to, run.attempts, run.error = last, 0, ""
        run.by_index = run.by_index or bool(candidates)
        if last == EVERYONE_BEYOND:
            run.state, run.planned_at = RunState.RUNNING, now
        run.save(update_fields=["planned_to", "attempts", "error", "by_index", "state", "planned_at"])
    return True


def _pages(run: MatchRun) -> Iterator[_Page]:
    vocabulary = current_vocabulary()
    listed = readable(version_id=run.version_id, rules=run.version.rules, vocabulary=vocabulary)
    after = run.planned_to
    if listed is None or not is_open(version=run.version, day=run.as_of):
        yield from _candidates(iter(()), run, after)  # nobody comes up; who did is looked at
        return
    if settings.HUIDA_MATCHER == "elasticsearch":
        try:
            for page in _candidates(_walk(listed, run.as_of, after), run, after):
                yield page
                after = page[0]
        except BackendUnavailable as error:
            logger.warning("match run %s goes on without the profile index after %s: %s", run.pk, after, error)
        else:
            return
    yield from _everybody(after)


def _walk(listed: Listed, as_of: date, after: int) -> Iterator[int]:
    from matching.services import candidates

    pages = candidates.walk(policy=listed, as_of=as_of, near=NEAR, after=after, size=CHUNK)
    return chain.from_iterable(pages)


def _candidates(found: Iterator[int], run: MatchRun, after: int) -> Iterator[_Page]:
    """Who was found, and who has a row of the item now, each once."""
    both = heapq.merge(found, _stored(run.item_id, after))
    for ids in chunks((pk for pk, _ in groupby(both)), CHUNK):
        yield ids[-1], ids


def _stored(item_id: int, after: int) -> Iterator[int]:
    rows = Match.objects.filter(version__item=item_id).order_by("enterprise_id").values_list("enterprise_id", flat=True)
    while ids := list(rows.filter(enterprise_id__gt=after)[: CHUNK * 5]):
        yield from ids
        after = ids[-1]


def _everybody(after: int) -> Iterator[_Page]:
    rows = Profile.objects.order_by("pk").values_list("pk", flat=True)
    while ids := list(rows.filter(pk__gt=after)[:CHUNK]):
        after = ids[-1]
        yield after, None


@transaction.atomic
def _failed(run_id: int, *, error: str, now: datetime) -> None:
    run = MatchRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.state != RunState.PLANNING:
        return
    run.attempts += 1
    run.error, run.due_at = error, runs.next_try(attempts=run.attempts, now=now)
    if run.attempts >= runs.MOST_ATTEMPTS:
        run.state, run.finished_at = RunState.FAILED, now
    run.save(update_fields=["attempts", "error", "due_at", "state", "finished_at"])
