"""Raw SQL against every constraint and every trigger of gateways and sendings; none goes without its attack."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from disbursement import guards
from disbursement.models import Delivery
from disbursement.models import gateway as gateway_models
from tests.factories import disbursement as people
from tests.factories import money
from tests.integration.disbursement.money.test_raw_sql import Attack, change, copy, delete, named, refused

from .test_gateways import a_gateway, a_sealed_batch, send

pytestmark = pytest.mark.django_db
MODELS = [m for m in apps.get_app_config("disbursement").get_models() if m.__module__ == gateway_models.__name__]


@pytest.fixture
def world() -> SimpleNamespace:
    gateway = a_gateway(folder="icbc", lines=[people.budget_line().pk])
    other = a_gateway(code="other", kind="http", url="https://bank.example", is_default=False)
    send(a_sealed_batch(money.Finance()))
    return SimpleNamespace(gateway=gateway, other=other, done=Delivery.objects.get())


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    return {
        "disbursement_gateway_kind_known": change("gateway", w.gateway.pk, kind="pigeon"),
        "disbursement_gateway_http_has_address": change("gateway", w.other.pk, url=""),
        "disbursement_gateway_folder_has_folder": change("gateway", w.gateway.pk, folder=""),
        "disbursement_gateway_token_variable": change("gateway", w.other.pk, token_variable="SECRET_KEY"),
        "disbursement_gateway_timeout_bounded": change("gateway", w.other.pk, timeout=0),
        "disbursement_gateway_one_default": change("gateway", w.other.pk, is_default=True),
        "disbursement_delivery_state_known": change("delivery", w.done.pk, state="perhaps", done_at=None),
        "disbursement_delivery_done_has_time": change("delivery", w.done.pk, done_at=None),
        "disbursement_delivery_problem_told": change("delivery", w.done.pk, state="unsure", done_at=None),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    pk = w.done.pk
    return {
        "disbursement_delivery_frozen": change("delivery", pk, key="another"),
        "disbursement_delivery_done": change("delivery", pk, state="planned", done_at=None),
        "disbursement_delivery_tries": change("delivery", pk, tries=0),
        "disbursement_delivery_way": change("delivery", pk, gateway_id=w.other.pk),
    }


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    attacks = constraint_attacks(world)
    assert {c.name for m in MODELS for c in m._meta.constraints} == set(attacks)
    guards.remove(None, SimpleNamespace(connection=connection))  # type: ignore[arg-type]
    results = {name: refused(attack) for name, attack in attacks.items()}
    assert [n for n, error in results.items() if error is None or not named(error, n)] == []


def test_every_unique_column_refuses_its_double(world: SimpleNamespace) -> None:
    guards.remove(None, SimpleNamespace(connection=connection))  # type: ignore[arg-type]
    attacks = {
        "gateway.code": copy("gateway", world.other.pk),
        "gatewayline.budget_line": copy("gatewayline", world.gateway.lines.get().pk),
        "delivery.key": copy("delivery", world.done.pk),
    }
    assert [name for name, attack in attacks.items() if refused(attack) is None] == []


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    tables = {m._meta.db_table for m in MODELS}
    declared = {guard.name: guard.message for guard in guards.guards() if guard.table in tables}
    attacks = guard_attacks(world)
    assert set(declared) == set(attacks)
    told = set(declared.values())
    # Where two triggers guard one deed, either may be the first to refuse.
    errors = {name: refused(attack) for name, attack in attacks.items()}
    assert [n for n, error in errors.items() if error is None or not any(word in str(error) for word in told)] == []


@pytest.mark.postgres
def test_a_sending_is_never_deleted(world: SimpleNamespace) -> None:
    assert refused(delete("disbursement_delivery")) is not None
