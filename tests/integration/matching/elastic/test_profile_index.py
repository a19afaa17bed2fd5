"""Profiles reach the index in order, whatever happens to server or worker, and a policy finds them through it."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from matching.backends import BackendUnavailable, Listed
from matching.backends.elastic.backend import LISTED
from matching.backends.elastic.indices import ClauseIndex
from matching.backends.elastic.profiles.index import ProfileIndex
from matching.criteria import CompiledTree, parse_criteria
from matching.models import Enterprise, PendingIndexWrite, Profile, ProfileReading
from matching.registry import outbox
from matching.services import candidates, indexing, profile_kind, publish, reindex, vocabulary
from matching.services.listed import known_facts
from matching.services.profile_kind import ProfileKind
from matching.services.profile_readings import current_reading
from matching.services.vocabulary import current_vocabulary
from matching.vocabulary import load_default_data
from tests.elastic import delete_indices
from tests.factories.matching import NOW, TODAY, enterprise, learn, published

Json = Any
LATER = NOW + timedelta(days=1)
pytestmark = [pytest.mark.elasticsearch, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def matcher(settings: Settings) -> Iterator[None]:
    here = settings.ELASTICSEARCH_URL
    settings.HUIDA_MATCHER = "elasticsearch"
    delete_indices()
    yield
    settings.ELASTICSEARCH_URL = here
    delete_indices()


def run(*arguments: str) -> str:
    told = StringIO()
    call_command("reindex", "--only", "profiles", *arguments, stdout=told)
    return told.getvalue()


def check(*only: str) -> None:
    """Raises CommandError where an index is not what the database says."""
    call_command("reindex", "--check", *only, stdout=StringIO())


def settle() -> None:
    """Deliver what was announced, and write what is pending."""
    while outbox.deliver(now=LATER):
        pass
    reindex.write_pending()


def listed(criteria: Json) -> Listed:
    return Listed("P", parse_criteria(criteria, current_vocabulary()))


def walked(criteria: Json, *, near: int = 0, after: int = 0, size: int = 2000) -> list[int]:
    pieces = list(candidates.walk(policy=listed(criteria), as_of=TODAY, near=near, after=after, size=size))
    assert all(len(piece) == size for piece in pieces[:-1])
    return [pk for piece in pieces for pk in piece]


def by_the_evaluator(criteria: Json, near: int = 0) -> list[int]:
    """The ids of those who fit, may fit, or lack at most ``near`` conditions."""
    tree, read = CompiledTree(listed(criteria).criteria), current_vocabulary()
    rows = Profile.objects.order_by("pk").values_list("pk", "facts")
    told = {pk: tree.evaluate(known_facts(facts=known, vocabulary=read), TODAY) for pk, known in rows}
    return [pk for pk, one in told.items() if len(one.unmet) <= near]


REVENUE: Json = {"fact": "revenue", "gte": 100}
SHARE: Json = {"fact": "rd_expense", "percent_of": "revenue", "gte": "5"}
BOTH: Json = {"all": [REVENUE, SHARE]}
EVERY_KIND: list[Json] = [REVENUE, SHARE, BOTH, {"not": BOTH}, {"all": []}]


def some(count: int) -> list[Enterprise]:
    """Enterprises with a revenue of 0, 20, 40, …, every third of them unknown."""
    known: list[dict[str, Any]] = [
        {} if number % 3 == 2 else {"revenue": {"2025": 20 * number}, "rd_expense": {"2025": 4}}
        for number in range(count)
    ]
    return [enterprise(**one) for one in known]


def test_a_policy_finds_its_enterprises_as_the_evaluator_would() -> None:
    some(12)
    published(BOTH)
    settle()
    for criteria in EVERY_KIND:
        for near in (0, 1):
            assert walked(criteria, near=near) == by_the_evaluator(criteria, near)
    assert "一致：12 行" in run("--check")


def test_whom_the_index_cannot_tell_from_those_who_come_up_is_a_candidate_too() -> None:
    some(9)
    settle()
    coming_up = by_the_evaluator(SHARE)
    assert set(coming_up) < set(walked(SHARE)), "no listed item asks for this share, so no document carries it"
    published(SHARE)
    settle()
    assert walked(SHARE) == coming_up
    assert "一致：9 行" in run("--check")


def test_a_walk_is_gone_on_with_after_the_last_id_that_was_given() -> None:
    everyone = sorted(made.pk for made in some(7))
    settle()
    assert walked({"all": []}, size=3) == everyone
    assert walked({"all": []}, after=everyone[2], size=3) == everyone[3:]
    assert walked({"all": []}, after=everyone[-1]) == []


def test_whom_the_index_was_not_told_of_yet_is_a_candidate() -> None:
    [first, *others] = some(4)
    settle()
    learn(first, revenue={"2025": 1000})
    assert first.pk in walked(REVENUE), "announced, not even pending"
    while outbox.deliver(now=NOW):
        pass
    assert PendingIndexWrite.objects.filter(object_id=first.pk).exists()
    assert walked(REVENUE) == by_the_evaluator(REVENUE)
    assert not PendingIndexWrite.objects.filter(kind=indexing.PROFILES).exists(), "drained before the walk"
    assert len(others) == 3


def test_changes_while_the_server_is_away_wait_and_arrive_in_their_last_state(settings: Settings) -> None:
    made = some(6)
    settle()
    settings.ELASTICSEARCH_URL, here = refusing(), settings.ELASTICSEARCH_URL
    for revenue in (150, 30, 500):
        learn(made[0], now=NOW + timedelta(minutes=revenue), revenue={"2025": revenue})
        settle()
    new = enterprise(revenue={"2025": 999})
    item = published(REVENUE, code="WHILE-AWAY")
    settle()
    assert not outbox.waiting(now=NOW + timedelta(days=1)), "the outbox waits for no server"
    assert indexing.trouble(now=NOW + timedelta(days=3650))
    with pytest.raises(BackendUnavailable):
        walked(REVENUE)
    settings.ELASTICSEARCH_URL = here
    reindex.write_pending()
    assert indexing.pending_count() == 0
    check()
    assert {made[0].pk, new.pk} <= set(walked(REVENUE))
    assert item.item.is_listed


def test_the_health_page_tells_what_waits_too_long(client: Client) -> None:
    some(1)
    settle()
    indexing.note(kind=indexing.PROFILES, ids=[1])
    assert not indexing.trouble(now=timezone.now()), "a change of this moment is no trouble"
    PendingIndexWrite.objects.update(noted_at=timezone.now() - timedelta(minutes=6))
    [notice] = [text for text in client.get("/healthz").json()["notices"] if "落后于数据库" in text]
    assert "1 项变更" in notice


def refusing() -> str:
    """An address at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_who_comes_late_with_an_older_state_changes_nothing() -> None:
    [one] = some(1)
    settle()
    index, reading = ProfileIndex(), current_reading()
    old = list(reading.rows(Profile.objects.values_list("pk", "revision", "facts")))
    learn(one, revenue={"2025": 777})
    settle()
    for _twice in range(2):
        index.put(old)  # a worker that read before the change and writes after it
        ProfileKind().write([one.pk])  # and one that does what was done already
    index.refresh()
    assert "一致：1 行" in run("--check")
    assert walked({"fact": "revenue", "gte": 777}) == [one.pk]


