"""Attempts to be paid twice, or more than the rules give."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Invalid
from disbursement.domain.money import total
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import AccountKind, Application, Award, Batch, PaymentAttempt, SealedFile
from disbursement.services.award import awards
from disbursement.services.month import batches, cycles
from disbursement.services.payment import payees, payments, returns, sealing
from disbursement.services.review import decisions, reviews
from matching.models import Enterprise
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
APRIL, APRIL_CUT = date(2026, 4, 1), at("2026-04-20", 17)


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def propose(enterprise: Enterprise, number: str = "6222999900001111", *, day: str = "2026-03-26") -> int:
    return payees.propose_account(
        enterprise_id=enterprise.pk,
        account_name=enterprise.name,
        bank_name="成都银行",
        account_number=number,
        actor=people.agent(enterprise),
        now=at(day),
    ).pk


def mend(enterprise: Enterprise, finance: money.Finance, *, day: str = "2026-03-26") -> None:
    account = propose(enterprise, day=day)
    payees.check_account(account_id=account, actor=finance.checker, now=at(day, 12), accept=True)


def bounced_and_signed_again(finance: money.Finance) -> tuple[Batch, Batch]:
    """The batch that bounced, and the signed one that pays the same again."""
    payable = money.payable()
    [first] = money.cut()
    money.sent(first, finance)
    money.receive(money.answer(first, bounced=[1], on=date(2026, 3, 24)), name="bounce.csv")
    mend(payable.enterprise, finance)
    [second] = money.cut(month=APRIL, now=APRIL_CUT)
    money.signed(second, finance, now=APRIL_CUT)
    return first, second


def test_a_payment_that_the_bank_says_arrived_after_all_is_not_sealed_a_second_time(finance: money.Finance) -> None:
    first, second = bounced_and_signed_again(finance)
    # The bounce of the 24th was a mistake: on the 25th the bank paid.
    money.receive(money.answer(first, on=date(2026, 3, 25)), name="late.csv", now=at("2026-04-21"))
    with pytest.raises(Invalid, match="矛盾"):
        sealing.seal(batch_id=second.pk, now=at("2026-04-21"))
    assert SealedFile.objects.count() == 1
    assert PaymentAttempt.objects.get(batch=second).outcome == "pending"


def test_an_account_that_was_replaced_after_the_check_is_not_paid_to(finance: money.Finance) -> None:
    payable, other = money.payables(2)
    [batch] = money.cut()
    money.signed(batch, finance)
    mend(payable.enterprise, finance, day="2026-03-21")
    with pytest.raises(Invalid, match="已更换或停用"):
        sealing.seal(batch_id=batch.pk, now=at("2026-03-22"))
    assert not SealedFile.objects.exists()
    batches.send_back(batch_id=batch.pk, actor=finance.approver, now=at("2026-03-22"), reason="账户已更换")
    payments.hold(payable_id=payable.pk, actor=finance.maker, now=at("2026-03-22"), reason="账户已更换")
    money.sent(Batch.objects.get(pk=batch.pk), finance, now=at("2026-03-23"))
    assert [line.payable_id for line in money.lines(batch)] == [other.pk]
    payments.release(payable_id=payable.pk, actor=finance.checker, now=at("2026-03-24"), note="新账户已核对")
    [april] = money.cut(month=APRIL, now=APRIL_CUT)
    assert [line.account_number for line in money.lines(april)] == ["6222999900001111"]


def test_who_brought_the_bounce_does_not_check_the_account_that_is_paid_instead(finance: money.Finance) -> None:
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    # Written by no bank: the enterprise has the money.
    forged = money.return_file({batch.line_id(1): ("100000.00", "退票")}, on=date(2026, 3, 26))
    returns.import_return(name="forged.csv", content=forged, now=at("2026-03-26"), actor=finance.checker)
    account = propose(payable.enterprise, day="2026-03-27")
    with pytest.raises(Conflict, match=r"forged\.csv"):
        payees.check_account(account_id=account, actor=finance.checker, now=at("2026-03-28"), accept=True)
    other = people.staff("finance_checker")
    payees.check_account(account_id=account, actor=other, now=at("2026-03-28"), accept=True)
    payable.refresh_from_db()
    assert payable.state == "reserved"


def lift(trigger: str, table: str) -> None:
    """Take one of the database's guards away: the services hold without it, too."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP TRIGGER {trigger}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


def test_one_batch_that_cannot_be_sealed_does_not_keep_the_others_from_the_bank(finance: money.Finance) -> None:
    people.budget_line(code="talent")
    money.payable()
    money.payable(item=money.version(line="talent"))
    first, second = sorted(money.cut(), key=lambda batch: batch.number)
    for batch in (first, second):
        money.signed(batch, finance)
    first.refresh_from_db()
    lift("disbursement_batch_frozen", "disbursement_batch")
    Batch.objects.filter(pk=first.pk).update(payer={**first.payer, "account_number": "999999999999"})
    with pytest.raises(Invalid, match="不一致"):
        cycles.seal_signed(month=money.MONTH, now=money.CUT)
    assert SealedFile.objects.get().batch_id == second.pk
    assert Batch.objects.get(pk=second.pk).state == "sent"


def test_a_case_that_changed_during_its_publicity_goes_back_to_review(finance: money.Finance) -> None:
    case = people.case().publicised()
    case.later(days=10)
    reviews.send_back(application_id=case.id, text="金额有变，请重新核对", actor=case.second, now=case.now)
    fresh = case.fresh()
    assert fresh.state == "in_review"
    assert not fresh.publicities.filter(closed_at=None).exists()


