"""What a worker is woken up for. Each task takes nothing or ids, may run twice, and leaves the same state."""

from celery import shared_task
from django.utils import timezone

from matching.days import day_of
from matching.registry import outbox
from matching.services import match_profiles, reindex

_BATCH = 1000


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
    """Bring Elasticsearch's index to what is listed; returns how many rows it lacked or had too many."""
    found = reindex.mend_index()
    return 0 if found is None else len(found.lacking) + len(found.surplus)


def wake() -> None:
    """Ask a worker to deliver, without waiting for a broker that is away: the schedule asks again every minute."""
    if not outbox.is_delivering():
        deliver_outbox.apply_async(retry=False)
