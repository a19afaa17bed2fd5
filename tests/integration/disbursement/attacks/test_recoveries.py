"""Attempts to be paid what is asked back, to settle it twice, or to settle it by whom it is no business of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from disbursement.audit.findings import Scope
from disbursement.audit.service import findings
from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import Clawback, ClawbackReceipt, Participation, Payable, PaymentAttempt, ReturnLine, SetOff
from disbursement.services.budget import year_end
from disbursement.services.payment import exceptions, payees, payments, sealing
from disbursement.services.recovery import plans, recoveries
from matching.models import Enterprise
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
ORDERED, LATER, OVERDUE = at("2026-04-01"), at("2026-04-08"), at("2026-05-22")


@dataclass
class Owing:
    """A demand of 100,000 元 due at the end of April, and who works on it."""

    finance: money.Finance
    payable: Payable
    demand: Clawback

    def coming(self, amount: str = "30000", **options: Any) -> Payable:
        item = money.version(amount, code="later")
        return money.payable(f"{amount}.00", enterprise=self.payable.enterprise, item=item, now=LATER, **options)

    def set_off(self, coming: Payable, actor: Actor | None = None) -> SetOff:
        return recoveries.set_off(
            clawback_id=self.demand.pk,
            payable_id=coming.pk,
            actor=actor or self.finance.second_approver,
            now=OVERDUE,
            reason="逾期未退，依约抵扣",
        )

    def record(self, reference: str, amount: str = "1000.00") -> ClawbackReceipt:
        return recoveries.record(
            clawback_id=self.demand.pk,
            amount=Decimal(amount),
            received_on=LATER.date(),
            reference=reference,
            actor=self.finance.checker,
            now=LATER,
        )


@pytest.fixture
def owing() -> Owing:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    demand = payments.claw_back(
        payable_id=payable.pk, actor=finance.approver, now=ORDERED, reason="迁出本区", due_on=date(2026, 4, 30)
    )
    return Owing(finance, Payable.objects.select_related("enterprise").get(pk=payable.pk), demand)


def mend(enterprise: Enterprise, finance: money.Finance, *, day: str) -> None:
    account = payees.propose_account(
        enterprise_id=enterprise.pk,
        account_name=enterprise.name,
        bank_name="成都银行",
        account_number="6222999900001111",
        actor=people.agent(enterprise),
        now=at(day),
    )
    payees.check_account(account_id=account.pk, actor=finance.checker, now=at(day, 12), accept=True)


def test_who_decided_on_the_coming_payments_application_does_not_set_it_off(owing: Owing) -> None:
    coming = owing.coming()
    decider = owing.finance.second_approver.user_id
    assert decider is not None
    Participation.objects.create(
        application=coming.application,
        user_id=decider,
        role=Role.SECOND_REVIEWER.value,
        since=LATER,
    )
    with pytest.raises(Conflict, match="办理过这件申报"):
        owing.set_off(coming)


def test_an_approver_of_one_department_does_not_spend_what_another_owes(owing: Owing) -> None:
    other = base.department("jxj", "经信局")
    people.budget_line(code="other", owner=other)
    item = money.version("30000", code="later", line="other")
    coming = money.payable("30000.00", enterprise=owing.payable.enterprise, item=item, now=LATER)
    ours = people.staff(Role.FINANCE_APPROVER, owing.payable.application.item.department)
    with pytest.raises(Denied):
        owing.set_off(coming, ours)


def test_a_plan_in_force_is_not_outrun_by_a_set_off(owing: Owing) -> None:
    coming = owing.coming()
    plan = plans.propose(
        clawback_id=owing.demand.pk,
        entries=[(date(2026, 5, 15), Decimal("1000.00")), (date(2026, 9, 15), Decimal("99000.00"))],
        actor=owing.finance.maker,
        now=LATER,
        reason="同意分期",
    )
    plans.approve(plan_id=plan.pk, actor=owing.finance.second_approver, now=LATER)
    with pytest.raises(Invalid, match="未到期"):
        owing.set_off(coming)


def test_a_payment_that_may_have_arrived_after_all_is_not_set_off(owing: Owing) -> None:
    owing.coming()
    april = at("2026-04-20", 17)
    [batch] = money.cut(month=date(2026, 4, 1), now=april)
    money.sent(batch, owing.finance, now=april)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 4, 22)), name="b.csv", now=at("2026-04-23"))
    mend(owing.payable.enterprise, owing.finance, day="2026-04-24")
    money.receive(money.answer(batch, on=date(2026, 4, 23)), name="late.csv", now=at("2026-04-25"))
    coming = PaymentAttempt.objects.get(batch=batch).payable
    assert coming.state == "reserved"
    with pytest.raises(Invalid, match="矛盾"):
        owing.set_off(coming)


def test_a_bank_entry_counts_once_however_its_number_is_written(owing: Owing) -> None:
    owing.record("cr 0077")
    for again in ("CR0077", "ＣＲ００７７", "Cr00 77"):
        with pytest.raises(Invalid, match="不能重复登记"):
            owing.record(again)
    assert recoveries.received_of(demand=owing.demand) == 1000


def test_money_that_a_batch_paid_out_is_not_recorded_as_money_that_came_back(owing: Owing) -> None:
    batch = PaymentAttempt.objects.get(payable=owing.payable).batch
    money.receive(money.return_file({batch.line_id(1): ("99999.00", "成功")}), name="wrong-amount.csv", now=LATER)
    line = ReturnLine.objects.get(status="exception")
    with pytest.raises(Invalid, match="不是到账"):
        exceptions.resolve(
            line_id=line.pk,
            actor=owing.finance.checker,
            now=LATER,
            remedy="recovery",
            text="企业退款",
            clawback_number=owing.demand.number,
        )


def test_what_was_carried_over_a_years_end_is_not_paid_again_once_the_bank_says_it_arrived() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="b.csv")
    mend(payable.enterprise, finance, day="2026-03-26")
    year_end.close(
        line_id=money.line().pk, actor=finance.approver, now=at("2026-12-28"), paper_number="青财〔2026〕99号"
    )
    cut = at("2027-01-20", 17)
    [second] = money.cut(month=date(2027, 1, 1), now=cut)
    money.signed(second, finance, now=cut)
    money.receive(money.answer(batch, on=date(2026, 3, 25)), name="late.csv", now=at("2027-01-20", 18))
    with pytest.raises(Invalid, match="矛盾"):
        sealing.seal(batch_id=second.pk, now=at("2027-01-21"))


def test_what_arrived_after_all_is_settled_on_the_line_that_it_was_carried_to() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="b.csv")
    line = money.line()
    year_end.close(line_id=line.pk, actor=finance.approver, now=at("2026-12-28"), paper_number="青财〔2026〕99号")
    money.receive(money.answer(batch, on=date(2026, 3, 25)), name="late.csv", now=at("2027-01-10"))
    payments.settle_contradiction(
        attempt_id=PaymentAttempt.objects.get().pk,
        actor=finance.checker,
        now=at("2027-01-11"),
        was_paid=True,
        note="银行确认已入账",
    )
    payable.refresh_from_db()
    assert payable.state == "settled"
    assert money.cut(month=date(2027, 1, 1), now=at("2027-01-20", 17)) == []
    refund = money.return_file({batch.line_id(1): ("100000.00", "退款")}, on=date(2027, 1, 25))
    assert money.receive(refund, name="refund.csv", now=at("2027-01-26")).exceptions == 0
    payable.refresh_from_db()
    assert payable.state == "refunded"
    for each in BudgetLine.objects.all():
        assert ledger_findings(line=each) == []
    found = list(findings(scope=Scope(), counts=Counter(), only=["payables", "batches", "returns", "ledger"]))
    assert [str(finding) for finding in found] == []


def test_a_part_that_one_enterprise_gave_back_pays_no_debt_of_another(owing: Owing) -> None:
    stranger = money.payable("100000.00", item=money.version("100000", code="strangers"), now=LATER)
    april = at("2026-04-20", 17)
    [batch] = money.cut(month=date(2026, 4, 1), now=april)
    money.sent(batch, owing.finance, now=april)
    money.receive(money.answer(batch, on=date(2026, 4, 22)), name="april.csv", now=at("2026-04-23"))
    part = money.return_file({batch.line_id(1): ("40000.00", "退款")}, on=date(2026, 4, 24))
    money.receive(part, name="part.csv", now=at("2026-04-25"))
    line = ReturnLine.objects.get(status="exception")
    assert line.attempt is None
    assert stranger.pk != owing.payable.pk
    with pytest.raises(Invalid, match="其他企业"):
        exceptions.resolve(
            line_id=line.pk,
            actor=owing.finance.checker,
            now=at("2026-04-25"),
            remedy="recovery",
            text="企业退款",
            clawback_number=owing.demand.number,
        )


def test_one_enterprises_refund_pays_no_debt_of_another_and_none_twice(owing: Owing) -> None:
    batch = PaymentAttempt.objects.get(payable=owing.payable).batch
    refund = {batch.line_id(1): ("100000.00", "退款")}
    money.receive(money.return_file(refund, on=date(2026, 4, 3)), name="refund.csv", now=LATER)
    # The same in another file, where the bank numbers it otherwise: it is the second entry.
    refund = {"209901001-000001": ("1.00", "退款"), **refund}
    money.receive(money.return_file(refund, on=date(2026, 4, 3)), name="statement.csv", now=LATER)
    first, second = ReturnLine.objects.filter(status="exception", attempt__isnull=False).order_by("pk")
    assert first.reference != second.reference
    stranger = money.payable("100000.00", item=money.version("100000", code="strangers"))
    april = at("2026-04-20", 17)
    [other] = money.cut(month=date(2026, 4, 1), now=april)
    money.sent(other, owing.finance, now=april)
    money.receive(money.answer(other, on=date(2026, 4, 22)), name="april.csv", now=at("2026-04-23"))
    theirs = payments.claw_back(
        payable_id=stranger.pk,
        actor=owing.finance.approver,
        now=at("2026-04-24"),
        reason="迁出本区",
        due_on=date(2026, 5, 30),
    )

    def resolve(line: ReturnLine, demand: Clawback) -> None:
        exceptions.resolve(
            line_id=line.pk,
            actor=owing.finance.checker,
            now=at("2026-04-25"),
            remedy="recovery",
            text="企业退款",
            clawback_number=demand.number,
        )

    with pytest.raises(Invalid, match="其他企业"):
        resolve(first, theirs)
    resolve(first, owing.demand)
    with pytest.raises(Invalid, match="不能重复登记"):
        resolve(second, owing.demand)
    assert ClawbackReceipt.objects.get().amount == Decimal("100000.00")
