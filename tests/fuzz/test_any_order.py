"""What a bank at its worst sends back, each file read three times and in any order, ends the same.

`FUZZ_SEED=…` repeats a run; FUZZ_ORDERS is how many banks are heard, each in an order of chance beside the one that it
meant.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from disbursement.domain.errors import Invalid
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import four_figures, ledger_findings
from disbursement.models import Batch, Payable, PaymentAttempt, ReturnLine, SealedFile
from disbursement.services.payment import returns
from disbursement.treasury.simulator import ANSWER_FORMATS, Bank, Mischief
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db

SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))
BANKS = int(os.environ.get("FUZZ_ORDERS", "3"))
WORST = Mischief(
    bounce=0.25,
    refund=0.25,
    late_bounce=0.3,
    routed_again=0.5,
    duplicate=0.7,
    repeat=0.7,
    partial=0.7,
    wrong_amount=0.6,
    wrong_payee=0.6,
    out_of_order=0.5,
    strangers=0.6,
)


def ends(files: Sequence[tuple[str, bytes]], batch: Batch) -> dict[str, Any]:
    """How everything stands after these files, read in this order; then as if they had never come."""
    undo = transaction.savepoint()
    refused: list[str] = []
    for name, content in files:
        try:
            returns.import_return(name=name, content=content, now=at("2026-03-27"))
        except Invalid:
            refused.append(name)
    # Cut short in the middle of a tag; whatever else comes can be read.
    assert all("partial" in name for name in refused)
    found = {
        "payables": list(Payable.objects.order_by("pk").values_list("state", flat=True)),
        "attempts": list(
            PaymentAttempt.objects.order_by("pk").values_list("outcome", "outcome_on", "contradicted", "payable")
        ),
        "contradicted": list(
            PaymentAttempt.objects.filter(contradicted=True).order_by("pk").values_list("pk", flat=True)
        ),
        "balances": balances(line=money.line()),
        "torn": _torn(),
        "results": sorted(ReturnLine.objects.filter(status="posted").values_list("line_id", "result")),
        # An amount that could not be read is none.
        "open": sorted(
            ReturnLine.objects.filter(status="exception").values_list("line_id", "amount", "problem"), key=repr
        ),
        # A line that fits nothing keeps a batch open if it comes before the rest; closed, it stays closed.
        "agreed": Batch.objects.get(pk=batch.pk).state in ("reconciled", "closed"),
        "figures": four_figures(batch=batch).to_json(),
        "findings": ledger_findings(line=money.line()),
    }
    transaction.savepoint_rollback(undo)
    return found


def _torn() -> list[int]:
    """Bounced payments of which the bank says, in whichever line, that it paid them on a later day."""
    days: dict[tuple[int, str], list[date]] = defaultdict(list)
    taken = ReturnLine.objects.filter(attempt__outcome="bounced").exclude(status="exception")
    for pk, result, day in taken.values_list("attempt", "result", "occurred_on"):
        assert pk is not None
        assert day is not None
        days[pk, result].append(day)
    return sorted(pk for pk, result in days if result == "paid" and max(days[pk, "paid"]) > min(days[pk, "bounced"]))


@pytest.mark.slow
def test_what_a_bank_at_its_worst_sends_ends_the_same_read_three_times_and_in_any_order(tmp_path: Path) -> None:
    for amount in ("100000.00", "33333.33", "0.07", "100000.00"):
        money.payables(1, amount)
    [batch] = money.cut()
    money.sent(batch, money.Finance())
    sealed = SealedFile.objects.get()
    for number in range(BANKS):
        dice = random.Random(f"{SEED}:{number}")
        kind = dice.choice(list(ANSWER_FORMATS))
        bank = Bank(tmp_path / str(number), mischief=WORST, seed=dice.randrange(2**32), answers=kind)
        bank.take(key="the-only-one", name=sealed.name, content=bytes(sealed.content))
        bank.settle(on=date(2026, 3, 24))
        files = list(bank.returns())
        meant = ends(files, batch)
        assert meant["findings"] == []
        assert meant["torn"] == meant["contradicted"]
        shuffled = files * 3
        dice.shuffle(shuffled)
        assert ends(shuffled, batch) == meant, f"FUZZ_SEED={SEED}, bank {number} in {kind}"