def test_a_worker_that_dies_between_writing_and_settling_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    made = some(3)
    settle()
    learn(made[0], revenue={"2025": 5})
    while outbox.deliver(now=NOW):
        pass
    write = ProfileKind.write

    def die(self: ProfileKind, ids: list[int]) -> None:
        write(self, ids)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ProfileKind, "write", die)
        with pytest.raises(KeyboardInterrupt):
            indexing.drain(kind=ProfileKind())
    assert indexing.pending_ids(kind=indexing.PROFILES) == [made[0].pk]
    settle()
    assert indexing.pending_count() == 0
    check()


def test_an_index_that_was_deleted_or_lost_documents_heals_before_a_walk() -> None:
    made = some(5)
    published(REVENUE)
    settle()
    right = by_the_evaluator(REVENUE)
    delete_indices()
    assert walked(REVENUE) == right
    index = ProfileIndex()
    index.drop([made[0].pk, made[3].pk])
    index.refresh()
    with pytest.raises(CommandError, match="缺 2 行"):
        run("--check")
    assert set(right) <= set(walked(REVENUE))
    delete_indices()
    assert reindex.mend_indices() > 0
    settle()
    check()


def test_a_rebuild_that_is_stopped_goes_on_while_facts_change_and_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = some(9)
    settle()
    before = ProfileIndex().current()
    monkeypatch.setattr(profile_kind, "_PIECE", 2)

    def stop(done: int, total: int) -> None:
        learn(made[done % 9], revenue={"2025": 1000 + done})
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindex.rebuild_index(only="profiles", now=NOW, on_progress=stop)
    assert ProfileIndex().current() == before
    learn(made[8], revenue={"2025": 4444})
    new = enterprise(revenue={"2025": 5555})
    settle()
    assert {made[8].pk, new.pk} <= set(walked(REVENUE)), "service goes on, and knows what is new"

    def change(done: int, total: int) -> None:
        learn(made[0], now=NOW + timedelta(hours=done), revenue={"2025": 2000 + done})
        while outbox.deliver(now=NOW):
            pass

    built = reindex.rebuild_index(only="profiles", now=NOW + timedelta(days=1), on_progress=change)
    assert built.found >= 2, "what was written before the stop"
    assert ProfileIndex().names() == [built.name] == [ProfileIndex().current()]
    settle()
    assert "一致：10 行" in run("--check")


