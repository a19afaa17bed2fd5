"""A node of three is killed while the index is built anew: people are answered throughout, and it ends in equality."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from matching.backends.elastic import client
from matching.backends.elastic.indices import ClauseIndex
from matching.services import reindex
from tests.cluster import district
from tests.cluster.nodes import Cluster, Node, until
from tests.cluster.processes import environment, manage
from tests.cluster.traffic import WHOLE, Matching, Traffic, tell

pytestmark = [
    pytest.mark.elasticsearch,
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="needs PostgreSQL"),
]
ITEMS = 20_000 if WHOLE else 800
WITHIN = 15.0  # seconds; a question is given up after 5, then the embedded engine is filled and answers


def killed_while_rebuilding(cluster: Cluster, victim: str, log: Path) -> tuple[int, Node]:
    """Runs the command until it ends well, kills the victim while it writes; how often it had to be run."""
    before = set(ClauseIndex().names())
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "reindex"], cwd=settings.BASE_DIR, env=environment(), stdout=out, stderr=out
        )
    node: Node | None = None
    try:

        def is_writing() -> bool:
            assert process.poll() is None, log.read_text()
            return bool(set(ClauseIndex().names()) - before)

        until(is_writing, seconds=120, what="a new index")
        [new] = set(ClauseIndex().names()) - before
        node = cluster.master() if victim == "master" else cluster.holder_of(new)
        node.kill()
        code = process.wait(300)
    finally:
        process.kill()
        process.wait()
    assert node is not None
    runs = 1
    while code != 0:
        assert code == 2, log.read_text()
        assert runs < 6, log.read_text()
        again = manage("reindex")
        code, runs = again.returncode, runs + 1
        log.write_text(again.stdout + again.stderr)
    return runs, node


@pytest.mark.parametrize("victim", ["master", "holder"])
def test_a_node_killed_during_a_reindex_costs_no_answer_and_no_row(
    cluster: Cluster, victim: str, tmp_path: Path
) -> None:
    district.settle()
    district.list_items(ITEMS)
    client.delete_indices()
    assert manage("reindex").returncode == 0
    cluster.whole()
    policies = list(reindex.listed_policies())
    traffic = Traffic({"match": Matching(policies), "match elsewhere": Matching(policies, seed=78)})
    with traffic.flowing():
        traffic.wait_for(3)
        runs, node = killed_while_rebuilding(cluster, victim, tmp_path / "reindex.log")
        traffic.wait_for(3)
        checked = manage("reindex", "--check")
        assert checked.returncode == 0, checked.stderr
        node.start()
        cluster.whole()
        traffic.wait_for(3)
    longest = traffic.judge(within=WITHIN)
    assert not reindex.check_index()
    tell(f"{victim} killed: {ITEMS} items, {runs} runs of reindex, {len(traffic.told)} answers, longest {longest}")
