"""What a worker is woken up for. Each task takes nothing or ids, may run twice, and leaves the same state."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from matching.days import day_of
from matching.registry import outbox, workers
from matching.services import match_profiles, reindex, run_chunks, run_planning, runs

_BATCH = 1000
_MOST_WOKEN = 500


@shared_task(name="matching.deliver_outbox")
def deliver_outbox() -> int:
    """Deliver every message that is due; returns how many succeeded. Does nothing inside a delivery."""
    total = 0
    while True:
        now = timezone.now()
        done = outbox.deliver(now=now, limit=_BATCH)
        total += done
        if done < _BATCH:
            return total


@shared_task(name="matching.match_nightly")
def match_nightly() -> int:
    """Match everything as of today (Asia/Shanghai); returns how many pushes that made."""
    now = timezone.now()
    return match_profiles.match_nightly(as_of=day_of(now), now=now).pushed


@shared_task(name="matching.mend_index")
def mend_index() -> int:
    """Bring Elasticsearch's indices to the database; returns how many rows they lacked or had too many."""
    mended = reindex.mend_indices()
    reindex.write_pending()
    return mended


@shared_task(name="matching.write_index")
def write_index() -> int:
    """Write what waits for Elasticsearch's indices; returns how many writes were settled."""
    return reindex.write_pending()


@shared_task(name="matching.plan_run")
def plan_run(run_id: int) -> bool:
    """Find a run's candidates and store its chunks, each of which wakes a worker."""
    return run_planning.plan(run_id=run_id, now=timezone.now(), on_chunk=lambda: _ask(work_on_run, run_id))


@shared_task(name="matching.work_on_run")
def work_on_run(run_id: int) -> bool:
    """Do one chunk of a run, whichever nobody has in hand; False where there was none.

    One and not all, so that what else waits for a worker gets its turn between two chunks.
    """
    return run_chunks.work_on_next(run_id=run_id, now=timezone.now())


@shared_task(name="matching.resume_runs")
def resume_runs() -> int:
    """Go on with every run that is not over: what a killed worker or a broker without memory left behind. Returns how
    many runs that are."""
    now = timezone.now()
    unfinished = runs.unfinished(now=now)
    for run in unfinished:
        runs.settle(run_id=run.pk, now=now)
        _ask(plan_run, run.pk)
        for _ in range(min(runs.waiting_chunks(run_id=run.pk, now=now), _MOST_WOKEN)):
            _ask(work_on_run, run.pk)
    return len(unfinished)


def wake_run(run_id: int) -> None:
    """Ask a worker to begin or go on with a run."""
    _ask(plan_run, run_id)
    for _ in range(min(runs.waiting_chunks(run_id=run_id, now=timezone.now()), _MOST_WOKEN)):
        _ask(work_on_run, run_id)


def _ask(task: Any, run_id: int) -> None:
    # After five minutes the schedule has asked again.
    workers.give(task, run_id, expires=300)


def wake() -> None:
    """Ask a worker to deliver, without waiting for a broker that is away: the schedule asks again every minute."""
    if not outbox.is_delivering():
        workers.give(deliver_outbox)


def wake_writer() -> None:
    """Ask a worker to write the indices, without waiting for a broker that is away: the schedule asks again."""
    workers.give(write_index)
