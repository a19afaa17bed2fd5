"""A migrated database in a second instead of half a minute.

Wagtail and we bring some two hundred migrations. They are run once for each state of the migration files; the result
is kept as a template (a SQLite file, or a PostgreSQL template database) from which each test process copies.
"""

import fcntl
import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import connection, connections

from portal.migrating import migrate_empty_database

TRIGGER_SOURCES = (
    "disbursement/guards/*.py",
    "disbursement/domain/workflow.py",
    "disbursement/domain/states.py",
    "disbursement/ledger/posting.py",
)
TEMPLATES = Path(settings.BASE_DIR) / "var" / "test-templates"


def migrations_key() -> str:
    """A digest of every installed application's migrations, and of what they make triggers from."""
    digest = hashlib.sha256(django.get_version().encode())
    for config in sorted(apps.get_app_configs(), key=lambda found: found.label):
        for path in sorted((Path(config.path) / "migrations").glob("*.py")):
            digest.update(f"{config.label}/{path.name}".encode())
            digest.update(path.read_bytes())
    for source in TRIGGER_SOURCES:
        for path in sorted(Path(settings.BASE_DIR).glob(source)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    with (TEMPLATES / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def point_at(name: str) -> None:
    connections.close_all()
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name


def make_sqlite_database(suffix: str) -> str:
    """An in-memory database of this process, copied from the template. Returns its name."""
    key = migrations_key()
    template = TEMPLATES / f"{key}.sqlite3"
    with one_at_a_time("sqlite"):
        if not template.exists():
            for old in TEMPLATES.glob("*.sqlite3*"):
                old.unlink()
            making = TEMPLATES / f"{key}.making.sqlite3"
            point_at(str(making))
            migrate_empty_database()
            connection.close()
            making.rename(template)
    name = f"file:huida_{suffix}?mode=memory&cache=shared"
    point_at(name)
    connection.ensure_connection()
    source = sqlite3.connect(template)
    source.backup(connection.connection)
    source.close()
    return name


def make_postgresql_database(suffix: str) -> str:
    """A database of this process's own, copied from a template database on the server. Returns its name."""
    base = settings.DATABASES["default"]["NAME"]
    template = f"template_{base}_{migrations_key()}"
    name = f"test_{base}_{suffix}"
    with one_at_a_time("postgresql"):
        with administration() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", [template])
            exists = cursor.fetchone() is not None
        if not exists:
            making = f"making_{template}"
            with administration() as cursor:
                cursor.execute(f'drop database if exists "{making}" with (force)')
                cursor.execute(f'create database "{making}"')
            point_at(making)
            migrate_empty_database()
            connection.close()
            with administration() as cursor:
                cursor.execute(f'alter database "{making}" rename to "{template}"')
        _copy(template, name)
    _made_from[name] = template
    point_at(name)
    return name


_made_from: dict[str, str] = {}


def untouched_copy_of(name: str) -> str:
    """Another copy of what a database of this process was copied from: as migrations leave it. Returns its name.

    Tests with transactions empty their database, also of what migrations put there.
    """
    made = f"{name}_untouched"
    with one_at_a_time("postgresql"):
        _copy(_made_from[name], made)
    return made


def _copy(template: str, name: str) -> None:
    with administration() as cursor:
        cursor.execute(f'drop database if exists "{name}" with (force)')
        cursor.execute(f'create database "{name}" template "{template}"')


def drop_postgresql_database(name: str) -> None:
    connections.close_all()
    with administration() as cursor:
        cursor.execute(f'drop database if exists "{name}" with (force)')


@contextmanager
def administration() -> Iterator[Any]:
    """A cursor outside any transaction, on the server's maintenance database."""
    import psycopg

    wanted = settings.DATABASES["default"]
    server = psycopg.connect(
        dbname="postgres",
        user=wanted["USER"],
        password=wanted["PASSWORD"],
        host=wanted["HOST"],
        port=wanted["PORT"] or 5432,
        autocommit=True,
    )
    try:
        yield server.cursor()
    finally:
        server.close()
