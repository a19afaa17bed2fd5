"""Nothing that was decided, signed or paid can be changed behind the platform's back without an audit finding it."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from disbursement.audit import service
from disbursement.audit.findings import Scope
from tests.integration.disbursement.tampering import forge, scene

pytestmark = pytest.mark.django_db
# CI takes a sample; `make tamper` takes a thousand.
SEEDS = range(
    int(os.environ.get("TAMPER_FROM", "0")),
    int(os.environ.get("TAMPER_FROM", "0")) + int(os.environ.get("TAMPER", "150")),
)
_SQLITE_SEEDS = 60


@pytest.fixture
def district(db: Any, settings: Any, tmp_path: Any) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"
    scene.build()


def found(done: forge.Tampering) -> str:
    """What the audit says of it first; empty where it says nothing."""
    first = next(service.findings(scope=Scope(tables=frozenset({done.table})), only=_order(done)), None)
    return "" if first is None else first.check


def _order(done: forge.Tampering) -> list[str]:
    return [name for name in service.CHECKS if name not in ("structure", "anchors")] + ["anchors"]


def outcome(seed: int, *, names: list[str], modes: tuple[str, ...]) -> str:
    """“refused”, the check that found it, or what was missed."""
    try:
        done = forge.tampering(seed, names=names, modes=modes)
    except forge.NothingToDo:
        return "nothing"
    point = transaction.savepoint()
    try:
        before = _content(done.table)
        try:
            with transaction.atomic():
                forge.carry_out(done)
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
        return [
            tuple(map(str, (bytes(v) if isinstance(v, memoryview) else v for v in row))) for row in cursor.fetchall()
        ]


def test_an_untouched_district_gives_no_finding(district: None) -> None:
    assert [str(finding) for finding in service.findings(scope=Scope())] == []


@pytest.mark.postgres
def test_every_tampering_is_refused_or_found(district: None) -> None:
    names = forge.tables()
    results = Counter(outcome(seed, names=names, modes=("plain", "lifted", "rewritten")) for seed in SEEDS)
    missed = [result for result in results if result.startswith("MISSED")]
    print(dict(results))
    assert missed == []
    assert results["nothing"] < len(SEEDS) / 5
