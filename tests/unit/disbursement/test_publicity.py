"""Publicity is a gate: days must pass, objections must be answered."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from disbursement.domain import clocks
from disbursement.domain.errors import Denied, Invalid
from disbursement.models import Decision, Objection, Publicity, StepClock
from disbursement.selectors import desk
from disbursement.selectors.attention import Attention, attention
from disbursement.selectors.calendar import working_calendar
from disbursement.services.review import decisions, publicity, reviews
from matching.registry.models import OutboxMessage
from tests.factories import matching as base
from tests.factories.disbursement import Case, at, case

pytestmark = pytest.mark.django_db


def publicised(days: int = 5) -> tuple[Case, Publicity]:
    made = case(publicity_days=days).second_review()
    return made, publicity.publicise(application_id=made.id, actor=made.second, now=made.now)


def objected(found: Publicity) -> Objection:
    return publicity.object_to(
        publicity_id=found.pk, name="李四", contact="028-1", text="发票不实", now=at(found.starts_on)
    )


def test_an_item_with_publicity_cannot_be_approved_past_it() -> None:
    made = case(publicity_days=5).second_review()
    with pytest.raises(Invalid, match="公示 5 个工作日"):
        decisions.approve(application_id=made.id, actor=made.second, now=made.now)


def test_publicity_runs_over_working_days_from_the_next_one_on() -> None:
    _, found = publicised()
    assert (found.starts_on, found.ends_on) == (date(2026, 3, 3), date(2026, 3, 9))
    assert found.amount == Decimal("150000.00")


def test_it_ends_by_itself_the_day_after_and_not_before() -> None:
    made, _ = publicised()
    with pytest.raises(Invalid, match="期满"):
        decisions.approve(application_id=made.id, actor=made.second, now=at("2026-03-09", 23))
    assert publicity.end_due(now=at("2026-03-09", 23)) == []
    assert publicity.end_due(now=at("2026-03-10", 0)) == [made.id]
    assert publicity.end_due(now=at("2026-03-10", 1)) == []
    decision = Decision.objects.get(application_id=made.id, kind="approved")
    assert (decision.role, decision.by) == ("system", None)
    assert made.fresh().state == "approved"


def test_an_open_objection_holds_it_and_one_without_ground_lets_it_go_on() -> None:
    made, found = publicised()
    objection = objected(found)
    late = at("2026-03-12")
    assert publicity.end_due(now=late) == []
    with pytest.raises(Invalid, match="异议"):
        decisions.approve(application_id=made.id, actor=made.second, now=late)
    publicity.answer_objection(
        objection_id=objection.pk, sustained=False, answer="经查属实开具", actor=made.second, now=late
    )
    assert publicity.end_due(now=late) == [made.id]


def reading(made: Case, day: date) -> clocks.Reading:
    clock = StepClock.objects.get(application_id=made.id, step="review")
    return clocks.read(clock.as_clock(), as_of=day, calendar=working_calendar())


def test_what_could_not_be_approved_at_the_end_is_on_the_clock_again_and_told_once() -> None:
    made, found = publicised()
    objected(found)
    assert reading(made, date(2026, 3, 9)).paused
    used = reading(made, date(2026, 3, 9)).used
    assert publicity.end_due(now=at("2026-03-10", 0)) == []
    assert publicity.end_due(now=at("2026-03-11", 0)) == []
    now = reading(made, date(2026, 3, 12))
    assert (now.paused, now.used) == (False, used + 2)
    assert OutboxMessage.objects.filter(topic=publicity.HELD).count() == 1
    late = date(2026, 4, 3)
    assert [row.clock.application_id for row in desk.stuck(as_of=late)] == [made.id]
    seen = attention(applications=type(made.application).objects.all(), as_of=late)
    assert seen == {made.id: [Attention.OBJECTION, Attention.PUBLICITY_OVER]}


def test_a_publicity_after_an_appeal_is_on_the_clock_too_once_it_is_over() -> None:
    made = case(publicity_days=2).appealed()
    publicity.publicise(application_id=made.id, actor=made.other, now=made.now)
    records = [{"code": "dishonest", "on": "2026-03-03"}]
    late = at("2026-03-12")
    base.learn(made.enterprise, now=late, valid_on=date(2026, 3, 3), credit_records=records)
    assert publicity.end_due(now=late) == []
    assert reading(made, date(2026, 3, 13)).running


def test_a_publicity_after_an_appeal_lies_open_to_the_second_reviewers_and_not_with_who_opened_it() -> None:
    made = case(publicity_days=2).appealed()
    found = publicity.publicise(application_id=made.id, actor=made.other, now=made.now)
    assert made.fresh().handler is None
    day = found.starts_on
    waiting = {
        person.user_id: [line.application.pk for line in desk.worklist(actor=person, as_of=day)]
        for person in (made.second, made.other)
    }
    assert waiting == {made.second.user_id: [made.id], made.other.user_id: []}
    objection = objected(found)
    reviews.claim(application_id=made.id, actor=made.second, now=at(day))
    publicity.answer_objection(
        objection_id=objection.pk, sustained=True, answer="发票确有问题", actor=made.second, now=at(day)
    )
    assert (made.fresh().state, made.fresh().handler_id) == ("second_review", made.second.user_id)


def test_who_opened_a_publicity_from_second_review_keeps_it() -> None:
    made, _ = publicised()
    assert made.fresh().handler_id == made.second.user_id


def test_the_same_objection_twice_is_one_and_somebody_is_told() -> None:
    _, found = publicised()
    assert objected(found) == objected(found)
    assert OutboxMessage.objects.filter(topic=publicity.RAISED).count() == 1


def test_a_sustained_objection_takes_it_back_to_second_review() -> None:
    made, found = publicised()
    objection = objected(found)
    publicity.answer_objection(
        objection_id=objection.pk, sustained=True, answer="发票确有问题", actor=made.second, now=at("2026-03-05")
    )
    assert made.fresh().state == "second_review"
    found.refresh_from_db()
    assert found.closed_at is not None
    with pytest.raises(Invalid, match="已经处理"):
        publicity.answer_objection(
            objection_id=objection.pk, sustained=False, answer="改判", actor=made.second, now=at("2026-03-05")
        )


def test_only_the_departments_second_reviewer_answers() -> None:
    made, found = publicised()
    objection = objected(found)
    for actor in (made.reviewer, made.agent):
        with pytest.raises(Denied):
            publicity.answer_objection(
                objection_id=objection.pk, sustained=False, answer="不成立", actor=actor, now=at("2026-03-05")
            )


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-10"])
def test_an_objection_outside_the_days_is_refused(day: str) -> None:
    _, found = publicised()
    with pytest.raises(Invalid, match="不在公示期内"):
        publicity.object_to(publicity_id=found.pk, name="李四", contact="1", text="不实", now=at(day))


def test_an_anonymous_or_empty_objection_says_what_is_missing() -> None:
    _, found = publicised()
    with pytest.raises(Invalid) as told:
        publicity.object_to(publicity_id=found.pk, name=" ", contact="", text="", now=at("2026-03-04"))
    assert [fault.place for fault in told.value.faults] == ["name", "contact", "text"]


def test_who_lost_credit_during_publicity_is_not_approved_and_the_reviewer_sees_why() -> None:
    made, _ = publicised()
    late = at("2026-03-12")
    records = [{"code": "dishonest", "on": "2026-03-10"}]
    base.learn(made.enterprise, now=late, valid_on=date(2026, 3, 10), credit_records=records)
    assert publicity.end_due(now=late) == []
    assert made.fresh().state == "publicity"
    assert any("失信" in reason for reason in publicity.stays_because(application=made.application, now=late))


def test_an_objection_that_a_closed_publicity_left_open_is_answered_before_anything_is_granted() -> None:
    made = case(publicity_days=3).publicised()
    first = Publicity.objects.get()
    objection = publicity.object_to(
        publicity_id=first.pk, name="李四", contact="028-1", text="不符合", now=at(first.starts_on)
    )
    later = at(first.starts_on)
    reviews.send_back(application_id=made.id, text="再核对", actor=made.second, now=later)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=later)
    again = publicity.publicise(application_id=made.id, actor=made.second, now=later)
    over = at(again.ends_on) + timedelta(days=5)
    assert publicity.end_due(now=over) == []
    assert "还有公示异议没有处理。" in publicity.stays_because(application=made.fresh(), now=over)
    publicity.answer_objection(
        objection_id=objection.pk, sustained=False, answer="查无实据", actor=made.second, now=over
    )
    assert publicity.end_due(now=over) == [made.id]
