"""Runs: a version matched with every enterprise, begun once, shared out in chunks, and over when all are done.

    begin → (planning: candidates are walked, chunks stored) → running: the last chunk is stored → done
    a newer version or a withdrawal → superseded;  a chunk or the planning that keeps failing → failed → (retry) …

The database knows everything that is to be done: workers take what waits, and a schedule finds what nobody took.
How chunks and changing profiles keep out of each other's way stands in `matching.locks`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Max, Q, Sum

from matching.models import ChunkState, MatchChunk, MatchRun, PolicyItem, PolicyVersion, Profile, RunCause, RunState
from matching.models.run import ALIVE, NUMBERS
from matching.registry import outbox

MOST_ATTEMPTS = 6
FIRST_RETRY = timedelta(seconds=10)

_wakers: list[Callable[[int], None]] = []


def on_wanted(waker: Callable[[int], None]) -> Callable[[int], None]:
    """Register `waker(run_id)`, called after the commit that begins a run or tries it again. It may be lost."""
    if waker not in _wakers:
        _wakers.append(waker)
    return waker


@transaction.atomic
def begin(*, version_id: int, as_of: date, now: datetime, occasion: str | None = None) -> MatchRun | None:
    """Begin to match a version with every enterprise. `as_of` is a day in Asia/Shanghai.

    Runs of the item that are under way are superseded. None where the version is not in force or not listed; the run
    that there is where `occasion` began one before.
    """
    item = PolicyItem.objects.select_for_update(no_key=True).get(versions=version_id)
    if occasion and (begun := MatchRun.objects.filter(occasion=occasion).first()):
        return begun
    if not item.is_listed or item.current_version_id != version_id:
        return None
    version = PolicyVersion.objects.get(pk=version_id)
    supersede(item_id=item.pk, now=now)
    again = MatchRun.objects.filter(version=version).exists()
    older = PolicyVersion.objects.filter(item=item, number__lt=version.number).order_by("-number")
    run = MatchRun.objects.create(
        item=item,
        version=version,
        # Against itself a version that is listed again has nobody new.
        replaced=None if again else older.first(),
        cause=RunCause.RELISTED if again else RunCause.PUBLISHED,
        occasion=occasion,
        as_of=as_of,
        population=Profile.objects.count(),
        highest=Profile.objects.aggregate(highest=Max("pk"))["highest"] or 0,
        created_at=now,
        due_at=now,
    )
    transaction.on_commit(partial(_wake, run.pk), robust=True)
    return run


def supersede(*, item_id: int, now: datetime) -> int:
    """End the runs of an item that are under way: a newer version or a withdrawal has made them void."""
    return MatchRun.objects.filter(item=item_id, state__in=ALIVE).update(state=RunState.SUPERSEDED, finished_at=now)


def is_void(run: MatchRun) -> bool:
    """Whether the run's version is no longer in force or listed, by the row as it is committed now."""
    return not PolicyItem.objects.filter(pk=run.item_id, is_listed=True, current_version=run.version_id).exists()


@transaction.atomic
def settle(*, run_id: int, now: datetime) -> RunState:
    """End a run whose chunks are all planned and tried: done, or failed where one kept failing; returns its state."""
    run = MatchRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.state != RunState.RUNNING:
        return RunState(run.state)
    chunks = run.chunks.order_by()
    if chunks.filter(state=ChunkState.PENDING).exists():
        return RunState.RUNNING
    failed = chunks.filter(state=ChunkState.FAILED).order_by("first").first()
    for name, number in numbers_of(run).items():
        setattr(run, name, number)
    run.state = RunState.DONE if failed is None else RunState.FAILED
    run.error = "" if failed is None else failed.error
    run.finished_at = now
    run.save(update_fields=[*NUMBERS, "state", "error", "finished_at"])
    return RunState(run.state)


def numbers_of(run: MatchRun) -> dict[str, int]:
    """What the run's chunks have done so far."""
    sums = MatchChunk.objects.filter(run=run, state=ChunkState.DONE).aggregate(**{name: Sum(name) for name in NUMBERS})
    return {name: number or 0 for name, number in sums.items()}


@transaction.atomic
def retry(*, run_id: int, now: datetime) -> bool:
    """Try again what failed, with all its attempts; False where nothing failed or the version is no longer in force."""
    # The item first, as `begin` does.
    run = MatchRun.objects.get(pk=run_id)
    PolicyItem.objects.select_for_update(no_key=True).get(pk=run.item_id)
    run = MatchRun.objects.select_for_update(no_key=True).get(pk=run_id)
    waiting = run.is_alive and (run.error or run.chunks.filter(state=ChunkState.PENDING, attempts__gt=0).exists())
    if not (run.state == RunState.FAILED or waiting):
        return False
    if is_void(run) or MatchRun.objects.filter(item=run.item_id, state__in=ALIVE).exclude(pk=run.pk).exists():
        if run.state == RunState.FAILED:
            MatchRun.objects.filter(pk=run.pk).update(state=RunState.SUPERSEDED)
        return False
    run.chunks.filter(Q(state=ChunkState.FAILED) | Q(state=ChunkState.PENDING, attempts__gt=0)).update(
        state=ChunkState.PENDING, attempts=0, due_at=now, error=""
    )
    run.state = RunState.PLANNING if run.planned_at is None else RunState.RUNNING
    run.attempts, run.due_at, run.error, run.finished_at = 0, now, "", None
    run.save(update_fields=["state", "attempts", "due_at", "error", "finished_at"])
    transaction.on_commit(partial(_wake, run.pk), robust=True)
    return True


def unfinished(*, now: datetime) -> list[MatchRun]:
    """The runs under way for which there may be something to do now, the oldest first."""
    return list(MatchRun.objects.filter(state__in=ALIVE, due_at__lte=now).order_by("pk"))


def waiting_chunks(*, run_id: int, now: datetime) -> int:
    """How many chunks of a run may be taken now (some may be in hand)."""
    return MatchChunk.objects.filter(run=run_id, state=ChunkState.PENDING, due_at__lte=now).count()


def next_try(*, attempts: int, now: datetime) -> datetime:
    return now + FIRST_RETRY * (1 << min(attempts - 1, 8))


def _wake(run_id: int) -> None:
    if outbox.is_quiet():
        return
    for waker in _wakers:
        waker(run_id)
