"""What the launcher's children do with pushes: a district and two versions, a worker, a picture of what stands."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from matching.models import Match, MatchChange, MatchRun, Push
from matching.models.run import EVERYONE_BEYOND
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from matching.services import run_chunks, run_planning, runs
from portal.inbox.models import Notification
from tests.factories import matching as make

ENTERPRISES = 24
LATER = make.NOW + timedelta(hours=1)


def build_district() -> None:
    """Enterprises of 0 to 23 staff; the item's first version was told, the second is published and not told yet."""
    with outbox.quiet():
        for staff in range(ENTERPRISES):
            make.enterprise(f"企业{staff:02d}", insured_staff=staff)
        outbox.deliver(now=make.NOW)
        make.published({"fact": "insured_staff", "gte": 4, "lte": 15}, code="item")
        outbox.deliver(now=make.NOW)
        make.published({"fact": "insured_staff", "gte": 10}, code="item", now=LATER)


def worker() -> None:
    """What a worker does that comes upon whatever stands: begin, plan, work, tell."""
    run_planning.CHUNK = 5
    with outbox.quiet():
        for message in OutboxMessage.objects.filter(delivered_at=None, topic="policy.version_published"):
            # As the receiver does where workers share a run; here it would do all of it within the delivery.
            begun = runs.begin(
                version_id=message.payload["version_id"],
                as_of=make.TODAY,
                now=LATER,
                occasion=f"outbox:{message.pk}",
            )
            assert begun is not None
            OutboxMessage.objects.filter(pk=message.pk).update(delivered_at=LATER)
        for run in runs.unfinished(now=LATER):
            run_planning.plan(run_id=run.pk, now=LATER)
            while run_chunks.work_on_next(run_id=run.pk, now=LATER):
                pass
        outbox.deliver(now=LATER)


def push_picture() -> dict[str, Any]:
    """What must come out the same however often the way there was interrupted; ids apart, for sequences have gaps."""
    run = MatchRun.objects.get(version__number=2)
    chunks = list(run.chunks.order_by("first").values_list("first", "last", "state"))
    told = [pk for event in OutboxMessage.objects.filter(topic="push.created") for pk in event.payload["push_ids"]]
    return {
        "run": [run.state, run.enterprises, run.fitting, run.pushed, run.newly_in, run.fell_out, run.error],
        "covers": chunks[0][0] == 1
        and chunks[-1][1] == EVERYONE_BEYOND
        and all(before[1] + 1 == after[0] for before, after in pairwise(chunks))
        and {chunk[2] for chunk in chunks} == {"done"},
        "matches": sorted(map(list, Match.objects.values_list("version__number", "enterprise__name", "verdict"))),
        "pushes": sorted(map(list, Push.objects.values_list("version__number", "enterprise__name", "verdict"))),
        "changes": sorted(map(list, MatchChange.objects.values_list("enterprise__name", "was", "now"))),
        "events": sorted(told) == sorted(Push.objects.values_list("pk", flat=True)),
        "notifications": sorted(map(list, Notification.objects.values_list("enterprise__name", "title"))),
        "waiting": OutboxMessage.objects.filter(delivered_at=None).count(),
    }
