"""Raw SQL against every constraint and every trigger of gateways and sendings; none goes without its attack."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from disbursement import guards
from disbursement.domain.errors import Invalid
from disbursement.models import BankInquiry, Delivery, DeliveryRoute
from disbursement.models import gateway as gateway_models
from disbursement.services.payment import bank_inquiries, gateways, sending_deeds
from disbursement.services.payment.bank_inquiries import Letter
from matching.days import day_of
from tests.factories import disbursement as people
from tests.factories import money
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    copy,
    delete,
    models_in,
    refused,
    triggers_of,
    without_triggers,
)

from .test_bank_inquiries import LATER
from .test_gateways import Killed, a_gateway, a_sealed_batch
from .test_sent_once import Way, dies, refuses

pytestmark = pytest.mark.django_db
MODELS = models_in(gateway_models)


@pytest.fixture
def world(settings: Any) -> SimpleNamespace:
    (settings.HUIDA_TREASURY_FOLDERS / "icbc" / "out").mkdir(parents=True)
    gateway = a_gateway(folder="icbc", lines=[people.budget_line().pk])
    other = a_gateway(code="other", kind="http", url="https://bank.example", is_default=False)
    office = money.Finance()
    batch = a_sealed_batch(office)
    with pytest.raises(Invalid):
        gateways.hand_over(batch_id=batch.pk, now=money.CUT, channel=Way(refuses))
    sending_deeds.reroute(batch_id=batch.pk, actor=office.maker, now=money.CUT, gateway_id=other.pk)
    sending_deeds.reroute(batch_id=batch.pk, actor=office.maker, now=money.CUT, gateway_id=gateway.pk)
    with pytest.raises(Killed):
        gateways.hand_over(batch_id=batch.pk, now=money.CUT, channel=Way(dies))
    letter = Letter(has_file=False, paper_number="函1", written_on=day_of(LATER), text="查无此文件。")
    for note in ("没有公章", ""):
        bank_inquiries.begin(batch_id=batch.pk, actor=office.maker, now=LATER)
        asked = bank_inquiries.enter(batch_id=batch.pk, letter=letter, actor=office.maker, now=LATER)
        if note:
            bank_inquiries.decide(batch_id=batch.pk, approve=False, actor=office.approver, now=LATER, opinion=note)
            refused_one = asked.pk
    return SimpleNamespace(
        office=office,
        gateway=gateway,
        other=other,
        doubtful=Delivery.objects.get(),
        asked=asked.pk,
        refused=refused_one,
        route=DeliveryRoute.objects.latest("pk"),
    )


def done(w: SimpleNamespace) -> None:
    """The bank says that it took the file."""
    w.doubtful.inquiries.filter(ended_at=None).update(ended_at=LATER, ended_by=w.office.approver.user_id, approved=True)
    Delivery.objects.update(state="done", done_at=LATER)


def after(w: SimpleNamespace, attack: Attack) -> Attack:
    """The attack once the file is done."""

    def both() -> None:
        done(w)
        attack()

    return both


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    return {
        "disbursement_gateway_kind_known": change("gateway", w.gateway.pk, kind="pigeon"),
        "disbursement_gateway_http_has_address": change("gateway", w.other.pk, url=""),
        "disbursement_gateway_folder_has_folder": change("gateway", w.gateway.pk, folder=""),
        "disbursement_gateway_token_variable": change("gateway", w.other.pk, token_variable="SECRET_KEY"),
        "disbursement_gateway_timeout_bounded": change("gateway", w.other.pk, timeout=0),
        "disbursement_gateway_one_default": change("gateway", w.other.pk, is_default=True),
        "disbursement_delivery_state_known": change("delivery", w.doubtful.pk, state="perhaps"),
        "disbursement_delivery_done_has_time": change("delivery", w.doubtful.pk, state="done"),
        "disbursement_delivery_problem_told": change("delivery", w.doubtful.pk, state="unsure"),
        "disbursement_bankinquiry_one_open": copy("bankinquiry", w.asked),
        "disbursement_bankinquiry_letter_whole": change("bankinquiry", w.asked, written_on=None),
        "disbursement_bankinquiry_ended_whole": change("bankinquiry", w.asked, approved=True),
        "disbursement_bankinquiry_two_people": change(
            "bankinquiry", w.asked, approved=True, ended_by_id=w.office.maker.user_id, ended_at=LATER
        ),
        "disbursement_bankinquiry_refused_with_note": change("bankinquiry", w.refused, note=""),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    pk = w.doubtful.pk
    return {
        "disbursement_delivery_frozen": change("delivery", pk, key="another"),
        "disbursement_delivery_done": after(w, change("delivery", pk, state="planned", done_at=None)),
        "disbursement_delivery_tries": change("delivery", pk, tries=0),
        "disbursement_delivery_way": change("delivery", pk, gateway_id=w.other.pk),
        "disbursement_delivery_way_open": after(w, change("delivery", pk, gateway_id=w.other.pk)),
        "disbursement_delivery_asked": change("delivery", pk, tries=9),
        "disbursement_bankinquiry_frozen": change("bankinquiry", w.asked, asked_by_id=w.office.approver.user_id),
        "disbursement_bankinquiry_once": change("bankinquiry", w.refused, approved=True),
        "disbursement_bankinquiry_letter": change("bankinquiry", w.asked, text="已受理。"),
        "disbursement_deliveryroute_append_only": change("deliveryroute", w.route.pk, chosen_at=LATER),
        "disbursement_deliveryroute_way": copy("deliveryroute", w.route.pk, to_gateway_id=w.other.pk),
    }


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))


def test_every_unique_column_refuses_its_double(world: SimpleNamespace) -> None:
    without_triggers()
    attacks = {
        "gateway.code": copy("gateway", world.other.pk),
        "gatewayline.budget_line": copy("gatewayline", world.gateway.lines.get().pk),
        "delivery.key": copy("delivery", world.doubtful.pk),
    }
    assert [name for name, attack in attacks.items() if refused(attack) is None] == []


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    declared = triggers_of(MODELS)
    attacks = guard_attacks(world)
    assert set(declared) == set(attacks)
    told = set(declared.values())
    # Where two triggers guard one deed, either may be the first to refuse.
    errors = {name: refused(attack) for name, attack in attacks.items()}
    assert [n for n, error in errors.items() if error is None or not any(word in str(error) for word in told)] == []


@pytest.mark.postgres
def test_a_sending_is_never_deleted(world: SimpleNamespace) -> None:
    assert refused(delete("disbursement_deliveryroute")) is not None
    assert refused(delete("disbursement_bankinquiry")) is not None
    without_triggers()
    BankInquiry.objects.all().delete()
    DeliveryRoute.objects.all().delete()
    guards.install(None, SimpleNamespace(connection=connection))  # type: ignore[arg-type]
    assert refused(delete("disbursement_delivery")) is not None
