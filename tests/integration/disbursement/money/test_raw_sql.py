"""Raw SQL against every constraint and every trigger of the money tables.

The constraints are discovered from the models, the triggers from `disbursement.guards`: one that nobody attacks here
fails the test, and so does an attack that the database lets through.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, models

from disbursement import guards
from disbursement.domain.invoices import Invoice
from disbursement.guards.money import FROZEN
from disbursement.ledger.posting import Entry, post
from disbursement.models import (
    AwardLimit,
    BankEntry,
    Batch,
    BudgetChange,
    CutOffDay,
    LedgerAccount,
    LedgerTransfer,
    Payable,
    PaymentAttempt,
    YearEnd,
)
from disbursement.models import account as account_models
from disbursement.models import award as award_models
from disbursement.models import batch as batch_models
from disbursement.models import ledger as ledger_models
from disbursement.models import payable as payable_models
from disbursement.models import returns as return_models
from disbursement.services.payment import payments
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
    named,
    refused,
    without_triggers,
)

pytestmark = pytest.mark.django_db
MODELS = models_in(account_models, award_models, batch_models, ledger_models, payable_models, return_models)


@pytest.fixture
def world() -> SimpleNamespace:
    """A month that was paid, with a bounce, a clawback and an exception; and the next month's batch, signed."""
    finance = money.Finance()
    invoice = [Invoice("电子所", "25510001", money.line().ceiling)]
    digital = [Invoice("电子所", "26510000000000000001", money.line().ceiling)]
    capped = money.version(cap_per_year="1000000")
    clawed, bounced = money.payable(invoices=invoice, item=capped), money.payable(invoices=digital)
    [old] = money.cut()
    money.sent(old, finance)
    first, second = money.lines(old)
    money.receive(money.answer(old, bounced=[second.line_no]))
    money.receive(money.return_file({"202603001-000099": ("1.00", "成功")}))
    payments.claw_back(
        payable_id=clawed.pk,
        actor=finance.approver,
        now=at("2026-03-30"),
        reason="迁出",
        due_on=at("2026-05-01").date(),
    )
    waiting = money.payable(now=at("2026-04-01"))
    [new] = money.cut(month=at("2026-04-01").date(), now=at("2026-04-20"))
    money.signed(new, finance, now=at("2026-04-20"))
    held = money.payable(now=at("2026-04-21"))
    payments.hold(payable_id=held.pk, actor=finance.checker, now=at("2026-04-21"), reason="待查")
    return SimpleNamespace(
        finance=finance,
        old=Batch.objects.get(pk=old.pk),
        new=Batch.objects.get(pk=new.pk),
        clawed=clawed,
        bounced=bounced,
        waiting=waiting,
        held=held,
        stranger=people.user().pk,
        attempt=PaymentAttempt.objects.get(batch=new),
        paid=first,
        reserved=LedgerAccount.objects.get(kind="reserved"),
        source=LedgerAccount.objects.get(kind="source"),
        transfer=clawed.transfers.get(kind="reserve"),
        posted=first.return_lines.get(),
        exception=return_models.ReturnLine.objects.get(status="exception"),
        account=money.account_of(clawed.enterprise),
        claim=clawed.application.claimed_invoices.get(),
        capuse=clawed.award.cap_uses.get(),
        limit=_limit().pk,
        unawarded=money.application(enterprise=waiting.enterprise).pk,
        digital=bounced.application.claimed_invoices.get(),
        change=clawed.changes.first(),
        signature=new.approvals.get(role="finance_checker"),
    )


