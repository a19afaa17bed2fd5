"""Emptying a SQLite database whose append-only tables refuse a DELETE.

A test with transactions is undone by deleting every row. PostgreSQL truncates, which row triggers do not see; SQLite
deletes, so there the triggers are lifted for that moment, inside the same transaction.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction


def lift_triggers_while_flushing() -> None:
    """From now on a flush of the SQLite test database takes its triggers off and puts them back."""
    flush: Callable[[Iterable[str]], Any] = connection.ops.execute_sql_flush

    def without_triggers(statements: Iterable[str]) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _made in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            flush(statements)
            for _name, made in triggers:
                cursor.execute(made)

    connection.ops.execute_sql_flush = without_triggers  # type: ignore[method-assign, assignment]
