"""Planners, workers, changing profiles and newer versions at the same time, on PostgreSQL: nothing missed, nothing
stale, nothing told twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from typing import Any

import pytest
from django.db import connection

from matching.backends.base import Listed
from matching.chunks import chunks
from matching.criteria import evaluate
from matching.models import Enterprise, Match, MatchRun, PolicyVersion, Profile, Push
from matching.models.run import EVERYONE_BEYOND
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from matching.services import indexing, match_profiles, run_chunks, run_planning, runs
from matching.services.explanations import criteria_of
from matching.services.listed import _of_backend, known_facts
from matching.services.vocabulary import current_vocabulary
from tests.factories import matching as make
from tests.faults.test_at_once import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

SEED = 41
STAFF = {"fact": "insured_staff", "gte": 10}


@pytest.fixture(autouse=True)
def nobody_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are started by the test, not by a commit; chunks are small."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")
    monkeypatch.setattr(run_planning, "CHUNK", 4)
    monkeypatch.setattr(outbox, "_wakers", [])
    monkeypatch.setattr(runs, "_wakers", [])


@pytest.fixture
def firms() -> list[Enterprise]:
    made = [make.enterprise(f"企业{staff:02d}", insured_staff=staff) for staff in range(40)]
    outbox.deliver(now=make.NOW)
    return made


def begun(version: PolicyVersion) -> MatchRun:
    run = runs.begin(version_id=version.pk, as_of=make.TODAY, now=make.NOW)
    assert run is not None
    return run


def work(run: MatchRun) -> Callable[[], int]:
    def until_nothing_waits() -> int:
        done = 0
        while run_chunks.work_on_next(run_id=run.pk, now=make.NOW):
            done += 1
        return done

    return until_nothing_waits


def plan_and_work(run: MatchRun) -> Callable[[], int]:
    def both() -> int:
        assert run_planning.plan(run_id=run.pk, now=make.NOW)
        return work(run)()

    return both


def check(version: PolicyVersion) -> None:
    """Every pair stands as the evaluator says by the facts now in force, and every one that fits was told once."""
    tree, vocabulary = criteria_of(version=version), current_vocabulary()
    expected = {}
    for pk, facts in Profile.objects.values_list("pk", "facts"):
        told = evaluate(tree, known_facts(facts=facts, vocabulary=vocabulary), make.TODAY)
        if len(told.unmet) <= 1:
            expected[pk] = str(told.verdict)
    assert dict(Match.objects.filter(version=version).values_list("enterprise_id", "verdict")) == expected
    fitting = {pk for pk, verdict in expected.items() if verdict == "eligible"}
    pushed = list(Push.objects.filter(version=version).values_list("enterprise_id", flat=True))
    assert len(pushed) == len(set(pushed))
    assert fitting <= set(pushed)


def test_two_planners_and_three_workers_at_once_do_each_chunk_once(firms: list[Enterprise]) -> None:
    version = make.published(STAFF)
    run = begun(version)
    results = at_once(plan_and_work(run), plan_and_work(run), work(run))
    assert not [result for result in results if isinstance(result, Exception)], results
    work(run)()  # what was planned after the others had looked
    run.refresh_from_db()
    stored = list(run.chunks.order_by("first"))
    assert [chunk.first for chunk in stored] == [1, *(chunk.last + 1 for chunk in stored[:-1])]
    assert stored[-1].last == EVERYONE_BEYOND
    assert (run.state, run.enterprises, run.pushed) == ("done", 40, 30)
    check(version)


def index_of_the_moment(*, policy: Listed, as_of: date, near: int, after: int, size: int) -> Iterator[list[int]]:
    """What `candidates.walk` promises and no more: who comes up by the facts of now, and whose change waits to be
    delivered. What changes while the pages are read is not in them."""
    waiting = OutboxMessage.objects.filter(delivered_at=None, topic="enterprise.facts_changed")
    found = {payload["enterprise_id"] for payload in waiting.values_list("payload", flat=True)}
    vocabulary = current_vocabulary()
    for pk, facts in Profile.objects.values_list("pk", "facts"):
        told = evaluate(policy.criteria, known_facts(facts=facts, vocabulary=vocabulary), as_of)
        if len(told.unmet) <= near:
            found.add(pk)
    yield from chunks(sorted(pk for pk in found if pk > after), size)


@pytest.mark.parametrize("matcher", ["memory", "elasticsearch"])
@pytest.mark.parametrize("turn", range(2))
def test_profiles_that_change_while_a_run_is_under_way_are_neither_missed_nor_brought_back(
    firms: list[Enterprise], turn: int, matcher: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(f"{SEED}-{turn}")
    version = make.published({"all": [STAFF, {"fact": "insured_staff", "gte": 8}]})
    monkeypatch.setattr(
        run_planning,
        "_walk",
        lambda listed, as_of, after: chain.from_iterable(
            index_of_the_moment(policy=listed, as_of=as_of, near=1, after=after, size=4)
        ),
    )
    monkeypatch.setattr(indexing, "in_use", lambda: False)
    settings.HUIDA_MATCHER = matcher
    monkeypatch.setattr(match_profiles, "listed_versions", lambda: _of_backend("memory"))
    run = begun(version)

    def changes() -> None:
        for _ in range(25):
            make.learn(rng.choice(firms), insured_staff=rng.randint(0, 20))
            outbox.deliver(now=make.NOW)

    def deliver() -> None:
        for _ in range(10):
            outbox.deliver(now=make.NOW)

    # The version's own event is the run's; delivered here it would begin another one.
    OutboxMessage.objects.filter(topic="policy.version_published").update(delivered_at=make.NOW)
    results = at_once(plan_and_work(run), work(run), changes, deliver)
    assert not [result for result in results if isinstance(result, Exception)], (f"{SEED}-{turn}", results)
    work(run)()
    outbox.deliver(now=make.NOW.replace(year=2027))  # what lost a race and waits
    run.refresh_from_db()
    assert run.state == "done"
    check(version)


def test_a_version_published_while_the_one_before_is_told_leaves_nothing_of_it(firms: list[Enterprise]) -> None:
    first = make.published(STAFF, code="item")
    run = begun(first)
    newer: list[MatchRun] = []

    def publish() -> None:
        second = make.published({**STAFF, "gte": 20}, code="item")
        newer.append(begun(second))

    def changes() -> None:
        for staff in range(12):
            make.learn(firms[staff], insured_staff=staff + 15)
            outbox.deliver(now=make.NOW)

    results = at_once(plan_and_work(run), publish, changes)
    assert not [result for result in results if isinstance(result, Exception)], results
    plan_and_work(newer[0])()
    outbox.deliver(now=make.NOW.replace(year=2027))
    run.refresh_from_db()
    assert run.state in ("superseded", "done")
    assert not Match.objects.filter(version=first).exists()
    check(newer[0].version)
