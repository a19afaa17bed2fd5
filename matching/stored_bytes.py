"""Files in database columns, in pieces: put together by PostgreSQL, read back by their parts, never whole in memory.

SQLite, which has no server to put them together, gets them whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import IO, Any, BinaryIO, cast

from django.db import connection
from django.db.models import Model

_PIECE = 1024 * 1024


def pieces_of(content: bytes | IO[bytes]) -> Iterator[bytes]:
    """Bytes in pieces, from the beginning."""
    if isinstance(content, bytes):
        yield from (content[start : start + _PIECE] for start in range(0, len(content), _PIECE))
        return
    content.seek(0)
    while piece := content.read(_PIECE):
        yield piece


def create_with_content(model: type[Model], *, content: Iterable[bytes], **values: Any) -> int:
    """Insert a row whose column `content` holds those bytes, and return its id. In the caller's transaction."""
    if connection.vendor != "postgresql":
        made = model(**values, content=b"".join(content))
        made.save(force_insert=True)
        return int(made.pk)
    row = model(**values)
    fields = [f for f in model._meta.concrete_fields if not f.primary_key and f.name != "content"]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS huida_piece (place int, piece bytea) ON COMMIT DELETE ROWS"
        )
        cursor.execute("TRUNCATE huida_piece")
        for place, piece in enumerate(content):
            cursor.execute("INSERT INTO huida_piece VALUES (%s, %s)", [place, piece])
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} (content, {', '.join(str(field.column) for field in fields)})"
            " SELECT (SELECT COALESCE(string_agg(piece, ''::bytea ORDER BY place), ''::bytea) FROM huida_piece), "
            f"{', '.join(['%s'] * len(fields))} RETURNING id",
            [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields],
        )
        return int(cursor.fetchone()[0])


class StoredBytes(io.RawIOBase):
    """The bytes of a row's column `content`, read from the database in pieces."""

    def __init__(self, model: type[Model], pk: int) -> None:
        self._statement = f"SELECT substr(content, %s, %s) FROM {model._meta.db_table} WHERE id = %s"
        self._pk = pk
        self._at = 1
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._piece:
            with connection.cursor() as cursor:
                cursor.execute(self._statement, [self._at, _PIECE, self._pk])
                found = cursor.fetchone()
            self._piece = memoryview(bytes(found[0]) if found else b"")
            self._at += len(self._piece)
        taken = self._piece[: len(buffer)]
        buffer[: len(taken)] = taken
        self._piece = self._piece[len(taken) :]
        return len(taken)


def stored(model: type[Model], pk: int) -> BinaryIO:
    """A buffered file over `StoredBytes`."""
    return cast(BinaryIO, io.BufferedReader(StoredBytes(model, pk), buffer_size=_PIECE))