def constraint_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    p, b, t, a = w.waiting.pk, w.new.pk, w.transfer, w.attempt.pk
    return {
        # ledger
        "disbursement_account_once_a_line": copy("ledgeraccount", w.reserved.pk, balance=0),
        "disbursement_account_not_negative": change("ledgeraccount", w.reserved.pk, balance=-1),
        "disbursement_account_source_not_positive": change("ledgeraccount", w.source.pk, balance=1),
        "disbursement_account_kind_known": change("ledgeraccount", w.reserved.pk, kind="pocket"),
        "disbursement_transfer_once": copy("ledgertransfer", t.pk),
        "disbursement_transfer_positive": copy("ledgertransfer", t.pk, key="x", amount=-5),
        "disbursement_transfer_between_two_accounts": copy("ledgertransfer", t.pk, key="x", credit_id=t.debit_id),
        "disbursement_transfer_kind_known": copy("ledgertransfer", t.pk, key="x", kind="gift"),
        "disbursement_transfer_names_its_payable": copy("ledgertransfer", t.pk, key="x", payable_id=None),
        # payables
        "disbursement_payee_one_in_use": copy("payeeaccount", w.account.pk),
        "disbursement_payee_one_proposed": lambda: [
            copy("payeeaccount", w.account.pk, state="proposed")() for _ in "ab"
        ],
        "disbursement_payee_checked_by_another": change(
            "payeeaccount", w.account.pk, checked_by_id=w.account.proposed_by_id
        ),
        "disbursement_payee_checked_has_checker": change("payeeaccount", w.account.pk, checked_by_id=None),
        "disbursement_payee_state_known": change("payeeaccount", w.account.pk, state="gold"),
        "disbursement_payee_number_shape": change("payeeaccount", w.account.pk, account_number="12 34"),
        "disbursement_award_positive": change("award", w.clawed.award_id, amount=0),
        "disbursement_award_not_above_computed": change("award", w.clawed.award_id, amount=100000.01),
        "disbursement_award_shortfall_known": change("award", w.clawed.award_id, shortfall="friends"),
        "disbursement_payable_once_an_instalment": copy("payable", p),
        "disbursement_payable_positive": change("payable", p, amount=0),
        "disbursement_payable_not_above_entitled": change("payable", p, amount=100000.01),
        "disbursement_payable_number_from_1": change("payable", p, number=0),
        "disbursement_payable_state_known": change("payable", p, state="gone"),
        "disbursement_payable_reserved_has_line": change("payable", p, budget_line_id=None),
        "disbursement_payable_held_has_reason": change("payable", w.held.pk, hold_reason=""),
        "disbursement_payable_slip_has_reason": change("payable", p, pay_month="2027-01-01", slip_reason=""),
        "disbursement_attempt_one_alive": copy("paymentattempt", a, line_no=9),
        "disbursement_attempt_line_once": copy("paymentattempt", a, outcome="withdrawn"),
        "disbursement_attempt_positive": change("paymentattempt", a, amount=-1),
        "disbursement_attempt_outcome_known": change("paymentattempt", w.paid.pk, outcome="perhaps"),
        "disbursement_attempt_outcome_dated": change("paymentattempt", a, outcome="paid"),
        "disbursement_clawback_positive": change("clawback", w.clawed.clawback.pk, amount=0),
        "disbursement_clawback_has_reason": change("clawback", w.clawed.clawback.pk, reason=""),
        "disbursement_clawback_confirmed_by_another": change(
            "clawback", w.clawed.clawback.pk, recovered_by_id=w.finance.approver.user_id
        ),
        "disbursement_invoice_once_an_award": copy("claimedinvoice", w.claim.pk),
        "disbursement_invoice_positive": change("claimedinvoice", w.claim.pk, used=0),
        "disbursement_invoice_within": change("claimedinvoice", w.claim.pk, used=10_000_001),
        "disbursement_paper_once": copy("paper", w.claim.paper_id),
        "disbursement_paper_positive": change("paper", w.claim.paper_id, amount=0),
        "disbursement_paper_kind_known": change("paper", w.claim.paper_id, kind="napkin"),
        "disbursement_paper_named": change("paper", w.claim.paper_id, key=""),
        "disbursement_capuse_once": lambda: [copy("capuse", w.capuse.pk, limit_id=w.limit)() for _ in "ab"],
        "disbursement_capuse_own_once": copy("capuse", w.capuse.pk),
        "disbursement_capuse_within": change("capuse", w.capuse.pk, used=999_999),
        "disbursement_capuse_kind_known": change("capuse", w.capuse.pk, kind="gift"),
        # batches
        "disbursement_cycle_state_known": change("cycle", w.new.cycle_id, state="bicycle"),
        "disbursement_cycle_cut_has_time": change("cycle", w.new.cycle_id, cut_at=None),
        "disbursement_batch_one_a_line": copy("batch", b, number="202604009"),
        "disbursement_batch_state_known": change("batch", b, state="lost"),
        "disbursement_batch_maker_not_checker": change("batch", b, checker_id=w.new.maker_id),
        "disbursement_batch_maker_not_approver": change("batch", b, approver_id=w.new.maker_id),
        "disbursement_batch_checker_not_approver": change("batch", b, approver_id=w.new.checker_id),
        "disbursement_batch_made_has_maker": change("batch", b, maker_id=None),
        "disbursement_batch_verified_has_checker": change("batch", b, checker_id=None),
        "disbursement_batch_approved_has_approver": change("batch", b, approver_id=None),
        "disbursement_batch_needs_an_approval": change("batch", b, approvals_needed=0),
        "disbursement_approval_once_a_person": copy("batchapproval", w.signature.pk),
        "disbursement_approval_role_known": copy(
            "batchapproval", w.signature.pk, person_id=w.stranger, role="reviewer"
        ),
        "disbursement_approval_bound_to_bytes": copy(
            "batchapproval", w.signature.pk, person_id=w.stranger, file_sha256=""
        ),
        "disbursement_sealedfile_not_empty": copy(
            "sealedfile", w.old.sealed_file.pk, batch_id=b, name="x", sha256="x", count=0
        ),
        "disbursement_statechange_one_subject": copy("statechange", w.change.pk, batch_id=b),
        "disbursement_statechange_person_unless_system": copy("statechange", w.change.pk, person_id=w.stranger),
        # returns
        "disbursement_returnline_row_once": copy("returnline", w.exception.pk),
        "disbursement_returnline_posted_once": copy("returnline", w.posted.pk, row_no=99),
        "disbursement_returnline_posted_is_whole": change("returnline", w.posted.pk, amount=None),
        "disbursement_returnline_exception_has_problem": change("returnline", w.exception.pk, problem=""),
        "disbursement_returnline_status_known": change("returnline", w.posted.pk, status="perhaps"),
        "disbursement_returnline_resolved_by_someone": change(
            "returnline", w.exception.pk, resolved_at=at("2026-05-01")
        ),
    }


