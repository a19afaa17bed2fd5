"""Who may review what, and what a decision needs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role, WrongState
from disbursement.models import Decision, DecisionDraft, InterestDeclaration, Participation, StepClock
from disbursement.services.application import drafts, materials, promises
from disbursement.services.review import decisions, interests, reviews
from disbursement.services.review.conditions import Reason
from matching.days import day_of
from tests.factories import matching as base
from tests.factories import papers
from tests.factories.disbursement import MATERIALS, START, Case, agent, at, budget_line, case, staff

pytestmark = pytest.mark.django_db


def all_roles(made: Case) -> Actor:
    """One person with every role of the department."""
    return Actor.of(
        user_id=made.acceptor.user_id or 0,
        roles=[Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER],
        department_ids=[made.version.item.department_id],
    )


def test_nobody_acts_twice_on_one_application_in_different_roles() -> None:
    made = case().accepted()
    with pytest.raises(Conflict, match="受理人"):
        reviews.start_review(application_id=made.id, actor=all_roles(made), now=made.now)
    roles = Participation.objects.filter(application_id=made.id).values_list("role", flat=True)
    assert sorted(roles) == ["acceptor", "enterprise"]


def test_the_same_role_may_be_taken_again_on_the_same_application() -> None:
    made = case().submitted().asked().supplied()
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    assert made.fresh().state == "accepted"


def test_a_first_reviewer_never_becomes_the_second() -> None:
    made = case().second_review()
    both = Actor.of(
        user_id=made.reviewer.user_id or 0,
        roles=[Role.REVIEWER, Role.SECOND_REVIEWER],
        department_ids=[made.version.item.department_id],
    )
    with pytest.raises(Conflict):
        decisions.approve(application_id=made.id, actor=both, now=made.now)
    assert made.fresh().state == "second_review"
    assert not Decision.objects.filter(kind="approved").exists()


def test_who_declared_an_interest_takes_no_part_until_it_ends() -> None:
    made = case().submitted()
    declaration = interests.declare(
        enterprise_id=made.enterprise.pk, reason="配偶任职", actor=made.acceptor, now=made.now
    )
    with pytest.raises(Conflict, match="回避"):
        reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    with pytest.raises(Conflict):
        reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    interests.end(declaration_id=declaration.pk, actor=made.acceptor, now=made.later().now)
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)


def test_an_interest_is_declared_once_and_ended_by_its_holder_only() -> None:
    made = case()
    first = interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=made.acceptor, now=made.now)
    again = interests.declare(enterprise_id=made.enterprise.pk, reason="持股", actor=made.acceptor, now=made.now)
    assert first == again
    assert InterestDeclaration.objects.count() == 1
    with pytest.raises(Denied):
        interests.end(declaration_id=first.pk, actor=made.reviewer, now=made.now)
    with pytest.raises(Denied):
        interests.declare(enterprise_id=made.enterprise.pk, reason="任职", actor=made.agent, now=made.now)


def test_staff_who_may_act_for_the_enterprise_do_not_review_it() -> None:
    made = case().submitted()
    inside = Actor(made.acceptor.user_id, made.acceptor.grants, frozenset({made.enterprise.pk}))
    with pytest.raises(Conflict, match="办理人员"):
        reviews.accept(application_id=made.id, actor=inside, now=made.now)


def test_who_reviewed_it_does_not_appeal_for_the_enterprise() -> None:
    made = case().rejected()
    turned = Actor.of(user_id=made.reviewer.user_id or 0, enterprise_ids=[made.enterprise.pk])
    with pytest.raises(Conflict):
        decisions.appeal(application_id=made.id, grounds="不服", actor=turned, now=made.now)


def test_a_reviewer_of_another_department_finds_nothing_here() -> None:
    made = case().accepted()
    elsewhere = staff(Role.REVIEWER, base.department("rsj", "人社局"))
    with pytest.raises(Denied):
        reviews.start_review(application_id=made.id, actor=elsewhere, now=made.now)
    districtwide = staff(Role.REVIEWER)
    reviews.start_review(application_id=made.id, actor=districtwide, now=made.now)


def test_a_role_of_one_department_does_not_count_in_another() -> None:
    other = base.department("rsj", "人社局")
    made = case().accepted()
    mixed = Actor(
        user_id=made.other.user_id,
        grants=staff(Role.REVIEWER, other).grants | staff(Role.ACCEPTOR, made.version.item.department).grants,
    )
    with pytest.raises(Exception, match="审核人"):
        reviews.start_review(application_id=made.id, actor=mixed, now=made.now)


def test_claiming_charges_the_running_clock_to_the_person() -> None:
    made = case().submitted()
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    clock = StepClock.objects.get(application_id=made.id)
    assert clock.holder_id == made.acceptor.user_id
    colleague = staff(Role.ACCEPTOR, made.version.item.department)
    with pytest.raises(Invalid, match="其他人员"):
        reviews.claim(application_id=made.id, actor=colleague, now=made.now)
    with pytest.raises(Denied):
        reviews.claim(application_id=made.id, actor=made.reviewer, now=made.now)


def test_the_next_step_starts_on_nobodys_desk_and_a_sent_back_one_on_the_first_reviewers() -> None:
    made = case().second_review()
    assert made.fresh().handler_id is None
    reviews.send_back(application_id=made.id, text="请核对发票", actor=made.second, now=made.now)
    assert made.fresh().handler_id == made.reviewer.user_id
    assert StepClock.objects.get(application_id=made.id, step="review").holder_id == made.reviewer.user_id


def test_not_accepting_needs_reasons_that_point_somewhere_and_a_way_on() -> None:
    made = case().submitted()
    with pytest.raises(Invalid) as told:
        reviews.not_accept(
            application_id=made.id,
            reasons=[Reason("不符", leaf="nowhere"), Reason("缺", material="unheard-of"), Reason(" ")],
            remedy=" ",
            actor=made.acceptor,
            now=made.now,
        )
    assert [fault.place for fault in told.value.faults] == ["remedy", "reasons.0", "reasons.1", "reasons.2"]
    with pytest.raises(Invalid, match="至少写明一条理由"):
        reviews.not_accept(application_id=made.id, reasons=[], remedy="补", actor=made.acceptor, now=made.now)
    assert made.fresh().state == "submitted"


def test_approval_reserves_the_money_and_keeps_what_it_saw() -> None:
    made = case().approved()
    application = made.fresh()
    decision = Decision.objects.get(application=application, kind="approved")
    assert application.approved_amount == decision.amount == Decimal("150000.00")
    assert decision.judgement is not None
    assert decision.judgement.verdict == "eligible"
    payable = application.payables.get()
    assert (payable.state, payable.amount) == ("reserved", Decimal("150000.00"))


def test_nothing_is_approved_before_a_promised_material_is_in() -> None:
    made = case()
    made.drafted()
    materials.remove(material_id=made.application.materials.get().pk, actor=made.agent, now=made.now)
    drafts.submit(application_id=made.id, actor=made.agent, now=made.now, gaps={"invoice": START + timedelta(days=9)})
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.later().now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    with pytest.raises(Invalid, match="尚未补齐"):
        reviews.recommend_approval(application_id=made.id, text="通过", actor=made.reviewer, now=made.now)
    made.upload("invoice")
    reviews.recommend_approval(application_id=made.id, text="通过", actor=made.reviewer, now=made.now)


def test_an_approval_that_the_budget_cannot_bear_changes_nothing() -> None:
    line = budget_line(code="small", ceiling="1000")
    made = case(budget_line=line.code).second_review()
    with pytest.raises(Invalid):
        decisions.approve(application_id=made.id, actor=made.second, now=made.now)
    assert made.fresh().state == "second_review"
    assert not made.application.payables.exists()


def test_an_appeal_goes_once_to_another_second_reviewer() -> None:
    made = case().appealed()
    with pytest.raises(Conflict):
        decisions.approve(application_id=made.id, actor=made.second, now=made.now)
    decisions.approve(application_id=made.id, actor=made.other, now=made.now)
    assert made.fresh().approved_amount == Decimal("150000.00")
    assert Decision.objects.get(application_id=made.id, kind="approved").role == "appeal_reviewer"


def test_a_second_appeal_is_refused_with_what_else_may_be_done() -> None:
    made = case().appealed()
    decisions.uphold(application_id=made.id, summary="维持", remedy="可复议", actor=made.other, now=made.now)
    with pytest.raises(WrongState):
        decisions.appeal(application_id=made.id, grounds="仍不服", actor=made.agent, now=made.now)


def test_an_appeal_after_sixty_days_comes_too_late() -> None:
    made = case().rejected().later(days=70)
    with pytest.raises(Invalid, match="60"):
        decisions.appeal(application_id=made.id, grounds="不服", actor=made.agent, now=made.now)


def test_a_decision_draft_is_its_writers_and_goes_with_the_decision() -> None:
    made = case().second_review()
    content = {"summary": "拟通过"}
    reviews.save_decision_draft(application_id=made.id, content=content, actor=made.second, now=made.now)
    reviews.save_decision_draft(application_id=made.id, content=content, actor=made.second, now=made.now)
    assert DecisionDraft.objects.count() == 1
    with pytest.raises(Denied):
        reviews.save_decision_draft(application_id=made.id, content=content, actor=made.agent, now=made.now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.now)
    assert not DecisionDraft.objects.exists()


def test_the_sixtieth_day_is_in_time_to_its_end_and_gives_way_where_nobody_works() -> None:
    made = case().rejected()
    decided = made.fresh().decided_at
    assert decided is not None
    last = day_of(decided) + timedelta(days=60)
    assert last == date(2026, 5, 1), "Labour Day, free to the fifth"
    for now, fits in ((at("2026-05-06", 23, 30), True), (at("2026-05-07", 0, 10), False)):
        appealed = partial(decisions.appeal, application_id=made.id, grounds="不服", actor=made.agent, now=now)
        if fits:
            with transaction.atomic():
                appealed()
                transaction.set_rollback(True)
        else:
            with pytest.raises(Invalid, match="60"):
                appealed()


def test_two_agents_of_one_enterprise_may_share_the_work() -> None:
    made = case().submitted().asked()
    colleague = agent(made.enterprise)
    made.agent = colleague
    made.supplied()
    assert Participation.objects.filter(application_id=made.id, role="enterprise").count() == 2


def test_a_revoked_approval_gives_the_money_back() -> None:
    made = case().approved()
    decisions.revoke(
        application_id=made.id, reasons=[Reason("材料虚假")], remedy="可复议", actor=made.second, now=made.now
    )
    assert made.fresh().state == "revoked"
    assert made.application.payables.get().state == "cancelled"


def test_who_finds_a_fact_as_first_reviewer_does_not_decide_as_second() -> None:
    made = case().in_review()
    both = Actor.of(
        user_id=made.other.user_id or 0,
        roles=[Role.REVIEWER, Role.SECOND_REVIEWER],
        department_ids=[made.version.item.department_id],
    )
    reviews.confirm_facts(application_id=made.id, facts={"wages_on_time": True}, note="", actor=both, now=made.now)
    reviews.recommend_approval(application_id=made.id, text="通过", actor=made.reviewer, now=made.now)
    with pytest.raises(Conflict):
        decisions.approve(application_id=made.id, actor=both, now=made.now)


def test_facts_are_found_by_whoever_has_the_step_and_nobody_else() -> None:
    made = case().in_review()
    for actor in (made.acceptor, made.second, made.agent):
        with pytest.raises(Denied):
            reviews.confirm_facts(
                application_id=made.id, facts={"wages_on_time": True}, note="", actor=actor, now=made.now
            )


def test_whoever_broke_a_promise_signs_no_other_until_the_record_is_repaired() -> None:
    lease = {"code": "lease", "name": "租赁合同", "required": False, "from": "upload", "promise": "承诺合同真实。"}
    made = case(materials=[lease, MATERIALS[0]])
    made.drafted()
    base.learn(
        made.enterprise,
        now=made.now,
        valid_on=day_of(made.now),
        promises_broken=[{"code": "informed_promise", "on": "2026-01-05"}],
    )
    with pytest.raises(Invalid, match="信用修复以前不再适用告知承诺"):
        materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    repaired = made.now + timedelta(days=1)
    base.learn(made.enterprise, now=repaired, valid_on=day_of(repaired), promises_broken=[])
    assert materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=repaired).text


def test_a_promise_signed_before_the_record_and_handed_in_after_it_replaces_no_paper() -> None:
    lease = {"code": "lease", "name": "租赁合同", "required": True, "from": "upload", "promise": "承诺合同真实。"}
    made = case(materials=[lease, MATERIALS[0]])
    made.drafted()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    broken = [{"code": "informed_promise", "on": "2026-01-05"}]
    base.learn(made.enterprise, now=made.now, valid_on=day_of(made.now), promises_broken=broken)
    with pytest.raises(Invalid, match="租赁合同"):
        drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    made.upload("lease", papers.pdf(mark="lease"))
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    assert made.fresh().state == "submitted"


def test_a_broken_promise_is_checked_once_and_becomes_a_fact() -> None:
    lease = {"code": "lease", "name": "租赁合同", "required": False, "from": "upload", "promise": "承诺合同真实。"}
    made = case(materials=[lease, MATERIALS[0]])
    made.drafted()
    promise = materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    with pytest.raises(Denied):
        promises.check(promise_id=promise.pk, kept=False, finding="不实", actor=made.agent, now=made.now)
    with pytest.raises(Invalid, match="核查情况"):
        promises.check(promise_id=promise.pk, kept=False, finding=" ", actor=made.reviewer, now=made.now)
    promises.check(promise_id=promise.pk, kept=False, finding="合同不实", actor=made.reviewer, now=made.now)
    fact = made.enterprise.facts.get(key="promises_broken")
    assert fact.value == [{"code": "informed_promise", "on": "2026-03-02"}]
    with pytest.raises(Invalid, match="已经核查"):
        promises.check(promise_id=promise.pk, kept=True, finding="属实", actor=made.reviewer, now=made.now)
