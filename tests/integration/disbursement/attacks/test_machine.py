"""Attempts to have the machine grant what people refused, what they are at, or in parts what is above its ceiling."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from disbursement.domain.errors import Invalid
from disbursement.domain.workflow import ApplicationState, Role
from disbursement.models import Application, LaneChoice, Offer, PassedOver, Payable
from disbursement.services.application import drafts
from disbursement.services.delivery import consents, earlier_cases, offers
from disbursement.services.payment import payees, payments
from disbursement.services.review import decisions, reviews
from disbursement.services.review.conditions import Reason
from matching.models import Enterprise, PolicyVersion
from tests.factories import delivery, money
from tests.factories import disbursement as people
from tests.factories.disbursement import START, at

pytestmark = pytest.mark.django_db
NOW, NEXT = at(START), at(START + timedelta(days=1))
INSTANT: dict[str, Any] = {"machine": delivery.STEPS, "most": "40000.00", "audit_share": 50}


def apply(version: PolicyVersion, made: Enterprise, *, now: Any = NOW) -> Application:
    agent = people.agent(made)
    draft = drafts.create_draft(item_id=version.item_id, enterprise_id=made.pk, actor=agent, now=now)
    drafts.save_draft(application_id=draft.pk, actor=agent, now=now, contact_name="张三", contact_phone="028-81000000")
    return drafts.submit(application_id=draft.pk, actor=agent, now=now, acknowledge_unmet=True)


def why(application: Application) -> str:
    lane = LaneChoice.objects.filter(application=application).latest("seq")
    assert lane.lane == "ordinary"
    return str(lane.reasons)


def refused(version: PolicyVersion, made: Enterprise) -> Application:
    """Above the ceiling, so decided by people: they reject it."""
    application = apply(version, made)
    department = version.item.department
    acceptor, reviewer, second = (
        people.staff(role, department) for role in (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER)
    )
    pk = application.pk
    reviews.accept(application_id=pk, actor=acceptor, now=NOW)
    reviews.start_review(application_id=pk, actor=reviewer, now=NOW)
    reasons = [Reason(reason="现场核查，未在本区经营")]
    reviews.recommend_rejection(application_id=pk, text="经营地不实", reasons=reasons, actor=reviewer, now=NOW)
    return decisions.reject(application_id=pk, reasons=reasons, remedy="可申请复核", actor=second, now=NOW)


@pytest.mark.parametrize("mode", ["instant", "automatic"])
def test_the_machine_grants_nothing_that_people_refused_this_year(mode: str) -> None:
    version = delivery.item(mode=mode, terms=INSTANT)
    made = delivery.enterprise(contribution="450000")
    assert refused(version, made).status is ApplicationState.REJECTED
    delivery.learn(made, now=NEXT, contribution="300000")
    if mode == "automatic":
        assert not offers.put(enterprise=made, item=version.item, now=NEXT)
        assert "由人员决定" in str(PassedOver.objects.get().reasons)
    again = apply(version, made, now=NEXT)
    assert again.status is ApplicationState.SUBMITTED
    assert "由人员决定" in why(again)


def test_what_was_approved_last_year_and_revoked_this_year_is_not_granted_by_machine_this_year() -> None:
    made = people.case().approved()
    january = at("2027-01-10")
    decisions.revoke(
        application_id=made.id, reasons=[Reason(reason="抽查不实")], remedy="可复议", actor=made.second, now=january
    )
    for now, count in ((january, 1), (at("2028-01-10"), 0)):
        told = list(
            earlier_cases.refused_by_people(enterprise_id=made.enterprise.pk, item_id=made.version.item_id, now=now)
        )
        assert len(told) == count


def test_the_machine_grants_nothing_of_which_money_was_asked_back() -> None:
    version = delivery.item(mode="instant", terms=INSTANT)
    made = delivery.enterprise(contribution="200000")
    assert apply(version, made).approved_amount == Decimal("20000.00")
    finance = money.Finance()
    for batch in money.cut():
        money.paid(batch, finance)
    demanded = at("2026-03-27")
    payments.claw_back(
        payable_id=Payable.objects.get().pk,
        actor=finance.approver,
        now=demanded,
        reason="不实",
        due_on=at("2026-04-30").date(),
    )
    delivery.learn(made, now=demanded, contribution="200000")
    again = apply(version, made, now=demanded)
    assert again.status is ApplicationState.SUBMITTED
    assert "要求退回" in why(again)


def test_what_is_above_the_ceiling_is_not_granted_by_machine_in_parts() -> None:
    award = {**delivery.AWARD, "cap_per_year": "100000"}
    version, made = (
        delivery.item(mode="instant", terms=INSTANT, award=award),
        delivery.enterprise(contribution="300000"),
    )
    assert apply(version, made).approved_amount == Decimal("30000.00")
    again = apply(version, made)
    assert again.status is ApplicationState.SUBMITTED
    assert "上限" in why(again)


def test_of_two_applications_under_way_the_machine_takes_the_first() -> None:
    version = delivery.item(mode="instant", terms=INSTANT, publicity_days=3)
    made = delivery.enterprise()
    assert apply(version, made).status is ApplicationState.PUBLICITY
    assert "还在办理" in why(apply(version, made))


def test_a_consent_pays_to_no_account_but_the_one_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    offer: Offer = delivery.offer()
    agent, checker = people.agent(offer.enterprise), people.staff(Role.FINANCE_CHECKER)
    seen = offers.shown(offer=offer).digest
    refresh = offers.refresh

    def then_another_account(**known: Any) -> Offer:
        """Checked in the moment between the look and the consent."""
        looked = refresh(**known)
        account = payees.propose_account(
            enterprise_id=offer.enterprise_id,
            account_name=offer.enterprise.name,
            bank_name="成都银行",
            account_number="6222999900001111",
            actor=agent,
            now=NEXT,
        )
        payees.check_account(account_id=account.pk, actor=checker, now=NEXT, accept=True)
        return looked

    monkeypatch.setattr(offers, "refresh", then_another_account)
    with pytest.raises(Invalid, match="账户刚有变化"):
        consents.consent(
            offer_id=offer.pk, seen=seen, contact_name="张三", contact_phone="028-81000000", actor=agent, now=NEXT
        )
    assert not Application.objects.exists()