def unique_column_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    """Columns that are unique by themselves."""
    sealed = w.old.sealed_file
    return {
        "ledgertransfer.reversal_of": lambda: execute(
            "UPDATE disbursement_ledgertransfer SET reversal_of_id = %s WHERE payable_id IS NOT NULL", w.transfer.pk
        ),
        "award.application": copy("award", w.clawed.award_id),
        "clawback.payable": copy("clawback", w.clawed.clawback.pk, number="x"),
        "clawback.number": copy("clawback", w.clawed.clawback.pk, payable_id=w.bounced.pk),
        "cycle.month": copy("cycle", w.new.cycle_id),
        "batch.number": change("batch", w.new.pk, number=w.old.number),
        "sealedfile.batch": copy("sealedfile", sealed.pk, name="x", sha256="x"),
        "sealedfile.name": copy("sealedfile", sealed.pk, batch_id=w.new.pk, sha256="x"),
        "sealedfile.sha256": copy("sealedfile", sealed.pk, batch_id=w.new.pk, name="x"),
        "returnfile.sha256": copy("returnfile", w.posted.file_id),
    }


def guard_attacks(w: SimpleNamespace) -> dict[str, Attack]:
    sealed, old = w.old.sealed_file, w.old.pk
    other = Payable.objects.exclude(pk=w.waiting.pk).filter(award__isnull=False).first()
    assert other is not None
    return {
        "disbursement_award_append_only": change("award", w.clawed.award_id, amount=1),
        "disbursement_award_per_year": lambda: (_limit(per_year=1), _second_award(w)()),
        "disbursement_award_total": lambda: (_limit(total=1), _second_award(w)()),
        "disbursement_award_exclusive": lambda: (_limit(is_exclusive=True), _second_award(w)()),
        "disbursement_capuse_append_only": change("capuse", w.capuse.pk, granted=1),
        "disbursement_claim_within_paper": copy("claimedinvoice", w.digital.pk, application_id=w.unawarded, used=1),
        "disbursement_claim_released_unkept": change("claimedinvoice", w.claim.pk, released_at=at("2026-05-01")),
        "disbursement_claimedinvoice_once": lambda: _released_twice(w),
        "disbursement_paper_amount": change("paper", w.claim.paper_id, amount=1),
        "disbursement_paper_frozen": change("paper", w.claim.paper_id, key="another"),
        "disbursement_transfer_closed": lambda: _after_the_year(w),
        "disbursement_transfer_frozen": lambda: (_freeze(w), copy("ledgertransfer", w.transfer.pk, key="x")()),
        "disbursement_batchapproval_append_only": change("batchapproval", w.signature.pk, person_id=w.stranger),
        "disbursement_ledgertransfer_append_only": change("ledgertransfer", w.transfer.pk, amount=1),
        "disbursement_reconciliation_append_only": change(
            "reconciliation", w.old.reconciliations.first().pk, agrees=False
        ),
        "disbursement_sealedfile_append_only": change("sealedfile", sealed.pk, content=b"other bytes"),
        "disbursement_statechange_append_only": change("statechange", w.change.pk, note="nothing happened"),
        "disbursement_batch_frozen": change("batch", w.new.pk, number="209912001"),
        "disbursement_clawback_frozen": change("clawback", w.clawed.clawback.pk, amount=1),
        "disbursement_ledgeraccount_frozen": change("ledgeraccount", w.reserved.pk, kind="paid"),
        "disbursement_payable_frozen": change("payable", w.waiting.pk, enterprise_id=w.clawed.enterprise_id),
        "disbursement_payeeaccount_frozen": change("payeeaccount", w.account.pk, account_number="99999999"),
        "disbursement_paymentattempt_frozen": change("paymentattempt", w.attempt.pk, account_number="99999999"),
        "disbursement_returnfile_frozen": change("returnfile", w.posted.file_id, content=b""),
        "disbursement_returnline_frozen": change("returnline", w.posted.pk, amount=1),
        "disbursement_payable_amount": change("payable", w.waiting.pk, amount=1),
        "disbursement_payable_line": change("payable", w.waiting.pk, budget_line_id=people.budget_line(code="art").pk),
        "disbursement_payable_payee": change("payable", w.waiting.pk, account_number="99999999"),
        "disbursement_attempt_insert": copy("paymentattempt", w.attempt.pk, line_no=9, outcome="withdrawn"),
        "disbursement_attempt_payable": _another_account(w),
        "disbursement_attempt_moves": lambda: (
            change("paymentattempt", w.attempt.pk, outcome="withdrawn")(),
            change("paymentattempt", w.attempt.pk, outcome="pending")(),
        ),
        "disbursement_attempt_posted": change(
            "paymentattempt", w.attempt.pk, outcome="paid", outcome_on=at("2026-04-22").date()
        ),
        "disbursement_payeeaccount_moves": change("payeeaccount", w.account.pk, state="refused"),
        "disbursement_payable_moves": change("payable", w.waiting.pk, state="reserved"),
        "disbursement_batch_moves": change("batch", w.new.pk, state="checked"),
        "disbursement_cycle_moves": change("cycle", w.new.cycle_id, state="closed"),
        "disbursement_statechange_table": copy(
            # from the state that it is in, so that only the step itself is wrong
            "statechange",
            w.change.pk,
            action="gift",
            source=payable_models.Payable.objects.get(pk=w.change.payable_id).state,
        ),
        "disbursement_statechange_payable_follows": copy("statechange", w.change.pk),
        "disbursement_statechange_batch_follows": copy("statechange", w.new.changes.order_by("id").first().pk),
        "disbursement_statechange_cycle_follows": copy("statechange", w.new.cycle.changes.get().pk),
        "disbursement_batch_once": change("batch", w.new.pk, frozen_at=at("2026-04-19")),
        "disbursement_clawback_once": lambda: _recovered_twice(w),
        "disbursement_clawback_whole": change("clawback", w.clawed.clawback.pk, recovered_at=at("2026-05-01")),
        "disbursement_cycle_as_decided": lambda: _another_day(w),
        "disbursement_cycle_cut_off_day": change("cycle", w.new.cycle_id, cut_off_on="2026-04-21"),
        "disbursement_cycle_once": change("cycle", w.new.cycle_id, cut_at=at("2026-04-19")),
        "disbursement_cycle_frozen": change("cycle", w.new.cycle_id, month="2027-01-01"),
        "disbursement_payeeaccount_once": change("payeeaccount", w.account.pk, checked_by_id=w.stranger),
        "disbursement_returnfile_once": change("returnfile", w.posted.file_id, posted_at=at("2026-05-01")),
        "disbursement_returnline_once": lambda: [
            change(
                "returnline",
                w.exception.pk,
                resolved_at=at("2026-05-01"),
                resolved_by_id=person,
                resolution="已核实",
            )()
            for person in (w.stranger, w.new.maker_id)
        ],
        "disbursement_reissue_decided": copy(
            "statechange",
            w.bounced.changes.get(action="bounce").pk,
            action="reissue",
            source="bounced",
            target="reserved",
            role="finance_approver",
            person_id=w.stranger,
        ),
        "disbursement_claimedinvoice_frozen": change("claimedinvoice", w.claim.pk, amount=1),
        "disbursement_attempt_refund_named": lambda: _refunded_without_a_word(w),
        "disbursement_attempt_line_no": change("paymentattempt", w.attempt.pk, line_no=7),
        "disbursement_batch_signed": change("batch", w.new.pk, total=1),
        "disbursement_batch_sealed": change("batch", old, checker_id=w.stranger),
        "disbursement_batch_sealed_has_file": lambda: (
            copy(
                "statechange",
                w.new.changes.get(action="approve").pk,
                action="seal",
                source="approved",
                target="sealed",
                role="system",
                person_id=None,
            )(),
            change("batch", w.new.pk, state="sealed")(),
        ),
        "disbursement_batch_begins": copy("batch", w.new.pk, number="202605001", state="dissolved"),
        "disbursement_approval_bound": copy(
            "batchapproval", w.signature.pk, person_id=w.stranger, file_sha256="0" * 64
        ),
        "disbursement_approval_one_role": copy(
            "batchapproval", w.signature.pk, person_id=w.new.maker_id, role="finance_approver"
        ),
        "disbursement_sealedfile_signed": copy("sealedfile", sealed.pk, batch_id=w.new.pk, name="x", sha256="x"),
        "disbursement_transfer_one_line": _across_lines(w),
        "disbursement_transfer_route": copy("ledgertransfer", w.transfer.pk, key="x", kind="pay"),
        "disbursement_transfer_attempt": _another_amount(w),
        "disbursement_transfer_reversal": copy(
            "ledgertransfer", w.transfer.pk, key="x", reversal_of_id=w.transfer.pk, kind="unreserve"
        ),
        "disbursement_account_begins": _rich_account(w),
    }


