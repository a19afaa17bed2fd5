"""Thousands of rows in one statement, and which of them are new.

Django's `bulk_create` cannot say which rows were written where conflicts are passed over, and makes an object and a
placeholder for each value. Here the rows are one parameter: a JSON text, which the database takes apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import BooleanField, DateField, DateTimeField, F, Field, IntegerField, JSONField, Lookup, Model

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
    """Insert rows, each with a value for each of `fields` (foreign keys as ids); return the ids of those written.

    A row that meets one with the same values in `unique` changes that one's `update` fields (its id is returned too),
    or is passed over where there are none. Rows are written in the order given. Defaults and `save` are not used.
    """
    columns = [_field(model, name) for name in fields]
    conflict = ""
    if unique:
        met = ", ".join(_quoted(_field(model, name)) for name in unique)
        sets = ", ".join(f"{name} = excluded.{name}" for name in (_quoted(_field(model, n)) for n in update))
        conflict = f" ON CONFLICT ({met}) DO " + (f"UPDATE SET {sets}" if sets else "NOTHING")
    assert model._meta.pk is not None
    head = f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} ({', '.join(map(_quoted, columns))}) "
    tail = f"{conflict} RETURNING {_quoted(model._meta.pk)}"
    source = _from_json if connection.vendor == "postgresql" else _from_values
    written: list[int] = []
    with connection.cursor() as cursor:
        for piece in chunks(rows, _MOST[connection.vendor]):
            select, parameters = source(columns, piece)
            cursor.execute(head + select + tail, parameters)
            written += [pk for (pk,) in cursor.fetchall()]
    return written


class Among(Lookup):
    """Whether a column holds one of the ids, as a condition for `filter`. The ids are one parameter: a statement with
    a placeholder for each costs more to put together than to answer."""

    prepare_rhs = False

    def __init__(self, column: str, ids: Iterable[int]) -> None:
        super().__init__(F(column), list(ids))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        column, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":
            return f"{column} = ANY(%s)", [*parameters, self.rhs]
        return f"{column} IN (SELECT value FROM json_each(%s))", [*parameters, json.dumps(self.rhs)]


def _from_json(columns: Sequence[Field[Any, Any]], rows: Sequence[Row]) -> tuple[str, list[Any]]:
    names = [f"c{number}" for number in range(len(columns))]
    given = ", ".join(f"{name} {_type(column)}" for name, column in zip(names, columns, strict=True))
    text = json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False, default=str)
    return f"SELECT {', '.join(names)} FROM json_to_recordset(%s) AS given({given})", [text]


def _from_values(columns: Sequence[Field[Any, Any]], rows: Sequence[Row]) -> tuple[str, list[Any]]:
    one = f"({', '.join(['%s'] * len(columns))})"
    values = [
        field.get_db_prep_save(value, connection) for row in rows for field, value in zip(columns, row, strict=True)
    ]
    return f"VALUES {', '.join([one] * len(rows))}", values


def _type(field: Field[Any, Any]) -> str:
    """A type that takes the value as it is; a varchar(n) would cut off what is too long, text has it refused."""
    target: Field[Any, Any] = getattr(field, "target_field", field)
    if isinstance(target, IntegerField):
        return "bigint"
    if isinstance(target, BooleanField):
        return "boolean"
    if isinstance(target, JSONField):
        return "jsonb"
    if isinstance(target, DateTimeField):
        return "timestamptz"
    return "date" if isinstance(target, DateField) else "text"


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    found: Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]
    return found


def _quoted(field: Field[Any, Any]) -> str:
    assert field.column is not None
    return connection.ops.quote_name(field.column)
