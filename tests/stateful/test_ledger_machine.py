"""Months of everything that people, banks and budgets may do, in any order: the books balance after every step.

Hypothesis chooses the steps. What a step may not do is refused with a message and changes nothing; whatever is done,
no budget is exceeded, nobody is paid twice, and the ledger says the same as the payables and as a model kept here that
knows of nothing but the bank's answers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from disbursement.domain.cycle import cutoff_date, next_month
from disbursement.domain.errors import REFUSALS
from disbursement.ledger.reconcile import four_figures, ledger_findings
from disbursement.models import Batch, ChangeKind, Payable, PayeeAccount, PaymentAttempt
from disbursement.selectors.calendar import working_calendar
from disbursement.services.budget import changes as budget
from disbursement.services.month import batches
from disbursement.services.payment import payees, payments, sealing
from matching.registry.models import BudgetLine
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import at
from tests.stateful.world import TERMS, World, broken_books, cents, rows, standing, torn, trace, twice_paid

# What the suite has time for. A server's journeys make a step three times as slow.
EXAMPLES = int(os.environ.get("HUIDA_STATEFUL_EXAMPLES") or ("12" if connection.vendor == "sqlite" else "4"))
STEPS = int(os.environ.get("HUIDA_STATEFUL_STEPS", "80"))
# Examples between two looks at the clock.
BATCH = 20
# `make machine`, `make soak`: again and again until so many steps were taken, as long as there is time (seconds).
TOTAL = int(os.environ.get("HUIDA_STATEFUL_TOTAL", "0"))
WITHIN = float(os.environ.get("HUIDA_STATEFUL_SECONDS", "36000"))
# Processes that share them.
PARTS = int(os.environ.get("HUIDA_STATEFUL_PARTS", "1"))
SOMETHING_DUE = "SELECT 1 FROM disbursement_payable WHERE state IN ('awaiting', 'reserved', 'held') LIMIT 1"
pick = st.integers(0, 10_000)
results = st.sampled_from(["成功", "成功", "成功", "退票", "退款"])


class Months(RuleBasedStateMachine):
    """One district with one budget line, a few items of each kind, a few enterprises."""

    world: World
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.finance = self.world.finance
        self.line = self.world.line
        self.most = Decimal("400000")
        self.enterprises, self.agents = self.world.enterprises, self.world.agents
        self.waiting = {key: list(ids) for key, ids in self.world.applications.items()}
        self.month = money.MONTH
        self.now = money.APPROVED
        # What the bank said that it did: line id → results, whatever we made of them.
        self.said: dict[str, set[str]] = {}
        # What a person asked the bank about: attempt → the last day on which it said by then that it paid.
        self.asked: dict[int, Any] = {}
        self.files = 0
        self.entries = 0
        self.age = 0

    def teardown(self) -> None:
        try:
            self.the_products_own_reconciliation_agrees()
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def attempt(self, deed: Any, **arguments: Any) -> None:
        """Do it; a refusal is an answer, too, and must leave no trace."""
        before = trace()
        refusal: Exception | None = None
        try:
            with transaction.atomic():
                deed(now=self.tick(), **arguments)
        except REFUSALS as error:
            refusal = error
        if refusal is not None:
            assert str(refusal).strip()
            assert trace() == before

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
        waiting = self.waiting[item % len(TERMS), enterprise % len(self.enterprises)]
        if waiting:
            self.attempt(self.world.grant, application_id=waiting.pop())

    @rule(ceiling=st.sampled_from(["0", "250000.75", "400000", "900000"]), approve=st.booleans())
    def change_the_ceiling(self, ceiling: str, approve: bool) -> None:
        standing = BudgetLine.objects.get(pk=self.line.pk).ceiling
        self.attempt(self.change_budget, kind=ChangeKind.ADJUST, amount=Decimal(ceiling) - standing, approve=approve)
        self.most = max(self.most, BudgetLine.objects.get(pk=self.line.pk).ceiling)

    @rule(freeze=st.booleans())
    def freeze_or_unfreeze(self, freeze: bool) -> None:
        self.attempt(self.change_budget, kind=ChangeKind.FREEZE if freeze else ChangeKind.UNFREEZE)

    def change_budget(self, *, now: datetime, approve: bool = True, **wanted: Any) -> None:
        maker, approver = self.finance.maker, self.finance.approver
        made = budget.propose(
            line_id=self.line.pk, actor=maker, now=now, paper_number="财预〔2026〕1号", reason="调整", **wanted
        )
        budget.decide(change_id=made.pk, approve=approve, actor=approver, now=now, note="不同意")

    @rule(first=pick, second=pick, said=st.lists(results, min_size=4, max_size=12))
    def run_a_whole_month(self, first: int, second: int, said: list[str]) -> None:
        """What mostly happens: approvals, the cut-off, signatures, the bank's answer to most of it."""
        self.approve(first, second)
        self.approve(second, first)
        self.cut_off()
        for batch in Batch.objects.filter(state="checked"):
            self.sign_seal_and_send(0, "bank_csv")
            self.bank_says(batch, said, later=1)

    # Empty months are tried at first only: they cost as much as any other.
    @precondition(lambda self: self.age < 5 or rows(SOMETHING_DUE) != [])
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
        for attempt, (is_marked, paid) in torn().items():
            is_open = paid is not None and self.asked.get(attempt) != paid
            assert is_marked == is_open, f"attempt {attempt}, paid again on {paid}"

    @precondition(lambda self: Batch.objects.exclude(sent_at=None).exists())
    @rule(index=pick, skip=st.integers(0, 2))
    def route_again(self, index: int, skip: int) -> None:
        """The bank gives a payment back, and makes it again after all, whatever it said of it before."""
        batch = self.one(Batch.objects.exclude(sent_at=None).order_by("-id"), index)
        self.bank_says(batch, ["退票"], skip, later=1)
        self.bank_says(batch, ["成功"], skip, later=2)

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

    def entry(self) -> str:
        """The number of an entry of the bank; now and then one that was used before, to be refused."""
        self.entries += self.now.minute % 5 > 0
        return f"CR{self.entries:05d}"

    @rule(index=pick)
    def recover(self, index: int) -> None:
        pk = self.payable(index, "clawback")
        self.attempt(payments.recover, payable_id=pk, actor=self.finance.checker, reference=self.entry())

    @rule(index=pick)
    def refund(self, index: int) -> None:
        pk = self.payable(index, "paid", "settled")
        self.attempt(
            payments.refund,
            payable_id=pk,
            actor=self.finance.checker,
            received_on=self.now.date(),
            reason="多领",
            reference=self.entry(),
        )

    @rule(index=pick, was_paid=st.booleans())
    def ask_the_bank(self, index: int, was_paid: bool) -> None:
        attempt = self.one(PaymentAttempt.objects.filter(contradicted=True).order_by("id"), index)
        if attempt is not None:
            _, paid = torn()[attempt.pk]
            self.attempt(
                payments.settle_contradiction,
                attempt_id=attempt.pk,
                actor=self.finance.checker,
                was_paid=was_paid,
                note="已核实",
            )
            attempt.refresh_from_db()
            if not attempt.contradicted:
                self.asked[attempt.pk] = paid

    @invariant()
    def the_books_balance_and_say_what_the_payables_say(self) -> None:
        type(self).steps += 1
        self.age += 1
        assert list(broken_books()) == []
        if self.age % 25 == 0:
            self.the_products_own_reconciliation_agrees()

    def the_products_own_reconciliation_agrees(self) -> None:
        assert ledger_findings(line=self.line) == []
        for batch in Batch.objects.filter(state__in=["reconciled", "closed"]):
            assert four_figures(batch=batch).differences == []

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        found = dict(rows("SELECT kind, balance FROM disbursement_ledgeraccount"))
        spent = sum(cents(found.get(kind)) for kind in ("reserved", "committed", "paid", "receivable"))
        assert spent <= cents(self.most)
        assert -cents(found.get("source")) <= cents(self.most)

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        assert twice_paid() == []

    @invariant()
    def what_is_paid_is_what_the_bank_said_it_paid(self) -> None:
        for number, line_no, state in rows(
            "SELECT b.number, a.line_no, p.state FROM disbursement_paymentattempt a"
            " JOIN disbursement_batch b ON b.id = a.batch_id JOIN disbursement_payable p ON p.id = a.payable_id"
            " WHERE a.outcome = 'paid'"
        ):
            assert "成功" in self.said[f"{number}-{line_no:06d}"]
            assert state in ("paid", "settled", "clawback", "clawed_back")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_the_books_balance(
    part: int,
    tmp_path: Any,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
    django_db_setup: None,
    django_db_blocker: Any,
) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"
    Months.steps = examples = 0
    wall, told, spent = time.monotonic(), 0.0, 0.0
    with django_db_blocker.unblock(), standing() as Months.world:
        began = time.process_time()
        while examples < EXAMPLES / PARTS or (time.monotonic() - wall < WITHIN and Months.steps < TOTAL / PARTS):
            run_state_machine_as_test(Months, settings=machine_settings())
            examples += min(BATCH, EXAMPLES)
            spent = time.process_time() - began
            if time.monotonic() - told > 60:
                told = time.monotonic()
                tell(capsys, part, examples, spent)
    tell(capsys, part, examples, spent)


def tell(capsys: pytest.CaptureFixture[str], part: int, examples: int, spent: float) -> None:
    """How far it is, on the terminal: also from a process that shares the work."""
    with capsys.disabled():
        sys.stderr.write(
            f"\nthe books, {part + 1} of {PARTS}: {Months.steps} steps in {examples} examples,"
            f" {spent:.0f} s of processor time ({spent / max(1, Months.steps) * 1000:.1f} ms a step)\n"
        )


def machine_settings() -> settings:
    return settings(
        max_examples=min(BATCH, EXAMPLES),
        stateful_step_count=STEPS,
        deadline=None,
        # Also where continuous integration asks for the same examples each time: batch after batch would be one batch.
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
