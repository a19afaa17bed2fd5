"""Role × state × action, each cell: what stands in the table happens, all else is refused and changes nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.db import transaction as django_transaction

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.errors import Denied
from disbursement.domain.workflow import APPLICATION, ApplicationAction, ApplicationState, Refused, Role
from disbursement.models import Application, MachineVerification, TransitionLog
from disbursement.models.application import AFTER_ACCEPTANCE, GRANTED, REFUSED, UNDECIDED
from disbursement.services.application.applications import permitted_actions, transition
from matching.registry.models import OutboxMessage
from tests.factories.disbursement import Case, agent, staff
from tests.rounds import first_round_only

pytestmark = pytest.mark.django_db

ROLES = [
    Role.ENTERPRISE,
    Role.ACCEPTOR,
    Role.REVIEWER,
    Role.JOINT_REVIEWER,
    Role.SECOND_REVIEWER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.FINANCE_APPROVER,
    Role.SYSTEM,
]
# A second reviewer who took no part before is the appeal's reviewer; these are the table's roles that each covers.
COVERS = {Role.SECOND_REVIEWER: {Role.SECOND_REVIEWER, Role.APPEAL_REVIEWER}}


def newcomer(case: Case, role: Role) -> Actor:
    """Somebody with this role and no past on the application."""
    if role is Role.SYSTEM:
        return SYSTEM
    if role is Role.JOINT_REVIEWER:
        return case.joint
    return agent(case.enterprise) if role is Role.ENTERPRISE else staff(role, case.version.item.department)


def allowed(state: ApplicationState, action: ApplicationAction, role: Role) -> bool:
    covered = COVERS.get(role, {role})
    return any(row.source == state and row.action == action and row.roles & covered for row in APPLICATION)


class Undo(Exception):
    """Takes a transition back once it was looked at."""


def fill(application: Application, target: ApplicationState, case: Case) -> None:
    """The fields that the database ties to the target state."""
    if target in AFTER_ACCEPTANCE:
        application.accepted_at = application.accepted_at or case.now
    application.decided_at = case.now if target in (*REFUSED, *GRANTED) else None
    application.approved_amount = Decimal("1.00") if target in GRANTED else None
    application.closed_at = case.now if target is ApplicationState.CLOSED else None
    if target is ApplicationState.SUBMITTED:
        application.number = application.number or "2026-999999"
        application.submitted_at = application.submitted_at or case.now


def verified(application: Application, case: Case) -> None:
    """What lets the machine take a reviewer's steps; from the submission on, when there is a judgement."""
    judgement = application.judgements.order_by("-pk").first()
    if judgement is not None:
        MachineVerification.objects.create(
            application=application,
            mode="instant",
            judgement=judgement,
            passed=True,
            accepts=True,
            reviews=True,
            decides=True,
            amount=Decimal("1.00"),
            made_at=case.now,
        )


@django_transaction.atomic
def act_and_undo(*, case: Case, before: Application, action: ApplicationAction, actor: Actor) -> None:
    state = before.status
    if actor.is_system:
        verified(before, case)
    target = next(row.target for row in APPLICATION if (row.source, row.action) == (state, action))
    with transition(application_id=case.id, action=action, actor=actor, now=case.now) as application:
        fill(application, target, case)
        if action is ApplicationAction.GATHER_OPINIONS:
            application.joint_reviews.filter(at__isnull=True).update(answer="lapsed", at=case.now)
    after = Application.objects.get(pk=case.id)
    entry = after.log.order_by("seq").last()
    assert entry is not None
    assert (after.state, after.revision) == (target, before.revision + 1)
    assert (entry.source, entry.action, entry.target, entry.actor_id) == (state, action, target, actor.user_id)
    told = OutboxMessage.objects.filter(topic="application.changed", payload__application_id=case.id)
    assert told.filter(payload__seq=after.revision).exists()
    raise Undo


