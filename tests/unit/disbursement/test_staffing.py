"""Who has an application on the desk: the least loaded, the one it was passed to, the deputy of whoever is away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Absence, Application, Handover, Participation, StepClock, TransitionLog
from disbursement.services.application import drafts
from disbursement.services.review import absences, decisions, interests, reviews, staffing
from matching.days import day_of
from portal.accounts.models import RoleAssignment
from tests.factories import matching as base
from tests.factories.disbursement import Case, case, staff

pytestmark = pytest.mark.django_db


def away(made: Case, person: Actor, deputy: Actor, *, days: int = 5, begins: int = 0) -> Absence:
    first = day_of(made.now) + timedelta(days=begins)
    return absences.declare_absence(
        person=person,
        deputy=deputy,
        starts_on=first,
        ends_on=first + timedelta(days=days - 1),
        reason="年休假",
        actor=person,
        now=made.now,
    )


def handler(made: Case) -> int | None:
    return made.fresh().handler_id


def test_the_desk_of_who_is_away_goes_to_the_deputy_and_comes_back_by_date() -> None:
    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department)
    absence = away(made, made.reviewer, deputy)
    assert handler(made) == deputy.user_id
    assert StepClock.objects.get(application_id=made.id, step="review").holder_id == deputy.user_id
    assert absences.keep_up(now=made.now) == (0, 0)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=deputy, now=made.later().now)
    step = TransitionLog.objects.get(action="recommend_approval")
    assert (step.actor_id, step.for_person_id) == (deputy.user_id, made.reviewer.user_id)
    reviews.send_back(application_id=made.id, text="再核", actor=made.second, now=made.later().now)
    assert handler(made) == deputy.user_id
    assert absences.keep_up(now=made.now + timedelta(days=6)) == (0, 1)
    assert handler(made) == made.reviewer.user_id
    # Sent back, it comes to the deputy as what it was: the work of the one who is away.
    assert [row.kind for row in absence.handovers.order_by("pk")] == ["deputised", "deputised", "returned"]


def test_what_was_not_touched_returns_to_its_owner_the_day_after() -> None:
    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department)
    away(made, made.reviewer, deputy, days=2, begins=1)
    assert handler(made) == made.reviewer.user_id
    assert absences.keep_up(now=made.now + timedelta(days=1)) == (1, 0)
    assert handler(made) == deputy.user_id
    assert absences.keep_up(now=made.now + timedelta(days=3)) == (0, 1)
    assert handler(made) == made.reviewer.user_id
    kinds = list(Handover.objects.filter(application_id=made.id).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["deputised", "returned"]


def both_roles(made: Case) -> Actor:
    """An acceptor of the department who reviews, too."""
    department = made.version.item.department
    person = staff(Role.ACCEPTOR, department)
    RoleAssignment.objects.create(user_id=person.user_id or 0, role="reviewer", department=department)
    return Actor.of(user_id=person.user_id or 0, roles=[Role.ACCEPTOR, Role.REVIEWER], department_ids=[department.pk])


def test_what_the_former_deputy_takes_up_for_themselves_is_not_handed_back() -> None:
    made = case().submitted()
    zhang, li = both_roles(made), both_roles(made)
    reviews.claim(application_id=made.id, actor=zhang, now=made.now)
    away(made, zhang, li, days=1)
    assert absences.keep_up(now=made.later(days=1).now) == (0, 1)
    reviews.accept(application_id=made.id, actor=zhang, now=made.later().now)
    reviews.claim(application_id=made.id, actor=li, now=made.later().now)
    reviews.start_review(application_id=made.id, actor=li, now=made.later().now)
    assert absences.keep_up(now=made.later(days=1).now) == (0, 0)
    assert handler(made) == li.user_id
    assert StepClock.objects.get(application_id=made.id, step="review").holder_id == li.user_id


def test_what_left_the_deputys_desk_and_was_claimed_again_is_the_deputys_own() -> None:
    made = case().second_review()
    zhang, li = made.second, made.other
    reviews.claim(application_id=made.id, actor=zhang, now=made.now)
    away(made, zhang, li, days=1)
    assert staffing.principals(application_ids=[made.id]) == {made.id: str(Absence.objects.get().person)}
    reviews.send_back(application_id=made.id, text="再核", actor=li, now=made.later().now)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.later().now)
    reviews.claim(application_id=made.id, actor=li, now=made.later().now)
    # What the colleague keeps away from is no matter of this one's any longer.
    interests.declare(enterprise_id=made.enterprise.pk, reason="持股", actor=zhang, now=made.now)
    assert absences.keep_up(now=made.later(days=1).now) == (0, 0)
    assert staffing.principals(application_ids=[made.id]) == {}
    decisions.approve(application_id=made.id, actor=li, now=made.now)
    assert TransitionLog.objects.get(action="approve").for_person_id is None


def test_what_a_deputy_reviewed_is_sent_back_to_who_is_there_again() -> None:
    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department)
    away(made, made.reviewer, deputy, days=1)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=deputy, now=made.later().now)
    assert absences.keep_up(now=made.later(days=1).now) == (0, 0)
    reviews.send_back(application_id=made.id, text="再核", actor=made.second, now=made.later().now)
    assert handler(made) == made.reviewer.user_id
    assert absences.keep_up(now=made.later(days=1).now) == (0, 0)


def test_the_nights_round_costs_no_more_for_absences_that_are_long_over() -> None:
    made = case()

    def past_absence() -> None:
        done = case(version=made.version).in_review()
        away(done, done.reviewer, staff(Role.REVIEWER, done.version.item.department), days=1)
        assert absences.keep_up(now=done.now + timedelta(days=1)) == (0, 1)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert absences.keep_up(now=made.now + timedelta(days=9)) == (0, 0)
        return len(asked)

    past_absence()
    one = queries()
    for _ in range(3):
        past_absence()
    assert queries() == one


def test_back_early_everything_is_handed_back_at_once() -> None:
    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department)
    absence = away(made, made.reviewer, deputy)
    with pytest.raises(Denied):
        absences.end_absence(absence_id=absence.pk, actor=deputy, now=made.now)
    absences.end_absence(absence_id=absence.pk, actor=made.reviewer, now=made.later().now)
    assert handler(made) == made.reviewer.user_id


def test_what_bars_the_one_who_is_away_bars_the_deputy_too() -> None:
    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department)
    away(made, made.reviewer, deputy)
    interests.declare(enterprise_id=made.enterprise.pk, reason="持股", actor=made.reviewer, now=made.now)
    with pytest.raises(Conflict, match="代理"):
        reviews.recommend_approval(application_id=made.id, text="同意", actor=deputy, now=made.now)
    assert made.fresh().state == "in_review"


def test_nobody_reviews_the_same_application_twice_through_deputising() -> None:
    """First review by a deputy counts for the one who was away: no second review by that one."""
    made = case().accepted()
    reviews.claim(application_id=made.id, actor=made.reviewer, now=made.now)
    deputy = staff(Role.REVIEWER, made.version.item.department)
    away(made, made.reviewer, deputy)
    reviews.start_review(application_id=made.id, actor=deputy, now=made.later().now)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=deputy, now=made.later().now)
    roles = dict(Participation.objects.filter(application_id=made.id).values_list("user_id", "role"))
    assert roles[made.reviewer.user_id or 0] == roles[deputy.user_id or 0] == "reviewer"
    for person in (made.reviewer, deputy):
        risen = Actor.of(
            user_id=person.user_id or 0,
            roles=[Role.REVIEWER, Role.SECOND_REVIEWER],
            department_ids=[made.version.item.department_id],
        )
        with pytest.raises(Conflict):
            decisions.approve(application_id=made.id, actor=risen, now=made.now)


def test_a_deputy_who_is_barred_lets_it_go_back_to_the_department() -> None:
    made = case().in_review()
    deputy = staff(Role.REVIEWER, made.version.item.department)
    interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=deputy, now=made.now)
    away(made, made.reviewer, deputy)
    assert handler(made) is None
    assert Handover.objects.get(application_id=made.id).kind == "released"


def test_an_absence_needs_a_deputy_of_the_same_role_and_place_who_is_there() -> None:
    made = case().in_review()
    elsewhere = staff(Role.REVIEWER, base.department("rsj", "人社局"))
    with pytest.raises(Invalid, match="没有“审核人”职责"):
        away(made, made.reviewer, elsewhere)
    with pytest.raises(Invalid, match="不能是本人"):
        away(made, made.reviewer, made.reviewer)
    deputy = staff(Role.REVIEWER, made.version.item.department)
    with pytest.raises(Denied):
        absences.declare_absence(
            person=made.reviewer,
            deputy=deputy,
            starts_on=day_of(made.now),
            ends_on=day_of(made.now),
            reason="休假",
            actor=deputy,
            now=made.now,
        )
    first = away(made, made.reviewer, deputy)
    with pytest.raises(Invalid, match="已登记过离岗"):
        away(made, made.reviewer, deputy, begins=2)
    third = staff(Role.REVIEWER, made.version.item.department)
    with pytest.raises(Invalid, match="正代理他人"):
        away(made, deputy, third)
    with pytest.raises(Invalid, match="也不在岗"):
        away(made, third, made.reviewer)
    with pytest.raises(IntegrityError), transaction.atomic():
        Absence.objects.create(
            person_id=first.person_id,
            deputy_id=third.user_id or 0,
            starts_on=first.ends_on,
            ends_on=first.ends_on + timedelta(days=9),
            reason="又休",
            declared_by_id=first.person_id,
            declared_at=made.now,
        )


def test_assignment_takes_the_least_loaded_who_is_there_and_barred_by_nothing() -> None:
    busy = case().in_review()
    department = busy.version.item.department
    free = staff(Role.REVIEWER, department)
    gone = staff(Role.REVIEWER, department)
    barred = staff(Role.REVIEWER, department)
    away(busy, gone, staff(Role.REVIEWER, department))
    made = case(version=busy.version).accepted()
    interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=barred, now=made.now)
    candidates = [gone, barred, busy.reviewer, free, made.acceptor]
    staffing.assign(application_id=made.id, candidates=candidates, actor=made.reviewer, now=made.now)
    assert handler(made) == free.user_id
    with pytest.raises(Invalid, match="改派"):
        staffing.assign(application_id=made.id, candidates=candidates, actor=made.reviewer, now=made.now)
    other = case(version=busy.version).accepted()
    with pytest.raises(Invalid, match="没有可以分派的人员"):
        staffing.assign(application_id=other.id, candidates=[gone, other.acceptor], actor=other.reviewer, now=made.now)


def test_passing_on_needs_a_reason_and_somebody_who_may_have_it() -> None:
    made = case().in_review()
    taker = staff(Role.REVIEWER, made.version.item.department)
    told: dict[str, Any] = {"application_id": made.id, "now": made.now}
    with pytest.raises(Invalid, match="改派理由"):
        staffing.reassign(taker=taker, reason=" ", actor=made.reviewer, **told)
    risen = Actor.of(user_id=made.acceptor.user_id or 0, roles=[Role.REVIEWER])
    with pytest.raises(Conflict):
        staffing.reassign(taker=risen, reason="忙", actor=made.reviewer, **told)
    with pytest.raises(Denied):
        staffing.reassign(taker=taker, reason="忙", actor=staff(Role.ACCEPTOR, made.version.item.department), **told)
    staffing.reassign(taker=taker, reason="工作调整", actor=made.second, **told)
    assert handler(made) == taker.user_id
    row = Handover.objects.get(application_id=made.id)
    assert (row.kind, row.reason, row.by_id) == ("reassigned", "工作调整", made.second.user_id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Handover.objects.filter(pk=row.pk).update(reason="改过")


def test_who_has_to_keep_away_does_not_choose_who_decides_but_may_be_rid_of_it() -> None:
    made = case().accepted()
    taker = staff(Role.REVIEWER, made.version.item.department)
    told: dict[str, Any] = {"application_id": made.id, "now": made.now}
    for person in (made.second, made.reviewer):
        interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=person, now=made.now)
    for actor in (made.second, made.reviewer):
        with pytest.raises(Conflict, match="须回避分派"):
            staffing.reassign(taker=taker, reason="忙", actor=actor, **told)
        with pytest.raises(Conflict, match="须回避分派"):
            staffing.assign(candidates=[taker], actor=actor, **told)
    staffing.assign(candidates=[taker], actor=made.acceptor, **told)
    interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=taker, now=made.now)
    next_one = staff(Role.REVIEWER, made.version.item.department)
    staffing.reassign(taker=next_one, reason="须回避", actor=taker, **told)
    assert handler(made) == next_one.user_id


def test_who_could_take_it_is_found_with_as_many_queries_for_twenty_people_as_for_four() -> None:
    made = case()
    department = made.version.item.department
    declared, uploaded, free = (staff(Role.REVIEWER, department) for _ in range(3))
    submitter = made.agent
    made.agent = Actor(uploaded.user_id, enterprise_ids=submitter.enterprise_ids)
    made.drafted()
    made.agent = submitter
    drafts.submit(application_id=made.id, actor=submitter, now=made.later().now)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=declared, now=made.now)
    application = Application.objects.select_related("item", "enterprise").get(pk=made.id)
    risen = Actor.of(user_id=made.acceptor.user_id or 0, roles=[Role.REVIEWER])
    few = [declared, uploaded, free, risen]

    def found(candidates: list[Actor]) -> tuple[list[int | None], int]:
        with CaptureQueriesContext(connection) as asked:
            people = staffing.can_take(application=application, candidates=candidates, now=made.now)
        return [person.user_id for person in people], len(asked)

    more = [staff(Role.REVIEWER, department) for _ in range(16)]
    able, queries = found(few)
    assert able == [free.user_id]
    assert found([*few, *more]) == ([free.user_id, *(person.user_id for person in more)], queries)
