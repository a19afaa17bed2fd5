"""A scene that many examples share: made once, each example rolled back, the database afterwards as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from django.db import connection, transaction

Scene = TypeVar("Scene")


@contextmanager
def restored(make: Callable[[], Scene]) -> Iterator[Scene]:
    """What `make` puts into the database, until the block ends.

    On SQLite it is committed, and a copy taken before brings the database back: within one long transaction each
    savepoint would walk the journal from its beginning.
    """
    if connection.vendor != "sqlite":
        with transaction.atomic():
            yield make()
            transaction.set_rollback(True)
        return
    connection.ensure_connection()
    with closing(sqlite3.connect(":memory:")) as before:
        connection.connection.backup(before)
        try:
            with transaction.atomic():
                made = make()
                # Nobody is to be told of it.
                connection.run_on_commit.clear()
            yield made
        finally:
            before.backup(connection.connection)


@contextmanager
def undone() -> Iterator[None]:
    """One example on that scene: what it does is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
