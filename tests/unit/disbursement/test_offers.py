"""免申即享: found, offered, kept true, consented to once by who may, by nobody else and not to what was not shown."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction

from disbursement import guards
from disbursement.audit import service as audit
from disbursement.audit.findings import Scope
from disbursement.domain.actors import Actor
from disbursement.domain.delivery import CONSENT_WORDS, OfferState
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import ApplicationState, Role
from disbursement.models import Application, LaneChoice, Offer, PassedOver, Payable, PayeeAccount
from disbursement.services.application import drafts, judging
from disbursement.services.delivery import consents, offer_content, offers
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from portal.inbox.models import Notification
from tests.factories import delivery
from tests.factories import disbursement as people
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
NEXT = at("2026-03-03")
CONTACT = {"contact_name": "张三", "contact_phone": "028-81000000"}


def agree(offer: Offer, actor: Actor | None = None, *, seen: str = "", **options: Any) -> Application:
    digest = seen or offers.shown(offer=offer).digest
    actor = actor or people.agent(offer.enterprise)
    return consents.consent(offer_id=offer.pk, seen=digest, actor=actor, **{**CONTACT, "now": NEXT, **options})


def fresh(offer: Offer) -> Offer:
    return Offer.objects.select_related("item", "enterprise").get(pk=offer.pk)


def test_one_click_leads_through_the_same_states_to_the_same_money_and_can_be_replayed() -> None:
    offer = delivery.offer()
    edition = offers.shown(offer=offer)
    assert edition.amount == Decimal("20000.00")
    assert {proof["source"] for proof in edition.proofs} == {"市场监管", "信用平台", "财政"}
    assert offer_content.replay(edition=edition) == judging.Replay(edition.outcome, same=True, intact=True)
    agent = people.agent(offer.enterprise)
    application = agree(offer, agent)
    assert application.status is ApplicationState.APPROVED
    assert application.approved_amount == edition.amount
    log = [(entry.action, entry.role, entry.actor_id) for entry in application.log.order_by("seq")]
    assert log[0] == ("submit", "enterprise", agent.user_id)
    assert log[1:] == [
        (action, "system", None) for action in ("accept", "start_review", "recommend_approval", "approve")
    ]
    assert all(judging.replay(judgement=one).same for one in application.judgements.all())
    verification = application.verification
    assert (verification.passed, verification.decides, verification.amount) == (True, True, edition.amount)
    assert Payable.objects.get(application=application).state == "reserved"
    event = fresh(offer).log.get()
    assert (event.action, event.digest, event.note, event.actor_id) == (
        "consent",
        edition.digest,
        CONSENT_WORDS,
        agent.user_id,
    )
    assert fresh(offer).application_id == application.pk


def test_a_second_consent_finds_the_first() -> None:
    offer = delivery.offer()
    agree(offer)
    with pytest.raises(Invalid, match="已同意"):
        agree(offer)
    assert Application.objects.filter(enterprise=offer.enterprise).count() == 1


def test_nobody_consents_or_declines_who_may_not_submit_for_the_enterprise() -> None:
    offer = delivery.offer()
    strangers = [
        Actor.of(user_id=people.user().pk),
        people.agent(people.applicant()),
        people.staff(Role.SECOND_REVIEWER, offer.item.department),
    ]
    for stranger in strangers:
        with pytest.raises(Denied):
            agree(offer, stranger)
        with pytest.raises(Denied):
            consents.decline(offer_id=offer.pk, reason="不要", actor=stranger, now=NEXT)
    assert fresh(offer).status is OfferState.OPEN


def test_a_consent_after_the_last_day_finds_the_offer_lapsed() -> None:
    offer = delivery.offer()
    late = at(offer.last_day + timedelta(days=1))
    with pytest.raises(Invalid, match="已过"):
        agree(offer, now=late)
    assert fresh(offer).status is OfferState.LAPSED
    assert not Application.objects.filter(enterprise=offer.enterprise).exists()


def test_a_consent_to_an_amount_that_changed_since_is_refused_and_the_new_one_is_shown() -> None:
    offer = delivery.offer()
    seen = offers.shown(offer=offer).digest
    delivery.learn(offer.enterprise, now=at("2026-03-02", 18), contribution="300000")
    with pytest.raises(Invalid, match=r"20,000\.00 元变为 30,000\.00 元"):
        agree(offer, seen=seen)
    offer = fresh(offer)
    edition = offers.shown(offer=offer)
    assert (offer.status, offer.edition, edition.amount) == (OfferState.OPEN, 2, Decimal("30000.00"))
    assert any("地方贡献" in line for line in edition.why)
    assert agree(offer).approved_amount == edition.amount


def test_facts_that_no_longer_qualify_take_the_offer_back_and_better_ones_bring_it_again() -> None:
    version, made = delivery.item(), delivery.enterprise()
    offer = delivery.offer(version=version, made=made)
    delivery.learn(made, now=at("2026-03-03"), credit_records=[{"code": "dishonest", "on": "2026-02-01"}])
    OutboxMessage.objects.exclude(topic=offers.RECHECK).update(delivered_at=NEXT)
    assert offers.ask_for_recheck(enterprise_ids=[made.pk], now=NEXT) == 1
    outbox.deliver(now=NEXT)
    offer = fresh(offer)
    assert offer.status is OfferState.WITHDRAWN
    assert "失信" in offer.reason
    with pytest.raises(Invalid, match="已收回"):
        agree(offer)
    delivery.learn(made, now=at("2026-03-04"), credit_records=[])
    assert offers.put(enterprise=made, item=version.item, now=at("2026-03-05"))
    offer = fresh(offer)
    assert (offer.status, offer.edition, offer.reason) == (OfferState.OPEN, 2, "")
    told = [event.action for event in offer.log.order_by("seq")]
    assert told == ["withdraw", "reopen"]


def test_a_new_version_works_the_offer_out_anew_and_an_item_without_terms_takes_it_back() -> None:
    version = delivery.item(code="auto")
    offer = delivery.offer(version=version)
    delivery.item(code="auto", award={"rules": [{"fixed": "5000"}]}, now=at("2026-03-03"))
    offer = offers.refresh(offer_id=offer.pk, now=at("2026-03-03", 12))
    edition = offers.shown(offer=offer)
    assert (offer.edition, edition.amount, edition.version.number) == (2, Decimal("5000.00"), 2)
    assert any("新版本" in line for line in edition.why)
    people.item(code="auto", delivery="fast", now=at("2026-03-04"))
    offer = offers.refresh(offer_id=offer.pk, now=at("2026-03-04", 12))
    assert offer.status is OfferState.WITHDRAWN
    assert "不是免申即享" in offer.reason


def test_the_same_facts_on_another_day_are_the_same_offer() -> None:
    offer = delivery.offer()
    offers.refresh(offer_id=offer.pk, now=at("2026-03-06"))
    assert (fresh(offer).edition, fresh(offer).revision) == (1, 0)


def test_without_an_account_the_offer_is_made_and_waits_for_one() -> None:
    made = delivery.enterprise()
    PayeeAccount.objects.filter(enterprise=made).update(state="retired")
    offer = delivery.offer(made=made)
    assert offers.shown(offer=offer).account is None
    with pytest.raises(Invalid, match="收款账户"):
        agree(offer)
    assert fresh(offer).status is OfferState.OPEN


def test_a_refusal_says_why_and_the_item_is_not_offered_again_this_year() -> None:
    version, made = delivery.item(), delivery.enterprise()
    offer = delivery.offer(version=version, made=made)
    with pytest.raises(Invalid, match="原因"):
        consents.decline(offer_id=offer.pk, reason=" ", actor=people.agent(made), now=NEXT)
    declined = consents.decline(offer_id=offer.pk, reason="申报其他政策", actor=people.agent(made), now=NEXT)
    assert (declined.status, declined.reason) == (OfferState.DECLINED, "申报其他政策")
    delivery.matched(version, made)
    assert offers.run(now=NEXT).seen == 0
    with pytest.raises(Invalid, match="已放弃"):
        agree(offer)


def test_what_stands_against_an_offer_is_written_down_for_officers() -> None:
    version = delivery.item()
    declared = people.applicant(district_contribution={"2025": "200000"})
    rich = delivery.enterprise(contribution="0")
    for made in (declared, rich):
        assert not offers.put(enterprise=made, item=version.item, now=NEXT)
    codes = {row.enterprise_id: {r["code"] for r in row.reasons} for row in PassedOver.objects.all()}
    assert "unverified" in codes[declared.pk]
    assert "verdict" in codes[rich.pk]
    assert not Offer.objects.exists()


def test_an_application_of_ones_own_takes_the_place_of_the_offer() -> None:
    version, made = delivery.item(), delivery.enterprise()
    offer = delivery.offer(version=version, made=made)
    agent = people.agent(made)
    draft = drafts.create_draft(item_id=version.item_id, enterprise_id=made.pk, actor=agent, now=NEXT)
    application = agree(offer, agent)
    assert Application.objects.get(pk=draft.pk).status is ApplicationState.WITHDRAWN
    assert application.status is ApplicationState.APPROVED


def test_what_was_approved_in_an_earlier_year_and_is_still_paid_does_not_stand_in_the_way_of_this_years() -> None:
    offer = delivery.offer()
    application = agree(offer)
    assert application.state == "approved"
    number = application.number or ""
    same_year = offer_content.compose(enterprise=offer.enterprise, item=offer.item, now=NEXT)
    assert any(number in found.text for found in same_year.against)
    next_year = offer_content.compose(enterprise=offer.enterprise, item=offer.item, now=at("2027-03-03"))
    assert not any(number in found.text for found in next_year.against)


def test_above_the_limit_a_consent_is_decided_by_people_and_says_so() -> None:
    offer = delivery.offer(made=delivery.enterprise(contribution="450000"))
    assert offers.shown(offer=offer).amount == Decimal("45000.00")
    application = agree(offer)
    assert application.status is ApplicationState.SUBMITTED
    lane = LaneChoice.objects.get(application=application)
    assert (lane.lane, [reason["code"] for reason in lane.reasons]) == ("ordinary", ["ceiling"])
    assert fresh(offer).status is OfferState.CONSENTED


def test_where_the_item_asks_for_publicity_the_machine_opens_it_and_the_calendar_ends_it() -> None:
    offer = delivery.offer(version=delivery.item(publicity_days=3))
    application = agree(offer)
    assert application.status is ApplicationState.PUBLICITY
    shown = application.publicities.get()
    assert (shown.opened_by_id, shown.amount) == (None, Decimal("20000.00"))


class Killed(BaseException):
    """The process dies here."""


def test_a_run_that_is_killed_makes_the_rest_when_it_is_repeated_and_no_second_offer() -> None:
    version = delivery.item()
    made = [delivery.enterprise() for _ in range(4)]
    delivery.matched(version, *made)
    killed_at: list[int] = []

    def die(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('INSERT INTO "disbursement_offeredition"'):
            killed_at.append(1)
            if len(killed_at) == 3:
                raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(die), pytest.raises(Killed):
        offers.run(now=NEXT)
    assert Offer.objects.count() == 2
    again = offers.run(now=NEXT)
    assert (again.seen, again.made, again.passed_over) == (2, 2, 0)
    assert offers.run(now=NEXT).seen == 0
    assert sorted(Offer.objects.values_list("enterprise_id", flat=True)) == [one.pk for one in made]
    assert all(offer.editions.count() == 1 for offer in Offer.objects.all())
    outbox.deliver(now=NEXT)
    assert Notification.objects.filter(title__contains="确认即可").count() == 4


def findings() -> list[str]:
    return [found.problem for found in audit.findings(scope=Scope(), only=["applications", "delivery"])]


def test_an_audit_proves_what_the_machine_did_and_finds_what_was_changed_since() -> None:
    offer = delivery.offer()
    agree(offer)
    delivery.offer(version=delivery.item(publicity_days=3))
    assert findings() == []
    attacks: dict[str, Any] = {
        "摘要不符": ("offeredition", {"amount": "1.00"}),
        "确认的内容": ("offerevent", {"digest": "0" * 64}),
        "没有核验": ("machineverification", {"proofs": "[]"}),
        "上限与政策": ("machineverification", {"most": None}),
        "没有让系统这样办理": ("machineverification", {"mode": "instant"}),
    }
    for words, (table, values) in attacks.items():
        with transaction.atomic():
            guards.remove(None, SimpleNamespace(connection=connection))  # type: ignore[arg-type]
            with connection.cursor() as cursor:
                sets = ", ".join(f"{name} = %s" for name in values)
                cursor.execute(f"UPDATE disbursement_{table} SET {sets}", list(values.values()))
            assert any(words in problem for problem in findings()), words
            transaction.set_rollback(True)
    assert findings() == []
