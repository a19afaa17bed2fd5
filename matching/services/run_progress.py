"""How far a run is: its share, pace and time left, what failed, and how enterprises changed sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from matching.models import ChunkState, MatchChange, MatchChunk, MatchRun, RunState
from matching.models.run import FITTING, NUMBERS

STALLED = timedelta(minutes=5)
"""A run under way of which nothing was heard for so long is shown as waiting for a worker."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A chunk that could not be done: how often it was tried, when it is tried again (None: not by itself), and the
    last line of the reason."""

    chunk: MatchChunk
    attempts: int
    next_try: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at one moment. `percent` is of the enterprises' ids gone through; `pace` are enterprises judged a second
    and `telling` pushes a second (0 before there is any); `left` is None where it cannot be said."""

    run: MatchRun
    percent: int
    numbers: dict[str, int]
    chunks: int
    chunks_done: int
    elapsed: timedelta
    pace: float
    telling: float
    left: timedelta | None
    stalled: bool
    troubles: tuple[Trouble, ...]

    @property
    def can_retry(self) -> bool:
        return self.run.state == RunState.FAILED or (self.run.is_alive and bool(self.troubles or self.run.error))

    @property
    def elapsed_told(self) -> str:
        return spoken(self.elapsed)

    @property
    def left_told(self) -> str:
        return "" if self.left is None else spoken(self.left)

    @property
    def reason(self) -> str:
        """Why the run, or its planning, failed: the last line of what was noted."""
        return last_line(self.run.error)


def progress_of(*, run: MatchRun, now: datetime) -> Progress:
    """`now` is aware. A bounded number of queries, whatever the number of chunks."""
    return progress_of_many(runs=[run], now=now)[0]


def progress_of_many(*, runs: Sequence[MatchRun], now: datetime) -> list[Progress]:
    """As `progress_of`, for a page of runs."""
    done = Q(state=ChunkState.DONE)
    inside = Least(F("last"), F("run__highest")) - F("first") + 1
    rows = MatchChunk.objects.filter(run__in=runs).order_by().values("run")
    told: dict[int, dict[str, Any]] = {
        row["run"]: dict(row)
        for row in rows.annotate(
            count=Count("pk"),
            done=Count("pk", filter=done),
            latest=Max("done_at"),
            gone_through=Sum(inside, filter=done & Q(first__lte=F("run__highest"))),
            **{f"sum_{name}": Sum(name, filter=done) for name in NUMBERS},
        )
    }
    troubles: dict[int, list[Trouble]] = {}
    # The first attempt at a chunk, while it is in hand, is no trouble: it has no reason yet.
    for chunk in MatchChunk.objects.filter(run__in=runs).exclude(done).exclude(error="").order_by("first")[:200]:
        again = chunk.due_at if chunk.state == ChunkState.PENDING else None
        trouble = Trouble(chunk, chunk.attempts, again, last_line(chunk.error))
        troubles.setdefault(chunk.run_id, []).append(trouble)
    return [_progress(run, told.get(run.pk, {}), tuple(troubles.get(run.pk, ())), now) for run in runs]


def changes_of(*, run: MatchRun, newly_in: bool) -> QuerySet[MatchChange]:
    """Who is newly in, or who fell out, by name."""
    changes = MatchChange.objects.filter(run=run).select_related("enterprise")
    chosen = changes.filter(now__in=FITTING) if newly_in else changes.exclude(now__in=FITTING)
    return chosen.order_by("enterprise__name", "pk")


def changes_as_rows(*, run: MatchRun) -> Iterator[tuple[str, str, str, str, str, str, str]]:
    """Each change as text: credit code, name, in or out, was, now, condition, reason. Streamed."""
    for newly_in in (True, False):
        for change in changes_of(run=run, newly_in=newly_in).iterator(chunk_size=2000):
            yield (
                change.enterprise.credit_code,
                change.enterprise.name,
                "新增符合" if newly_in else "不再符合",
                change.get_was_display(),
                change.get_now_display(),
                change.leaf,
                change.reason,
            )


def spoken(span: timedelta) -> str:
    """A span of time in two units at most: 1 小时 5 分, 3 分 20 秒, 32 秒."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s 小时 %(minutes)s 分") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s 分 %(seconds)s 秒") % {"minutes": minutes, "seconds": seconds}
    return _("%(seconds)s 秒") % {"seconds": seconds}


def last_line(error: str) -> str:
    return error.strip().rpartition("\n")[2][:300]


def _progress(run: MatchRun, told: dict[str, Any], troubles: tuple[Trouble, ...], now: datetime) -> Progress:
    finished = run.state == RunState.DONE
    heard_at = max(told.get("latest") or run.created_at, run.created_at)
    numbers = {name: getattr(run, name) if finished else (told.get(f"sum_{name}") or 0) for name in NUMBERS}
    gone_through = told.get("gone_through") or 0
    share = 1.0 if finished else min(gone_through / run.highest, 1.0) if run.highest else 0.0
    elapsed = (run.finished_at or now) - run.created_at
    seconds = elapsed.total_seconds()
    left = timedelta(seconds=round(seconds * (1 - share) / share)) if run.is_alive and share > 0 else None
    return Progress(
        run=run,
        percent=int(share * 100),
        numbers=numbers,
        chunks=told.get("count", 0),
        chunks_done=told.get("done", 0),
        elapsed=timedelta(seconds=round(seconds)),
        pace=numbers["enterprises"] / seconds if seconds > 0 else 0.0,
        telling=numbers["pushed"] / seconds if seconds > 0 else 0.0,
        left=left,
        stalled=run.is_alive and now - heard_at > STALLED,
        troubles=troubles,
    )
