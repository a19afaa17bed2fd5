"""Putting the guards into the database as triggers, in the words of SQLite and of PostgreSQL."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from disbursement.guards import chain
from disbursement.guards.triggers import helpers, triggers


def install(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create all triggers for the tables that are there, replacing those that stand; a `RunPython` operation.

    A migration that adds a guarded table, or a column to one, ends with it.
    """
    vendor = schema_editor.connection.vendor
    with schema_editor.connection.cursor() as cursor:
        tables = chain.tables_of(cursor, vendor=vendor)
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
        for trigger in triggers(tables, vendor=vendor):
            if vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION IF EXISTS {trigger.function} CASCADE")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")


def _note_shapes(cursor: Any, *, tables: Any) -> None:
    every = list(chain.linked(tables))
    for found in (*every, *(one.as_answered() for one in every if one.answered)):
        cursor.execute(
            'INSERT INTO disbursement_chainshape ("table", key, columns) SELECT %s, %s, %s WHERE NOT EXISTS'
            ' (SELECT 1 FROM disbursement_chainshape WHERE "table" = %s AND key = %s)',
            [found.table, found.key, found.names, found.table, found.key],
        )
