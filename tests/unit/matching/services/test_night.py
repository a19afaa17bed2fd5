"""A night costs what changed: where nothing did no match is read or written, and no change is missed."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from matching import bulk
from matching.models import Match, MatchedListing, MatchedState, PolicyVersion, Push
from matching.registry import outbox
from matching.services import listing, match_profiles, publish, vocabulary
from tests.factories import matching as make

pytestmark = pytest.mark.django_db

HERE = {"fact": "registered_region", "in": ["510105"]}
REVENUE = {"fact": "revenue", "gte": "20000000"}
YOUNG = {"fact": "established_on", "within_last": "P1Y"}
FORM = {"fact": "project_investment", "gte": "1000000"}


def deliver() -> None:
    outbox.deliver(now=make.NOW)


def night(day: date = make.TODAY, **more: Any) -> Any:
    return match_profiles.match_nightly(as_of=day, now=make.NOW, **more)


def rows() -> set[tuple[Any, ...]]:
    fields = ("enterprise__name", "version_id", "verdict", "form_only", "unmet", "unknown")
    return {tuple(map(str, row)) for row in Match.objects.values_list(*fields)}


def as_if_matched_whole(day: date = make.TODAY) -> set[tuple[Any, ...]]:
    """The rows after every enterprise is matched whole; what the night left before is there again afterwards."""
    match_profiles.match_nightly(as_of=day, now=make.NOW, all_whole=True)
    return rows()


@pytest.fixture
def firms() -> None:
    make.enterprise("合格", registered_region="510105", revenue={"2025": "30000000"}, established_on="2025-11-24")
    make.enterprise("差一项", registered_region="510105", revenue={"2025": "18200000"}, established_on="2020-01-01")
    make.enterprise("未知", registered_region="510105")
    make.published({"all": [HERE, REVENUE]}, code="reward")
    make.published({"all": [HERE, FORM]}, code="form")
    make.published(YOUNG, code="young")
    make.published({"all": [{"not": HERE}, {"fact": "revenue", "lte": "5"}]}, code="far")
    deliver()


def test_a_second_night_reads_no_match_and_writes_nothing(firms: None) -> None:
    first = night()
    assert (first.enterprises, first.unchanged) == (3, 0)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        again = night()
    assert (again.enterprises, again.unchanged, again.pairs) == (3, 3, 0)
    assert not [query["sql"] for query in asked if 'matching_match"' in query["sql"]]
    assert not [query["sql"] for query in asked if query["sql"].startswith("INSERT")]


def test_all_may_be_matched_whole_whatever_is_known(firms: None) -> None:
    night()
    again = night(all_whole=True)
    assert (again.enterprises, again.unchanged) == (3, 0)
    assert again.pairs > 0
    assert again.written == 0


def test_only_those_whose_leaves_turned_with_the_day_are_matched(firms: None) -> None:
    night()
    run = night(make.TODAY + timedelta(days=3))
    assert (run.unchanged, run.written) == (2, 1)
    assert rows() == as_if_matched_whole(make.TODAY + timedelta(days=3))


def test_a_changed_fact_is_matched_and_one_that_turns_no_leaf_is_not(firms: None) -> None:
    night()
    firm = make.enterprise("新来", registered_region="510104")
    make.learn(firm, revenue={"2025": "1"})
    assert night().unchanged == 3
    make.learn(firm, revenue={"2025": "2"}, valid_on=date(2026, 3, 1))
    assert night().unchanged == 4
    make.learn(firm, registered_region="510105", valid_on=date(2026, 3, 2))
    run = night()
    assert (run.unchanged, run.pushed) == (3, 1)
    assert rows() == as_if_matched_whole()


def _delete(firm: Match) -> None:
    Match.objects.filter(pk=firm.pk).delete()


def _raw_delete(firm: Match) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM matching_match WHERE id = %s", [firm.pk])


def _update(firm: Match) -> None:
    Match.objects.filter(pk=firm.pk).update(verdict="undetermined")


def _insert(firm: Match) -> None:
    version = PolicyVersion.objects.exclude(matches__enterprise=firm.enterprise).earliest("pk")
    Match.objects.create(enterprise=firm.enterprise, version=version, verdict="eligible", as_of=make.TODAY)


@pytest.mark.parametrize("by_hand", [_delete, _raw_delete, _update, _insert])
def test_a_row_that_somebody_touched_is_put_right_in_the_night(firms: None, by_hand: Callable[[Match], None]) -> None:
    night()
    right = rows()
    firm = Match.objects.filter(enterprise__name="差一项").earliest("pk")
    by_hand(firm)
    assert rows() != right
    assert not MatchedState.objects.filter(pk=firm.enterprise_id).exists()
    assert night().unchanged == 2
    assert rows() == right


def test_a_version_published_by_day_costs_only_those_for_whom_it_comes_up(firms: None) -> None:
    make.enterprise("远方", registered_region="510104", revenue={"2025": "1"}, established_on="2010-01-01")
    deliver()
    night()
    make.published(HERE, code="second")
    make.published({"all": [HERE, {**REVENUE, "gte": "25000000"}]}, code="reward")
    deliver()
    before = rows()
    run = night()
    assert run.written == run.removed == 0
    assert rows() == before == as_if_matched_whole()
    assert night().unchanged == 4


def test_a_version_whose_own_run_is_still_to_come_is_matched_in_the_night_without_the_others(firms: None) -> None:
    make.enterprise("远方", registered_region="510104", revenue={"2025": "1"}, established_on="2010-01-01")
    deliver()
    night()
    version = make.published({"not": HERE}, code="elsewhere")
    run = night()
    assert (run.enterprises, run.unchanged) == (4, 0)
    # Only the new version's pairs were looked at: it fits one and is one condition away from the three others.
    assert (run.pairs, run.written, run.pushed) == (4, 4, 1)
    assert Push.objects.get(version=version).enterprise.name == "远方"
    assert night().unchanged == 4
    assert rows() == as_if_matched_whole()


def test_what_leaves_the_list_leaves_the_rows_and_what_opens_comes_in(firms: None) -> None:
    make.published(HERE, code="closing", window={"until": str(make.TODAY)})
    make.published(HERE, code="opening", window={"from": str(make.TODAY + timedelta(days=1))})
    deliver()
    night()
    tomorrow = make.TODAY + timedelta(days=1)
    run = night(tomorrow)
    assert (run.written, run.removed) == (3, 3)
    found = rows()
    assert night(tomorrow).unchanged == 3
    assert found == as_if_matched_whole(tomorrow)


def test_another_vocabulary_or_engine_proves_nothing(firms: None, monkeypatch: pytest.MonkeyPatch) -> None:
    night()
    vocabulary.save_code(list_name="region", code="519999", label="新区", now=make.NOW)
    assert night().unchanged == 0
    assert night().unchanged == 3
    monkeypatch.setattr(listing, "engine_digest", lambda: "mended")
    assert night().unchanged == 0
    assert night().unchanged == 3


def test_a_withdrawn_item_is_gone_and_the_lists_of_former_nights_too(firms: None) -> None:
    night()
    publish.withdraw_item(item_code="reward", now=make.NOW)
    deliver()
    night()
    assert night().unchanged == 3
    assert MatchedListing.objects.count() == 1
    assert rows() == as_if_matched_whole()


def test_a_night_that_is_killed_after_some_rows_claims_nothing_for_them(
    firms: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**given: Any) -> Any:
        raise RuntimeError("the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "insert", killed)
        with pytest.raises(RuntimeError, match="went away"):
            night()
    assert not MatchedState.objects.exists()
    assert night().unchanged == 0
    assert rows() == as_if_matched_whole()
