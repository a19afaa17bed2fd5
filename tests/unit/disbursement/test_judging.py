"""Judgements are stored with all they saw and can be judged again to the same answer."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from disbursement.domain.errors import Invalid
from disbursement.models import Judgement
from disbursement.services.application import judging
from disbursement.services.review import decisions, reviews
from matching.services.vocabulary import save_fact
from tests.factories import matching as base
from tests.factories.disbursement import START, case, item

pytestmark = pytest.mark.django_db


def test_every_judgement_of_an_application_replays_to_the_same_bytes() -> None:
    made = case().approved()
    judgements = list(Judgement.objects.filter(application_id=made.id))
    assert len(judgements) == 3
    for judgement in judgements:
        again = judging.replay(judgement=judgement)
        assert again.same
        assert again.intact


def test_a_replay_does_not_hear_of_what_was_learned_published_or_renamed_since() -> None:
    made = case().approved()
    base.learn(made.enterprise, now=made.later().now, registered_region="510104", credit_records=["dishonest"])
    item(code=made.version.item.code, criteria={"all": []}, now=made.now)
    save_fact(
        definition={"key": "invoice_total", "label": "改了名", "type": "number", "unit": "元", "scope": "application"},
        now=made.now,
    )
    judgement = Judgement.objects.filter(application_id=made.id).latest("id")
    again = judging.replay(judgement=judgement)
    assert again.same
    assert again.result["verdict"] == "eligible"


def test_a_replay_notices_inputs_that_were_changed() -> None:
    made = case().approved()
    judgement = Judgement.objects.filter(application_id=made.id).latest("id")
    inputs = json.loads(judgement.inputs)
    inputs["facts"]["invoice_total"] = "999999"
    judgement.inputs = json.dumps(inputs)
    again = judging.replay(judgement=judgement)
    assert not again.same
    assert not again.intact


def test_an_application_is_judged_as_of_its_submission_but_credit_as_of_today() -> None:
    made = case().in_review()
    base.learn(made.enterprise, now=made.now, valid_on=START, registered_region="510104", source="更正")
    wrong_then = judging.assess(application=made.fresh(), now=made.now)
    assert wrong_then.result["unmet"] == ["here"]

    other = case().in_review()
    after = START + timedelta(days=3)
    base.learn(other.enterprise, now=other.later(days=4).now, valid_on=after, registered_region="510104")
    assert judging.assess(application=other.fresh(), now=other.now).verdict == "eligible"
    records = [{"code": "dishonest", "on": after.isoformat()}]
    base.learn(other.enterprise, now=other.now, valid_on=after, credit_records=records)
    today = judging.assess(application=other.fresh(), now=other.now)
    assert (today.verdict, today.result["unmet"]) == ("ineligible", ["honest"])
    with pytest.raises(Invalid, match="失信"):
        reviews.recommend_approval(application_id=other.id, text="通过", actor=other.reviewer, now=other.now)


def test_a_judgement_with_credit_of_another_day_replays_too() -> None:
    made = case(criteria={"all": [{"not": {"fact": "credit_records", "any_of": ["dishonest"]}}]}).second_review()
    made.later(days=5)
    decisions.approve(application_id=made.id, actor=made.second, now=made.now)
    judgement = Judgement.objects.filter(application_id=made.id).latest("id")
    inputs = json.loads(judgement.inputs)
    assert inputs["as_of"] != inputs["credit_as_of"]
    assert judging.replay(judgement=judgement).same


def test_only_facts_that_the_rules_ask_for_are_stored() -> None:
    made = case(enterprise=None)
    base.learn(made.enterprise, now=made.now, revenue={"2025": "1"})
    made.submitted()
    facts = Judgement.objects.get(application_id=made.id).facts
    assert set(facts) == {"registered_region", "credit_records", "invoice_total"}


def test_an_unknown_fact_is_confirmed_by_the_reviewer_and_then_counts() -> None:
    criteria = {"all": [{"fact": "wages_on_time", "is": True, "id": "wages"}]}
    made = case(criteria=criteria).in_review()
    with pytest.raises(Invalid) as told:
        reviews.recommend_approval(application_id=made.id, text="通过", actor=made.reviewer, now=made.now)
    assert [fault.place for fault in told.value.faults] == ["leaf.wages"]
    judgement = reviews.confirm_facts(
        application_id=made.id, facts={"wages_on_time": True}, note="见工资流水", actor=made.reviewer, now=made.now
    )
    assert judgement.verdict == "eligible"
    fact = made.enterprise.facts.get(key="wages_on_time")
    assert fact.source.startswith("审核认定（2026-000001）")
    assert fact.recorded_by_id == made.reviewer.user_id


def test_what_the_form_asks_is_not_the_reviewers_to_confirm() -> None:
    made = case().in_review()
    with pytest.raises(Invalid, match="补正"):
        reviews.confirm_facts(
            application_id=made.id, facts={"invoice_total": "1"}, note="", actor=made.reviewer, now=made.now
        )