def test_each_step_that_a_state_gives_to_a_role_is_offered_and_does_what_the_table_says(
    case: Case, state: ApplicationState
) -> None:
    before = case.fresh()
    length = TransitionLog.objects.filter(application=before).count()
    for role in ROLES:
        actor = newcomer(case, role)
        possible = [action for action in ApplicationAction if allowed(state, action, role)]
        assert set(permitted_actions(application=before, actor=actor)) == set(possible)
        for action in possible:
            with pytest.raises(Undo):
                act_and_undo(case=case, before=before, action=action, actor=actor)
    assert_untouched(before, length)


SHARES = 3


@pytest.mark.parametrize(
    "share",
    [0, *(pytest.param(share, marks=[pytest.mark.slow, first_round_only]) for share in range(1, SHARES))],
)
def test_each_step_that_a_state_does_not_give_to_a_role_is_refused_and_changes_nothing(
    case: Case, state: ApplicationState, share: int
) -> None:
    """Every third cell each, a different one for each state."""
    before = case.fresh()
    length = TransitionLog.objects.filter(application=before).count()
    cells = [(role, action) for role in ROLES for action in ApplicationAction if not allowed(state, action, role)]
    actors = {role: newcomer(case, role) for role in ROLES}
    for role, action in cells[(share + list(ApplicationState).index(state)) % SHARES :: SHARES]:
        with (
            pytest.raises((Refused, Denied)),
            transition(application_id=case.id, action=action, actor=actors[role], now=case.now),
        ):
            raise AssertionError("the body must not be reached")
    assert_untouched(before, length)


def assert_untouched(before: Application, length: int) -> None:
    after = Application.objects.get(pk=before.pk)
    assert (after.state, after.revision) == (before.state, before.revision)
    assert TransitionLog.objects.filter(application=before).count() == length


MACHINE_ACTS = [
    (ApplicationState.SUBMITTED, ApplicationAction.ACCEPT),
    (ApplicationState.ACCEPTED, ApplicationAction.START_REVIEW),
    (ApplicationState.IN_REVIEW, ApplicationAction.RECOMMEND_APPROVAL),
    (ApplicationState.SECOND_REVIEW, ApplicationAction.PUBLICISE),
    (ApplicationState.SECOND_REVIEW, ApplicationAction.APPROVE),
]


@pytest.mark.parametrize(("brought", "action"), MACHINE_ACTS, indirect=["brought"])
def test_the_database_lets_the_machine_take_no_step_of_a_review_that_it_has_not_verified(
    case: Case, state: ApplicationState, action: ApplicationAction
) -> None:
    assert allowed(state, action, Role.SYSTEM)
    with (
        pytest.raises(IntegrityError, match="has not verified"),
        transition(application_id=case.id, action=action, actor=SYSTEM, now=case.now) as application,
    ):
        fill(application, next(row.target for row in APPLICATION if (row.source, row.action) == (state, action)), case)
    assert case.fresh().state == state


REACHED = [(row.source, row.action, row.target) for row in APPLICATION]


def test_every_state_of_the_table_can_be_reached_and_its_log_is_a_chain(case: Case, state: ApplicationState) -> None:
    assert case.application.state == state
    log = list(case.application.log.order_by("seq"))
    assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
    assert case.application.revision == len(log)
    states = ["draft", *(entry.target for entry in log)]
    assert [entry.source for entry in log] == states[:-1]
    assert states[-1] == state
    for entry in log:
        assert (entry.source, entry.action, entry.target) in REACHED


@first_round_only
def test_nobody_of_another_enterprise_or_department_may_do_anything(case: Case, state: ApplicationState) -> None:
    stranger = Actor.of(user_id=case.agent.user_id or 0, enterprise_ids=[case.enterprise.pk + 1000])
    elsewhere = Actor.of(user_id=case.reviewer.user_id or 0, roles=list(Role), department_ids=[10_000])
    for actor in (stranger, elsewhere):
        assert permitted_actions(application=case.application, actor=actor) == []
        for action in ApplicationAction:
            with (
                pytest.raises(Denied),
                transition(application_id=case.id, action=action, actor=actor, now=case.now),
            ):
                raise AssertionError("the body must not be reached")
    assert Application.objects.get(pk=case.id).state == state


def test_the_decision_constraint_names_every_state_there_is() -> None:
    assert {*UNDECIDED, *REFUSED, *GRANTED, ApplicationState.WITHDRAWN} == set(ApplicationState)
