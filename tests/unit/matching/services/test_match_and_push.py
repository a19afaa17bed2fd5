"""Matching runs over the database, and what they push: told once, with the reason."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from matching import selectors
from matching.models import Match, PolicyItem, Push, PushCause
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from matching.services import facts, match_policies, match_profiles, publish, push
from matching.services.listed import known_facts
from tests.factories import matching as make

pytestmark = pytest.mark.django_db

REVENUE = {"fact": "revenue", "gte": "20000000"}
HIGH_TECH = {"fact": "qualifications", "any_of": ["high_tech"]}
LISTED_REGION = {"fact": "registered_region", "in": ["510105"]}
FORM = {"fact": "project_investment", "gte": "1000000"}
BOTH = {"all": [LISTED_REGION, REVENUE]}


def deliver(now=make.NOW):
    return outbox.deliver(now=now)


def found(version):
    return {
        match.enterprise.name: (match.verdict, match.form_only, match.unmet, match.unknown)
        for match in Match.objects.filter(version=version).select_related("enterprise")
    }


def told(version):
    return set(Push.objects.filter(version=version).values_list("enterprise__name", "verdict", "cause"))


@pytest.fixture
def firms():
    make.enterprise("合格", registered_region="510105", revenue={"2025": "30000000"})
    make.enterprise("差一项", registered_region="510105", revenue={"2025": "18200000"})
    make.enterprise("差两项", registered_region="510104", revenue={"2025": "1"})
    make.enterprise("未知", registered_region="510105")
    deliver()


def test_a_published_item_finds_its_enterprises_and_tells_those_that_fit(firms):
    version = make.published(BOTH, name="规上企业奖励")
    deliver()
    assert found(version) == {
        "合格": ("eligible", False, [], []),
        "差一项": ("ineligible", False, ["all.1"], []),
        "未知": ("undetermined", False, [], ["all.1"]),
    }
    assert told(version) == {("合格", "eligible", "policy")}


def test_a_push_says_what_was_compared_with_what(firms):
    version = make.published(BOTH)
    deliver()
    reason = Push.objects.get(version=version).reason
    assert len(reason) == 2
    assert "青羊区" in reason[0]
    assert "3,000 万元" in reason[1]
    assert "2,000 万元" in reason[1]


def test_what_is_open_to_everyone_says_so(firms):
    version = make.published()
    deliver()
    assert Push.objects.filter(version=version).count() == 4
    assert Push.objects.filter(version=version)[0].reason == ["面向所有企业，无其他条件"]


def test_a_pair_that_lacks_only_what_the_form_asks_is_pushed_as_fitting(firms):
    version = make.published({"all": [LISTED_REGION, FORM]})
    deliver()
    assert told(version) == {
        ("合格", "undetermined", "policy"),
        ("差一项", "undetermined", "policy"),
        ("未知", "undetermined", "policy"),
    }
    assert Match.objects.filter(version=version, form_only=True).count() == 3
    assert "申报时还需填报：项目总投资" in Push.objects.filter(version=version)[0].reason


def test_a_changed_profile_finds_its_items_and_is_told_only_what_is_new():
    always = make.published()
    rich = make.published(REVENUE)
    deliver()
    firm = make.enterprise("成长中", revenue={"2025": "10000000"})
    deliver()
    assert told(always) == {("成长中", "eligible", "profile")}
    assert found(rich)["成长中"][0] == "ineligible"
    make.learn(firm, revenue={"2025": "21000000"}, valid_on=date(2026, 2, 1))
    deliver()
    assert told(rich) == {("成长中", "eligible", "profile")}
    assert Push.objects.count() == 2


def test_what_was_told_is_not_told_again_when_it_fits_a_second_time():
    version = make.published(REVENUE)
    firm = make.enterprise("起伏", revenue={"2025": "30000000"})
    deliver()
    make.learn(firm, revenue={"2025": "1"}, valid_on=date(2026, 2, 1))
    deliver()
    assert found(version)["起伏"][0] == "ineligible"
    make.learn(firm, revenue={"2025": "30000000"}, valid_on=date(2026, 3, 1))
    deliver()
    assert found(version)["起伏"][0] == "eligible"
    assert Push.objects.count() == 1


def test_a_change_of_the_rules_is_told_and_the_old_version_matches_no_more(firms):
    first = make.published(BOTH, code="reward")
    deliver()
    second = make.published({"all": [LISTED_REGION, {**REVENUE, "gte": "25000000"}]}, code="reward")
    deliver()
    assert found(first) == {}
    assert told(first) == told(second) == {("合格", "eligible", "policy")}


def test_a_message_about_a_version_that_was_replaced_meanwhile_does_nothing(firms):
    first = make.published(BOTH, code="reward")
    second = make.published(LISTED_REGION, code="reward")
    deliver()
    assert told(first) == set()
    assert found(first) == {}
    assert len(told(second)) == 3


def test_a_withdrawn_item_has_no_matches_and_tells_nobody_new(firms):
    version = make.published(LISTED_REGION, code="reward")
    deliver()
    publish.withdraw_item(item_code="reward", now=make.NOW)
    make.enterprise("后来者", registered_region="510105")
    deliver()
    assert found(version) == {}
    assert len(told(version)) == 3


def test_an_item_is_matched_only_within_its_window(firms):
    later = {"from": "2026-12-01", "until": "2026-12-31"}
    version = make.published(LISTED_REGION, window=later)
    deliver()
    assert found(version) == {}

    def night(day):
        match_profiles.match_nightly(as_of=day, now=make.NOW)
        return sum(row[0] == "eligible" for row in found(version).values())

    assert night(date(2026, 11, 30)) == 0
    assert night(date(2026, 12, 1)) == 3
    assert told(version) == {(name, "eligible", "date") for name in ("合格", "差一项", "未知")}
    assert night(date(2026, 12, 31)) == 3
    assert night(date(2027, 1, 1)) == 0


def test_the_night_finds_what_the_passing_of_dates_changed():
    young = make.published({"fact": "established_on", "within_last": "P1Y"})
    old = make.published({"fact": "established_on", "at_least_ago": "P1Y"})
    deliver()
    make.enterprise("一岁", established_on="2025-11-23")
    deliver()
    assert told(young) == {("一岁", "eligible", "profile")}
    assert told(old) == set()
    run = match_profiles.match_nightly(as_of=date(2026, 11, 23), now=make.NOW)
    assert run.pushed == 1
    assert told(old) == {("一岁", "eligible", "date")}
    run = match_profiles.match_nightly(as_of=date(2026, 11, 24), now=make.NOW)
    assert found(young)["一岁"][0] == "ineligible"
    again = match_profiles.match_nightly(as_of=date(2026, 11, 24), now=make.NOW)
    assert (again.written, again.removed, again.pushed) == (0, 0, 0)


def test_the_night_folds_in_facts_that_become_valid():
    version = make.published(REVENUE)
    firm = make.enterprise("将来")
    make.learn(firm, revenue={"2025": "30000000"}, valid_on=date(2026, 12, 1))
    deliver()
    assert told(version) == set()
    match_profiles.match_nightly(as_of=date(2026, 12, 1), now=datetime(2026, 11, 30, 18, tzinfo=UTC))
    assert told(version) == {("将来", "eligible", "date")}


def test_a_crash_after_the_pushes_were_written_leaves_nothing_and_the_next_run_tells_once(firms, monkeypatch):
    version = make.published(BOTH)
    written = push.outbox.emit_many

    def crash(*, topic, messages, now):
        written(topic=topic, messages=messages, now=now)
        if topic == "push.created":
            raise RuntimeError("the machine went away")

    monkeypatch.setattr(push.outbox, "emit_many", crash)
    deliver()
    assert not Push.objects.exists()
    assert not Match.objects.exists()
    message = OutboxMessage.objects.get(topic="policy.version_published")
    assert message.delivered_at is None
    assert "the machine went away" in message.last_error
    monkeypatch.undo()
    later = make.NOW + timedelta(minutes=1)
    deliver(later)
    deliver(later)
    assert told(version) == {("合格", "eligible", "policy")}
    assert OutboxMessage.objects.filter(topic="push.created").count() == 1


def test_pushing_the_same_pairs_twice_at_one_instant_emits_once(firms):
    version = make.published(LISTED_REGION)
    deliver()
    nothing = known_facts(facts={}, vocabulary=facts.current_vocabulary())
    pairs = Push.objects.filter(version=version)
    again = [push.Fitting(row.enterprise_id, row.version_id, row.verdict, nothing) for row in pairs]
    assert push.push_fitting(fitting=again, cause=PushCause.DATE, as_of=make.TODAY, now=make.NOW) == 0
    [event] = OutboxMessage.objects.filter(topic="push.created")
    assert sorted(event.payload["push_ids"]) == sorted(pairs.values_list("pk", flat=True))


def test_matching_everything_again_writes_nothing(firms):
    make.published(BOTH)
    make.published(HIGH_TECH)
    deliver()
    run = match_profiles.match_nightly(as_of=make.TODAY, now=make.NOW)
    assert run.enterprises == 4
    assert run.pairs > 0
    assert (run.written, run.removed, run.pushed) == (0, 0, 0)


def test_progress_is_told_for_every_enterprise(firms):
    seen = []
    match_profiles.match_nightly(as_of=make.TODAY, now=make.NOW, on_progress=seen.append)
    version = make.published()
    match_policies.match_version(version_id=version.pk, as_of=make.TODAY, now=make.NOW, on_progress=seen.append)
    assert sum(seen) == 8


def test_a_fact_that_the_vocabulary_can_no_longer_read_is_unknown_and_the_rest_counts():
    vocabulary = facts.current_vocabulary()
    known = known_facts(facts={"insured_staff": 5, "gone": 1, "size": "no-such-code"}, vocabulary=vocabulary)
    assert dict(known.values) == {"insured_staff": 5}


def test_the_lists_of_an_enterprise_leave_out_closed_and_withdrawn_items(firms, django_assert_num_queries):
    make.published(LISTED_REGION, code="open")
    make.published(BOTH, code="near")
    make.published(LISTED_REGION, code="closing", window={"until": "2026-11-22"})
    make.published(LISTED_REGION, code="gone")
    deliver()
    publish.withdraw_item(item_code="gone", now=make.NOW)
    firm = Match.objects.filter(enterprise__name="差一项")[0].enterprise

    def codes(rows):
        return [row.version.item.code for row in rows]

    with django_assert_num_queries(1):
        assert codes(selectors.fitting(enterprise=firm, day=make.TODAY)) == ["closing", "open"]
    assert codes(selectors.fitting(enterprise=firm, day=date(2026, 11, 23))) == ["open"]
    assert codes(selectors.nearly_fitting(enterprise=firm, day=make.TODAY)) == ["near"]
    item = PolicyItem.objects.get(code="near")
    assert "合格" in [row.enterprise.name for row in selectors.enterprises_matching(item=item)]


def test_a_run_over_many_enterprises_costs_a_bounded_number_of_queries(django_assert_max_num_queries):
    for _ in range(25):
        make.enterprise(registered_region="510105", revenue={"2025": "30000000"})
    deliver()
    with django_assert_max_num_queries(30):
        match_profiles.match_nightly(as_of=make.TODAY, now=make.NOW)

    def queries():
        version = make.published(BOTH)
        with CaptureQueriesContext(connection) as captured:
            match_policies.match_version(version_id=version.pk, as_of=make.TODAY, now=make.NOW)
        return len(captured)

    few = queries()
    for _ in range(25):
        make.enterprise(registered_region="510105", revenue={"2025": "30000000"})
    assert queries() <= few  # the first writes what the profile index still lacked
