"""Many workers at once on one budget line, on PostgreSQL: it is never exceeded, and every cent is explained.

`make faults` runs 20 of them with 500 deeds each (LINE_WORKERS, LINE_DEEDS), the suite six with a dozen. They are
forked from a process that has no connection (`line_launcher`). While they work, a watcher looks at the line's balances
again and again.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from disbursement.domain.money import total
from disbursement.domain.workflow import Role
from disbursement.ledger.posting import balances, sync_ceiling
from disbursement.ledger.reconcile import HOLDING, four_figures, ledger_findings
from disbursement.models import AccountKind, AttemptOutcome, Batch, LedgerTransfer, Payable
from disbursement.services.payment import payments
from matching.registry import outbox
from matching.registry.models import BudgetLine
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at
from tests.faults import line_deeds
from tests.faults.line_deeds import PAYING, REVIEWING, People, Told, Worker
from tests.faults.line_launcher import Launcher, Task, launched

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

SEED = int(os.environ.get("LINE_SEED") or random.SystemRandom().randrange(2**32))
WORKERS = int(os.environ.get("LINE_WORKERS", "6"))
DEEDS = int(os.environ.get("LINE_DEEDS", "12"))
AMOUNT = Decimal("12345.67")


class Watcher(threading.Thread):
    """Looks at the accounts of a line in one glance, again and again, on a connection of its own."""

    def __init__(self, line: BudgetLine) -> None:
        super().__init__(daemon=True)
        self._line = line
        self._over = threading.Event()
        self.looks = 0
        self.found: list[str] = []

    def run(self) -> None:
        try:
            while not self._over.wait(0.05):
                seen = balances(line=self._line)
                spent = total(
                    seen[kind]
                    for kind in (AccountKind.RESERVED, AccountKind.COMMITTED, AccountKind.PAID, AccountKind.RECEIVABLE)
                )
                self.looks += 1
                if spent > self._line.ceiling or sum(seen.values(), Decimal(0)) or seen[AccountKind.APPROPRIATED] < 0:
                    self.found.append(repr(seen))
        finally:
            connection.close()

    def end(self) -> None:
        self._over.set()
        self.join(30)


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Path) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"


def test_many_workers_on_one_line_never_exceed_it_and_every_cent_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with launched() as launcher:
        everything, watchers, spent = _crowd(launcher)
    with capsys.disabled():
        sys.stdout.write(
            f"\none line: LINE_SEED={SEED}, {WORKERS} workers × {DEEDS // 2 * 2} deeds in {spent:.0f} s,"
            f" done {dict(everything.done)}, refused {dict(everything.refused)},"
            f" {sum(watcher.looks for watcher in watchers)} looks\n"
        )
    assert not everything.failures, everything.failures[0]
    assert not everything.refused["without a word"]
    assert [watcher.found for watcher in watchers] == [[], []]
    [batch] = Batch.objects.exclude(sent_at=None)
    with outbox.quiet():
        line_deeds.answer_the_rest(batch=batch, seed=SEED)
    _every_cent_is_explained(BudgetLine.objects.get(code="crowded"), everything, batch)


def _crowd(launcher: Launcher) -> tuple[Told, list[Watcher], float]:
    """Two halves: before the month is cut off, and after it was sent. What was told and seen, and the seconds it took.

    The line has money for two thirds of what is tried to be approved beyond all that could be given back: so it will
    be full.
    """
    each = DEEDS // 2
    planned = Counter(
        kind
        for mix in (REVIEWING, PAYING)
        for number in range(WORKERS)
        for kind in line_deeds.kinds_of_deeds(seed=SEED, number=number, deeds=each, mix=mix)
    )
    places = max(4, (planned["approve"] - planned["cancel"] - planned["refund"]) * 2 // 3)
    with transaction.atomic():
        line = people.budget_line(code="crowded", ceiling=str(AMOUNT * places + Decimal("0.66")))
        item = money.version(str(AMOUNT), line="crowded", cap_per_year="900000000")
        template = money.application(item=item)
        enterprises = [people.applicant().pk for _ in range(max(8, WORKERS * 3))]
        everybody = People(
            reviewer=people.staff(Role.SECOND_REVIEWER),
            checker=people.staff(Role.FINANCE_CHECKER),
            approver=people.staff(Role.FINANCE_APPROVER),
        )
        finance = money.Finance()
    prepared = line_deeds.clone_applications(template=template, enterprises=enterprises, number=WORKERS * DEEDS)
    everything, watchers, began = Told(), [], time.monotonic()
    for month, mix in enumerate((REVIEWING, PAYING)):
        mine = prepared[month::2]
        now = (money.APPROVED, at("2026-03-25"))[month]
        workers = [Worker(n, SEED, everybody, mine[n::WORKERS], now) for n in range(WORKERS)]
        watcher = Watcher(line)
        watchers.append(watcher)
        watcher.start()
        everything.add(launcher.run(Task(str(connection.settings_dict["NAME"]), workers, each, mix)))
        watcher.end()
        if month == 0:
            # Between the two the month is cut off, signed and sent: what was approved waits for the bank's answers.
            with outbox.quiet():
                for pk in Payable.objects.filter(state="held").order_by("pk").values_list("pk", flat=True)[::2]:
                    payments.release(payable_id=pk, actor=everybody.checker, now=money.APPROVED)
                for batch in money.cut():
                    money.sent(batch, finance)
    return everything, watchers, time.monotonic() - began


def _every_cent_is_explained(line: BudgetLine, told: Told, batch: Batch) -> None:
    assert ledger_findings(line=line) == []
    assert four_figures(batch=batch).differences == []
    with transaction.atomic():
        available = sync_ceiling(line=line, now=at("2026-03-27"))
    # From what the workers say that they did, without a look at the books: what must be left of the line.
    out = told.moved["approve"] - told.moved["cancel"] - told.moved["refund"]
    assert available == line.ceiling - out
    assert told.refused["approve"] > 0, "the line was never full: nothing was tried"
    # From the transfers alone: where the money of each payable lies, which is where its state says.
    lies: dict[int, dict[str, Decimal]] = {}
    for payable, debit, credit, amount in LedgerTransfer.objects.filter(payable__isnull=False).values_list(
        "payable", "debit__kind", "credit__kind", "amount"
    ):
        place = lies.setdefault(payable or 0, {})
        place[debit] = place.get(debit, Decimal(0)) - amount
        place[credit] = place.get(credit, Decimal(0)) + amount
    for found in Payable.objects.all():
        where = {kind: amount for kind, amount in lies[found.pk].items() if amount > 0}
        holder = next((account for state, account in HOLDING.items() if state.value == found.state), None)
        assert where == ({} if holder is None else {holder.value: found.amount}), (found.pk, found.state, where)
    assert set(lies) == set(Payable.objects.values_list("pk", flat=True))
    # What the bank said of each line is what stands, however often and by whomever it was brought.
    for attempt in batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN):
        said = line_deeds.result_of(batch.line_id(attempt.line_no or 0), SEED)
        allowed = {AttemptOutcome.BOUNCED} if said == "退票" else {AttemptOutcome.PAID, AttemptOutcome.REFUNDED}
        assert attempt.outcome in allowed
