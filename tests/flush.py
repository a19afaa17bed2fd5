"""Emptying a database whose append-only tables refuse it.

A test with transactions is undone by emptying every table: SQLite deletes the rows, PostgreSQL truncates. The triggers
that refuse this are lifted for that moment, inside the same transaction.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction

Flush = Callable[[Any, Iterable[str]], Any]


def lift_triggers_while_flushing() -> None:
    """From now on a flush of the test database takes its triggers off and puts them back, on every connection."""
    operations = type(connection.ops)
    flush: Flush = operations.execute_sql_flush
    lifted = _without_sqlite_triggers if connection.vendor == "sqlite" else _without_postgresql_triggers

    def execute_sql_flush(self: Any, statements: Iterable[str]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            lifted(cursor, lambda: flush(self, statements))

    operations.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign, assignment]


def _without_sqlite_triggers(cursor: Any, flush: Callable[[], Any]) -> None:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = cursor.fetchall()
    for name, _made in triggers:
        cursor.execute(f'DROP TRIGGER "{name}"')
    flush()
    for _name, made in triggers:
        cursor.execute(made)


def _without_postgresql_triggers(cursor: Any, flush: Callable[[], Any]) -> None:
    cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE '%\\_no\\_truncate'")
    triggers = cursor.fetchall()
    for table, name in triggers:
        cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')
    flush()
    for table, name in triggers:
        cursor.execute(f'ALTER TABLE {table} ENABLE TRIGGER "{name}"')
