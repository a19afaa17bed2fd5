"""Attempts to act where one must not: on an enterprise of one's own, or on one case in two capacities."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.workflow import Role
from disbursement.models import Payable, PaymentAttempt
from disbursement.services.month import batches
from disbursement.services.payment import payees, payments, sealing
from disbursement.services.review import decisions, interests
from portal.accounts.models import RoleAssignment
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
ROLES = [Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER]
WHEN = at("2026-03-26")


def everything() -> Actor:
    """One person with every finance role."""
    person = people.user()
    for role in ROLES:
        RoleAssignment.objects.create(user=person, role=str(role))
    return Actor.of(user_id=person.pk, roles=ROLES)


def interested(payable: Payable) -> Actor:
    actor = everything()
    interests.declare(enterprise_id=payable.enterprise_id, reason="配偶任职", actor=actor, now=at("2026-03-01"))
    return actor


def insider(payable: Payable) -> Actor:
    """Finance by day, and an agent of the enterprise."""
    actor = everything()
    return Actor(user_id=actor.user_id, grants=actor.grants, enterprise_ids=frozenset({payable.enterprise_id}))


DEEDS: dict[str, Callable[[Payable, Actor], object]] = {
    "hold": lambda p, who: payments.hold(payable_id=p.pk, actor=who, now=WHEN, reason="x"),
    "release": lambda p, who: payments.release(payable_id=p.pk, actor=who, now=WHEN),
    "cancel": lambda p, who: payments.cancel(payable_id=p.pk, actor=who, now=WHEN, reason="x"),
    "refund": lambda p, who: payments.refund(
        payable_id=p.pk, actor=who, now=WHEN, received_on=date(2026, 3, 26), reason="x", reference="CR1"
    ),
    "claw_back": lambda p, who: payments.claw_back(
        payable_id=p.pk, actor=who, now=WHEN, reason="x", due_on=date(2026, 5, 1)
    ),
    "recover": lambda p, who: payments.recover(payable_id=p.pk, actor=who, now=WHEN, reference="CR1"),
}


@pytest.mark.parametrize("make", [interested, insider], ids=["interest declared", "own enterprise"])
@pytest.mark.parametrize("deed", DEEDS)
def test_nobody_touches_the_payment_of_an_enterprise_in_which_they_have_an_interest(
    deed: str, make: Callable[[Payable], Actor]
) -> None:
    payable = money.payable()
    with pytest.raises(Conflict):
        DEEDS[deed](payable, make(payable))


@pytest.mark.parametrize("make", [interested, insider], ids=["interest declared", "own enterprise"])
def test_nobody_answers_for_the_bank_where_they_have_an_interest(make: Callable[[Payable], Actor]) -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="1.csv")
    money.receive(money.answer(batch, on=date(2026, 3, 25)), name="2.csv")
    with pytest.raises(Conflict):
        payments.settle_contradiction(
            attempt_id=PaymentAttempt.objects.get().pk, actor=make(payable), now=WHEN, was_paid=False, note="未入账"
        )


def test_nobody_checks_the_account_of_an_enterprise_in_which_they_declared_an_interest() -> None:
    payable = money.payable()
    account = payees.propose_account(
        enterprise_id=payable.enterprise_id,
        account_name=payable.enterprise.name,
        bank_name="成都银行",
        account_number="6222999900001111",
        actor=people.agent(payable.enterprise),
        now=at("2026-03-11"),
    )
    with pytest.raises(Conflict):
        payees.check_account(account_id=account.pk, actor=interested(payable), now=at("2026-03-12"), accept=True)


def test_who_decided_on_an_application_signs_no_batch_that_pays_it() -> None:
    case = people.case().approved()
    [batch] = money.cut()
    second = case.second.user_id
    assert second is not None
    for role, sign in ((Role.FINANCE_MAKER, batches.make),):
        RoleAssignment.objects.create(user_id=second, role=str(role))
        with pytest.raises(Conflict, match="办理"):
            sign(batch_id=batch.pk, actor=Actor.of(user_id=second, roles=[role]), now=money.CUT)
    assert not batches.permitted_actions(batch=batch, actor=Actor.of(user_id=second, roles=ROLES))


def test_who_once_entered_an_enterprises_account_signs_no_payment_of_it_though_they_are_finance_today() -> None:
    payable = money.payable()
    agent = people.agent(payable.enterprise)
    payees.propose_account(
        enterprise_id=payable.enterprise_id,
        account_name=payable.enterprise.name,
        bank_name="成都银行",
        account_number="622200019999999902",
        actor=agent,
        now=at("2026-03-11"),
    )
    assert agent.user_id is not None
    today = Actor.of(user_id=agent.user_id, roles=ROLES)  # the authorisation has ended since
    [batch] = money.cut()
    assert batches.permitted_actions(batch=batch, actor=today) == []
    with pytest.raises(Conflict, match="登记过收款账户"):
        batches.make(batch_id=batch.pk, actor=today, now=money.CUT)
    with pytest.raises(Conflict, match="登记过收款账户"):
        payments.hold(payable_id=payable.pk, actor=today, now=WHEN, reason="x")


def test_an_interest_declared_after_signing_stops_the_sealing() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.signed(batch, finance)
    interests.declare(enterprise_id=payable.enterprise_id, reason="入股", actor=finance.checker, now=money.CUT)
    with pytest.raises(Conflict):
        sealing.seal(batch_id=batch.pk, now=money.CUT)


def test_one_person_with_every_role_takes_no_application_from_hand_to_hand() -> None:
    case = people.case().second_review()
    for earlier in (case.acceptor, case.reviewer):
        assert earlier.user_id is not None
        both = Actor.of(user_id=earlier.user_id, roles=[Role.SECOND_REVIEWER, Role.APPEAL_REVIEWER])
        with pytest.raises(Conflict):
            decisions.approve(application_id=case.id, actor=both, now=case.now)


def test_who_rejected_does_not_hear_the_appeal() -> None:
    case = people.case().appealed()
    with pytest.raises(Conflict):
        decisions.approve(application_id=case.id, actor=case.second, now=case.now)
