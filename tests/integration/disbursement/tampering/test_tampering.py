"""Nothing that was decided, signed or paid can be changed behind the platform's back without an audit finding it.

CI takes a sample of the seeds; `make tamper` takes a thousand, and prints what became of them. A failing seed is
printed whole.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from disbursement.audit import service
from disbursement.audit.findings import Scope
from disbursement.models import PayeeAccount, PaymentAttempt, ReturnLine
from tests.integration.disbursement.tampering import forge

pytestmark = pytest.mark.django_db
FIRST = int(os.environ.get("TAMPER_FROM", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("TAMPER", "120")))
# Of a run's seeds, one in four is from within the platform's own session.
INJECTED = range(FIRST, FIRST + len(SEEDS) // 4)
# What a structure check would say of triggers is left out: whoever lifts a trigger puts it back.
CHECKS = [name for name in service.CHECKS if name not in ("structure", "anchors")] + ["anchors"]


def found(done: forge.Tampering) -> str:
    """What the audit says of it first; empty where it says nothing."""
    first = next(service.findings(scope=Scope(tables=frozenset({done.table})), only=CHECKS), None)
    return "" if first is None else first.check


def outcome(choose: Callable[[], forge.Tampering]) -> str:
    """“refused”, the check that found it, “nothing” where nothing was changed, or what was missed."""
    try:
        done = choose()
    except forge.NothingToDo:
        return "nothing"
    point = transaction.savepoint()
    try:
        before = _content(done.table)
        try:
            with transaction.atomic():
                forge.carry_out(done)
                if connection.vendor == "postgresql":
                    # What a commit would still check.
                    with connection.cursor() as cursor:
                        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except DatabaseError:
            return "refused"
        if _content(done.table) == before:
            return "nothing"
        return found(done) or f"MISSED {done}"
    finally:
        transaction.savepoint_rollback(point)


def _content(table: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY id")
        return [tuple(str(bytes(v) if isinstance(v, memoryview) else v) for v in row) for row in cursor.fetchall()]


def report(results: Counter[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Tell what became of them; those that were missed."""
    missed = sorted(result for result in results if result.startswith("MISSED"))
    with capsys.disabled():
        if "TAMPER" in os.environ:
            told = ", ".join(f"{name} {number}" for name, number in results.most_common() if name not in missed)
            for line in missed:
                print(line)  # noqa: T201
            print(f"\n{results.total()} tamperings: {told}; missed {len(missed)}")  # noqa: T201 - make tamper's report
    return missed


def test_an_untouched_district_gives_no_finding(district: None) -> None:
    counts: Counter[str] = Counter()
    assert [str(finding) for finding in service.findings(scope=Scope(), counts=counts)] == []
    idle = [name for name in service.COUNTED if not counts[name]]
    assert set(idle) <= {"invoices"}, "a check that looked at nothing proves nothing"


@pytest.mark.postgres
def test_every_tampering_is_refused_or_found(district: None, capsys: pytest.CaptureFixture[str]) -> None:
    names = forge.tables()
    modes = ("plain", "lifted", "rewritten")
    results = Counter(outcome(lambda s=seed: forge.tampering(s, names=names, modes=modes)) for seed in SEEDS)  # type: ignore[misc]
    assert report(results, capsys) == []
    assert results["nothing"] < len(SEEDS) / 4


@pytest.mark.postgres
def test_what_an_injection_does_where_the_money_is_is_refused_or_found(
    district: None, capsys: pytest.CaptureFixture[str]
) -> None:
    results = Counter(outcome(lambda s=seed: forge.core_tampering(s)) for seed in INJECTED)  # type: ignore[misc]
    assert report(results, capsys) == []
    assert results["nothing"] < len(INJECTED) / 3


def changed(table: str, column: str, value: Any, pk: int, *, mode: str) -> forge.Tampering:
    statement = (f'UPDATE {table} SET "{column}" = %s WHERE id = %s', [value, pk])
    return forge.Tampering(0, mode, table, "update", [statement])


@pytest.mark.postgres
def test_the_day_of_a_refund_that_a_person_recorded_is_not_moved_unseen(district: None) -> None:
    by_file = PaymentAttempt.objects.filter(outcome="refunded", return_lines__result="refunded")
    attempt = PaymentAttempt.objects.filter(outcome="refunded").exclude(pk__in=by_file).earliest("pk")
    done = changed("disbursement_paymentattempt", "outcome_on", "2026-05-11", attempt.pk, mode="lifted")
    assert outcome(lambda: done) in ("payables.answers", "links.unsigned")


@pytest.mark.postgres
def test_an_account_that_is_given_up_for_no_other_is_found(district: None) -> None:
    in_use = PayeeAccount.objects.filter(state="checked").latest("pk")
    done = changed("disbursement_payeeaccount", "state", "retired", in_use.pk, mode="injected")
    assert outcome(lambda: done) in ("refused", "accounts")


@pytest.mark.postgres
def test_an_answer_of_the_banks_that_is_moved_to_another_payment_is_found(district: None) -> None:
    line = ReturnLine.objects.filter(attempt=None).earliest("pk")
    other = PaymentAttempt.objects.latest("pk")
    done = changed("disbursement_returnline", "attempt_id", other.pk, line.pk, mode="injected")
    assert outcome(lambda: done) in ("refused", "returns")
