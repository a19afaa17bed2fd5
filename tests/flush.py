"""Bringing a database back to what its migrations left, after a test with transactions.

Django truncates every table, which on PostgreSQL makes a thousand files anew each time, and then tells each application
that it was migrated, which makes types and permissions anew; what migrations put there is lost. Here it is remembered
when the database is made. A flush deletes the rows of those few tables that have any, puts the remembered ones back,
and every test finds what the first one found. Tables are append-only: triggers and foreign keys are off for the moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from django.core.management.commands import flush
from django.db import connection, transaction


def keep_what_is_there() -> None:
    """From now on a flush brings the test database back to what it holds now, by whatever connection."""
    kept = _KeptSqlite() if connection.vendor == "sqlite" else _KeptPostgresql()
    operations: Any = type(connection.ops)
    operations.execute_sql_flush = lambda self, statements: kept.restore()
    # What applications make when they are migrated is among what was kept.
    flush.emit_post_migrate_signal = lambda *args, **options: None  # type: ignore[attr-defined]


class _KeptSqlite:
    """A copy in memory, copied back whole."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._copy = sqlite3.connect(":memory:", check_same_thread=False)
        connection.connection.backup(self._copy)

    def restore(self) -> None:
        connection.ensure_connection()
        self._copy.backup(connection.connection)


class _KeptPostgresql:
    """The rows of the few tables that have any, as COPY gives and takes them."""

    def __init__(self) -> None:
        self._tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        self._rows = {table: _read(table) for table in self._filled()}

    def restore(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in self._filled():
                cursor.execute(f'DELETE FROM "{table}"')
            for table, rows in self._rows.items():
                _write(table, rows)

    def _filled(self) -> list[str]:
        parts: Iterable[str] = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in self._tables)
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts))
            return [name for (name,) in cursor.fetchall()]


def _read(table: str) -> bytes:
    with _driver_cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as rows:
        return b"".join(bytes(piece) for piece in rows)


def _write(table: str, content: bytes) -> None:
    with _driver_cursor() as cursor, cursor.copy(f'COPY "{table}" FROM STDIN') as rows:
        rows.write(content)


def _driver_cursor() -> Any:
    """Psycopg's own: Django's has no COPY."""
    connection.ensure_connection()
    return connection.connection.cursor()
