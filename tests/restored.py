"""A scene that many examples share: made once, each example rolled back, the database afterwards as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from copy import deepcopy
from typing import Any, TypeVar

from django.db import connection, transaction

Scene = TypeVar("Scene")
# What `make` gave and the database with it, of each scene that is named.
_kept: dict[Hashable, tuple[Any, sqlite3.Connection]] = {}


@contextmanager
def restored(make: Callable[[], Scene], *, name: Hashable = None) -> Iterator[Scene]:
    """What `make` puts into the database, until the block ends.

    On SQLite it is committed, and a copy taken before brings the database back: within one long transaction each
    savepoint would walk the journal from its beginning. A scene with a name is made once for the process there, and
    copied wherever else it is asked for; nobody sees what another did to it.
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
            yield _committed(make) if name is None else _put(name, make)
        finally:
            before.backup(connection.connection)


def _committed(make: Callable[[], Scene]) -> Scene:
    with transaction.atomic():
        made = make()
        # Nobody is to be told of it.
        connection.run_on_commit.clear()
    return made


def _put(name: Hashable, make: Callable[[], Scene]) -> Scene:
    if name not in _kept:
        made = _committed(make)
        copy = sqlite3.connect(":memory:")
        connection.connection.backup(copy)
        _kept[name] = (made, copy)
    made, copy = _kept[name]
    copy.backup(connection.connection)
    return deepcopy(made)


@contextmanager
def undone() -> Iterator[None]:
    """One example on that scene: what it does is rolled back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
