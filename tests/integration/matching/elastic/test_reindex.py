"""``manage.py reindex``: no gap in service, stopped and gone on with, verified before the alias moves, and compared."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from matching.backends.elastic import rebuild
from matching.backends.elastic.backend import LISTED, ElasticBackend
from matching.backends.elastic.indices import ClauseIndex
from matching.criteria import Facts
from matching.services import publish, reindex
from matching.tasks import mend_index
from tests.elastic import delete_indices
from tests.factories.matching import NOW, TODAY, published

pytestmark = [pytest.mark.elasticsearch, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def matcher(settings: Settings) -> Iterator[None]:
    settings.HUIDA_MATCHER = "elasticsearch"
    delete_indices()
    yield
    delete_indices()


def run(*arguments: str) -> str:
    told = StringIO()
    call_command("reindex", "--only", "clauses", *arguments, stdout=told)
    return told.getvalue()


def fill(count: int) -> None:
    for number in range(count):
        published({"fact": "revenue", "gte": number}, code=f"I{number:03d}")


def test_a_rebuilt_index_equals_the_database_and_old_ones_are_gone() -> None:
    fill(5)
    assert "5 行" in run()
    assert "一致：5 行" in run("--check")
    first = ClauseIndex().current()
    reindex.rebuild_index(only="clauses", now=NOW)
    assert ClauseIndex().current() != first
    assert ClauseIndex().names() == [ClauseIndex().current()]
    assert "一致：5 行" in run("--check")


def test_what_differs_is_told_and_mended() -> None:
    fill(4)
    run()
    index = ClauseIndex()
    keys = list(index.keys(LISTED))
    index.drop(LISTED, keys[:1])
    index.put(LISTED, {"f" * 32 + ".0": {"version": "f" * 32, "number": 0, "asks": []}})
    index.refresh()
    with pytest.raises(CommandError, match="缺 1 行，多 1 行，内容不符 0 行"):
        run("--check")
    assert mend_index() == 2
    assert "一致：4 行" in run("--check")
    index.put(LISTED, {keys[1]: {"version": keys[1].split(".", maxsplit=1)[0], "number": 0, "asks": ["x"]}})
    with pytest.raises(CommandError, match="内容不符 1 行"):
        run("--check")
    run()
    assert "一致：4 行" in run("--check")


def test_data_that_was_deleted_is_told_and_comes_back() -> None:
    fill(3)
    run()
    delete_indices()
    with pytest.raises(CommandError, match="缺 3 行"):
        run("--check")
    assert mend_index() == 3
    assert "一致：3 行" in run("--check")


def test_what_was_listed_and_withdrawn_since_is_mended() -> None:
    fill(2)
    run()
    published({"all": []}, code="NEW")
    publish.withdraw_item(item_code="I000", now=NOW)
    mend_index()
    assert "一致：2 行" in run("--check")


def test_a_rebuild_that_is_stopped_leaves_the_index_in_service_and_is_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(6)
    run()
    before = ClauseIndex().current()
    monkeypatch.setattr(rebuild, "_PIECE", 2)

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindex.rebuild_index(only="clauses", now=NOW, on_progress=stop)
    assert ClauseIndex().current() == before
    backend = ElasticBackend(holder=LISTED)
    backend.put(reindex.listed_policies())
    assert len(backend.match(Facts({}), as_of=TODAY)) == 6, "service goes on"
    told = run()
    assert "其中 4 行上次已写入" in told
    assert ClauseIndex().current() != before
    assert len(backend.match(Facts({}), as_of=TODAY)) == 6
    assert "一致：6 行" in run("--check")


def test_an_index_that_is_not_what_was_written_is_never_put_into_service(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(3)
    run()
    before = ClauseIndex().current()

    def lose_one(done: int, total: int) -> None:
        if done == total:
            unfinished = next(name for name in ClauseIndex().names() if name != before)
            index = ClauseIndex(target=unfinished)
            index.refresh()
            index.drop(LISTED, list(index.keys(LISTED))[:1])

    with pytest.raises(rebuild.RebuildFailed, match="有 2 行，应有 3 行"):
        reindex.rebuild_index(only="clauses", now=NOW, on_progress=lose_one)
    assert ClauseIndex().current() == before


def test_a_server_that_is_away_is_told_by_the_command_and_passed_over_by_the_task(settings: Settings) -> None:
    fill(1)
    here, settings.ELASTICSEARCH_URL = settings.ELASTICSEARCH_URL, "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="不可用"):
        run("--check")
    assert mend_index() == 0
    settings.ELASTICSEARCH_URL = here
    assert mend_index() == 1
