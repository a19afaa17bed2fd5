"""Raw SQL against an account's proof and paying to it again; no constraint goes without its attack."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from disbursement.models import AccountProof, Payable, Reissue
from disbursement.models import payout as payout_models
from disbursement.services.payment import payees, reissues
from tests.factories import disbursement as people
from tests.factories import money, papers
from tests.factories.disbursement import at
from tests.integration.disbursement.raw_sql import (
    Attack,
    change,
    check_constraints,
    check_triggers,
    copy,
    delete,
    models_in,
    refused,
)

pytestmark = pytest.mark.django_db
MODELS = models_in(payout_models)
NOW = at("2026-03-25")


@pytest.fixture
def world() -> SimpleNamespace:
    office = money.Finance()
    money.payables(2)
    [batch] = money.cut()
    money.paid(batch, office, bounced=[1])
    bounced = Payable.objects.select_related("enterprise").get(state="bounced")
    refused_one = reissues.propose(payable_id=bounced.pk, reason="故障", actor=office.maker, now=NOW)
    reissues.decide(reissue_id=refused_one.pk, approve=False, actor=office.approver, now=NOW, note="再核实")
    asked = reissues.propose(payable_id=bounced.pk, reason="银行来函", actor=office.maker, now=NOW)
    firm = people.applicant()
    account = payees.propose_account(
        enterprise_id=firm.pk,
        account_name=firm.name,
        bank_name="成都银行",
        account_number="62220000000000009",
        actor=people.agent(firm),
        now=NOW,
        proof=("开户许可证.pdf", papers.pdf(mark="raw")),
    )
    paid = Payable.objects.exclude(pk=bounced.pk).get()
    return SimpleNamespace(
        office=office,
        asked=asked.pk,
        refused=refused_one.pk,
        proof=AccountProof.objects.get(account=account).pk,
        paid=paid,
        paid_attempt=paid.attempts.get().pk,
    )


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    maker, approver = world.office.maker.user_id, world.office.approver.user_id
    attacks: dict[str, Attack] = {
        "disbursement_accountproof_named": change("accountproof", world.proof, name=""),
        "disbursement_reissue_once_an_attempt": copy("reissue", world.asked),
        "disbursement_reissue_gives_reason": change("reissue", world.asked, reason=""),
        "disbursement_reissue_two_people": change(
            "reissue", world.asked, approved=True, decided_by_id=maker, decided_at=NOW
        ),
        "disbursement_reissue_decided_whole": change("reissue", world.asked, approved=True, decided_by_id=approver),
        "disbursement_reissue_refused_with_note": change("reissue", world.refused, note=""),
    }
    check_constraints(MODELS, attacks)


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    attacks: dict[str, Attack] = {
        "disbursement_accountproof_append_only": change("accountproof", world.proof, name="x.pdf"),
        "disbursement_reissue_frozen": change("reissue", world.asked, reason="另一个"),
        "disbursement_reissue_once": change("reissue", world.refused, approved=True),
        "disbursement_reissue_of_a_bounce": copy(
            "reissue", world.asked, payable_id=world.paid.pk, attempt_id=world.paid_attempt
        ),
    }
    check_triggers(MODELS, attacks)


@pytest.mark.postgres
def test_none_of_it_is_ever_deleted(world: SimpleNamespace) -> None:
    assert [table for table in (Reissue, AccountProof) if refused(delete(table._meta.db_table)) is None] == []
