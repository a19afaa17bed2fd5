"""A node of three is killed while an index is built anew: people are answered throughout, and it ends in equality."""

from __future__ import annotations

import os
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from matching.backends.elastic.aliases import VersionedIndex
from matching.backends.elastic.indices import ClauseIndex
from matching.backends.elastic.profiles.index import ProfileIndex
from matching.services import reindex
from tests.cluster import district
from tests.cluster.nodes import Cluster, Node, until
from tests.cluster.traffic import WHOLE, Matching, Traffic, tell
from tests.cluster.work import differing
from tests.elastic import delete_indices

pytestmark = [
    pytest.mark.elasticsearch,
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="needs PostgreSQL"),
]
ITEMS, ENTERPRISES = (20_000, 40_000) if WHOLE else (800, 4_000)
WITHIN = 15.0  # seconds; a question is given up after 5, then the embedded engine is filled and answers
MOST_RUNS = 5
CASES = [("clauses", "writer")]
MORE = [("clauses", "master"), ("profiles", "master"), ("profiles", "writer")]


class Rebuilding(threading.Thread):
    """``manage.py reindex --only KIND``, run again until it ends well."""

    def __init__(self, kind: str) -> None:
        super().__init__(daemon=True)
        self.kind = kind
        self.runs = 0
        self.ended_well = False
        self.said: list[str] = []

    def run(self) -> None:
        try:
            while self.runs < MOST_RUNS and not self.ended_well:
                self.runs += 1
                try:
                    call_command("reindex", "--only", self.kind, stdout=StringIO())
                    self.ended_well = True
                except CommandError as error:
                    self.said.append(f"{error.returncode}: {error}")
        finally:
            connection.close()


def killed_while_rebuilding(cluster: Cluster, kind: str, victim: str) -> tuple[Rebuilding, Node]:
    """Has the index built anew, kills a node as soon as there is one to be filled, waits for a good end."""
    index: VersionedIndex = ClauseIndex() if kind == "clauses" else ProfileIndex()
    before = set(index.names())
    rebuilding = Rebuilding(kind)
    rebuilding.start()

    def begun() -> set[str]:
        assert not rebuilding.ended_well, "it ended before a node could be killed"
        return set(index.names()) - before

    [new] = until(begun, seconds=300, what="a new index")
    node = cluster.master() if victim == "master" else cluster.holder_of(new)
    node.kill()
    rebuilding.join(600)
    assert rebuilding.ended_well, rebuilding.said
    return rebuilding, node


@pytest.mark.parametrize(("kind", "victim"), CASES + MORE if WHOLE else CASES)
def test_a_node_killed_during_a_reindex_costs_no_answer_and_no_row(cluster: Cluster, kind: str, victim: str) -> None:
    delete_indices()
    district.settle()
    district.list_items(ITEMS)
    district.register(ENTERPRISES)
    call_command("reindex", stdout=StringIO())
    cluster.whole()
    policies = list(reindex.listed_policies())
    traffic = Traffic({"match": Matching(policies), "match elsewhere": Matching(policies, seed=78)})
    with traffic.flowing():
        traffic.wait_for(3)
        rebuilding, node = killed_while_rebuilding(cluster, kind, victim)
        traffic.wait_for(3)
        assert not differing()
        node.start()
        cluster.whole()
        traffic.wait_for(3)
    longest = traffic.judge(within=WITHIN)
    assert not differing()
    tell(
        f"{kind} of {ITEMS} items and {ENTERPRISES} enterprises, {victim} killed: {rebuilding.runs} runs "
        f"{rebuilding.said}, {len(traffic.told)} answers, longest {longest}"
    )
