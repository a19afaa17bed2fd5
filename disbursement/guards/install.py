"""Putting the guards into the database as triggers, in the words of SQLite and of PostgreSQL."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from disbursement.guards import chain
from disbursement.guards.triggers import helpers, triggers

# Names that triggers had before; dropped where they still stand.
_FORMER = (("disbursement_keep_balances", "disbursement_ledgertransfer"),)


def install(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create all triggers for the tables that are there, replacing those that stand; a `RunPython` operation.

    A migration that adds a guarded table, or a column to one, ends with it.
    """
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        tables = chain.tables_of(cursor, vendor=vendor)
        _drop_former(cursor, tables=tables, vendor=vendor)
        if vendor == "postgresql":
            for statement in helpers(tables).values():
                cursor.execute(statement)
        made: set[str] = set()
        for trigger in triggers(tables, vendor=vendor):
            if vendor == "postgresql":
                if trigger.function not in made:
                    cursor.execute(trigger.create_function)
                    made.add(trigger.function)
                # A row trigger that becomes a statement's cannot be replaced, only made anew.
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}")
                cursor.execute(trigger.create)
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")
                cursor.execute(trigger.body)
        if "disbursement_chainshape" in tables:
            _note_shapes(cursor, tables=tables)


def remove(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop them; the way back of `install`."""
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        tables = chain.tables_of(cursor, vendor=vendor)
        _drop_former(cursor, tables=tables, vendor=vendor)
        for trigger in triggers(tables, vendor=vendor):
            if vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION IF EXISTS {trigger.function} CASCADE")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")


def link_what_stands(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Link the rows that were there before links were: one link for each table and five thousand rows, or for each row
    of a table whose rows change. A `RunPython` operation, after `install`.
    """
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        _touch_sqlite(connection)
        return
    with connection.cursor() as cursor:
        for found in chain.linked(chain.tables_of(cursor, vendor="postgresql")):
            text = chain.content(found.columns, vendor="postgresql")
            kind, piece = ("row", "id") if found.whole else ("insert", "id / 5000")
            cursor.execute(
                f"SELECT count(disbursement_link('{found.table}', '{kind}', '{found.key}', p.ids, p.count,"
                " p.digest)::text)"
                " FROM (SELECT range_agg(int8range(id, id, '[]'))::text AS ids, count(*) AS count,"
                f" encode(sha256(convert_to(string_agg({text}, E'\\n' ORDER BY id), 'UTF8')), 'hex') AS digest"
                f" FROM {found.table} GROUP BY {piece}) p"
            )


def _touch_sqlite(connection: Any) -> None:
    at = "strftime('%Y-%m-%d %H:%M:%f', 'now')"
    with connection.cursor() as cursor:
        for found in chain.linked(chain.tables_of(cursor, vendor="sqlite")):
            kind = "row" if found.whole else "insert"
            text = chain.content(found.columns, vendor="sqlite")
            cursor.execute(
                "INSERT INTO disbursement_chainlink"
                " (stream, kind, shape, ids, count, digest, written_by, written_at, session, mac)"
                " SELECT p.stream, p.kind, p.shape, p.ids, 1, p.digest, 'sqlite', p.at, huida_session(),"
                " huida_mac(p.stream, p.kind, p.shape, p.ids, 1, p.digest, 'sqlite', p.at)"
                f" FROM (SELECT '{found.table}' AS stream, '{kind}' AS kind, '{found.key}' AS shape,"
                f" '{{[' || id || ',' || (id + 1) || ')}}' AS ids, huida_sha256({text}) AS digest, {at} AS at"
                f" FROM {found.table}) p"
            )


def _drop_former(cursor: Any, *, tables: Any, vendor: str) -> None:
    for name, table in _FORMER:
        if table in tables:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if vendor == "postgresql" else ""))


def _note_shapes(cursor: Any, *, tables: Any) -> None:
    every = list(chain.linked(tables))
    for found in (*every, *(one.as_answered() for one in every if one.answered)):
        cursor.execute(
            'INSERT INTO disbursement_chainshape ("table", key, columns) SELECT %s, %s, %s WHERE NOT EXISTS'
            ' (SELECT 1 FROM disbursement_chainshape WHERE "table" = %s AND key = %s)',
            [found.table, found.key, found.names, found.table, found.key],
        )
