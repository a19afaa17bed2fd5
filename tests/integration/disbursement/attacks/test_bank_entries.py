"""Attempts to have the same money counted twice: as a recovery, a refund, an excess given back, or a bank's answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from disbursement import guards
from disbursement.audit.findings import Scope
from disbursement.audit.service import findings
from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    BankEntry,
    Clawback,
    ClawbackReceipt,
    Payable,
    PaymentAttempt,
    RepaymentAccount,
    ReturnLine,
)
from disbursement.selectors.repayment import account_in_force
from disbursement.services.payment import exceptions, payments
from disbursement.services.recovery import bank_entries, recoveries, repayment
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
ORDERED, LATER = at("2026-04-01"), at("2026-04-08")


@dataclass
class Scene:
    """Three payments of March: two are asked back, one is kept."""

    finance: money.Finance
    payables: list[Payable]
    first: Clawback
    second: Clawback

    def record(self, reference: str, amount: str, demand: Clawback | None = None) -> ClawbackReceipt:
        return recoveries.record(
            clawback_id=(demand or self.first).pk,
            amount=Decimal(amount),
            received_on=LATER.date(),
            reference=reference,
            actor=self.finance.checker,
            now=LATER,
        )

    def recover(self, reference: str, demand: Clawback | None = None) -> Clawback:
        return payments.recover(
            payable_id=(demand or self.first).payable_id, actor=self.finance.checker, now=LATER, reference=reference
        )

    def refund(self, reference: str, **more: Any) -> Payable:
        told = {"received_on": LATER.date(), "reason": "多领退回", **more}
        return payments.refund(
            payable_id=self.payables[2].pk, actor=self.finance.checker, now=LATER, reference=reference, **told
        )

    def give_back(self, receipt: ClawbackReceipt, reference: str) -> ClawbackReceipt:
        return recoveries.return_excess(
            receipt_id=receipt.pk,
            actor=self.finance.maker,
            now=LATER,
            returned_on=LATER.date(),
            reference=reference,
        )


@pytest.fixture
def scene() -> Scene:
    finance = money.Finance()
    payables = money.payables(3)
    [batch] = money.cut()
    money.paid(batch, finance)
    demands = [
        payments.claw_back(
            payable_id=payable.pk, actor=finance.approver, now=ORDERED, reason="迁出", due_on=date(2026, 4, 30)
        )
        for payable in payables[:2]
    ]
    return Scene(finance, payables, *demands)


def proved() -> None:
    for line in BudgetLine.objects.all():
        assert ledger_findings(line=line) == []
    assert [
        str(finding) for finding in findings(scope=Scope(), counts=Counter(), only=["recoveries", "payables"])
    ] == []


def test_money_that_ended_a_demand_is_not_recorded_again_as_an_excess_or_a_refund(scene: Scene) -> None:
    scene.recover("cr 01")
    for again in (lambda: scene.record("CR01", "100000.00"), lambda: scene.recover("ＣＲ01", scene.second)):
        with pytest.raises(Invalid, match="不能重复登记"):
            again()
    with pytest.raises(Invalid, match="CR01已登记为追回ZH-2026-000001的到账"):
        scene.refund("CR\u200b01")
    assert Payable.objects.get(pk=scene.payables[2].pk).state == "settled"
    proved()


def test_money_that_was_refunded_pays_no_demand(scene: Scene) -> None:
    scene.refund("CR02")
    with pytest.raises(Invalid, match="的退款，不能重复登记"):
        scene.recover("CR02")
    with pytest.raises(Invalid, match="不能重复登记"):
        scene.record("CR02", "5.00", scene.second)
    assert scene.recover("CR03").recovered_at is not None
    proved()


def test_one_transfer_gives_one_excess_back(scene: Scene) -> None:
    excess = [scene.record(f"CR1{n}", "100001.00", demand) for n, demand in enumerate((scene.first, scene.second))]
    scene.give_back(excess[0], "b 77")
    with pytest.raises(Invalid, match="B77已登记为追回ZH-2026-000001多退款的退还"):
        scene.give_back(excess[1], "B77")
    # Nor was what came in the transfer that gave it back.
    with pytest.raises(Invalid, match="不能重复登记"):
        scene.give_back(excess[1], "CR11")
    assert scene.give_back(excess[1], "B78").returned_reference == "B78"
    proved()


@pytest.mark.parametrize("reference", ["抵扣-1", "ZH-2026-000001-到账", "zh-2026-000002", "", "\u200b ", "㍿" * 80])
def test_what_is_no_number_of_a_bank_is_refused_with_words(scene: Scene, reference: str) -> None:
    excess = scene.record("CR20", "100001.00", scene.second)
    for deed in (
        lambda: scene.record(reference, "5.00"),
        lambda: scene.recover(reference),
        lambda: scene.refund(reference),
        lambda: scene.give_back(excess, reference),
    ):
        with pytest.raises(Invalid, match="流水号"):
            deed()


def test_two_people_who_record_the_same_entry_at_once_are_told_not_shown_an_error(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.record("CR30", "5.00")
    known, asked = bank_entries._known_as, []

    def not_yet(reference: str) -> str:
        asked.append(reference)
        return "" if len(asked) == 1 else known(reference)

    monkeypatch.setattr(bank_entries, "_known_as", not_yet)
    with pytest.raises(Invalid, match="不能重复登记"):
        scene.record("CR30", "5.00", scene.second)


def test_a_stranger_that_says_paid_is_no_money_that_came_in(scene: Scene) -> None:
    money.receive(money.return_file({"209901001-000001": ("100000.00", "成功")}), name="stranger.csv", now=LATER)
    with pytest.raises(Invalid, match="付出的款项"):
        exceptions.resolve(
            line_id=ReturnLine.objects.get(status="exception").pk,
            actor=scene.finance.checker,
            now=LATER,
            remedy="recovery",
            text="企业退款",
            clawback_number=scene.first.number,
        )


def test_a_refund_that_was_recorded_by_hand_is_a_duplicate_when_the_bank_tells_of_it(scene: Scene) -> None:
    scene.refund("B0001")
    attempt = PaymentAttempt.objects.get(payable=scene.payables[2])
    line_id = attempt.batch.line_id(attempt.line_no or 0)
    answer = money.return_file({line_id: ("100000.00", "退款")}, on=date(2026, 4, 7))
    report = money.receive(answer, name="refund.csv", now=LATER)
    assert (report.posted, report.duplicates, report.exceptions) == (0, 1, 0)
    # The same money under another number: an exception, that pays no other debt of the enterprise either.
    answer = money.return_file({"209901001-000001": ("1.00", "退款"), line_id: ("100000.00", "退款")})
    money.receive(answer, name="statement.csv", now=LATER)
    with pytest.raises(Invalid, match="已按已退款入账"):
        exceptions.resolve(
            line_id=ReturnLine.objects.get(status="exception", attempt=attempt).pk,
            actor=scene.finance.checker,
            now=LATER,
            remedy="recovery",
            text="企业退款",
            clawback_number=scene.first.number,
        )
    proved()


def test_a_refund_of_the_banks_whose_number_was_recorded_as_something_else_waits_for_a_person(scene: Scene) -> None:
    scene.recover("B0001")
    attempt = PaymentAttempt.objects.get(payable=scene.payables[2])
    line_id = attempt.batch.line_id(attempt.line_no or 0)
    report = money.receive(money.return_file({line_id: ("100000.00", "退款")}), name="refund.csv", now=LATER)
    assert report.exceptions == 1
    assert "已登记为追回ZH-2026-000001的到账" in ReturnLine.objects.get(status="exception").problem
    assert Payable.objects.get(pk=scene.payables[2].pk).state == "settled"


def test_an_audit_finds_what_was_written_past_the_guards(scene: Scene) -> None:
    scene.refund("CR60")
    scene.record("CR61", "5.00")
    guards.remove(None, SimpleNamespace(connection=connection))  # type: ignore[arg-type]
    BankEntry.objects.all().delete()
    told = [str(finding) for finding in findings(scope=Scope(), counts=Counter(), only=["recoveries"])]
    assert any("CR61 没有对应的银行流水登记" in each for each in told)
    assert any("没有登记银行流水" in each for each in told)


def test_a_refund_that_the_bank_posted_is_not_recorded_as_a_recovery(scene: Scene) -> None:
    attempt = PaymentAttempt.objects.get(payable=scene.payables[2])
    line_id = attempt.batch.line_id(attempt.line_no or 0)
    assert money.receive(money.return_file({line_id: ("100000.00", "退款")}), name="r.csv", now=LATER).posted == 1
    with pytest.raises(Invalid, match="已由银行回单入账为退款"):
        scene.recover("b0001")


@pytest.mark.parametrize("written", ["TK 2026 0001", "ＴＫ２０２６０００１", "tk2026\u200b0001"])
def test_a_refund_that_the_bank_posted_is_known_again_however_the_bank_wrote_its_number(
    scene: Scene, written: str
) -> None:
    attempt = PaymentAttempt.objects.get(payable=scene.payables[2])
    line_id = attempt.batch.line_id(attempt.line_no or 0)
    content = money.return_file({line_id: ("100000.00", "退款")}).replace(b"B0001", written.encode())
    assert money.receive(content, name="r.csv", now=LATER).posted == 1
    with pytest.raises(Invalid, match="已由银行回单入账为退款"):
        scene.recover("TK20260001")
    # And by the database, where somebody records it past the service.
    with pytest.raises(IntegrityError, match="posted is not recorded again"), transaction.atomic():
        BankEntry.objects.create(
            reference="TK20260001",
            use="recovery",
            clawback=scene.first,
            recorded_by_id=scene.finance.checker.user_id or 0,
            recorded_at=LATER,
        )


def test_a_refund_came_neither_before_the_payment_nor_after_today(scene: Scene) -> None:
    for day in (date(2026, 3, 1), date(2026, 4, 9)):
        with pytest.raises(Invalid) as refusal:
            scene.refund("CR40", received_on=day)
        assert [fault.place for fault in refusal.value.faults] == ["received_on"]


def account(finance: money.Finance, **more: Any) -> RepaymentAccount:
    told = {
        "account_name": "青羊区财政局",
        "bank_name": "成都银行",
        "account_number": "6222 0000 1111 2222",
        "contact": "国库科",
        "phone": "028-86000000",
        "reason": "财政专户开户批复",
    }
    return repayment.propose(actor=finance.maker, now=LATER, **{**told, **more})


def test_the_account_to_pay_back_to_is_set_by_two_people_of_the_whole_district(scene: Scene) -> None:
    finance = scene.finance
    with pytest.raises(Denied):
        account(money.Finance(maker=people.staff("finance_maker", scene.payables[0].application.item.department)))
    with pytest.raises(Invalid) as refusal:
        account(finance, account_number="12-34", contact=" ", reason="")
    assert {fault.place for fault in refusal.value.faults} == {"account_number", "contact", "reason"}
    proposed = account(finance)
    assert account_in_force() is None
    with pytest.raises(Invalid, match="待批准"):
        account(finance)
    with pytest.raises(Denied):
        repayment.decide(account_id=proposed.pk, approve=True, actor=finance.checker, now=LATER)
    both = Actor.of(user_id=proposed.proposed_by_id, roles=[Role.FINANCE_MAKER, Role.FINANCE_APPROVER])
    with pytest.raises(Conflict):
        repayment.decide(account_id=proposed.pk, approve=True, actor=both, now=LATER)
    repayment.decide(account_id=proposed.pk, approve=True, actor=finance.approver, now=LATER)
    with pytest.raises(Invalid, match="已由他人办理"):
        repayment.decide(account_id=proposed.pk, approve=False, actor=finance.approver, now=LATER, note="不对")
    other = account(finance, account_number="62220000111133333")
    repayment.decide(account_id=other.pk, approve=False, actor=finance.approver, now=LATER, note="账号有误")
    stands = account_in_force()
    assert stands is not None
    assert stands.account_number == "6222000011112222"


def test_the_database_refuses_what_the_services_would_not_do(scene: Scene) -> None:
    excess = scene.record("CR50", "100001.00")
    scene.give_back(excess, "B50")
    entry = BankEntry.objects.get(reference="CR50")
    proposed = account(scene.finance)
    maker = scene.finance.maker.user_id
    tables = {"disbursement_bankentry", "disbursement_repaymentaccount"}

    def raw(statement: str, *values: Any) -> Callable[[], None]:
        def run() -> None:
            with connection.cursor() as cursor:
                cursor.execute(statement, list(values))

        return run

    def entry_with(reference: str, use: str = "recovery", clawback: int | None = None) -> Callable[[], None]:
        return raw(
            "INSERT INTO disbursement_bankentry (reference, use, clawback_id, recorded_by_id, recorded_at)"
            " VALUES (%s, %s, %s, %s, '2026-04-08')",
            reference,
            use,
            clawback,
            maker,
        )

    def account_with(column: str, value: Any) -> Callable[[], None]:
        return raw(f"UPDATE disbursement_repaymentaccount SET {column} = %s WHERE id = %s", value, proposed.pk)

    copied = (
        "INSERT INTO disbursement_repaymentaccount (account_name, bank_name, account_number, contact, phone, reason,"
        " proposed_by_id, proposed_at, decision, note) SELECT account_name, bank_name, account_number, contact, phone,"
        " reason, proposed_by_id, proposed_at, %s, '' FROM disbursement_repaymentaccount WHERE id = %s"
    )
    decided = "UPDATE disbursement_repaymentaccount SET decision = 'approved', decided_by_id = %s, decided_at = %s"
    held = {
        "disbursement_bankentry_append_only": raw("UPDATE disbursement_bankentry SET reference = 'X'"),
        "disbursement_bankentry_not_posted": lambda: _after_the_bank(
            scene, entry_with("B0001", clawback=entry.clawback_id)
        ),
        "disbursement_repaymentaccount_frozen": account_with("account_number", "9999999999"),
        "disbursement_repaymentaccount_begins": raw(copied, "approved", proposed.pk),
        "disbursement_repaymentaccount_once": lambda: [
            raw(decided, scene.finance.approver.user_id, day)() for day in ("2026-04-08", "2026-04-09")
        ],
        "disbursement_repaymentaccount_decided_once": lambda: [
            raw(decided, scene.finance.approver.user_id, "2026-04-08")(),
            account_with("decision", "refused")(),
        ],
    }
    declared = {guard.name: guard for guard in guards.guards() if guard.table in tables}
    assert set(held) == set(declared)
    for name, attack in held.items():
        with pytest.raises(IntegrityError, match=declared[name].message), transaction.atomic():
            attack()
    shapes = {
        "disbursement_bankentry_is_of_one_thing": entry_with("X1", "refund", entry.clawback_id),
        "disbursement_bankentry_is_the_banks": entry_with("抵扣-9", clawback=entry.clawback_id),
        "disbursement_repayment_one_waits": raw(copied, "", proposed.pk),
        "disbursement_repayment_decided_by_someone": account_with("decision", "approved"),
        "disbursement_repayment_two_people": raw(decided, maker, "2026-04-08"),
        "disbursement_repayment_is_whole": account_with("phone", ""),
        "disbursement_repayment_number_shape": account_with("account_number", "12 34"),
    }
    models = [apps.get_model("disbursement", name) for name in ("BankEntry", "RepaymentAccount")]
    assert set(shapes) == {constraint.name for model in models for constraint in model._meta.constraints}
    with pytest.raises(IntegrityError, match=r"(?i)unique"), transaction.atomic():
        entry_with("CR50", clawback=entry.clawback_id)()
    for name, attack in shapes.items():
        said = r"(?i)unique" if name.endswith("one_waits") else f"{name}|never changes"
        with pytest.raises(IntegrityError, match=said), transaction.atomic():
            attack()


def _after_the_bank(scene: Scene, attack: Callable[[], None]) -> None:
    """Once a return file has posted a refund under B0001."""
    attempt = PaymentAttempt.objects.get(payable=scene.payables[2])
    line_id = attempt.batch.line_id(attempt.line_no or 0)
    money.receive(money.return_file({line_id: ("100000.00", "退款")}), name="r.csv", now=LATER)
    attack()
