"""Raw SQL against every constraint and every trigger of forecasts and supervision."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import pytest

from disbursement.domain.workflow import ClockStep
from disbursement.models import ClockWarning, PayForecast, SupervisionEntry, WarningRule, pay_forecast
from disbursement.models import supervision as models
from disbursement.services.review import reviews
from disbursement.services.supervision import clocks, urgings, warnings
from disbursement.services.supervision import ledger as supervision
from matching.days import day_of
from tests.factories import disbursement as people
from tests.factories.disbursement import at, case
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    check_triggers,
    copy,
    models_in,
    refused,
)
from tests.unit.disbursement.test_supervision import supervisor

pytestmark = pytest.mark.django_db
MODELS = models_in(pay_forecast, models)


@pytest.fixture
def world() -> SimpleNamespace:
    watching = supervisor()
    made = case(limits={"acceptance": {"statutory": 5, "promised": 5}}).submitted()
    reviews.claim(application_id=made.id, actor=made.acceptor, now=made.now)
    warnings.warn(now=at(made.now.date() + timedelta(days=3), 1))
    made.later(days=20)
    clocks.charge_cards(now=made.now)
    yellow, red = (SupervisionEntry.objects.get(kind=kind) for kind in ("yellow", "red"))
    open_one = supervision.contest(entry_id=yellow.pk, grounds="不公", actor=made.acceptor, now=made.now)
    supervision.contest(entry_id=red.pk, grounds="不公", actor=made.acceptor, now=made.now)
    decided = supervision.decide(entry_id=red.pk, strike=True, reason="属实", actor=watching, now=made.now)
    send = partial(urgings.send, text="请说明", due_on=day_of(made.now), actor=watching, now=made.now)
    waiting = send(entry_id=red.pk)
    answered = send(entry_id=red.pk)
    urgings.answer(urging_id=answered.pk, reply="已改", actor=made.acceptor, now=made.now)
    closed = send(entry_id=red.pk)
    urgings.answer(urging_id=closed.pk, reply="已改", actor=made.acceptor, now=made.now)
    urgings.close(urging_id=closed.pk, is_settled=True, closing="到位", actor=watching, now=made.now)
    warnings.set_rule(step=ClockStep.REVIEW, percent=50, days_before=2, actor=watching, now=made.now)
    return SimpleNamespace(
        made=made,
        acceptor=made.acceptor.user_id,
        watching=watching.user_id,
        other=people.user().pk,
        forecast=PayForecast.objects.filter(application_id=made.id).latest("seq"),
        warning=ClockWarning.objects.latest("pk"),
        yellow=yellow,
        red=red,
        open=open_one,
        decided=decided,
        waiting=waiting,
        answered=answered,
        closed=closed,
        rule=WarningRule.objects.get(),
        now=made.now,
    )


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    seq = w.forecast.seq + 1
    return {
        "payforecast_seq_once": copy("payforecast", w.forecast.pk),
        "payforecast_seq_from_1": copy("payforecast", w.forecast.pk, instalment=9, seq=0),
        "payforecast_says_why": copy("payforecast", w.forecast.pk, seq=seq, text=""),
        "warningrule_step_known": change("warningrule", w.rule.pk, step="lunch"),
        "warningrule_before_yellow": change("warningrule", w.rule.pk, percent=80),
        "warningrule_days_in_bounds": change("warningrule", w.rule.pk, days_before=61),
        "clockwarning_once": copy("clockwarning", w.warning.pk),
        "clockwarning_level_known": change("clockwarning", w.warning.pk, level="shout"),
        "clockwarning_within_limit": change("clockwarning", w.warning.pk, used=99),
        "supervisionentry_says_what": copy("supervisionentry", w.red.pk, source="x:1", text=""),
        "supervisionentry_of_a_clock": copy("supervisionentry", w.red.pk, source="x:1", clock_id=None),
        "entryappeal_gives_grounds": change("entryappeal", w.open.pk, grounds=""),
        "entryappeal_decided_whole": change("entryappeal", w.open.pk, is_struck=True),
        "entryappeal_decided_by_another": change("entryappeal", w.open.pk, **_struck(w, w.acceptor)),
        "urging_asks_something": change("urging", w.waiting.pk, text=""),
        "urging_replied_whole": change("urging", w.waiting.pk, reply="已改"),
        "urging_closed_whole": change("urging", w.waiting.pk, **_closed(w)),
        "urging_replied_by_another": change(
            "urging", w.waiting.pk, reply="已改", replied_by_id=w.watching, replied_at=w.now
        ),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    later = w.now + timedelta(days=1)
    return {
        "disbursement_payforecast_append_only": change("payforecast", w.forecast.pk, month="2026-12-01"),
        "disbursement_payforecast_follows": copy(
            "payforecast", w.forecast.pk, seq=w.forecast.seq + 1, previous="2020-01-01"
        ),
        "disbursement_clockwarning_append_only": change("clockwarning", w.warning.pk, used=0),
        "disbursement_supervisionentry_append_only": change("supervisionentry", w.red.pk, kind="yellow"),
        "disbursement_entryappeal_frozen": change("entryappeal", w.open.pk, grounds="另一个理由"),
        "disbursement_entryappeal_once": change("entryappeal", w.decided.pk, is_struck=False),
        "disbursement_entryappeal_decision_stays": change("entryappeal", w.decided.pk, decision="改"),
        "disbursement_entryappeal_begins": _decided_at_once(w),
        "disbursement_entryappeal_not_ones_own": change("entryappeal", w.open.pk, **_struck(w, w.acceptor)),
        "disbursement_urging_frozen": change("urging", w.waiting.pk, due_on="2030-01-01"),
        "disbursement_urging_once": change("urging", w.answered.pk, replied_at=later),
        "disbursement_urging_reply_stays": change("urging", w.answered.pk, reply="改"),
        "disbursement_urging_closing_stays": change("urging", w.closed.pk, closing="改"),
        "disbursement_urging_begins": copy("urging", w.answered.pk),
    }


def _struck(w: SimpleNamespace, person: int) -> dict[str, object]:
    return {"is_struck": True, "decision": "属实", "decided_by_id": person, "decided_at": w.now}


def _closed(w: SimpleNamespace) -> dict[str, object]:
    return {"is_settled": True, "closing": "好", "closed_by_id": w.watching, "closed_at": w.now}


def _decided_at_once(w: SimpleNamespace) -> Attack:
    fresh = SupervisionEntry.objects.filter(kind="warning").latest("pk")
    return copy("entryappeal", w.decided.pk, entry_id=fresh.pk)


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    check_triggers(MODELS, guard_attacks(world))


def test_a_line_is_entered_once(world: SimpleNamespace) -> None:
    assert refused(copy("supervisionentry", world.red.pk)) is not None
