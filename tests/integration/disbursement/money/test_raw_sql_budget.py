"""Raw SQL against every constraint and every trigger of limits, choices, budget changes and the year's end."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models

from disbursement.guards import caps
from disbursement.models import AwardLimit, BudgetChange, CarryOver, Choice, LimitedItem, YearEnd
from disbursement.models import budget as budget_models
from disbursement.models import limit as limit_models
from disbursement.services.budget import year_end
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    check_triggers,
    copy,
    delete,
    execute,
    models_in,
    refused,
)

pytestmark = pytest.mark.django_db
MODELS = models_in(budget_models, limit_models)


@pytest.fixture
def world() -> SimpleNamespace:
    """A line whose year was closed with one payable carried over, one that is open, a limit, a choice, a change."""
    finance = money.Finance()
    carried = money.payable("50000.00", item=money.version("50000"), now=at("2026-12-10"))
    closed = money.line()
    year_end.close(line_id=closed.pk, actor=finance.approver, now=at("2026-12-30"), paper_number="文")
    line = people.budget_line(code="talent", year=2027)
    one, two = people.user().pk, people.user().pk
    reserved = money.payable("70000.00", item=money.version("70000", line="talent"), now=at("2027-03-01"))
    limit = AwardLimit.objects.create(
        name="限", basis="文", covers_all=True, total=10**9, from_year=2026, declared_by_id=one, declared_at=money.CUT
    )
    return SimpleNamespace(
        carried=carried,
        closed=closed,
        line=line,
        reserved=reserved,
        one=one,
        two=two,
        limit=limit,
        item=LimitedItem.objects.create(limit=limit, item=carried.application.item),
        choice=Choice.objects.create(
            enterprise=carried.enterprise,
            year=2026,
            taken=[],
            given_up=[],
            total=0,
            best=0,
            proven=True,
            made_by_id=one,
            made_at=money.CUT,
        ),
        change=BudgetChange.objects.create(
            kind="adjust",
            line=line,
            amount=1,
            paper_number="文",
            reason="因",
            proposed_by_id=one,
            proposed_at=money.CUT,
            approved=True,
            decided_by_id=two,
            decided_at=money.CUT,
        ),
        carry=CarryOver.objects.get(),
        end=YearEnd.objects.get(),
    )


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    def of(name: str, **values: Any) -> Attack:
        return change(name, {"awardlimit": w.limit, "budgetchange": w.change, "carryover": w.carry}[name].pk, **values)

    return {
        "disbursement_limit_limits_something": of("awardlimit", total=None),
        "disbursement_limit_not_negative": of("awardlimit", total=-1),
        "disbursement_limit_share_positive": of("awardlimit", fact_share=0),
        "disbursement_limit_years_in_order": of("awardlimit", until_year=2025),
        "disbursement_limit_ended_by_someone": of("awardlimit", ended_at=at("2026-05-01")),
        "disbursement_limit_has_basis": of("awardlimit", basis=""),
        "disbursement_limiteditem_once": copy("limiteditem", w.item.pk),
        "disbursement_choice_not_negative": change("choice", w.choice.pk, total=-1),
        "disbursement_budgetchange_shape": of("budgetchange", kind="freeze"),
        "disbursement_budgetchange_has_paper": of("budgetchange", paper_number=""),
        "disbursement_budgetchange_two_people": of("budgetchange", decided_by_id=w.one),
        "disbursement_budgetchange_decided_by_someone": of("budgetchange", decided_by_id=None),
        "disbursement_budgetchange_refusal_has_note": of("budgetchange", approved=False),
        "disbursement_carryover_once": copy("carryover", w.carry.pk),
        "disbursement_carryover_positive": of("carryover", amount=0),
        "disbursement_carryover_has_reason": of("carryover", reason=""),
        "disbursement_yearend_figures": change("yearend", w.end.pk, paid=-1),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    def line(pk: int, **values: Any) -> Attack:
        sets = ", ".join(f"{column} = %s" for column in values)
        return lambda: execute(f"UPDATE registry_budgetline SET {sets} WHERE id = %s", *values.values(), pk)

    return {
        "disbursement_awardlimit_frozen": change("awardlimit", w.limit.pk, total=1),
        "disbursement_awardlimit_once": lambda: [
            change("awardlimit", w.limit.pk, ended_at=at(day), ended_by_id=w.one, end_reason="因")()
            for day in ("2026-05-01", "2026-05-02")
        ],
        "disbursement_limiteditem_append_only": change("limiteditem", w.item.pk, limit_id=w.limit.pk),
        "disbursement_choice_append_only": change("choice", w.choice.pk, total=5),
        "disbursement_budgetchange_frozen": change("budgetchange", w.change.pk, amount=2),
        "disbursement_budgetchange_once": change("budgetchange", w.change.pk, decided_at=at("2026-05-01")),
        "disbursement_carryover_append_only": change("carryover", w.carry.pk, amount=1),
        "disbursement_carryover_moves": copy(
            "carryover", w.carry.pk, payable_id=w.reserved.pk, from_line_id=w.line.pk, amount=70000
        ),
        "disbursement_yearend_append_only": change("yearend", w.end.pk, released=1),
        "disbursement_yearend_settled": copy("yearend", w.end.pk, line_id=w.line.pk),
        "registry_budgetline_keeps_bound": line(w.line.pk, ceiling=69999),
        "registry_budgetline_closed": line(w.closed.pk, ceiling=5),
    }


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))
    once = {f"{m._meta.model_name}.{f.name}" for m in MODELS for f in _unique(m)}
    assert once == {"yearend.line"}
    assert refused(copy("yearend", world.end.pk)) is not None


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    check_triggers([*MODELS, BudgetLine], guard_attacks(world))


@pytest.mark.postgres
def test_none_of_it_is_ever_deleted(world: SimpleNamespace) -> None:
    tables = [m._meta.db_table for m in MODELS]
    assert set(tables) <= {*caps.APPEND_ONLY, *caps.NEVER_DELETED}
    assert [table for table in tables if refused(delete(table)) is None] == []


def test_a_reserved_payable_goes_to_no_other_line_without_a_carry_over(world: SimpleNamespace) -> None:
    other = people.budget_line(code="talent", year=2028)
    error = refused(change("payable", world.reserved.pk, budget_line_id=other.pk))
    assert "but for a carry-over" in str(error)
    assert world.carried.promised_month <= date(2027, 1, 1)


def _unique(model: type[models.Model]) -> list[Any]:
    return [f for f in model._meta.concrete_fields if f.unique and not f.primary_key]
