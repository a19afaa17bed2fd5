"""A month's run from approval to settled payment, told as stories."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import WrongState
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import four_figures, ledger_findings
from disbursement.models import AccountKind, Batch, Cycle, Payable, SealedFile, StateChange
from disbursement.services.month import batches, cycles
from disbursement.services.payment import payees, payments, sealing
from matching.registry.models import OutboxMessage
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db


def books() -> dict[str, str]:
    line = money.line()
    assert ledger_findings(line=line) == []
    return {kind.value: f"{balance:.2f}" for kind, balance in balances(line=line).items() if balance}


def test_an_award_travels_from_reservation_to_settlement() -> None:
    finance = money.Finance()
    first, second = money.payables(2)
    assert first.state == "reserved"
    assert first.pay_month == money.MONTH
    assert books() == {"source": "-10000000.00", "appropriated": "9800000.00", "reserved": "200000.00"}

    [batch] = money.cut()
    assert (batch.state, batch.count, batch.total) == ("checked", 2, Decimal("200000.00"))

    money.sent(batch, finance)
    assert books()["committed"] == "200000.00"
    sealed = SealedFile.objects.get(batch=batch)
    assert (Path(settings.HUIDA_TREASURY_OUTBOX) / sealed.name).read_bytes() == bytes(sealed.content)

    report = money.receive(money.answer(batch))
    assert (report.posted, report.duplicates, report.exceptions) == (2, 0, 0)
    batch.refresh_from_db()
    first.refresh_from_db()
    assert (batch.state, first.state) == ("closed", "settled")
    assert Cycle.objects.get().state == "closed"
    assert books() == {"source": "-10000000.00", "appropriated": "9800000.00", "paid": "200000.00"}
    figures = four_figures(batch=batch)
    assert figures.agree
    assert {figures.approved, figures.batch, figures.file, figures.bank} == {figures.paid}
    second.refresh_from_db()
    assert [c.target for c in second.changes.all()] == ["reserved", "scheduled", "sealed", "paid", "settled"]


def test_each_step_tells_the_enterprise_through_the_outbox() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    topics = [
        m.topic
        for m in OutboxMessage.objects.filter(topic__startswith="payable.")
        if payable.pk in m.payload["payables"]
    ]
    assert topics == ["payable.granted", "payable.scheduled", "payable.sealed", "payable.paid", "payable.settled"]


def test_a_bounced_payment_is_mended_checked_by_a_second_person_and_paid_in_the_next_month() -> None:
    finance = money.Finance()
    bounced, _ = money.payables(2)
    [batch] = money.cut()
    money.paid(batch, finance, bounced=[1])
    bounced.refresh_from_db()
    assert bounced.state == "bounced"
    assert books()["reserved"] == "100000.00"
    assert four_figures(batch=batch).agree
    assert Batch.objects.get(pk=batch.pk).state == "closed"

    agent = people.agent(bounced.enterprise)
    account = payees.propose_account(
        enterprise_id=bounced.enterprise_id,
        account_name=bounced.enterprise.name,
        bank_name="中国银行成都青羊支行",
        account_number="6217 0000 9999 0001",
        actor=agent,
        now=at("2026-03-26"),
    )
    bounced.refresh_from_db()
    assert bounced.state == "mended"
    payees.check_account(account_id=account.pk, actor=finance.checker, now=at("2026-03-27"), accept=True)
    bounced.refresh_from_db()
    assert (bounced.state, bounced.pay_month) == ("reserved", date(2026, 4, 1))
    assert "2026年4月" in bounced.slip_reason

    [again] = money.cut(month=date(2026, 4, 1), now=at("2026-04-20"))
    money.paid(again, finance)
    bounced.refresh_from_db()
    assert bounced.state == "settled"
    assert bounced.attempts.filter(outcome="paid").get().account_number == "6217000099990001"
    assert books() == {"source": "-10000000.00", "appropriated": "9800000.00", "paid": "200000.00"}


def test_the_person_who_entered_an_account_cannot_check_it() -> None:
    enterprise = people.applicant()
    agent = people.agent(enterprise)
    account = payees.propose_account(
        enterprise_id=enterprise.pk,
        account_name=enterprise.name,
        bank_name="工商银行",
        account_number="6222000011112222",
        actor=agent,
        now=at("2026-03-02"),
    )
    both = type(agent).of(user_id=agent.user_id or 0, roles=["finance_checker"], enterprise_ids=[enterprise.pk])
    with pytest.raises(Conflict, match="其他人员"):
        payees.check_account(account_id=account.pk, actor=both, now=at("2026-03-03"), accept=True)


def test_an_account_in_another_name_is_refused_with_every_fault() -> None:
    enterprise = people.applicant()
    with pytest.raises(Invalid) as caught:
        payees.propose_account(
            enterprise_id=enterprise.pk,
            account_name="别的公司",
            bank_name="",
            account_number="abc",
            bank_code="1",
            actor=people.agent(enterprise),
            now=at("2026-03-02"),
        )
    assert [f.place for f in caught.value.faults] == ["account_name", "bank_name", "account_number", "bank_code"]


def test_nobody_proposes_an_account_for_an_enterprise_that_did_not_authorise_them() -> None:
    with pytest.raises(Denied):
        payees.propose_account(
            enterprise_id=people.applicant().pk,
            account_name="",
            bank_name="",
            account_number="",
            actor=people.agent(people.applicant()),
            now=at("2026-03-02"),
        )


def test_a_credit_record_found_at_cut_off_holds_the_payment_and_the_rest_go_on() -> None:
    held, paid = money.payables(2)
    base.learn(held.enterprise, now=at("2026-03-15"), valid_on=date(2026, 3, 14), credit_records=["dishonest"])
    [batch] = money.cut()
    held.refresh_from_db()
    paid.refresh_from_db()
    assert (held.state, held.hold_kind, held.pay_month) == ("held", "credit", date(2026, 4, 1))
    assert "失信" in held.hold_reason
    assert (paid.state, batch.count) == ("scheduled", 1)


def test_what_a_check_held_is_looked_at_again_next_month() -> None:
    held = money.payable()
    base.learn(held.enterprise, now=at("2026-03-15"), valid_on=date(2026, 3, 14), credit_records=["dishonest"])
    assert money.cut() == []
    assert Cycle.objects.get().state == "closed"  # nothing was left to pay
    base.learn(held.enterprise, now=at("2026-04-02"), valid_on=date(2026, 4, 1), credit_records=[])
    [batch] = money.cut(month=date(2026, 4, 1), now=at("2026-04-20"))
    held.refresh_from_db()
    assert (held.state, batch.total) == ("scheduled", held.amount)


def test_an_account_that_nobody_checked_yet_holds_the_payment_until_it_is() -> None:
    finance = money.Finance()
    enterprise = people.applicant()
    checked = money.account_of(enterprise)
    type(checked).objects.filter(pk=checked.pk).update(state="retired")
    account = payees.propose_account(
        enterprise_id=enterprise.pk,
        account_name=enterprise.name,
        bank_name=checked.bank_name,
        account_number=checked.account_number,
        actor=people.agent(enterprise),
        now=at("2026-03-02"),
    )
    payable = money.payable(enterprise=enterprise)
    money.cut()
    payable.refresh_from_db()
    assert (payable.state, payable.hold_kind) == ("held", "account")
    payees.check_account(account_id=account.pk, actor=finance.checker, now=at("2026-03-23"), accept=True)
    payable.refresh_from_db()
    assert (payable.state, payable.hold_reason) == ("reserved", "")


def test_one_account_number_under_two_enterprises_holds_both() -> None:
    first, second = money.payables(2)
    one, other = money.account_of(first.enterprise), money.account_of(second.enterprise)
    type(one).objects.filter(pk=one.pk).update(state="retired")
    copy = type(one)(
        enterprise=first.enterprise,
        account_name=first.enterprise.name,
        bank_name=other.bank_name,
        account_number=other.account_number,
        state="checked",
        proposed_by=one.proposed_by,
        proposed_at=one.proposed_at,
        checked_by=one.checked_by,
        checked_at=one.checked_at,
    )
    copy.save()
    Payable.objects.filter(pk=first.pk).update(account_number=other.account_number)
    assert money.cut() == []
    assert set(Payable.objects.values_list("hold_kind", flat=True)) == {"conflict"}


def test_cutting_off_again_changes_nothing() -> None:
    money.payables(2)
    money.cut()
    before = list(StateChange.objects.values_list("id", flat=True))
    again = cycles.cut_off(month=money.MONTH, now=at("2026-03-23"))
    assert again.was_done
    assert list(StateChange.objects.values_list("id", flat=True)) == before


def test_a_month_is_not_cut_off_before_its_day() -> None:
    with pytest.raises(Invalid, match="2026-03-20"):
        cycles.cut_off(month=money.MONTH, now=at("2026-03-19"))


def test_what_is_approved_after_the_cut_off_is_promised_for_the_next_month() -> None:
    money.payable()
    money.cut()
    late = money.payable(now=at("2026-03-20", 18))  # the same day, but the month is cut
    assert late.pay_month == date(2026, 4, 1)


def test_each_budget_line_has_its_own_batch() -> None:
    people.budget_line(code="talent", ceiling="500000")
    money.payable()
    money.payable(item=money.version(line="talent"))
    assert {b.budget_line.code for b in money.cut()} == {"innovation", "talent"}


@pytest.mark.parametrize("late", ["maker", "checker"])
def test_nobody_signs_one_batch_in_two_roles(late: str) -> None:
    finance = money.Finance()
    money.payable()
    [batch] = money.cut()
    made = batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    batches.verify(batch_id=batch.pk, actor=finance.checker, now=money.CUT, seen_sha256=made.file_sha256)
    who = getattr(finance, late)
    both = type(who).of(user_id=who.user_id, roles=["finance_maker", "finance_checker", "finance_approver"])
    with pytest.raises(Conflict, match="其他人员"):
        batches.approve(batch_id=batch.pk, actor=both, now=money.CUT, seen_sha256=made.file_sha256)


def test_a_maker_cannot_check_the_same_batch_in_a_later_round_either() -> None:
    finance = money.Finance()
    money.payable()
    [batch] = money.cut()
    made = batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    batches.send_back(batch_id=batch.pk, actor=finance.checker, now=money.CUT, reason="请核对用途")
    other = people.staff("finance_maker")
    made = batches.make(batch_id=batch.pk, actor=other, now=money.CUT)
    turned = type(other).of(user_id=finance.maker.user_id or 0, roles=["finance_checker"])
    with pytest.raises(Conflict):
        batches.verify(batch_id=batch.pk, actor=turned, now=money.CUT, seen_sha256=made.file_sha256)


def test_a_signature_for_other_bytes_is_refused() -> None:
    finance = money.Finance()
    money.payable()
    [batch] = money.cut()
    batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    with pytest.raises(Invalid, match="已经变化"):
        batches.verify(batch_id=batch.pk, actor=finance.checker, now=money.CUT, seen_sha256="0" * 64)


def test_a_person_with_an_interest_in_a_payee_signs_nothing_for_it() -> None:
    from disbursement.services.review import interests

    finance = money.Finance()
    payable = money.payable()
    interests.declare(enterprise_id=payable.enterprise_id, reason="亲属任职", actor=finance.maker, now=money.APPROVED)
    [batch] = money.cut()
    with pytest.raises(Conflict, match=payable.enterprise.name):
        batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    assert batches.permitted_actions(batch=batch, actor=finance.maker) == []


def test_a_large_batch_takes_two_approvers() -> None:
    finance = money.Finance()
    money.payable("6000000.00", item=money.version("6000000"))
    [batch] = money.cut()
    assert batch.approvals_needed == 2
    made = batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    digest = made.file_sha256
    batches.verify(batch_id=batch.pk, actor=finance.checker, now=money.CUT, seen_sha256=digest)
    one = batches.approve(batch_id=batch.pk, actor=finance.approver, now=money.CUT, seen_sha256=digest)
    assert one.state == "verified"
    with pytest.raises(Conflict, match="会签"):
        batches.approve(batch_id=batch.pk, actor=finance.approver, now=money.CUT, seen_sha256=digest)
    two = batches.approve(batch_id=batch.pk, actor=finance.second_approver, now=money.CUT, seen_sha256=digest)
    assert two.state == "approved"


def test_an_unsigned_batch_is_neither_sealed_nor_sent() -> None:
    money.payable()
    [batch] = money.cut()
    with pytest.raises(WrongState):
        sealing.seal(batch_id=batch.pk, now=money.CUT)
    with pytest.raises(WrongState):
        sealing.send(batch_id=batch.pk, now=money.CUT)
    assert [b.number for b in cycles.seal_signed(month=money.MONTH, now=money.CUT).waiting] == [batch.number]


def test_sealing_and_sending_again_gives_the_same_bytes() -> None:
    finance = money.Finance()
    money.payables(3)
    [batch] = money.cut()
    money.sent(batch, finance)
    sealed = SealedFile.objects.get()
    target = Path(settings.HUIDA_TREASURY_OUTBOX) / sealed.name
    target.unlink()
    assert sealing.seal(batch_id=batch.pk, now=at("2026-03-30")).pk == sealed.pk
    sealing.send(batch_id=batch.pk, now=at("2026-03-30"))
    assert target.read_bytes() == bytes(sealed.content)
    batch.refresh_from_db()
    assert batch.sent_at == money.CUT


def test_a_payee_changed_under_a_signed_batch_is_found_before_sealing() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.signed(batch, finance)
    batch.refresh_from_db()
    # The database refuses it; here the service alone must see it.
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        table = " ON disbursement_batch" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER disbursement_batch_frozen{table}")
    Batch.objects.filter(pk=batch.pk).update(payer={**batch.payer, "account_number": "999999999999"})
    with pytest.raises(Invalid, match="不一致"):
        sealing.seal(batch_id=batch.pk, now=money.CUT)
    payable.refresh_from_db()
    assert payable.state == "scheduled"


def test_a_dissolved_batch_puts_its_payments_off_with_the_reason() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    batches.dissolve(batch_id=batch.pk, actor=finance.approver, now=money.CUT, reason="银行系统升级")
    payable.refresh_from_db()
    assert (payable.state, payable.pay_month) == ("reserved", date(2026, 4, 1))
    assert "银行系统升级" in payable.slip_reason
    # Nothing else is waited for: the month is over.
    assert Cycle.objects.get().state == "closed"
    [again] = money.cut(month=date(2026, 4, 1), now=at("2026-04-20"))
    assert again.count == 1


def test_nothing_is_paid_to_an_enterprise_that_is_struck_off_meanwhile() -> None:
    gone, stands = money.payables(2)
    base.learn(gone.enterprise, now=at("2026-03-15"), valid_on=date(2026, 3, 14), business_state="deregistered")
    [batch] = money.cut()
    assert [line.payable_id for line in money.lines(batch)] == [stands.pk]
    gone.refresh_from_db()
    assert gone.state == "held"
    assert "注销" in gone.hold_reason


def test_a_person_holds_a_scheduled_payment_and_releases_it_again() -> None:
    finance = money.Finance()
    first, _ = money.payables(2)
    [batch] = money.cut()
    payments.hold(payable_id=first.pk, actor=finance.checker, now=money.CUT, reason="举报待查")
    batch.refresh_from_db()
    assert (batch.count, batch.total) == (1, Decimal("100000.00"))
    money.cut(month=date(2026, 4, 1), now=at("2026-04-20"))
    first.refresh_from_db()
    assert first.state == "held"  # a person's hold is ended by a person only
    payments.release(payable_id=first.pk, actor=finance.checker, now=at("2026-04-21"))
    first.refresh_from_db()
    assert (first.state, first.pay_month) == ("reserved", date(2026, 5, 1))


def test_a_signed_batch_must_be_sent_back_before_a_payment_in_it_is_held() -> None:
    finance = money.Finance()
    first, _ = money.payables(2)
    [batch] = money.cut()
    batches.make(batch_id=batch.pk, actor=finance.maker, now=money.CUT)
    with pytest.raises(Invalid, match="先退回"):
        payments.hold(payable_id=first.pk, actor=finance.checker, now=money.CUT, reason="举报待查")


def test_a_clawback_has_a_numbered_notice_and_its_money_returns_to_the_line() -> None:
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    demand = payments.claw_back(
        payable_id=payable.pk,
        actor=finance.approver,
        now=at("2026-05-06"),
        reason="承诺期内迁出",
        due_on=date(2026, 6, 5),
    )
    assert demand.number == "ZH-2026-000001"
    assert books()["receivable"] == "100000.00"
    payments.recover(payable_id=payable.pk, actor=finance.checker, now=at("2026-05-20"), reference="CR1")
    payable.refresh_from_db()
    assert payable.state == "clawed_back"
    assert books() == {"source": "-10000000.00", "appropriated": "10000000.00"}


def test_a_refund_returns_to_the_line_and_a_cancelled_payment_frees_its_reservation() -> None:
    finance = money.Finance()
    payable, other = money.payables(2)
    payments.cancel(payable_id=other.pk, actor=finance.approver, now=money.APPROVED, reason="企业放弃")
    assert books()["reserved"] == "100000.00"
    [batch] = money.cut()
    money.paid(batch, finance)
    payments.refund(
        payable_id=payable.pk,
        actor=finance.checker,
        now=at("2026-04-01"),
        received_on=date(2026, 4, 1),
        reason="企业多领退回",
        reference="CR1",
    )
    assert books() == {"source": "-10000000.00", "appropriated": "10000000.00"}
    assert four_figures(batch=batch).agree


def test_the_accounts_of_an_unknown_kind_do_not_exist() -> None:
    money.payable()
    assert set(balances(line=money.line())) == set(AccountKind)