def _limit(**options: Any) -> AwardLimit:
    """A limit over all items."""
    return AwardLimit.objects.create(
        name="限",
        basis="文",
        covers_all=True,
        from_year=2026,
        declared_by_id=people.user().pk,
        declared_at=money.CUT,
        **(options or {"total": 10**9}),
    )


def _second_award(w: SimpleNamespace) -> Attack:
    """Of another item, for an enterprise that keeps one."""
    return copy("award", w.waiting.award_id, application_id=w.unawarded, item_code="another")


def _freeze(w: SimpleNamespace) -> BudgetChange:
    return BudgetChange.objects.create(
        kind="freeze",
        line=money.line(),
        paper_number="文",
        reason="因",
        proposed_by_id=w.stranger,
        proposed_at=money.CUT,
        approved=True,
        decided_by_id=w.new.maker_id,
        decided_at=money.CUT,
    )


def _released_twice(w: SimpleNamespace) -> None:
    """A payment is given up for good, its paper left to others; then that is dated anew."""
    payments.cancel(payable_id=w.bounced.pk, actor=w.finance.approver, now=at("2026-05-01"), reason="企业注销")
    for day in ("2026-05-01", "2026-05-02"):
        change("claimedinvoice", w.digital.pk, released_at=at(day))()


def _entry(w: SimpleNamespace, **values: Any) -> Attack:
    """An entry of the bank, for what is asked back unless said otherwise."""
    told = {"use": "recovery", "clawback_id": w.clawed.clawback.pk, "recorded_by_id": w.stranger}
    return lambda: BankEntry.objects.create(**{**told, "reference": "CR7", "recorded_at": money.CUT, **values})


