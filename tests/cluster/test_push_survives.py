"""A node of three, and a worker, are killed while an item is told to everybody: nobody is missed or told twice."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from matching.models import Match, MatchChunk, MatchRun, Push, RunState
from matching.registry import outbox
from matching.services import publish, reindex
from tests.cluster import district
from tests.cluster.nodes import Cluster, until
from tests.cluster.processes import worker
from tests.cluster.traffic import WHOLE, Matching, Traffic, tell
from tests.cluster.work import BROKER, Beat, all_is_done, announced, differing
from tests.factories.matching import department

ENTERPRISES = 50_000 if WHOLE else 8_000
ITEMS = 2_000 if WHOLE else 100
WITHIN = 15.0

pytestmark = [
    pytest.mark.elasticsearch,
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="needs PostgreSQL"),
]


def chunks_done() -> int:
    return MatchChunk.objects.filter(state="done").count()


def test_a_node_and_a_worker_killed_during_a_push_miss_nobody_and_tell_nobody_twice(
    cluster: Cluster, tmp_path: Path
) -> None:
    district.settle()
    district.list_items(ITEMS)
    district.register(ENTERPRISES)
    for kind in ("clauses", "profiles"):
        call_command("reindex", "--only", kind, stdout=StringIO())
    cluster.whole()
    traffic = Traffic({"match": Matching(list(reindex.listed_policies()))})
    beat = Beat(rarest=60.0)  # comparing every index each few seconds would leave the workers no time
    with (
        worker(tmp_path / "one.log", BROKER),
        worker(tmp_path / "other.log", BROKER) as doomed,
        beat.beating(every=5.0),
        traffic.flowing(),
    ):
        traffic.wait_for(3)
        with outbox.quiet():
            publish.publish_version(
                item_code="for-everybody",
                name="普惠事项",
                department=department(),
                rules={"criteria": {"all": []}},
                details={},
                words={},
                now=datetime.now(UTC),
            )
        start = time.monotonic()
        beat.wake()
        until(MatchRun.objects.exists, seconds=180, what="a run")
        node = cluster.master()
        node.kill()
        until(chunks_done, seconds=120, what="a chunk that is told")
        doomed.kill()
        died_at = chunks_done()
        traffic.wait_for(3)
        until(
            lambda: not MatchRun.objects.filter(state__in=["planning", "running"]).exists(), seconds=600, what="the end"
        )
        took = time.monotonic() - start
        until(all_is_done, seconds=300, what="everything delivered")
        node.start()
        cluster.whole()
        traffic.wait_for(3)
        until(lambda: not differing(), seconds=120, what="indices that equal the database")
    longest = traffic.judge(within=WITHIN)
    run = MatchRun.objects.get()
    assert run.state == RunState.DONE
    assert run.pushed == Push.objects.count() == ENTERPRISES
    assert Push.objects.values("enterprise").distinct().count() == ENTERPRISES
    assert Match.objects.filter(version=run.version).count() == ENTERPRISES
    assert announced() == sorted(Push.objects.values_list("pk", flat=True))
    tell(
        f"{ENTERPRISES} told in {took:.0f} s, by the index: {run.by_index}; node and worker killed, {died_at} of "
        f"{run.chunks.count()} chunks done by then; {len(traffic.told)} answers meanwhile, longest {longest}"
    )