def test_an_index_that_is_not_what_was_written_is_never_put_into_service(monkeypatch: pytest.MonkeyPatch) -> None:
    some(4)
    settle()
    before = ProfileIndex().current()

    def lose_one(self: ProfileIndex) -> None:
        head = next(iter(self.heads()))
        self.drop([head.id])

    monkeypatch.setattr(ProfileIndex, "tidy", lose_one)
    with pytest.raises(BackendUnavailable, match="有 3 份企业画像，应有 4 份"):
        reindex.rebuild_index(only="profiles", now=NOW)
    assert ProfileIndex().current() == before


def test_a_vocabulary_that_says_other_things_of_facts_has_every_profile_written_again() -> None:
    some(3)
    settle()
    data = load_default_data()
    data["code_lists"]["size"]["codes"]["nano"] = "超微型"
    vocabulary.activate(data=data, note="", now=NOW)
    assert walked({"fact": "size", "in": ["nano"]}) == sorted(Profile.objects.values_list("pk", flat=True))
    assert ProfileReading.objects.count() == 2
    settle()
    check()


def test_nothing_waits_where_the_settings_name_no_server(settings: Settings) -> None:
    settings.HUIDA_MATCHER = "memory"
    some(2)
    published(SHARE)
    settle()
    assert indexing.pending_count() == 0
    with pytest.raises(BackendUnavailable, match="HUIDA_MATCHER"):
        walked(REVENUE)


def test_what_changed_while_the_settings_named_no_server_is_not_missed_when_they_do_again(settings: Settings) -> None:
    [one, *_] = some(3)
    settle()
    settings.HUIDA_MATCHER = "memory"
    learn(one, revenue={"2025": 1000})
    settle()
    settings.HUIDA_MATCHER = "elasticsearch"
    assert one.pk in walked(REVENUE)
    settle()
    check()


def test_clauses_are_written_as_items_are_listed_and_withdrawn() -> None:
    published(REVENUE, code="A")
    published(SHARE, code="B")
    settle()
    check("--only", "clauses")
    published(SHARE, code="A")
    publish.withdraw_item(item_code="B", now=NOW)
    settle()
    check("--only", "clauses")
    assert ClauseIndex().count(LISTED) == 1
