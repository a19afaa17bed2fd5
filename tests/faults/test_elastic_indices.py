"""An index that is not as it was left: blocked, emptied, without its aliases, or somebody else's. Answers stay right,
and what mends every ten minutes brings it back to equality with the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from matching.backends.elastic import client
from matching.backends.elastic.aliases import FIRST, VersionedIndex
from matching.backends.elastic.health import findings
from matching.backends.elastic.indices import ClauseIndex
from matching.backends.elastic.profiles.index import ProfileIndex
from matching.criteria import parse_facts
from matching.models import PolicyItem
from matching.search.elastic.index import ItemIndex
from matching.services import reindex
from matching.services.listed import ListedVersions
from matching.services.vocabulary import current_vocabulary
from tests.elastic import delete_indices
from tests.factories import cms
from tests.factories.matching import TODAY, enterprise, published

pytestmark = [pytest.mark.elasticsearch, pytest.mark.django_db(transaction=True)]
KINDS = ("clauses", "profiles", "items")
FOREIGN = {"properties": {"holder": {"type": "text"}, "version": {"type": "text"}, "id": {"type": "text"}}}


@pytest.fixture(autouse=True)
def indices(settings: Settings) -> Iterator[None]:
    settings.HUIDA_MATCHER = settings.HUIDA_SEARCH = "elasticsearch"
    delete_indices()
    fill(2)
    call_command("reindex", stdout=StringIO())
    assert not differing()
    yield
    unblock("*")
    delete_indices()


def fill(count: int) -> None:
    for number in range(count):
        published({"fact": "revenue", "gte": number}, code=f"rule-{PolicyItem.objects.count()}")
        cms.published_item(title=f"租金补贴{number}")
        enterprise(registered_region="510105", revenue={"2025": str(number)})


def index_of(kind: str) -> VersionedIndex:
    made: dict[str, Callable[[], VersionedIndex]] = {
        "clauses": ClauseIndex,
        "profiles": ProfileIndex,
        "items": ItemIndex,
    }
    return made[kind]()


def server() -> client.Elasticsearch:
    return client.client()


def differing() -> str:
    try:
        call_command("reindex", "--check", stdout=StringIO())
    except CommandError as error:
        return str(error)
    return ""


def mended() -> bool:
    """What beat does, until nothing more is to be done."""
    for _ in range(5):
        reindex.mend_indices()
        reindex.write_pending()
        if not differing():
            return True
    return False


def assert_answers_are_right() -> None:
    """What a process finds on the server, or without it, is what the embedded engine finds; there is something."""
    facts = parse_facts({"registered_region": "510105"}, current_vocabulary())
    [(_, found)], [(_, right)] = (
        ListedVersions(name).match([(1, facts)], as_of=TODAY, near=1) for name in ("elasticsearch", "memory")
    )
    assert found == right
    assert len(found) == PolicyItem.objects.filter(is_listed=True).count()


def block(name: str, kind: str) -> None:
    server().indices.put_settings(index=name, settings={f"index.blocks.{kind}": True})


def unblock(pattern: str) -> None:
    names = f"{ClauseIndex().base.removesuffix('-clauses')}-{pattern}"
    blocks = {"index.blocks.write": None, "index.blocks.read_only_allow_delete": None}
    server().indices.put_settings(index=names, settings=blocks, allow_no_indices=True)


@pytest.mark.parametrize("how", ["write", "read_only_allow_delete"])
def test_an_index_that_takes_no_writes_is_told_of_and_nothing_is_lost(how: str) -> None:
    for kind in KINDS:
        block(index_of(kind).write, how)
    fill(1)
    assert_answers_are_right()
    reindex.mend_indices()
    assert differing()
    assert any("只读" in notice for notice in findings(KINDS))
    unblock("*")
    assert mended()
    assert_answers_are_right()
    assert findings(KINDS) == []


@pytest.mark.parametrize("lost", ["read", "both"])
@pytest.mark.parametrize("kind", KINDS)
def test_lost_aliases_come_back_to_the_index_that_had_them(kind: str, lost: str) -> None:
    index = index_of(kind)
    before = index.current()
    for alias in {"read": [index.read], "both": [index.read, index.write]}[lost]:
        server().indices.delete_alias(index=f"{index.base}-*", name=alias)
    assert any(kind in notice for notice in findings(KINDS))
    assert_answers_are_right()
    fill(1)
    assert mended()
    assert index.names() == [before] == [index.current()]
    assert findings(KINDS) == []
    assert_answers_are_right()


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_that_somebody_else_made_in_its_place_gives_way(kind: str) -> None:
    index = index_of(kind)
    index.delete(index.current() or "")
    aliases: dict[str, dict[str, str]] = {index.read: {}, index.write: {}}
    server().indices.create(index=f"{index.base}-{FIRST}", mappings=FOREIGN, aliases=aliases)
    assert_answers_are_right()
    assert mended()
    assert index.stands()
    assert_answers_are_right()


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_under_the_name_of_an_alias_gives_way(kind: str) -> None:
    """As a server makes by itself when it is written to while the alias is missing."""
    index = index_of(kind)
    index.delete(index.current() or "")
    server().index(index=index.write, document={"holder": "nobody"}, refresh=True)
    assert_answers_are_right()
    assert mended()
    assert index.stands()


@pytest.mark.parametrize("kind", KINDS)
def test_an_emptied_index_is_filled_again(kind: str) -> None:
    index = index_of(kind)
    index.delete(index.current() or "")
    index.ensure()
    assert_answers_are_right()
    assert mended()
    assert_answers_are_right()


def test_a_server_whose_data_is_gone_is_filled_again() -> None:
    delete_indices()
    assert any("缺少索引" in notice for notice in findings(KINDS))
    assert_answers_are_right()
    assert mended()
    assert findings(KINDS) == []
