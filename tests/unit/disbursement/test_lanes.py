"""即申即享, 快申快享, 限时即享: decided on the spot, on a shorter way, or by a promised day; else told why not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from disbursement.domain.workflow import ApplicationState, ClockStep, Role
from disbursement.models import Application, CorrectionSubject, LaneChoice, MachineDraw, StepClock, TimePromise
from disbursement.selectors import desk
from disbursement.selectors.delivery import Honoured, figures, items_with_terms
from disbursement.services.application import applications, corrections, drafts, materials
from disbursement.services.application.corrections import Ask
from disbursement.services.delivery import time_promises
from disbursement.services.review import decisions, quality, reviews, steps
from matching.days import day_of
from matching.models import Enterprise, PolicyVersion
from matching.registry import outbox
from portal.accounts.models import RoleAssignment
from portal.inbox.models import Notification
from tests.factories import delivery
from tests.factories import disbursement as people
from tests.factories.disbursement import START, Case, at, case

pytestmark = pytest.mark.django_db
NOW = at(START, 15)
INSTANT = {"machine": delivery.STEPS, "most": "40000.00", "audit_share": 50}


def apply(version: PolicyVersion, made: Enterprise, **options: Any) -> Application:
    agent = people.agent(made)
    draft = drafts.create_draft(item_id=version.item_id, enterprise_id=made.pk, actor=agent, now=NOW)
    drafts.save_draft(application_id=draft.pk, actor=agent, now=NOW, contact_name="张三", contact_phone="028-81000000")
    return drafts.submit(application_id=draft.pk, actor=agent, now=NOW, acknowledge_unmet=True, **options)


def lane(application: Application) -> tuple[str, list[str]]:
    found = LaneChoice.objects.filter(application=application).latest("seq")
    return found.lane, [reason["code"] for reason in found.reasons]


def test_what_data_proves_is_accepted_and_decided_with_its_submission() -> None:
    application = apply(delivery.item(mode="instant", terms=INSTANT), delivery.enterprise())
    assert application.status is ApplicationState.APPROVED
    assert application.approved_amount == Decimal("20000.00")
    assert lane(application) == ("machine", [])
    decided = application.decisions.order_by("pk")
    assert [(one.kind, one.by_id, one.role) for one in decided] == [
        ("accepted", None, "system"),
        ("approved", None, "system"),
    ]


def test_the_machine_stops_where_the_item_wants_a_person() -> None:
    version = delivery.item(mode="instant", terms={**INSTANT, "machine": ["acceptance"]})
    application = apply(version, delivery.enterprise())
    assert application.status is ApplicationState.ACCEPTED
    reviewer = people.staff(Role.REVIEWER, version.item.department)
    assert [line.application.pk for line in desk.worklist(actor=reviewer, as_of=START)] == [application.pk]


@pytest.mark.parametrize(
    ("contribution", "known", "code"),
    [
        ("450000", {}, "ceiling"),
        ("200000", {"credit_records": [{"code": "dishonest", "on": "2026-02-01"}]}, "verdict"),
    ],
)
def test_what_a_machine_may_not_decide_waits_for_people_and_says_why(
    contribution: str, known: dict[str, Any], code: str
) -> None:
    made = delivery.enterprise(contribution=contribution, **known)
    application = apply(delivery.item(mode="instant", terms=INSTANT), made)
    assert application.status is ApplicationState.SUBMITTED
    found, codes = lane(application)
    assert found == "ordinary"
    assert code in codes
    assert not application.verification.passed


def test_a_fact_that_only_the_enterprise_says_is_no_proof() -> None:
    made = people.applicant(district_contribution={"2025": "200000"})
    application = apply(delivery.item(mode="instant", terms=INSTANT, materials=[]), made)
    assert lane(application)[0] == "ordinary"
    assert "unverified" in lane(application)[1]


def test_a_machine_that_is_switched_off_or_has_no_budget_leaves_everything_to_people(settings: Any) -> None:
    version = delivery.item(mode="instant", terms=INSTANT)
    settings.HUIDA_MACHINE_DECIDES = False
    assert lane(apply(version, delivery.enterprise())) == ("ordinary", ["paused"])
    settings.HUIDA_MACHINE_DECIDES = True
    people.budget_line(code="empty", ceiling="100.00")
    application = apply(delivery.item(mode="instant", terms=INSTANT, budget_line="empty"), delivery.enterprise())
    assert application.status is ApplicationState.SUBMITTED
    assert lane(application) == ("ordinary", ["refused"])
    assert [entry.action for entry in application.log.all()] == ["submit"]


def test_another_case_that_competes_is_left_to_people() -> None:
    award = {**delivery.AWARD, "exclusive_with": ["rival"]}
    rival = delivery.item(code="rival", mode="fast", terms={})
    made = delivery.enterprise()
    apply(rival, made)
    application = apply(delivery.item(mode="instant", terms=INSTANT, award=award), made)
    assert lane(application) == ("ordinary", ["conflict"])


def test_the_machines_decisions_are_drawn_by_the_items_share_and_drawn_again_are_the_same(settings: Any) -> None:
    settings.HUIDA_QUALITY_SHARE = 0
    version = delivery.item(mode="instant", terms=INSTANT)
    made = [apply(version, delivery.enterprise()) for _ in range(4)]
    checkers = [people.staff(Role.REVIEWER, version.item.department)]
    month = quality.draw_month(
        month=date(2026, 3, 1), now=at("2026-04-01"), candidates=lambda department_id: checkers, seed="seed"
    )
    row = MachineDraw.objects.get(draw=month)
    assert (row.share, row.population, month.checks.count(), month.population) == (50, 4, 2, 0)
    drawn, kept = quality.redraw(made=month)
    assert drawn == kept
    assert set(kept) <= {one.pk for one in made}
    assert {check.assigned_to_id for check in month.checks.all()} == {checkers[0].user_id}
    [told] = figures(items=items_with_terms(), year=2026)
    assert (told.by_machine, told.fallen, told.audit_open) == (4, 0, 2)


FAST = {"acceptance_days": 1, "review_days": 3, "skips": ["site_visit"]}
PATH = {"steps": [{"kind": "site_visit", "name": "现场核查", "days": 5}]}


def fast() -> Case:
    return case(delivery="fast", delivery_terms=FAST, review=PATH)


def limits(made: Case) -> dict[str, int]:
    return dict(StepClock.objects.filter(application=made.id).values_list("step", "promised_limit"))


def test_with_all_evidence_there_the_fast_lane_is_shorter_and_leaves_steps_out() -> None:
    made = fast().in_review()
    assert lane(made.application) == ("fast", [])
    assert limits(made) == {ClockStep.ACCEPTANCE: 1, ClockStep.REVIEW: 3}
    assert steps.path_of(application=made.fresh()).steps == ()
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=made.now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.later().now)
    assert made.fresh().status is ApplicationState.APPROVED


def test_a_correction_leads_back_to_the_ordinary_way_with_its_reason() -> None:
    corrected = fast().submitted()
    ask = Ask(CorrectionSubject.MATERIAL, "invoice", "缺少盖章页", "请补充")
    corrections.ask(application_id=corrected.id, items=[ask], actor=corrected.acceptor, now=corrected.now)
    assert lane(corrected.fresh()) == ("ordinary", ["correction"])
    corrected.later().supplied()
    reviews.accept(application_id=corrected.id, actor=corrected.acceptor, now=corrected.now)
    # The promise that ran stays; what starts later starts by the ordinary limit, with every step.
    assert limits(corrected) == {ClockStep.ACCEPTANCE: 1, ClockStep.REVIEW: 10}
    assert [step.kind for step in steps.path_of(application=corrected.fresh()).steps] == ["site_visit"]


def test_a_promise_instead_of_a_paper_keeps_off_the_fast_lane() -> None:
    made = fast().drafted()
    materials.sign_promise(application_id=made.id, code="lease", actor=made.agent, now=made.now)
    drafts.submit(application_id=made.id, actor=made.agent, now=made.later().now)
    assert lane(made.fresh()) == ("ordinary", ["promise"])


def windowed(days: int = 5) -> Case:
    return case(delivery="window", delivery_terms={"decide_within": days})


def honoured() -> Honoured:
    """How the promises of the one item with terms fared."""
    [told] = figures(items=items_with_terms(), year=START.year)
    assert told.honoured is not None
    return told.honoured


def test_acceptance_promises_a_day_and_a_decision_within_it_keeps_the_promise() -> None:
    made = windowed().accepted()
    promise = TimePromise.objects.get(application=made.id)
    assert (promise.days, promise.promised_on, promise.due_on) == (5, START, date(2026, 3, 9))
    assert promise.pay_month == date(2026, 3, 1)
    assert limits(made)[ClockStep.REVIEW] == 5
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.now)
    reviews.recommend_approval(application_id=made.id, text="同意", actor=made.reviewer, now=at("2026-03-06"))
    decisions.approve(application_id=made.id, actor=made.second, now=at("2026-03-09"))
    promise.refresh_from_db()
    assert (promise.ended_on, promise.used, promise.kept) == (date(2026, 3, 9), 5, True)
    told = honoured()
    assert (told.settled, told.kept, told.percent) == (1, 1, 100)


def test_past_its_day_the_supervisor_is_told_once_and_the_case_goes_on_top() -> None:
    late = windowed(days=2).accepted()
    supervisor = people.user()
    RoleAssignment.objects.create(user=supervisor, role="supervisor", department=late.version.item.department)
    other = case(version=people.item(limits={"review": {"statutory": 20, "promised": 1}})).accepted()
    reviewer = people.staff(Role.REVIEWER, late.version.item.department)
    now = at("2026-03-05")
    assert time_promises.tell_broken(now=at("2026-03-04")) == []
    assert len(time_promises.tell_broken(now=now)) == 1
    assert time_promises.tell_broken(now=now) == []
    outbox.deliver(now=now)
    assert Notification.objects.filter(user=supervisor, title__contains="限时承诺已过").count() == 1
    order = [line.application.pk for line in desk.worklist(actor=reviewer, as_of=day_of(now))]
    assert order == [late.id, other.id]
    told = honoured()
    assert (told.settled, told.overdue, told.percent) == (0, 1, 0)


def test_a_correction_stops_the_promised_time_and_a_withdrawal_ends_it_without_a_verdict() -> None:
    made = windowed(days=2).in_review()
    made.asked(by=made.reviewer)
    assert time_promises.tell_broken(now=at("2026-03-20")) == []
    applications.withdraw(application_id=made.id, actor=made.agent, now=at("2026-03-20"))
    promise = TimePromise.objects.get(application=made.id)
    assert (promise.ended_on, promise.kept, promise.used) == (date(2026, 3, 20), None, None)
