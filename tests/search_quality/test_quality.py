"""Search as enterprises ask, judged by reasoning; the floor below which it may not fall."""

import sys

import pytest

from cms.models import SearchRow
from cms.models.search import Kind
from tests.search_quality import corpus, measure

FLOOR = 0.85


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


@pytest.mark.slow
@pytest.mark.django_db
def test_enterprises_find_what_they_mean(capsys: pytest.CaptureFixture[str]) -> None:
    measure.load()
    assert SearchRow.objects.filter(kind=Kind.ITEM).count() >= 200
    scores = measure.contest()
    with capsys.disabled():
        sys.stdout.write(f"\n{measure.table(scores)}\n{measure.worst(scores[measure.OURS], 8)}\n")
    ours = scores.pop(measure.OURS)
    assert ours.ndcg >= FLOOR
    assert ours.recall >= FLOOR
    assert all(ours.ndcg > theirs.ndcg for theirs in scores.values())
