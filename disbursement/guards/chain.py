"""Which tables leave links (`models.audit.ChainLink`) when they are written, and the SQL that reads a row's content.

The columns are those that the table has in the database when the triggers are installed: a column added later joins
with the next installation, and older links still say which columns they cover (`ChainShape`). The content of a row is
the JSON array of those columns: bytes as their digest, instants as seconds, so that no session setting changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from disbursement.guards.money import APPEND_ONLY, FROZEN, NEVER_DELETED, elsewhere

# A month writes these by the hundred thousand: one link for each statement, over the columns that never change.
BULK = ("disbursement_ledgeraccount", "disbursement_payable", "disbursement_paymentattempt", "disbursement_returnline")
# Of these only single rows change afterwards, by a person's answer: each change links the whole row.
ANSWERED = ("disbursement_returnline",)
# Too hot to be worth it: the numbers given out are unique in the tables that bear them.
UNLINKED = ("disbursement_counter", "disbursement_chainlink")
# Whole rows, a link for each time one is written. The ceilings of the budget are the registry's.
ROWS = (*(t for t in NEVER_DELETED if t not in (*BULK, *UNLINKED)), "registry_budgetline")


@dataclass(frozen=True, slots=True)
class Linked:
    """A table that leaves links: which columns (name → type) in which way."""

    table: str
    columns: tuple[tuple[str, str], ...]
    whole: bool  # each row by itself, again at each change
    bulk: bool  # changes of other columns are noted
    answered: tuple[tuple[str, str], ...] = ()  # … or, where given, linked with these columns

    def as_answered(self) -> Linked:
        """The same table as it is linked when a row of it is answered."""
        return Linked(self.table, self.answered, whole=True, bulk=False)

    @property
    def names(self) -> str:
        return ",".join(name for name, _type in self.columns)

    @property
    def key(self) -> str:
        return shape_key(self.table, self.names)


def shape_key(table: str, columns: str) -> str:
    return hashlib.sha256(f"{table}:{columns}".encode()).hexdigest()[:16]


def linked(tables: Mapping[str, Mapping[str, str]]) -> Iterator[Linked]:
    """The tables that leave links, of those in the database (name → columns with their types)."""
    for table in sorted({*APPEND_ONLY, *BULK, *ROWS, *elsewhere()}):
        if table not in tables or table in UNLINKED:
            continue
        present = tables[table]
        wanted: Iterable[str] = present
        if table in BULK:
            wanted = [name for name in ("id", *FROZEN[table]) if name in present]
        columns = tuple((name, present[name]) for name in wanted)
        answered = tuple(present.items()) if table in ANSWERED else ()
        yield Linked(table, columns, whole=table in ROWS, bulk=table in BULK, answered=answered)


def content(columns: Iterable[tuple[str, str]], *, vendor: str, row: str = "") -> str:
    """SQL for a row's content as text; `row` is the row's name in the statement, with its dot."""
    read, array = (_postgresql, "jsonb_build_array") if vendor == "postgresql" else (_sqlite, "json_array")
    values = ", ".join(read(f'{row}"{name}"', kind) for name, kind in columns)
    return f"{array}({values})" + ("::text" if vendor == "postgresql" else "")


def tables_of(cursor: Any, *, vendor: str) -> dict[str, dict[str, str]]:
    """The tables that are there, each with its columns and their types."""
    if vendor == "postgresql":
        cursor.execute(
            "SELECT c.relname, a.attname, t.typname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " JOIN pg_type t ON t.oid = a.atttypid WHERE c.relnamespace = current_schema()::regnamespace"
            " AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
        )
    else:
        cursor.execute(
            "SELECT m.name, p.name, lower(p.type) FROM sqlite_master m JOIN pragma_table_info(m.name) p"
            " WHERE m.type = 'table' ORDER BY m.name, p.cid"
        )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in cursor.fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _postgresql(column: str, kind: str) -> str:
    if kind == "bytea":
        return f"encode(sha256({column}), 'hex')"
    return f"EXTRACT(EPOCH FROM {column})" if kind == "timestamptz" else column


def _sqlite(column: str, kind: str) -> str:
    return f"huida_sha256({column})" if kind == "blob" else column
