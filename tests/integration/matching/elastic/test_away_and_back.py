"""Elasticsearch away, back, and with its data gone: the answers stay, and the index heals."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest
from pytest_django.fixtures import Settings

from matching.backends import BackendUnavailable, Listed
from matching.backends.degrading import LEFT_ALONE, DegradingBackend
from matching.backends.elastic.backend import ElasticBackend
from matching.backends.elastic.indices import ClauseIndex
from matching.backends.memory import MemoryBackend
from matching.criteria import parse_criteria, parse_facts
from tests.elastic import delete_indices
from tests.unit.matching.criteria.samples import VOCABULARY

AS_OF = date(2026, 11, 22)
NOBODY = "http://127.0.0.1:9"
FACTS = parse_facts({"staff": 30, "size": "small"}, VOCABULARY)

pytestmark = pytest.mark.elasticsearch


def policy(name: str, least: int) -> Listed:
    return Listed(name, parse_criteria({"all": [{"fact": "staff", "gte": least}]}, VOCABULARY))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def holder(request: pytest.FixtureRequest, settings: Settings) -> Iterator[str]:
    here = settings.ELASTICSEARCH_URL
    yield request.node.name
    settings.ELASTICSEARCH_URL = here
    delete_indices()


def fitting(backend: DegradingBackend | ElasticBackend) -> list[str]:
    return [match.policy for match in backend.match(FACTS, as_of=AS_OF)]


def test_the_embedded_matcher_answers_while_the_server_is_away_and_changes_are_not_lost(
    settings: Settings, clock: Clock, holder: str
) -> None:
    backend = DegradingBackend(ElasticBackend(holder=holder), clock=clock)
    backend.put([policy("A", 10), policy("B", 50)])
    assert fitting(backend) == ["A"]
    here, settings.ELASTICSEARCH_URL = settings.ELASTICSEARCH_URL, NOBODY
    assert fitting(backend) == ["A"]
    assert NOBODY in backend.trouble
    backend.put([policy("B", 20), policy("C", 30)])
    backend.remove(["A"])
    assert fitting(backend) == ["B", "C"]
    settings.ELASTICSEARCH_URL = here
    assert fitting(backend) == ["B", "C"]
    assert backend.trouble, "left alone for a while"
    clock.now += LEFT_ALONE
    assert fitting(backend) == ["B", "C"]
    assert not backend.trouble
    assert ClauseIndex().count(holder) == 2


def test_rows_that_were_deleted_are_written_again_before_an_answer_is_believed(holder: str) -> None:
    backend = ElasticBackend(holder=holder)
    backend.put([policy("A", 10), policy("B", 20), policy("C", 50)])
    assert fitting(backend) == ["A", "B"]
    delete_indices()
    assert fitting(backend) == ["A", "B"]
    index = ClauseIndex()
    index.drop(holder, list(index.keys(holder))[:2])
    index.refresh()
    assert fitting(backend) == ["A", "B"]
    assert index.count(holder) == 3


def test_processes_that_hold_the_same_share_its_rows_and_pass_over_those_of_others(holder: str) -> None:
    one, other = ElasticBackend(holder=holder), ElasticBackend(holder=holder)
    one.put([policy("A", 10), policy("B", 20)])
    other.put([policy("A", 10), policy("C", 30)])
    assert fitting(one) == ["A", "B"]
    assert fitting(other) == ["A", "C"]
    assert ClauseIndex().count(holder) == 3
    one.remove(["A"])
    assert fitting(one) == ["B"]
    assert fitting(other) == ["A", "C"], "what another process took out too early is put back"


def test_the_server_without_a_stand_in_says_that_it_is_away(settings: Settings) -> None:
    settings.ELASTICSEARCH_URL = NOBODY
    backend = ElasticBackend()
    backend.put([policy("A", 10)])
    with pytest.raises(BackendUnavailable, match=NOBODY):
        fitting(backend)


def test_what_a_run_put_there_for_itself_goes_with_it() -> None:
    with closing(ElasticBackend()) as backend:
        backend.put([policy("A", 10)])
        assert fitting(backend) == ["A"]
        holder = backend.holder
    index = ClauseIndex("scratch")
    index.refresh()
    assert index.count(holder) == 0


def test_the_embedded_matcher_goes_on_where_the_server_left_off(settings: Settings, clock: Clock, holder: str) -> None:
    backend = DegradingBackend(ElasticBackend(holder=holder), clock=clock)
    backend.put([policy("A", 10), policy("B", 50)])
    names = [f"E{number:03d}" for number in range(120)]
    found = []
    for name, matches in backend.match_many(((name, FACTS) for name in names), as_of=AS_OF, near=1):
        found.append((name, [match.policy for match in matches]))
        if len(found) == 10:
            settings.ELASTICSEARCH_URL = NOBODY
    assert found == [(name, ["A", "B"]) for name in names]
    assert backend.trouble
    memory = MemoryBackend()
    memory.put([policy("A", 10), policy("B", 50)])
    assert backend.match(FACTS, as_of=AS_OF, near=1) == memory.match(FACTS, as_of=AS_OF, near=1)
