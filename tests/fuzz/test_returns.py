"""Mutated return files: none crashes the reader, none posts a line that does not agree in batch, payee and amount.

`make fuzz-returns` reads 100,000 and posts 4,000 of them; the suite some 3,000. Every failure names its seed and its
number: FUZZ_SEED=… FUZZ_ONLY=… runs that one mutant again.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from disbursement.domain.errors import Invalid
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import Batch, LedgerTransfer, PaymentAttempt, ReturnFile, ReturnLine
from disbursement.services.payment import returns
from disbursement.services.payment.return_reading import rows
from disbursement.treasury.formats import FormatError, stream_return
from disbursement.treasury.simulator import ANSWER_FORMATS, Answer, write_answer
from tests.factories import money
from tests.factories.disbursement import at
from tests.restored import restored, undone

from .mutate import spoil

SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))
MUTANTS = int(os.environ.get("FUZZ_MUTANTS", "2500"))
# On PostgreSQL a posting costs ten times as much.
POSTINGS = int(os.environ.get("FUZZ_POSTINGS") or (100 if connection.vendor == "sqlite" else 30))
ONLY = os.environ.get("FUZZ_ONLY")
ON = date(2026, 3, 24)
RESULTS = ("paid", "bounced", "paid", "refunded", "paid")


def numbers(most: int) -> Iterator[int]:
    return iter([int(ONLY)] if ONLY else range(most))


def whole_batch(count: int, total: Decimal, number: str) -> bytes:
    """A status report that speaks for a whole file at once."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>S1</MsgId>'
        f"<CreDtTm>{ON.isoformat()}T18:00:00+08:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{number}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><OrgnlNbOfTxs>{count}</OrgnlNbOfTxs>"
        f"<OrgnlCtrlSum>{total}</OrgnlCtrlSum><GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def good_files(answers: list[Answer]) -> list[tuple[str, bytes]]:
    made = [write_answer(kind, answers) for kind in ANSWER_FORMATS]
    number = answers[0].line_id.split("-")[0]
    total = sum((answer.amount for answer in answers), Decimal(0))
    return [
        *made,
        (".csv", made[0][1].removeprefix(b"\xef\xbb\xbf")),
        (".xml", whole_batch(len(answers), total, number)),
    ]


def answers_for(lines: list[tuple[str, str, Decimal]]) -> list[Answer]:
    return [
        Answer(
            line_id,
            "成都某某科技有限公司",
            account,
            amount,
            RESULTS[place % 5],
            ON,
            f"B{place:06d}",
            "AC04",
            "账号已销户",
        )
        for place, (line_id, account, amount) in enumerate(lines)
    ]


def mutant(files: list[tuple[str, bytes]], number: int) -> tuple[str, bytes]:
    dice = random.Random(f"{SEED}:{number}")
    suffix, content = files[number % len(files)]
    return f"return{suffix}", spoil(content, dice)


def test_no_mutant_crashes_the_reader_or_yields_a_line_that_is_not_whole(capsys: pytest.CaptureFixture[str]) -> None:
    amounts = ["100000.00", "100000.00", "33333.33", "0.07", "100000.00"]
    lines = [
        (f"202603001-{n:06d}", f"62220000000000{n:02d}", Decimal(amount)) for n, amount in enumerate(amounts, start=1)
    ]
    files = good_files(answers_for(lines))
    seen: Counter[str] = Counter()
    slowest, began, told = 0.0, time.process_time(), time.monotonic()
    for number in numbers(MUTANTS):
        name, content = mutant(files, number)
        place = f"FUZZ_SEED={SEED} FUZZ_ONLY={number} {name}"
        start = time.process_time()
        try:
            reading = stream_return(name, content)
            numbers_seen: set[int] = set()
            for row in reading.rows:
                assert row.row_no > 0, place
                assert row.row_no not in numbers_seen, place
                numbers_seen.add(row.row_no)
                assert len(row.line_id) <= 60, place
                assert len(row.reason) <= 300, place
                assert len(row.problem) <= 300, place
                seen["lines refused" if row.problem else "lines read"] += 1
                if not row.problem:
                    assert row.result in ("paid", "bounced", "refunded"), place
                    assert row.amount is not None, place
                    assert row.amount > 0, place
                    assert row.amount == row.amount.quantize(Decimal("0.01")), place
                    assert row.occurred_on is not None, place
                    assert 2000 <= row.occurred_on.year < 2100, place
            seen["files read"] += 1
            seen["files with a problem"] += bool(reading.findings.problems)
        except FormatError as error:
            seen["without a word"] += not str(error)
            seen["files refused"] += 1
        except Exception as error:
            pytest.fail(f"{place}: {type(error).__name__}: {error}")
        slowest = max(slowest, time.process_time() - start)
        if time.monotonic() - told > 60:
            told = time.monotonic()
            tell(capsys, f"reading: seed {SEED}, {number + 1} of {MUTANTS} mutants, {dict(seen)}")
    spent = time.process_time() - began
    tell(
        capsys,
        f"reading: seed {SEED}, {sum(1 for _ in numbers(MUTANTS))} mutants, {dict(seen)},"
        f" {spent:.0f} s of processor time, slowest {slowest * 1000:.0f} ms",
    )
    assert not seen["without a word"]