def _refunded_without_a_word(w: SimpleNamespace) -> None:
    """The books are made to say that the money came back; no bank and nobody by an entry at the bank did."""
    entry = Entry(payable_id=w.paid.payable_id, attempt_id=w.paid.pk, amount=w.paid.amount)
    for kind in ("take_over", "refund"):
        post(line=money.line(), kind=ledger_models.TransferKind(kind), entries=[entry], now=money.CUT)
    change("paymentattempt", w.paid.pk, outcome="refunded")()


def _recovered_twice(w: SimpleNamespace) -> None:
    """All of a demand came in; then its end is dated anew."""
    _entry(w, reference="CR1")()
    execute(
        "INSERT INTO disbursement_clawbackreceipt (clawback_id, amount, applied, excess, received_on, reference, note,"
        " recorded_by_id, recorded_at, returned_reference) SELECT id, amount, amount, 0, due_on, 'CR1', '', %s,"
        " ordered_at, '' FROM disbursement_clawback WHERE id = %s",
        w.stranger,
        w.clawed.clawback.pk,
    )
    for day in ("2026-05-01", "2026-05-02"):
        change("clawback", w.clawed.clawback.pk, recovered_at=at(day))()


def _another_day(w: SimpleNamespace) -> None:
    """A month opens by its default, though another day was decided."""
    month = at("2026-05-01").date()
    CutOffDay.objects.create(
        month=month,
        day=at("2026-05-22").date(),
        former=at("2026-05-20").date(),
        reason="假期",
        decided_by_id=w.stranger,
        decided_at=money.CUT,
    )
    batch_models.Cycle.objects.create(
        month=month, cut_off_on=at("2026-05-20").date(), state="open", opened_at=money.CUT
    )


