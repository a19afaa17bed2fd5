"""Thousands of rows in one statement, and which of them are new.

Django's `bulk_create` cannot say which rows were written where conflicts are passed over, and makes an object and a
placeholder for each value. Here PostgreSQL unnests one array a column, SQLite takes lists of values.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import BooleanField, DateField, DateTimeField, Field, IntegerField, JSONField, Model

from matching.chunks import chunks

_MOST = {"postgresql": 5000, "sqlite": 500}

Row = Sequence[Any]


def insert(
    *,
    model: type[Model],
    fields: Sequence[str],
    rows: Sequence[Row],
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
) -> list[int]:
    """Insert rows, each with a value for each of `fields` (foreign keys as `name_id`); return the ids of those written.

    A row that meets one with the same values in `unique` changes that one's `update` fields (its id is returned too),
    or is passed over where there are none. Rows are written in the order given. Defaults and `save` are not used.
    """
    columns = [_field(model, name) for name in fields]
    conflict = ""
    if unique:
        met = ", ".join(_quoted(_field(model, name)) for name in unique)
        sets = ", ".join(f"{name} = excluded.{name}" for name in (_quoted(_field(model, n)) for n in update))
        conflict = f" ON CONFLICT ({met}) DO " + (f"UPDATE SET {sets}" if sets else "NOTHING")
    names = ", ".join(map(_quoted, columns))
    assert model._meta.pk is not None
    head = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({names}) "
    tail = f"{conflict} RETURNING {_quoted(model._meta.pk)}"
    written: list[int] = []
    with connection.cursor() as cursor:
        for piece in chunks(rows, _MOST[connection.vendor]):
            source, values = _unnested(columns, piece) if connection.vendor == "postgresql" else _listed(columns, piece)
            cursor.execute(head + source + tail, values)
            written += [pk for (pk,) in cursor.fetchall()]
    return written


def _unnested(columns: Sequence[Field[Any, Any]], rows: Sequence[Row]) -> tuple[str, list[Any]]:
    types = [_array_type(column) for column in columns]
    arrays = ", ".join(f"%s::{type_}[]" for type_ in types)
    names = [f"c{number}" for number in range(len(columns))]
    # A cast to varchar(n) would cut off what is too long; text is refused instead.
    selected = [f"{name}::jsonb" if isinstance(c, JSONField) else name for name, c in zip(names, columns, strict=True)]
    values = [
        [json.dumps(value, ensure_ascii=False) for value in column] if isinstance(field, JSONField) else list(column)
        for field, column in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    return f"SELECT {', '.join(selected)} FROM unnest({arrays}) AS given({', '.join(names)})", values


def _listed(columns: Sequence[Field[Any, Any]], rows: Sequence[Row]) -> tuple[str, list[Any]]:
    one = f"({', '.join(['%s'] * len(columns))})"
    values = [
        field.get_db_prep_save(value, connection) for row in rows for field, value in zip(columns, row, strict=True)
    ]
    return f"VALUES {', '.join([one] * len(rows))}", values


def _array_type(field: Field[Any, Any]) -> str:
    target: Field[Any, Any] = getattr(field, "target_field", field)
    if isinstance(target, IntegerField):
        return "bigint"
    if isinstance(target, BooleanField):
        return "boolean"
    if isinstance(target, DateTimeField):
        return "timestamptz"
    return "date" if isinstance(target, DateField) else "text"


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    found: Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]
    return found


def _quoted(field: Field[Any, Any]) -> str:
    assert field.column is not None
    return connection.ops.quote_name(field.column)
