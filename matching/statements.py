"""Set-based SQL that both databases understand."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from matching.chunks import chunks

_ROWS_AT_ONCE = 1000


def among(column: str, ids: Collection[int] | Collection[str]) -> tuple[str, list[Any]]:
    """A condition that the column holds one of these ids or texts, and its parameter: one, however many they are."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)", [list(ids)]
    return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(list(ids))]


def plain(value: Any) -> Any:
    """A value as the database keeps it: SQLite has instants as text in UTC, days and decimals as text."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    if isinstance(value, Decimal) and connection.vendor == "sqlite":
        return str(value)
    return value


def put_rows(*, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values into the caller's transaction, streamed: by COPY where there is one. Triggers and
    constraints hold as for any insertion; defaults of the model are not used.
    """
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"
        for piece in chunks(rows, _ROWS_AT_ONCE):
            cursor.executemany(statement, [[plain(value) for value in row] for row in piece])
