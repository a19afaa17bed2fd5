"""A server that answers badly, or not: whoever asks is told the right thing within the time of one request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date

import pytest
from pytest_django.fixtures import Settings

from matching.backends import BackendUnavailable, Listed, patience
from matching.backends.degrading import LEFT_ALONE, DegradingBackend
from matching.backends.elastic import client
from matching.backends.elastic.backend import ElasticBackend
from matching.criteria import parse_criteria, parse_facts
from tests.cluster.proxy import Proxy
from tests.elastic import delete_indices
from tests.unit.matching.criteria.samples import VOCABULARY

AS_OF = date(2026, 11, 22)
FACTS = parse_facts({"staff": 30, "size": "small"}, VOCABULARY)
PATIENCE = 0.5
SLACK = 10.0  # for the embedded engine, and for a machine that does something else; a wait of 60 is still seen
SPOILT = ("hang", "cut", "drop", "busy", "gateway", "drip")
NOBODY = "http://127.0.0.1:9"

pytestmark = pytest.mark.elasticsearch


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def direct(settings: Settings) -> Iterator[str]:
    """The server's own address; what a test left there goes."""
    direct: str = settings.ELASTICSEARCH_URL
    yield direct
    settings.ELASTICSEARCH_URL, settings.ELASTICSEARCH_TIMEOUT = direct, 60.0
    delete_indices()


@pytest.fixture
def proxy(direct: str) -> Iterator[Proxy]:
    made = Proxy(direct.split(",", maxsplit=1)[0])
    yield made
    made.end()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def backend(proxy: Proxy, settings: Settings, clock: Clock, request: pytest.FixtureRequest) -> DegradingBackend:
    """As a process has it, its rows in the index."""
    settings.ELASTICSEARCH_URL = proxy.url
    made = DegradingBackend(ElasticBackend(holder=request.node.name), knock=client.probe, clock=clock)
    made.put([policy("A", 10), policy("B", 50), policy("C", 20)])
    assert fitting(made) == ["A", "C"]
    assert not made.trouble
    settings.ELASTICSEARCH_TIMEOUT = PATIENCE
    return made


def policy(name: str, least: int) -> Listed:
    return Listed(name, parse_criteria({"all": [{"fact": "staff", "gte": least}]}, VOCABULARY))


def fitting(backend: DegradingBackend) -> list[str]:
    return [match.policy for match in backend.match(FACTS, as_of=AS_OF)]


def timed(backend: DegradingBackend) -> tuple[list[str], float]:
    start = time.monotonic()
    found = fitting(backend)
    return found, time.monotonic() - start


@pytest.mark.parametrize("mode", SPOILT)
def test_a_server_that_spoils_its_answers_is_stood_in_for_within_one_requests_time(
    backend: DegradingBackend, proxy: Proxy, clock: Clock, settings: Settings, mode: str
) -> None:
    proxy.spoil(mode)
    found, took = timed(backend)
    assert found == ["A", "C"]
    assert took < PATIENCE + SLACK
    assert backend.trouble
    asked = proxy.seen
    assert fitting(backend) == ["A", "C"]
    assert proxy.seen == asked, "left alone"
    clock.now += LEFT_ALONE
    found, took = timed(backend)
    assert found == ["A", "C"]
    assert took < PATIENCE + SLACK, "the knock is short, too"
    assert backend.trouble
    proxy.spoil("pass")
    clock.now += LEFT_ALONE
    settings.ELASTICSEARCH_TIMEOUT = 60.0
    backend.put([policy("D", 5)])
    assert fitting(backend) == ["A", "C", "D"]
    assert not backend.trouble


@pytest.mark.parametrize("mode", SPOILT)
def test_of_two_nodes_the_sound_one_answers(proxy: Proxy, direct: str, settings: Settings, mode: str) -> None:
    settings.ELASTICSEARCH_URL = f"{proxy.url}, {direct}"
    settings.ELASTICSEARCH_TIMEOUT = 4.0
    proxy.spoil(mode)
    for _ in range(3):
        start = time.monotonic()
        assert client.client().cluster.health(local=True)["number_of_nodes"] >= 1
        assert time.monotonic() - start < 4.0 + SLACK
    assert proxy.seen >= 1, "the spoilt one was asked, too"


def test_every_node_away_takes_no_longer_than_one_request(settings: Settings, direct: str) -> None:
    proxies = [Proxy(direct) for _ in range(3)]
    try:
        for one in proxies:
            one.spoil("hang")
        settings.ELASTICSEARCH_URL = ",".join(one.url for one in proxies)
        settings.ELASTICSEARCH_TIMEOUT = 3.0
        start = time.monotonic()
        with pytest.raises(BackendUnavailable), client.server_errors():
            client.client().search(index="nothing-*")
        assert time.monotonic() - start < 3.0 + SLACK
        assert [one.seen for one in proxies] == [1, 1, 1]
    finally:
        for one in proxies:
            one.end()


def test_an_index_is_not_asked_to_be_made_twice(settings: Settings, proxy: Proxy, direct: str) -> None:
    """The first node may have made it before it fell silent; a second order would only say that it exists."""
    other = Proxy(direct)
    try:
        proxy.spoil("drop")
        other.spoil("drop")
        settings.ELASTICSEARCH_URL = f"{proxy.url},{other.url}"
        with pytest.raises(BackendUnavailable), client.server_errors():
            client.client().indices.create(index=f"{settings.ELASTICSEARCH_INDEX_PREFIX}-once")
        assert proxy.seen + other.seen == 1
        settings.ELASTICSEARCH_URL = f"{NOBODY},{direct}"
        for number in range(4):
            client.client().indices.create(index=f"{settings.ELASTICSEARCH_INDEX_PREFIX}-nobody-{number}")
    finally:
        other.end()


def test_many_questions_in_one_share_the_time_that_whoever_asks_has(settings: Settings, proxy: Proxy) -> None:
    settings.ELASTICSEARCH_URL = proxy.url
    settings.ELASTICSEARCH_TIMEOUT = 60.0
    start = time.monotonic()

    def ask_on_and_on() -> None:
        with patience.at_most(2.0), client.server_errors():
            while time.monotonic() < start + 30:
                client.client().cluster.health(local=True)

    with pytest.raises(BackendUnavailable):
        ask_on_and_on()
    assert time.monotonic() - start < 2.0 + SLACK
    assert proxy.seen > 1
    assert patience.for_request(60.0) == 60.0, "said for that question only"


def test_a_password_in_an_address_is_told_to_nobody(settings: Settings) -> None:
    settings.ELASTICSEARCH_URL = "http://huida:hush@127.0.0.1:9,https://huida:hush@other:9200"
    settings.ELASTICSEARCH_TIMEOUT = 1.0
    assert client.shown_urls() == "http://127.0.0.1:9,https://other:9200"
    with pytest.raises(BackendUnavailable) as told:
        client.probe()
    assert "hush" not in str(told.value)
    assert "127.0.0.1:9" in str(told.value)