def sent_batch() -> Batch:
    finance = money.Finance()
    for amount in ("100000.00", "100000.00", "33333.33", "0.07"):
        money.payables(1, amount)
    [batch] = money.cut()
    money.sent(batch, finance)
    return batch


def test_no_mutant_posts_a_line_that_does_not_agree_in_batch_payee_and_amount(
    capsys: pytest.CaptureFixture[str], django_db_setup: None, django_db_blocker: Any
) -> None:
    seen: Counter[str] = Counter()
    told = time.monotonic()
    with django_db_blocker.unblock(), restored(sent_batch) as batch:
        truth = {batch.line_id(a.line_no or 0): (a.account_number, a.amount) for a in money.lines(batch)}
        answers = answers_for([(line_id, account, amount) for line_id, (account, amount) in truth.items()])
        # Also in the words of a bank that has paid everything and then bounces one: order makes conflicts.
        files = [*good_files(answers), *good_files([replace(answer, result="paid", code="") for answer in answers])]
        for number in numbers(POSTINGS):
            with undone():
                seen += _posted(batch, truth, *mutant(files, number), place=f"FUZZ_SEED={SEED} FUZZ_ONLY={number}")
            if time.monotonic() - told > 60:
                told = time.monotonic()
                tell(capsys, f"posting: seed {SEED}, {number + 1} of {POSTINGS} mutants, {dict(seen)}")
    tell(capsys, f"posting: seed {SEED}, {sum(1 for _ in numbers(POSTINGS))} mutants, {dict(seen)}")
    assert not seen["without a word"]


def tell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        sys.stderr.write(f"\nfuzz-returns, {text}\n")


def _posted(
    batch: Batch, truth: dict[str, tuple[str, Decimal]], name: str, content: bytes, *, place: str
) -> Counter[str]:
    """One mutant posted and posted again, and what is to be said of it."""
    place = f"{place} {name}"
    try:
        report = returns.import_return(name=name, content=content, now=at("2026-03-25"))
    except Invalid as refusal:
        assert not ReturnFile.objects.exists(), place
        return Counter({"files refused": 1, "without a word": int(not str(refusal))})
    except Exception as error:
        pytest.fail(f"{place}: {type(error).__name__}: {error}")
    _check(batch, truth, name, content, place)
    again = returns.import_return(name=name, content=content, now=at("2026-03-26"))
    assert (again.was_known, again.posted, again.exceptions) == (True, report.posted, report.exceptions), place
    _check(batch, truth, name, content, place)
    return Counter({"files read": 1, "lines posted": report.posted, "exceptions": report.exceptions})


def _check(batch: Batch, truth: dict[str, tuple[str, Decimal]], name: str, content: bytes, place: str) -> None:
    """What was posted agrees in batch, payee and amount with what was sent; the books follow from it and balance."""
    read = {row.row_no: row for row in rows(name=name, content=content)}
    told: dict[int, set[str]] = {}
    for line in ReturnLine.objects.filter(status="posted"):
        row = read[line.row_no]
        account, amount = truth[row.line_id]
        assert (line.batch_id, line.amount, row.amount) == (batch.pk, amount, amount), place
        assert row.account_number == account, place
        assert line.attempt_id is not None, place
        told.setdefault(line.attempt_id, set()).add(line.result)
    for attempt in PaymentAttempt.objects.filter(batch=batch):
        said = told.get(attempt.pk, set())
        # A bounce outdoes everything but a refund before it; nothing said leaves the payment waiting.
        allowed = said or {"pending"}
        assert attempt.outcome in allowed, f"{place}: {attempt.outcome} of {said}"
        paid = LedgerTransfer.objects.filter(attempt=attempt, kind="pay").count()
        unpaid = LedgerTransfer.objects.filter(attempt=attempt, kind="unpay").count()
        assert paid - unpaid == (attempt.outcome in ("paid", "refunded")), place
    assert ledger_findings(line=money.line()) == [], place