def _after_the_year(w: SimpleNamespace) -> None:
    line = people.budget_line(code="over", ceiling="0")
    YearEnd.objects.create(
        line=line,
        ceiling=0,
        paid=0,
        carried=0,
        carried_count=0,
        released=0,
        paper_number="文",
        closed_by_id=w.stranger,
        closed_at=money.CUT,
    )
    source, taker = (LedgerAccount.objects.get(budget_line=line, kind=kind) for kind in ("source", "appropriated"))
    copy(
        "ledgertransfer",
        w.transfer.pk,
        debit_id=source.pk,
        credit_id=taker.pk,
        amount=1,
        kind="appropriate",
        key="x",
        payable_id=None,
    )()


def _across_lines(w: SimpleNamespace) -> Attack:
    other = people.budget_line(code="talent")
    credit = LedgerAccount.objects.get(budget_line=other, kind="reserved")
    return copy("ledgertransfer", w.transfer.pk, key="x", credit_id=credit.pk)


def _another_account(w: SimpleNamespace) -> Attack:
    """In a batch that still takes lines."""
    at_work = {"assembled_at": money.CUT, "budget_line": money.line(), "format": "bank_csv"}
    cycle = batch_models.Cycle.objects.create(
        month=at("2026-05-01").date(), cut_off_on=at("2026-05-20").date(), state="open", opened_at=money.CUT
    )
    batch = Batch.objects.create(cycle=cycle, number="202605001", state="assembling", **at_work)
    return copy(
        "paymentattempt", w.attempt.pk, line_no=9, batch_id=batch.pk, outcome="withdrawn", account_number="99999999"
    )


