"""Putting the guards into the database as triggers, in the words of SQLite and of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from disbursement.guards.money import APPEND_ONLY, NEVER_DELETED, guards


def install(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create all triggers, replacing those that stand; a `RunPython` operation."""
    statements = _postgresql() if schema_editor.connection.vendor == "postgresql" else _sqlite()
    with schema_editor.connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop them; the way back of `install`."""
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        if vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS disbursement_refuse_delete() CASCADE")
            cursor.execute("DROP FUNCTION IF EXISTS disbursement_keep_balances() CASCADE")
            cursor.execute("DROP FUNCTION IF EXISTS disbursement_refuse_balance() CASCADE")
        else:
            cursor.execute("DROP TRIGGER IF EXISTS disbursement_keep_balances")
        for guard in guards():
            if vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION IF EXISTS {guard.name}_check() CASCADE")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {guard.name}")


def _sqlite() -> Iterator[str]:
    for guard in guards():
        condition = guard.condition.replace("DIFFERS", "IS NOT")
        yield f"DROP TRIGGER IF EXISTS {guard.name}"
        yield (
            f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table} WHEN {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{guard.message}'); END"
        )
    # SQLite keeps decimals as binary doubles; rounding to the cent after each step keeps them the very
    # doubles that the decimal texts convert to, so that comparisons stay exact up to fifteen digits.
    yield "DROP TRIGGER IF EXISTS disbursement_keep_balances"
    yield (
        "CREATE TRIGGER disbursement_keep_balances AFTER INSERT ON disbursement_ledgertransfer BEGIN"
        " UPDATE disbursement_ledgeraccount SET balance = ROUND(balance - NEW.amount, 2) WHERE id = NEW.debit_id;"
        " UPDATE disbursement_ledgeraccount SET balance = ROUND(balance + NEW.amount, 2) WHERE id = NEW.credit_id;"
        " END"
    )


def _postgresql() -> Iterator[str]:
    for guard in guards():
        condition = guard.condition.replace("DIFFERS", "IS DISTINCT FROM")
        yield (
            f"CREATE OR REPLACE FUNCTION {guard.name}_check() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF {condition} THEN RAISE EXCEPTION '{guard.message}' USING ERRCODE = 'integrity_constraint_violation';"
            " END IF; RETURN NEW; END $$"
        )
        yield (
            f"CREATE OR REPLACE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table}"
            f" FOR EACH ROW EXECUTE FUNCTION {guard.name}_check()"
        )
    yield (
        "CREATE OR REPLACE FUNCTION disbursement_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',"
        " MESSAGE = TG_TABLE_NAME || ' is never deleted from';"
        " END $$"
    )
    for table in (*APPEND_ONLY, *NEVER_DELETED):
        yield (
            f"CREATE OR REPLACE TRIGGER {table}_no_delete BEFORE DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION disbursement_refuse_delete()"
        )
        # Row triggers do not see a TRUNCATE.
        yield (
            f"CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION disbursement_refuse_delete()"
        )
    # Once a statement, not once a row: a batch of a hundred thousand lines touches each balance a single
    # time.
    yield (
        "CREATE OR REPLACE FUNCTION disbursement_keep_balances() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " UPDATE disbursement_ledgeraccount a SET balance = a.balance + moved.amount FROM ("
        " SELECT account, SUM(amount) AS amount FROM ("
        " SELECT debit_id AS account, -amount AS amount FROM posted"
        " UNION ALL SELECT credit_id, amount FROM posted) each_side GROUP BY account) moved"
        " WHERE a.id = moved.account; RETURN NULL; END $$"
    )
    yield (
        "CREATE OR REPLACE TRIGGER disbursement_keep_balances AFTER INSERT ON disbursement_ledgertransfer"
        " REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION disbursement_keep_balances()"
    )
    yield (
        "CREATE OR REPLACE FUNCTION disbursement_refuse_balance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'balances follow from transfers' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    yield (
        "CREATE OR REPLACE TRIGGER disbursement_balance_follows BEFORE UPDATE ON disbursement_ledgeraccount"
        " FOR EACH ROW WHEN (OLD.balance IS DISTINCT FROM NEW.balance AND pg_trigger_depth() = 0)"
        " EXECUTE FUNCTION disbursement_refuse_balance()"
    )
