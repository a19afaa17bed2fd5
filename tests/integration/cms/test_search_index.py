"""Search on Elasticsearch as readers meet it: up to date after each change, there when the server is not, healing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from cms.models import SearchRow
from cms.services import finding, search_documents, search_index
from matching.backends import BackendUnavailable
from matching.backends.elastic import client as server
from matching.backends.elastic.rebuild import RebuildFailed
from matching.search import Document
from matching.search.degrading import LEFT_ALONE
from matching.search.elastic.index import ItemIndex
from matching.services import indexing
from matching.services.index_kinds import Compared
from tests.elastic import delete_indices
from tests.factories import cms
from tests.factories.matching import NOW

pytestmark = [pytest.mark.elasticsearch, pytest.mark.django_db]
NOBODY = "http://127.0.0.1:9"
KIND = search_index.ItemKind()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(finding.published_rows()._searcher, "_clock", made)
    return made


@pytest.fixture(autouse=True)
def engine(settings: Settings) -> Iterator[None]:
    here = settings.ELASTICSEARCH_URL
    settings.HUIDA_SEARCH = "elasticsearch"
    finding._of_engine.cache_clear()
    delete_indices()
    yield
    finding._of_engine.cache_clear()
    settings.ELASTICSEARCH_URL = here
    delete_indices()


def ignore(done: int, total: int) -> None:
    """Nobody looks."""


def titles(client: Client, **query: Any) -> list[str]:
    response = client.get("/policies/", query)
    assert response.status_code == 200
    return [row.title for row in response.context["page_obj"]]


def trouble() -> str:
    return finding.published_rows().trouble


def equal() -> bool:
    """Whether the index is what the rows say, to the last field."""
    return not KIND.check(on_progress=ignore)


def drain() -> int:
    return indexing.drain(kind=KIND)


def test_what_is_published_changed_and_taken_down_reaches_the_index_in_order(client: Client) -> None:
    page = cms.published_item(title="租金补贴")
    assert indexing.pending_ids(kind=KIND.name) == [page.pk]
    assert drain() == 1
    assert titles(client, q="房租") == ["租金补贴"]
    page = cms.publish(page, title="装修补贴")
    other = cms.published_item(title="发明专利资助")
    assert drain() == 2
    assert titles(client, q="房租") == []
    assert titles(client, q="zhuangxiu") == ["装修补贴"]
    page.unpublish()
    drain()
    assert titles(client, q="装修") == []
    assert titles(client) == [other.title]
    assert not trouble()
    assert equal()


def test_pages_of_the_list_are_cut_by_the_server(client: Client) -> None:
    for number in range(23):
        cms.published_item(title=f"租金补贴{number:02d}", code=f"rent-{number:02d}")
    drain()
    first, second = (client.get("/policies/", {"q": "租金", "page": page}) for page in ("1", "2"))
    assert [len(answer.context["page_obj"]) for answer in (first, second)] == [20, 3]
    assert "共 23 条" in second.content.decode()
    assert titles(client, q="租金", page="99") == [row.title for row in second.context["page_obj"]]
    assert not trouble()


def test_the_embedded_engine_answers_while_the_server_is_away_and_the_health_page_says_so(
    client: Client, settings: Settings, clock: Clock
) -> None:
    cms.published_item(title="租金补贴", code="rent-one")
    drain()
    assert titles(client, q="房租") == ["租金补贴"]
    here, settings.ELASTICSEARCH_URL = settings.ELASTICSEARCH_URL, NOBODY
    assert titles(client, q="房租") == ["租金补贴"]
    notices = client.get("/healthz").json()["notices"]
    assert any("检索" in notice and NOBODY in notice for notice in notices)
    cms.published_item(title="厂房租金补贴", code="rent-two")
    with pytest.raises(BackendUnavailable):
        drain()
    assert titles(client, q="厂房") == ["厂房租金补贴"]
    assert client.get(reverse("public:suggest"), {"q": "厂房"}).status_code == 200
    settings.ELASTICSEARCH_URL = here
    assert drain() == 1, "what was published meanwhile waited"
    clock.now += LEFT_ALONE
    assert titles(client, q="厂房") == ["厂房租金补贴"]
    assert not trouble()
    assert not any("检索" in notice for notice in client.get("/healthz").json()["notices"])
    assert equal()


def test_deleted_data_is_answered_around_and_written_again_by_itself(client: Client, clock: Clock) -> None:
    for number in range(3):
        cms.published_item(title=f"租金补贴{number}")
    drain()
    delete_indices()
    assert len(titles(client, q="租金")) == 3
    assert "没有检索索引" in trouble()
    clock.now += LEFT_ALONE
    assert len(titles(client, q="租金")) == 3
    assert not trouble()
    assert equal()
    index = ItemIndex()
    index.remove([pk for pk, _ in index.versions()][:2])
    index.refresh()
    assert len(titles(client, q="租金")) == 3
    assert "只有 1 条，应有 3 条" in trouble()
    assert equal()


def test_an_index_without_the_fields_it_should_have_is_no_reason_for_an_error(client: Client, clock: Clock) -> None:
    cms.published_item(title="租金补贴")
    index = ItemIndex()
    with server.server_errors():
        index.client.indices.create(index=f"{index.base}-odd", aliases={index.read: {}, index.write: {}})
        index.client.index(index=index.write, id="1", document={"kind": 1}, refresh=True)
    assert titles(client, q="房租") == ["租金补贴"]
    assert client.get(reverse("public:suggest"), {"q": "租金"}).status_code == 200
    assert trouble()
    KIND.rebuild(now=NOW, on_progress=ignore)
    clock.now += LEFT_ALONE
    assert titles(client, q="房租") == ["租金补贴"]
    assert not trouble()


def test_the_first_write_fills_an_index_that_was_not_there() -> None:
    cms.published_item()
    drain()
    delete_indices()
    cms.published_item()
    drain()
    assert equal()
    assert SearchRow.objects.count() == 2


def test_what_differs_is_told_and_mended_and_spoilt_contents_are_found() -> None:
    pages = [cms.published_item() for _ in range(4)]
    drain()
    index = ItemIndex()
    index.remove([str(pages[0].pk)])
    index.put([Document("999999", "item", "无此页", {"title": "无此页"}, version="x")])
    [spoilt] = search_documents.documents(ids=[str(pages[1].pk)])
    index.put([Document(spoilt.id, "item", "冒名", {"title": "冒名"}, version=spoilt.version)])
    SearchRow.objects.filter(pk=pages[2].pk).update(stamp="changed")
    index.refresh()
    assert KIND.check(on_progress=ignore) == Compared(4, 1, 1, 2, str(pages[0].pk))
    assert KIND.mend() == 3
    assert KIND.check(on_progress=ignore) == Compared(4, 0, 0, 1, spoilt.id)
    KIND.rebuild(now=NOW, on_progress=ignore)
    assert equal()


def test_a_rebuild_has_no_gap_and_goes_on_with_one_that_was_stopped(client: Client, monkeypatch: Any) -> None:
    for number in range(5):
        cms.published_item(title=f"租金补贴{number}")
    drain()
    index = ItemIndex()
    before = index.current()
    monkeypatch.setattr(search_index, "_PIECE", 2)

    def stop(done: int, total: int) -> None:
        assert len(titles(client, q="租金")) == 5
        if done >= 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        KIND.rebuild(now=NOW, on_progress=stop)
    assert index.current() == before
    seen: list[tuple[int, int]] = []
    built = KIND.rebuild(now=NOW, on_progress=lambda done, total: seen.append((done, total)))
    assert (built.rows, built.found) == (5, 2)
    assert seen[0] == (2, 5)
    assert seen[-1] == (5, 5)
    assert index.names() == [built.name] == [index.current()]
    assert not trouble()
    assert equal()


def test_an_index_that_is_not_what_was_written_is_not_put_into_service(monkeypatch: pytest.MonkeyPatch) -> None:
    cms.published_item()
    drain()
    before = ItemIndex().current()
    monkeypatch.setattr(search_index, "_spoilt", lambda index, ids, *more: list(ids))
    with pytest.raises(RebuildFailed, match="没有切换"):
        KIND.rebuild(now=NOW, on_progress=ignore)
    assert ItemIndex().current() == before


def test_an_older_process_cannot_undo_what_a_newer_one_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    page = cms.published_item(title="租金补贴")
    drain()
    old = list(search_documents.documents(ids=[str(page.pk)]))
    cms.publish(page, title="装修补贴")
    index = ItemIndex()
    seen = index.marks([str(page.pk)])
    drain()
    index.replace(old, [], seen=seen)
    index.replace([], [str(page.pk)], seen=seen)
    index.replace(old, [], seen={})
    index.refresh()
    assert equal()

    # One that read the rows before, and comes to write after: it looks again, and puts right what it wrote.
    reads = iter([old])

    def documents(*, ids: Any) -> Any:
        return next(reads, None) or search_documents_documents(ids=ids)

    search_documents_documents = search_documents.documents
    monkeypatch.setattr(search_documents, "documents", documents)
    KIND.write([page.pk])
    monkeypatch.undo()
    assert equal()


def test_every_process_understands_the_words_that_another_brought(client: Client) -> None:
    cms.published_item(title="租金补贴")
    drain()
    assert titles(client, q="房租") == ["租金补贴"]
    ours = finding.published_rows()
    finding._of_engine.cache_clear()
    assert finding.published_rows() is not ours
    cms.published_item(title="瞪羚企业认定奖励")
    drain()
    narrowing = finding.Narrowing(query="denglingqiye")
    for rows in (ours, finding.published_rows()):
        assert rows.search(narrowing=narrowing, today=NOW.date(), fits=None).total == 1
        assert not rows.trouble