def _another_amount(w: SimpleNamespace) -> Attack:
    paid = LedgerTransfer.objects.filter(attempt__isnull=False, reversal_of__isnull=True).first()
    assert paid is not None
    return copy("ledgertransfer", paid.pk, key="x", amount=1)


def _rich_account(w: SimpleNamespace) -> Attack:
    line = type(money.line()).objects.create(
        code="new", year=2026, name="新", department=money.line().department, ceiling=1
    )
    return copy("ledgeraccount", w.reserved.pk, budget_line_id=line.pk)


def test_every_constraint_refuses_its_attack(world: SimpleNamespace) -> None:
    check_constraints(MODELS, constraint_attacks(world))


def test_every_unique_column_refuses_its_double(world: SimpleNamespace) -> None:
    attacks = unique_column_attacks(world)
    declared = {
        f"{m._meta.model_name}.{f.name}"
        for m in MODELS
        for f in m._meta.concrete_fields
        if f.unique and not f.primary_key and isinstance(f, models.Field)
    }
    assert declared == set(attacks)
    without_triggers()
    assert [name for name, attack in attacks.items() if refused(attack) is None] == []


def test_every_trigger_refuses_its_attack(world: SimpleNamespace) -> None:
    check_triggers(MODELS, guard_attacks(world))


def test_no_row_that_keeps_anything_changes_its_id(world: SimpleNamespace) -> None:
    """Guards that ask a statement's new rows beside its old ones find them by it: a state would change unlogged."""
    kept = [name for m in MODELS if (name := m._meta.db_table) in FROZEN]
    assert {"disbursement_payable", "disbursement_paymentattempt", "disbursement_ledgeraccount"} <= set(kept)
    filled = [table for table in kept if rows_in(table)]
    assert set(filled) >= {"disbursement_payable", "disbursement_batch", "disbursement_returnline"}
    taken = [table for table in filled if refused(partial(execute, f"UPDATE {table} SET id = -id")) is None]
    assert taken == []


def rows_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int(cursor.fetchone()[0])


@pytest.mark.postgres
def test_nothing_with_money_in_it_is_ever_deleted(world: SimpleNamespace) -> None:
    tables = [m._meta.db_table for m in MODELS if m is not award_models.ClaimedInvoice]
    assert set(tables) <= {*guards.APPEND_ONLY, *guards.NEVER_DELETED}
    filled = [table for table in tables if refused(delete(table)) is not None]
    assert filled == tables


@pytest.mark.postgres
def test_nothing_with_money_in_it_is_ever_truncated(world: SimpleNamespace) -> None:
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is still to be checked would refuse it, too
    tables = [*guards.APPEND_ONLY, *guards.NEVER_DELETED]
    let_through = [t for t in tables if refused(lambda t=t: execute(f"TRUNCATE {t} CASCADE")) is None]  # type: ignore[misc]
    assert let_through == []


@pytest.mark.postgres
def test_a_balance_cannot_be_written_by_hand(world: SimpleNamespace) -> None:
    error = refused(change("ledgeraccount", world.reserved.pk, balance=12345))
    assert "balances follow from transfers" in str(error)


def test_a_transfer_beyond_what_there_is_never_stands(world: SimpleNamespace) -> None:
    error = refused(copy("ledgertransfer", world.transfer.pk, key="x", amount=99_000_000, reversal_of_id=None))
    assert error is not None
    assert named(error, "disbursement_account_not_negative")