def test_a_second_application_for_the_same_item_in_the_same_year_is_granted_nothing() -> None:
    enterprise, item = people.applicant(), money.version()
    money.granted(enterprise=enterprise, item=item)
    with pytest.raises(Invalid, match="已核定"):
        money.granted(enterprise=enterprise, item=item)
    assert Award.objects.count() == 1


def test_an_item_that_names_a_yearly_cap_may_be_granted_again_up_to_it() -> None:
    enterprise, item = people.applicant(), money.version("60000", cap_per_year="100000")
    assert [money.granted(enterprise=enterprise, item=item).amount for _ in range(2)] == [60000, 40000]


def test_an_award_that_was_revoked_can_be_applied_for_again() -> None:
    enterprise, item = people.applicant(), money.version()
    award = money.granted(enterprise=enterprise, item=item)
    second = people.staff("second_reviewer")
    awards.revoke(application=award.application, actor=second, now=money.APPROVED, reason="材料不实")
    assert money.granted(enterprise=enterprise, item=item).amount == 100000


def test_three_items_that_exclude_each_other_end_at_the_highest_of_them() -> None:
    enterprise = people.applicant()
    for amount, code, excluded in (
        ("50000", "one", ["two", "three"]),
        ("80000", "two", ["one", "three"]),
        ("90000", "three", ["one", "two"]),
    ):
        money.granted(enterprise=enterprise, item=money.version(amount, code=code, exclusive_with=excluded))
    assert total(Award.objects.values_list("amount", flat=True)) == Decimal("90000.00")


def test_a_payable_on_which_the_bank_contradicts_itself_is_not_cancelled(finance: money.Finance) -> None:
    payable = money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="1.csv")
    money.receive(money.answer(batch, on=date(2026, 3, 25)), name="2.csv")
    with pytest.raises(Invalid, match="核实"):
        payments.cancel(payable_id=payable.pk, actor=finance.approver, now=at("2026-03-27"), reason="企业注销")
    payments.settle_contradiction(
        attempt_id=PaymentAttempt.objects.get().pk,
        actor=finance.checker,
        now=at("2026-03-28"),
        was_paid=True,
        note="已入账",
    )
    assert balances(line=money.line())[AccountKind.PAID] == Decimal("100000.00")


def test_a_payment_found_to_have_arrived_is_settled_and_closes_its_batch(finance: money.Finance) -> None:
    payable = money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="1.csv")
    money.receive(money.answer(batch, on=date(2026, 3, 25)), name="2.csv")
    payments.settle_contradiction(
        attempt_id=PaymentAttempt.objects.get().pk,
        actor=finance.checker,
        now=at("2026-03-28"),
        was_paid=True,
        note="银行确认已入账",
    )
    payable.refresh_from_db()
    batch.refresh_from_db()
    assert (payable.state, batch.state) == ("settled", "closed")
    assert ledger_findings(line=money.line()) == []


def test_a_payment_found_not_to_have_arrived_goes_with_the_next_month_without_another_release(
    finance: money.Finance,
) -> None:
    payable = money.payable()
    [batch] = money.cut()
    money.sent(batch, finance)
    money.receive(money.answer(batch, bounced=[1], on=date(2026, 3, 24)), name="1.csv")
    money.receive(money.answer(batch, on=date(2026, 3, 25)), name="2.csv")
    mend(payable.enterprise, finance)
    assert money.cut(month=APRIL, now=APRIL_CUT) == []  # held: the bank contradicts itself
    payments.settle_contradiction(
        attempt_id=PaymentAttempt.objects.filter(batch=batch).get().pk,
        actor=finance.checker,
        now=at("2026-04-22"),
        was_paid=False,
        note="银行确认未入账",
    )
    [may] = money.cut(month=date(2026, 5, 1), now=at("2026-05-20"))
    assert may.count == 1


def test_a_larger_amount_than_was_publicised_is_not_approved() -> None:
    case = people.case().publicised()
    publicity = case.fresh().publicities.get()
    assert publicity.amount == 150000
    # Somebody writes a smaller amount into the notice than what will be granted.
    lift("disbursement_publicity_frozen", "disbursement_publicity")
    type(publicity).objects.filter(pk=publicity.pk).update(amount=Decimal("100000.00"))
    case.later(days=10)
    with pytest.raises(Invalid, match="公示"):
        decisions.approve(application_id=case.id, actor=case.second, now=case.now)
    assert not Award.objects.exists()
    assert Application.objects.get(pk=case.id).state == "publicity"


def test_what_was_clawed_back_no_longer_counts_as_an_earlier_award(finance: money.Finance) -> None:
    from disbursement.services.award.earlier_awards import write_back
    from matching.services.facts import profile_as_of

    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    write_back(enterprise_ids=[payable.enterprise_id], now=at("2026-03-26"))
    assert profile_as_of(enterprise=payable.enterprise, day=date(2026, 3, 26))["earlier_awards"]
    payments.claw_back(
        payable_id=payable.pk, actor=finance.approver, now=at("2026-03-27"), reason="失实", due_on=date(2026, 4, 30)
    )
    payments.recover(payable_id=payable.pk, actor=finance.checker, now=at("2026-04-02"), reference="CR1")
    write_back(enterprise_ids=[payable.enterprise_id], now=at("2026-04-02"))
    assert not profile_as_of(enterprise=payable.enterprise, day=date(2026, 4, 2))["earlier_awards"]


def test_two_cut_offs_of_two_months_never_take_the_same_payable(finance: money.Finance) -> None:
    money.payable()
    [march] = money.cut()
    assert money.cut(month=APRIL, now=APRIL_CUT) == []
    assert cycles.cut_off(month=date(2026, 2, 1), now=APRIL_CUT).batches == []
    assert PaymentAttempt.objects.values_list("batch_id", flat=True).get() == march.pk
