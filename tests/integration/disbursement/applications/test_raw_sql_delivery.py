"""Raw SQL against every constraint and every trigger of offers, lanes, verifications and promises of time."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from disbursement.models import (
    LaneChoice,
    MachineDraw,
    Offer,
    OfferEdition,
    OfferEvent,
    PassedOver,
    QualityDraw,
    TimePromise,
    lane,
    offer,
)
from disbursement.services.delivery import consents, machine_audit, offers
from tests.factories import delivery
from tests.factories.disbursement import agent, at, case
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    check_triggers,
    copy,
    given_and_taken_back,
    models_in,
)

pytestmark = pytest.mark.django_db
MODELS = models_in(lane, offer)
NOW = at("2026-03-04")


@pytest.fixture
def world() -> SimpleNamespace:
    version = delivery.item()
    open_one, declined = delivery.offer(version=version), delivery.offer(version=version)
    agreed = delivery.offer(version=version)
    consents.decline(offer_id=declined.pk, reason="不需要", actor=agent(declined.enterprise), now=NOW)
    application = consents.consent(
        offer_id=agreed.pk,
        seen=offers.shown(offer=agreed).digest,
        contact_name="张三",
        contact_phone="028-81000000",
        actor=agent(agreed.enterprise),
        now=NOW,
    )
    ordinary = case().submitted()
    poor = delivery.enterprise(contribution="0")
    offers.put(enterprise=poor, item=version.item, now=NOW)
    promised = case(delivery="window", delivery_terms={"decide_within": 5}).accepted()
    draw = QualityDraw.objects.create(
        month=date(2026, 3, 1),
        seed="s",
        share=0,
        promise_share=0,
        population=0,
        promise_population=0,
        drawn_at=NOW,
    )
    machine_audit.pick(made=draw, since=at("2026-03-01"), until=at("2026-04-01"))
    return SimpleNamespace(
        open=open_one,
        declined=Offer.objects.get(pk=declined.pk),
        agreed=Offer.objects.get(pk=agreed.pk),
        edition=OfferEdition.objects.get(offer=open_one),
        event=OfferEvent.objects.get(offer=declined),
        passed_over=PassedOver.objects.get(),
        lane=LaneChoice.objects.get(application=application),
        verification=application.verification,
        draw=MachineDraw.objects.get(),
        promise=TimePromise.objects.get(application=promised.id),
        ordinary=ordinary,
        other=ordinary.application.judgements.get(),
    )


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    verified = w.verification.pk
    return {
        "offer_once_a_year": copy("offer", w.open.pk),
        "offer_shows_an_edition": change("offer", w.open.pk, edition=0),
        "offer_answered_whole": change("offer", w.open.pk, state="declined"),
        "offer_answered_at_a_time": change("offer", w.declined.pk, answered_at=None),
        "offeredition_numbered": copy("offeredition", w.edition.pk),
        "offeredition_offers_something": change("offeredition", w.edition.pk, amount=0),
        "offeredition_has_digest": change("offeredition", w.edition.pk, digest=""),
        "offerevent_in_order": copy("offerevent", w.event.pk),
        "offerevent_by_somebody": change("offerevent", w.event.pk, actor_id=None),
        "passedover_once_a_year": copy("passedover", w.passed_over.pk),
        "lanechoice_in_order": copy("lanechoice", w.lane.pk),
        "lanechoice_mode_known": change("lanechoice", w.lane.pk, mode="gift"),
        "lanechoice_lane_known": change("lanechoice", w.lane.pk, lane="gift"),
        "verification_acts_only_if_passed": change("machineverification", verified, passed=False),
        "verification_decides_what_it_reviews": change("machineverification", verified, reviews=False),
        "verification_within_its_limit": change("machineverification", verified, amount="40000.01"),
        "machinedraw_once_an_item": copy("machinedraw", w.draw.pk),
        "machinedraw_share": change("machinedraw", w.draw.pk, share=101),
        "timepromise_ahead": change("timepromise", w.promise.pk, due_on="2026-01-01"),
        "timepromise_kept_as_measured": change("timepromise", w.promise.pk, ended_on="2026-03-09", used=6, kept=True),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    event = {"seq": 1, "offer_id": w.open.pk, "digest": w.edition.digest}
    return {
        "disbursement_lanechoice_append_only": change("lanechoice", w.lane.pk, lane="fast"),
        "disbursement_machinedraw_append_only": change("machinedraw", w.draw.pk, share=1),
        "disbursement_machineverification_append_only": change("machineverification", w.verification.pk, amount="1.00"),
        "disbursement_offeredition_append_only": change("offeredition", w.edition.pk, amount="1.00"),
        "disbursement_offerevent_append_only": change("offerevent", w.event.pk, note="改"),
        "disbursement_offer_frozen": change("offer", w.open.pk, year=2025),
        "disbursement_offer_once": change("offer", w.declined.pk, answered_at=NOW + timedelta(days=1)),
        "disbursement_offer_begins": copy("offer", w.agreed.pk, year=2025, application_id=None),
        "disbursement_offer_moves": change("offer", w.open.pk, last_day="2027-01-01"),
        "disbursement_offer_application": _lead_elsewhere(w),
        "disbursement_offerevent_table": copy("offerevent", w.event.pk, **event, action="reopen"),
        "disbursement_offerevent_follows": copy("offerevent", w.event.pk, seq=2),
        "disbursement_offerevent_seen": copy("offerevent", w.event.pk, **{**event, "digest": "0" * 64}),
        "disbursement_machineverification_judged": copy(
            "machineverification", w.verification.pk, application_id=w.ordinary.id
        ),
        "disbursement_timepromise_frozen": change("timepromise", w.promise.pk, days=50),
        "disbursement_timepromise_once": given_and_taken_back("timepromise", w.promise.pk, broken_on=date(2026, 3, 10)),
        "disbursement_timepromise_begins": _begun(w),
    }


def _lead_elsewhere(w: SimpleNamespace) -> Attack:
    def run() -> None:
        copy("offerevent", w.event.pk, seq=1, offer_id=w.open.pk, digest=w.edition.digest, action="consent",
             target="consented")()  # fmt: skip
        change("offer", w.open.pk, state="consented", revision=1, application_id=w.ordinary.id,
               answered_by_id=w.declined.answered_by_id, answered_at=NOW)()  # fmt: skip

    return run


def _begun(w: SimpleNamespace) -> Attack:
    return copy("timepromise", w.promise.pk, application_id=w.ordinary.id, broken_on="2026-03-10")


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    check_triggers(MODELS, guard_attacks(world))
