"""Months of everything that people, banks and budgets may do, in any order: the books balance after every step.

Hypothesis chooses the steps. What a step may not do is refused with a message and changes nothing; whatever is done,
no budget is exceeded, nobody is paid twice, and the ledger says the same as the payables and as a model kept here that
knows of nothing but the bank's answers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from disbursement.domain.cycle import cutoff_date, next_month
from disbursement.domain.errors import REFUSALS
from disbursement.domain.money import total
from disbursement.domain.workflow import PayableState
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import four_figures, ledger_findings
from disbursement.models import (
    AccountKind,
    AttemptOutcome,
    Batch,
    LedgerTransfer,
    Payable,
    PayeeAccount,
    PaymentAttempt,
)
from disbursement.selectors.calendar import working_calendar
from disbursement.services import batches, payees, payments, sealing
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import at

EXAMPLES = int(os.environ.get("HUIDA_STATEFUL_EXAMPLES", "12"))
STEPS = int(os.environ.get("HUIDA_STATEFUL_STEPS", "30"))
pick = st.integers(0, 10_000)
results = st.sampled_from(["成功", "成功", "成功", "退票", "退款"])


class Months(RuleBasedStateMachine):
    """One district with one budget line, a few items of each kind, a few enterprises."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.finance = money.Finance()
        self.line = people.budget_line(code="machine", ceiling="400000")
        self.most = self.line.ceiling
        terms: list[dict[str, Any]] = [
            {},
            {"instalments": ["50", "50"]},
            {"shortfall": "pro_rata"},
            {"shortfall": "defer"},
            {"cap_per_year": "150000"},
        ]
        self.items = [
            money.version(amount, line="machine", **term)
            for amount, term in zip(["33333.33", "100000.01", "70000", "90000.5", "60000"], terms, strict=True)
        ]
        self.enterprises = [people.applicant() for _ in range(4)]
        self.agents = [people.agent(enterprise) for enterprise in self.enterprises]
        self.month = money.MONTH
        self.now = money.APPROVED
        # What the bank said that it did: line id → results, whatever we made of them.
        self.said: dict[str, set[str]] = {}
        self.files = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def attempt(self, deed: Any, **arguments: Any) -> None:
        """Do it; a refusal is an answer, too, and must leave no trace."""
        before = self.trace()
        refusal: Exception | None = None
        try:
            with transaction.atomic():
                deed(now=self.tick(), **arguments)
        except REFUSALS as error:
            refusal = error
        if refusal is not None:
            assert str(refusal).strip()
            assert self.trace() == before

    def trace(self) -> tuple[object, ...]:
        return (
            list(Payable.objects.order_by("id").values_list("state", "pay_month")),
            list(Batch.objects.order_by("id").values_list("state", "count")),
            LedgerTransfer.objects.count(),
        )

    def one(self, things: Iterable[Any], index: int) -> Any:
        listed = list(things)
        return listed[index % len(listed)] if listed else None

    def payable(self, index: int, *states: str) -> int:
        """The id of a payable in one of the states; where there is none, now and then of another one, to be refused."""
        fitting = Payable.objects.filter(state__in=states).order_by("id")
        found = self.one(fitting, index)
        if found is None and index % 4 == 0:
            found = self.one(Payable.objects.order_by("id"), index)
        return 0 if found is None else int(found.pk)

    @rule(item=pick, enterprise=pick)
    def approve(self, item: int, enterprise: int) -> None:
        version, applicant = self.one(self.items, item), self.one(self.enterprises, enterprise)
        self.attempt(money.granted, enterprise=applicant, item=version)

    @rule(ceiling=st.sampled_from(["0", "250000.75", "400000", "900000"]))
    def change_the_ceiling(self, ceiling: str) -> None:
        BudgetLine.objects.filter(pk=self.line.pk).update(ceiling=Decimal(ceiling))
        self.most = max(self.most, Decimal(ceiling))

    @rule(first=pick, second=pick, said=st.lists(results, min_size=4, max_size=12))
    def run_a_whole_month(self, first: int, second: int, said: list[str]) -> None:
        """What mostly happens: approvals, the cut-off, signatures, the bank's answer to most of it."""
        self.approve(first, second)
        self.approve(second, first)
        self.cut_off()
        for batch in Batch.objects.filter(state="checked"):
            self.sign_seal_and_send(0, "bank_csv")
            self.bank_says(batch, said, later=1)

    @rule()
    def cut_off(self) -> None:
        day = cutoff_date(self.month, calendar=working_calendar())
        self.now = max(self.now, at(day, 17))
        money.cut(month=self.month, now=self.tick())
        self.month = next_month(self.month)

    @precondition(lambda self: Batch.objects.filter(state="checked").exists())
    @rule(index=pick, file_format=st.sampled_from(["bank_csv", "pain001"]))
    def sign_seal_and_send(self, index: int, file_format: str) -> None:
        batch = self.one(Batch.objects.filter(state="checked"), index)
        money.signed(batch, self.finance, now=self.tick(), file_format=file_format)
        self.attempt(lambda now: sealing.seal(batch_id=batch.pk, now=now))
        self.attempt(lambda now: sealing.send(batch_id=batch.pk, now=now))

    @rule(index=pick, dissolve=st.booleans())
    def sign_and_give_it_up(self, index: int, dissolve: bool) -> None:
        batch = self.one(Batch.objects.order_by("id"), index)
        if batch is None:
            return
        self.attempt(batches.make, batch_id=batch.pk, actor=self.finance.maker)
        if dissolve:
            self.attempt(batches.dissolve, batch_id=batch.pk, actor=self.finance.approver, reason="重做")
        else:
            self.attempt(batches.send_back, batch_id=batch.pk, actor=self.finance.checker, reason="重做")

    @precondition(lambda self: Batch.objects.exclude(sent_at=None).exists())
    @rule(index=pick, said=st.lists(results, min_size=1, max_size=6), skip=st.integers(0, 2), later=st.integers(0, 3))
    def answer(self, index: int, said: list[str], skip: int, later: int) -> None:
        """The bank answers for some lines; a line may be answered for again, and otherwise."""
        self.bank_says(self.one(Batch.objects.exclude(sent_at=None).order_by("-id"), index), said, skip, later)

    def bank_says(self, batch: Batch, said: list[str], skip: int = 0, later: int = 0) -> None:
        answers: dict[str, tuple[str, str]] = {}
        for line, result in zip(money.lines(batch)[skip:], said, strict=False):
            line_id = batch.line_id(line.line_no)
            # A bank that returned a payment does not afterwards report it as given back, nor the other way round.
            if {"退票", "退款"} <= self.said.get(line_id, set()) | {result}:
                continue
            answers[line_id] = (f"{line.amount:.2f}", result)
            self.said.setdefault(line_id, set()).add(result)
        self.files += 1
        on = self.now.date() + timedelta(days=later)
        money.receive(money.return_file(answers, on=on), name=f"{self.files}.csv", now=self.tick())

    @rule(index=pick, accept=st.booleans())
    def mend_an_account(self, index: int, accept: bool) -> None:
        enterprise, agent = self.one(zip(self.enterprises, self.agents, strict=True), index)
        self.files += 1
        self.attempt(
            payees.propose_account,
            enterprise_id=enterprise.pk,
            account_name=enterprise.name,
            bank_name="中国银行",
            account_number=f"62170000{self.files:08d}",
            actor=agent,
        )
        account = PayeeAccount.objects.get(enterprise=enterprise, state="proposed")
        self.attempt(
            payees.check_account, account_id=account.pk, actor=self.finance.checker, accept=accept, note="核对"
        )

    @rule(index=pick, dishonest=st.booleans())
    def learn_of_credit(self, index: int, dishonest: bool) -> None:
        records = ["dishonest"] if dishonest else []
        enterprise = self.one(self.enterprises, index)
        base.learn(enterprise, now=self.tick(), valid_on=self.now.date(), credit_records=records)

    @rule(index=pick)
    def hold(self, index: int) -> None:
        pk = self.payable(index, "reserved", "scheduled")
        self.attempt(payments.hold, payable_id=pk, actor=self.finance.checker, reason="待查")

    @rule(index=pick)
    def release(self, index: int) -> None:
        self.attempt(payments.release, payable_id=self.payable(index, "held"), actor=self.finance.checker)

    @rule(index=pick)
    def cancel(self, index: int) -> None:
        pk = self.payable(index, "bounced", "held")
        self.attempt(payments.cancel, payable_id=pk, actor=self.finance.approver, reason="企业放弃")

    @rule(index=pick)
    def claw_back(self, index: int) -> None:
        pk = self.payable(index, "paid", "settled")
        due = self.now.date() + timedelta(days=30)
        self.attempt(payments.claw_back, payable_id=pk, actor=self.finance.approver, reason="迁出", due_on=due)

    @rule(index=pick)
    def recover(self, index: int) -> None:
        self.attempt(payments.recover, payable_id=self.payable(index, "clawback"), actor=self.finance.checker)

    @rule(index=pick)
    def refund(self, index: int) -> None:
        pk = self.payable(index, "paid", "settled")
        self.attempt(
            payments.refund, payable_id=pk, actor=self.finance.checker, received_on=self.now.date(), reason="多领"
        )

    @rule(index=pick, was_paid=st.booleans())
    def ask_the_bank(self, index: int, was_paid: bool) -> None:
        attempt = self.one(PaymentAttempt.objects.filter(contradicted=True).order_by("id"), index)
        if attempt is not None:
            self.attempt(
                payments.settle_contradiction,
                attempt_id=attempt.pk,
                actor=self.finance.checker,
                was_paid=was_paid,
                note="已核实",
            )

    @invariant()
    def the_books_balance_and_say_what_the_payables_say(self) -> None:
        assert ledger_findings(line=self.line) == []
        found = balances(line=self.line)
        assert sum(found.values()) == 0
        assert all(balance >= 0 for kind, balance in found.items() if kind is not AccountKind.SOURCE)

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        found = balances(line=self.line)
        spent = total(found[k] for k in (AccountKind.RESERVED, AccountKind.COMMITTED, AccountKind.PAID))
        assert spent + found[AccountKind.RECEIVABLE] <= self.most
        assert -found[AccountKind.SOURCE] <= self.most

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        for payable in Payable.objects.prefetch_related("attempts", "transfers"):
            alive = [a for a in payable.attempts.all() if a.outcome in (AttemptOutcome.PENDING, AttemptOutcome.PAID)]
            assert len(alive) <= 1
            moved = dict.fromkeys(("pay", "unpay", "commit", "uncommit", "reserve", "unreserve"), 0)
            for transfer in payable.transfers.all():
                if transfer.kind in moved:
                    moved[transfer.kind] += 1
                assert transfer.amount == payable.amount
            assert 0 <= moved["pay"] - moved["unpay"] <= 1
            assert 0 <= moved["commit"] - moved["uncommit"] <= 1
            assert 0 <= moved["reserve"] - moved["unreserve"] <= 1

    @invariant()
    def what_is_paid_is_what_the_bank_said_it_paid(self) -> None:
        for attempt in PaymentAttempt.objects.filter(outcome=AttemptOutcome.PAID).select_related("batch", "payable"):
            assert "成功" in self.said[attempt.batch.line_id(attempt.line_no or 0)]
            assert attempt.payable.state in {
                s.value
                for s in (PayableState.PAID, PayableState.SETTLED, PayableState.CLAWBACK, PayableState.CLAWED_BACK)
            }

    @invariant()
    def four_figures_agree_in_what_is_closed(self) -> None:
        for batch in Batch.objects.filter(state__in=["reconciled", "closed"]):
            assert four_figures(batch=batch).differences == []


@pytest.mark.slow
@pytest.mark.django_db
def test_whatever_happens_the_books_balance(tmp_path: Any, settings: Any) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"
    run_state_machine_as_test(Months, settings=machine_settings())


def machine_settings() -> settings:
    return settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
