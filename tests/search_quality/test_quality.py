"""Search as enterprises ask, judged by reasoning; the floor below which it may not fall."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from cms.models import SearchRow
from cms.models.search import Kind
from tests.rounds import first_round_only
from tests.search_quality import corpus, measure

FLOOR = 0.85
APART = 0.03


def test_the_judged_set_is_large_and_names_only_what_there_is() -> None:
    judged = corpus.judgements()
    lines = [line for line in corpus.lines() if b'"kind": "item"' in line]
    codes = {line.split(b'"code": "')[1].split(b'"')[0].decode() for line in lines}
    assert len(judged) >= 120
    assert len(codes) >= 200
    for query, grades in judged.items():
        assert grades, query
        assert grades.keys() <= codes, query
        assert set(grades.values()) <= {1, 2, 3}, query
        assert max(grades.values()) == 3, query


def test_gain_falls_with_the_place() -> None:
    grades = {"a": 3, "b": 1}
    assert measure.ndcg(["a", "b"], grades) == 1
    assert 0 < measure.ndcg(["b", "a"], grades) < 1
    assert measure.ndcg([], grades) == 0
    assert measure.recall(["x", "a"], grades) == 1


def test_what_is_held_out_was_judged_by_the_same_rules_and_is_not_what_was_tuned() -> None:
    held, tuned = corpus.judgements(corpus.HELD_OUT), corpus.judgements()
    assert len(held) >= 60
    assert not held.keys() & tuned.keys()
    assert all(max(grades.values()) == 3 and set(grades.values()) <= {1, 2, 3} for grades in held.values())


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The corpus, imported and published once for all tests here."""
    with django_db_blocker.unblock(), transaction.atomic():
        measure.load()
        assert SearchRow.objects.filter(kind=Kind.ITEM).count() >= 200
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def embedded(loaded: None) -> dict[str, measure.Score]:
    return measure.contest()


def show(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


@first_round_only
@pytest.mark.slow
@pytest.mark.django_db
def test_enterprises_find_what_they_mean(
    embedded: dict[str, measure.Score], capsys: pytest.CaptureFixture[str]
) -> None:
    ours = embedded[measure.OURS]
    show(capsys, f"{measure.table(embedded)}\n{measure.worst(ours, 8)}")
    assert ours.ndcg >= FLOOR
    assert ours.recall >= FLOOR
    assert all(ours.ndcg > theirs.ndcg for name, theirs in embedded.items() if name != measure.OURS)


@first_round_only
@pytest.mark.slow
@pytest.mark.elasticsearch
@pytest.mark.django_db
def test_both_engines_find_the_same_and_more_than_the_server_by_itself(
    embedded: dict[str, measure.Score], capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = measure.on_elasticsearch()
    show(capsys, measure.table(theirs))
    ours, shared = embedded[measure.OURS], theirs.pop(measure.SHARED)
    assert shared.ndcg >= FLOOR
    assert shared.recall >= FLOOR
    assert abs(shared.ndcg - ours.ndcg) <= APART
    assert abs(shared.recall - ours.recall) <= APART
    assert shared.found == ours.found, "not only as good: the same, in the same order"
    assert all(shared.ndcg > score.ndcg for score in theirs.values())
