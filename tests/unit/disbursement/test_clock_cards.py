"""Clocks of applications: limits by item, cards drawn once, charged to department and person."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from disbursement.domain.actors import Actor
from disbursement.domain.workflow import ClockStep, Role
from disbursement.models import ClockCard, ClockPause, StepClock, SupervisionEntry
from disbursement.selectors.limits import limits_of
from disbursement.services.review import absences, decisions, experts, publicity, reviews
from disbursement.services.supervision import clocks
from tests.factories.disbursement import START, Case, at, case, staff

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, (20, 10)),
        ({"statutory": 15, "promised": 7}, (15, 7)),
        ({"promised": 30}, (30, 30)),
        ({"statutory": 6}, (6, 6)),
        ({"statutory": 5, "promised": 9}, (5, 5)),
    ],
)
def test_a_promise_never_exceeds_the_statutory_limit(named: dict[str, Any], expected: tuple[int, int]) -> None:
    assert limits_of(rules={"limits": {"review": named}}, step=ClockStep.REVIEW) == expected


def test_a_yellow_card_at_four_fifths_and_a_red_one_past_the_limit_each_once() -> None:
    made = case(limits={"acceptance": {"statutory": 5, "promised": 5}}).submitted()
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    drawn = []
    for day in range(12):
        now = at(made.now.date() + timedelta(days=day), 1)
        drawn.append(clocks.charge_cards(now=now))
        assert clocks.charge_cards(now=now) == 0
    cards = list(ClockCard.objects.order_by("pk").values_list("colour", "used", "holder_id", "department__code"))
    assert cards == [("yellow", 4, made.acceptor.user_id, "kjj"), ("red", 6, made.acceptor.user_id, "kjj")]
    assert drawn == [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("first_day", "last_day", "who_had_it"),
    [
        ("2026-03-10", "2026-03-12", "the one who is away"),
        ("2026-03-09", "2026-03-09", "the deputy"),
    ],
)
def test_the_red_card_is_drawn_on_whoever_had_it_when_the_limit_ended(
    first_day: str, last_day: str, who_had_it: str
) -> None:
    """Monday 9 March is the last of five working days; the night after it the desk passes on, or comes back."""
    made, deputy = _handed_over(date.fromisoformat(first_day), date.fromisoformat(last_day))
    expected = {"the one who is away": made.acceptor, "the deputy": deputy}[who_had_it]
    for day in ("2026-03-09", "2026-03-10"):
        absences.keep_up(now=at(day, 0, 30))
        clocks.charge_cards(now=at(day, 0, 30))
    assert made.fresh().handler_id != expected.user_id
    assert ClockCard.objects.get(colour="red").holder_id == expected.user_id
    assert SupervisionEntry.objects.get(kind="red").person_id == expected.user_id


def test_a_limit_that_ended_on_friday_is_not_charged_to_who_got_it_over_the_weekend() -> None:
    saturday = START + timedelta(days=5)
    made, deputy = _handed_over(saturday, saturday + timedelta(days=9), limit=4)
    for day in range(3):
        now = at(saturday + timedelta(days=day), 0, 30)
        absences.keep_up(now=now)
        clocks.charge_cards(now=now)
    assert made.fresh().handler_id == deputy.user_id
    assert ClockCard.objects.get(colour="red").holder_id == made.acceptor.user_id


def _handed_over(first_day: date, last_day: date, limit: int = 5) -> tuple[Case, Actor]:
    """Claimed on Monday 2 March by an acceptor who will be away, with a deputy."""
    made = case(limits={"acceptance": {"statutory": limit, "promised": limit}}).submitted()
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    deputy = staff(Role.ACCEPTOR, made.version.item.department)
    absences.declare_absence(
        person=made.acceptor,
        deputy=deputy,
        starts_on=first_day,
        ends_on=last_day,
        reason="年休假",
        actor=made.acceptor,
        now=made.now,
    )
    return made, deputy


def test_a_missed_week_of_nights_draws_both_at_once() -> None:
    made = case().submitted().later(days=20)
    assert clocks.charge_cards(now=made.now) == 2


def test_a_clock_that_overran_and_stopped_between_two_nights_is_charged_all_the_same() -> None:
    made = case().submitted().later(days=7)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    assert clocks.charge_cards(now=made.later(days=1).now) == 2
    assert set(ClockCard.objects.values_list("clock__step", flat=True)) == {"acceptance"}


def test_a_paused_clock_draws_nothing_however_long_it_stands() -> None:
    made = case().submitted().asked().later(days=60)
    assert clocks.charge_cards(now=made.now) == 0


def test_experts_and_publicity_pause_the_review_clock_and_the_decision_stops_it() -> None:
    made = case().in_review()
    reviews.ask_expert(application_id=made.id, question="属于研发吗", actor=made.reviewer, now=made.now)
    experts.record_report(
        application_id=made.id,
        text="属于",
        experts=[experts.Expert("王某", "某大学", "教授")],
        unconcerned=True,
        actor=made.reviewer,
        now=made.later(days=10).now,
    )
    reviews.recommend_approval(application_id=made.id, text="通过", actor=made.reviewer, now=made.now)
    found = publicity.publicise(application_id=made.id, actor=made.second, now=made.now, days=3)
    made.now = at(found.ends_on + timedelta(days=1))
    decisions.approve(application_id=made.id, actor=made.second, now=made.now)
    clock = StepClock.objects.get(application_id=made.id, step="review")
    assert clock.stopped_on == made.now.date()
    assert list(ClockPause.objects.filter(clock=clock).values_list("reason", flat=True)) == ["提请专家评审", "公示"]
    assert not ClockPause.objects.filter(ended_on__isnull=True).exists()


def test_a_case_taken_up_again_after_an_appeal_does_not_count_the_time_between() -> None:
    made = case().appealed()
    found = publicity.publicise(application_id=made.id, actor=made.other, now=made.now, days=3)
    objection = publicity.object_to(
        publicity_id=found.pk, name="李四", contact="1", text="不实", now=at(found.starts_on)
    )
    publicity.answer_objection(
        objection_id=objection.pk, sustained=True, answer="成立", actor=made.second, now=at(found.ends_on)
    )
    clock = StepClock.objects.get(application_id=made.id, step="review")
    assert clock.stopped_on is None
    assert clock.as_clock().pauses[-1].end == found.ends_on
