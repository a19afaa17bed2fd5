"""A search server that answers badly, or not: readers get the embedded engine's answer within one request's time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_django.fixtures import Settings

from matching.search import Document, EngineUnavailable, Request, create_engine
from matching.search.degrading import LEFT_ALONE, DegradingSearch
from matching.search.elastic.engine import ElasticSearch
from matching.search.elastic.index import ItemIndex
from matching.search.tokenise import index_tokens
from tests.cluster.proxy import Proxy
from tests.elastic import delete_indices

PATIENCE = 0.5
SLACK = 10.0  # for the embedded engine, and for a machine that does something else; a wait of 60 is still seen
TITLES = ("租金补贴", "发明专利资助", "高新技术企业认定奖励")
DOCUMENTS = [
    Document(str(n), "item", title, {"title": " ".join(index_tokens(title))}, version=title)
    for n, title in enumerate(TITLES)
]

pytestmark = pytest.mark.elasticsearch


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def direct(settings: Settings) -> Iterator[str]:
    direct: str = settings.ELASTICSEARCH_URL
    yield direct
    settings.ELASTICSEARCH_URL, settings.ELASTICSEARCH_TIMEOUT = direct, 60.0
    delete_indices()


@pytest.fixture
def proxy(direct: str, settings: Settings) -> Iterator[Proxy]:
    made = Proxy(direct.split(",", maxsplit=1)[0])
    settings.ELASTICSEARCH_URL = made.url
    yield made
    made.end()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def search(proxy: Proxy, clock: Clock, settings: Settings) -> DegradingSearch:
    """As a process has it, the documents in both engines."""
    service, embedded = ElasticSearch(ItemIndex("spoilt")), create_engine("memory")
    service.put(DOCUMENTS)
    embedded.put(DOCUMENTS)
    made = DegradingSearch(service, embedded, expected=lambda: len(DOCUMENTS), clock=clock)
    assert found(made) == ["0"]
    assert not made.trouble
    settings.ELASTICSEARCH_TIMEOUT = PATIENCE
    return made


def found(search: DegradingSearch, text: str = "房租") -> list[str]:
    return [hit.id for hit in search.search(Request(text)).hits]


def timed(search: DegradingSearch) -> float:
    start = time.monotonic()
    assert found(search) == ["0"]
    return time.monotonic() - start


@pytest.mark.parametrize("mode", ["hang", "cut", "drop", "busy", "gateway", "drip"])
def test_a_server_that_spoils_its_answers_is_stood_in_for_within_one_requests_time(
    search: DegradingSearch, proxy: Proxy, clock: Clock, settings: Settings, mode: str
) -> None:
    proxy.spoil(mode)
    assert timed(search) < PATIENCE + SLACK
    assert search.trouble
    asked = proxy.seen
    assert search.suggest("租金")
    assert proxy.seen == asked, "left alone"
    clock.now += LEFT_ALONE
    assert timed(search) < PATIENCE + SLACK, "the knock is short, too"
    proxy.spoil("pass")
    clock.now += LEFT_ALONE
    settings.ELASTICSEARCH_TIMEOUT = 60.0
    assert found(search, "专利") == ["1"]
    assert not search.trouble


GARBAGE = [b"", b"{", b"[]", b"{}", b"null", b'{"hits": null}', b"<html></html>", b'{"hits": {"hits": [{}]}}']


@pytest.mark.parametrize("body", GARBAGE)
def test_an_answer_that_is_none_is_told_and_stood_in_for(body: bytes, direct: str, settings: Settings) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        settings.ELASTICSEARCH_URL = f"http://127.0.0.1:{server.server_port}"
        service, embedded = ElasticSearch(ItemIndex("spoilt")), create_engine("memory")
        embedded.put(DOCUMENTS)
        for text in ("房租", ""):
            with pytest.raises(EngineUnavailable):
                service.search(Request(text))
        with pytest.raises(EngineUnavailable):
            service.suggest("租金")
        search = DegradingSearch(service, embedded, expected=lambda: len(DOCUMENTS))
        assert found(search) == ["0"]
        assert search.trouble
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
