"""`manage.py audit` as it is run: clean, with findings, over one application, over triggers tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from disbursement.audit import anchors, service
from disbursement.audit.acknowledge import acknowledge, digest_of
from disbursement.audit.findings import Scope
from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Invalid
from disbursement.models import Anchor, Application, AuditRun, ChainLink, FindingAcknowledgement, LedgerAccount, Payable
from disbursement.tasks import nightly_audit
from tests.factories import disbursement as people
from tests.factories.disbursement import at, staff
from tests.integration.disbursement.tampering import forge

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    out = StringIO()
    try:
        call_command("audit", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    return 0, out.getvalue()


def lifted(*statements: tuple[str, list[Any]], table: str) -> None:
    """Past every trigger, which are put back afterwards."""
    with connection.cursor() as cursor:
        triggers: list[Any] = []
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
            triggers = cursor.fetchall()
            for name, _sql in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
        with forge.as_stranger("lifted"):
            for sql, values in statements:
                cursor.execute(sql, values)
        for _name, sql in triggers:
            cursor.execute(sql)


def test_a_clean_district_passes_and_the_run_is_kept(district: Path) -> None:
    assert "没有新的存证" in run("--anchor")[1]
    staff("reviewer")
    code, out = run("--anchor")
    assert (code, "未发现不符。" in out) == (0, True)
    assert "锚点第" in out
    kept = AuditRun.objects.latest("pk")
    assert (kept.finding_count, kept.scope) == (0, {})
    assert kept.checked["payables"] == Payable.objects.count()


def test_the_night_proves_and_anchors(district: Path) -> None:
    before = Anchor.objects.count()
    staff("reviewer")
    assert nightly_audit() == 0
    assert Anchor.objects.count() == before + 1
    waiting = ChainLink.objects.filter(anchor__isnull=True)
    assert {link.stream for link in waiting} == {"disbursement_anchor"}
    assert anchors.anchor(now=at("2026-05-02")) is None


def test_a_finding_has_its_place_its_remedy_and_exit_code_one(district: Path) -> None:
    account = LedgerAccount.objects.get(kind="appropriated")
    lifted(
        ("UPDATE disbursement_ledgeraccount SET balance = balance + 1 WHERE id = %s", [account.pk]),
        table="disbursement_ledgeraccount",
    )
    code, out = run()
    assert code == 1
    assert str(account.budget_line) in out
    assert "处理办法" in out
    code, out = run("--json")
    told = json.loads(out)
    assert code == 1
    assert told["finding_count"] == len(told["findings"]) > 0
    assert {"check", "place", "problem", "remedy", "mark"} == set(told["findings"][0])


def test_one_application_is_audited_with_its_money_alone(district: Path) -> None:
    clean, dirty = Application.objects.filter(state="approved").order_by("pk")[:2]
    payable = Payable.objects.filter(application=dirty).order_by("number").last()
    assert payable is not None
    lifted(
        ("UPDATE disbursement_payable SET state = 'cancelled' WHERE id = %s", [payable.pk]),
        table="disbursement_payable",
    )
    code, out = run("--application", str(dirty.number))
    assert code == 1
    assert str(dirty.number) in out
    scope = service.scope_of_application(number=str(clean.number))
    told = service.findings(scope=scope, only=["applications", "payables", "papers"])
    assert list(told) == []
    assert run("--since", "2026-03-01")[0] == 1


@pytest.mark.parametrize("arguments", [("--application", "2026-999999"), ("--since", "gestern")])
def test_what_cannot_be_audited_is_told_with_exit_code_two(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("audit", *arguments, stdout=StringIO())
    assert refusal.value.returncode == 2


def structure() -> list[str]:
    return [finding.place for finding in service.findings(scope=Scope(), only=["structure"])]


def test_a_missing_or_changed_trigger_is_found_and_put_back(district: Path) -> None:
    name, table = "disbursement_payable_amount", "disbursement_payable"
    postgresql = connection.vendor == "postgresql"
    attacks: list[Callable[[Any], object]] = [
        lambda c: c.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if postgresql else "")),
    ]
    if postgresql:
        attacks += [
            lambda c: c.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}"),
            lambda c: c.execute(
                f"CREATE OR REPLACE FUNCTION {name}_check() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RETURN NEW; END $$"
            ),
        ]
    assert structure() == []
    for attack in attacks:
        with connection.cursor() as cursor:
            attack(cursor)
        assert any(name in place for place in structure())
        run("--repair-guards", "--application", str(Application.objects.filter(state="approved")[0].number))
        if postgresql:
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
        assert structure() == []


@pytest.mark.postgres
@pytest.mark.postgres  # SQLite drops none
def test_a_dropped_constraint_is_found(district: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE disbursement_batch DROP CONSTRAINT disbursement_batch_maker_not_checker")
    assert any("disbursement_batch_maker_not_checker" in place for place in structure())


def test_deleted_rows_and_forged_rows_are_found_on_every_database(district: Path) -> None:
    victim = Payable.objects.filter(transfers__isnull=False).latest("pk")
    entry = victim.transfers.earliest("pk")
    deeds: dict[str, tuple[str, list[Any]]] = {
        "disbursement_statechange": ("DELETE FROM disbursement_statechange WHERE payable_id = %s", [victim.pk]),
        "disbursement_ledgertransfer": (
            "UPDATE disbursement_ledgertransfer SET amount = amount + 1 WHERE id = %s",
            [entry.pk],
        ),
        "disbursement_payeeaccount": ("UPDATE disbursement_payeeaccount SET account_number = '99999999'", []),
        "disbursement_batchapproval": (
            (
                "UPDATE disbursement_batchapproval SET person_id = (SELECT max(id) FROM accounts_user)"
                " WHERE id = (SELECT min(id) FROM disbursement_batchapproval)"
            ),
            [],
        ),
    }
    for table, deed in deeds.items():
        lifted(deed, table=table)
        scope = Scope(tables=frozenset({table}))
        assert next(service.findings(scope=scope, only=["links"]), None) is not None, table


def test_a_correction_in_raw_sql_is_reported_until_a_supervisor_says_what_it_is(district: Path) -> None:
    def corrected(name: str) -> None:
        with connection.cursor() as cursor, forge.as_stranger("plain"):
            cursor.execute("UPDATE registry_budgetline SET name = %s", [name])

    supervisor = Actor(user_id=people.user().pk, supervised=frozenset({None}))
    corrected("创新发展专项（更名）")
    assert run()[0] == 1
    last = AuditRun.objects.latest("pk")
    told = last.findings
    assert told
    words: dict[str, Any] = {"reason": "财政局更名，运维人员依批复更正", "paper_number": "青财〔2026〕31号"}
    whom: dict[str, Any] = {"run_id": last.pk, "digest": digest_of(told[0]), "now": at("2026-05-02")}
    with pytest.raises(Denied):
        acknowledge(actor=people.staff("finance_approver"), **whom, **words)
    with pytest.raises(Invalid, match="文号"):
        acknowledge(actor=supervisor, **whom, reason="更名", paper_number=" ")
    with pytest.raises(Invalid, match="不能以说明了结"):
        acknowledge(actor=supervisor, **{**whom, "digest": "0" * 64}, **words)
    for finding in told:
        acknowledge(actor=supervisor, **{**whom, "digest": digest_of(finding)}, **words)
    code, out = run()
    assert (code, f"已核查并说明的发现{len(told)}" in out) == (0, True)
    corrected("又一个名称")
    assert run()[0] == 1
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        FindingAcknowledgement.objects.update(reason="另一个理由")


def test_what_is_no_write_from_outside_cannot_be_acknowledged(district: Path) -> None:
    lifted(
        ("UPDATE disbursement_ledgeraccount SET balance = balance + 1 WHERE kind = 'appropriated'", []),
        table="disbursement_ledgeraccount",
    )
    run()
    told = AuditRun.objects.latest("pk").findings
    books = [finding for finding in told if finding["check"] == "ledger"]
    assert books
    assert {digest_of(finding) for finding in books} == {""}
