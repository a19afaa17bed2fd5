"""Who may match at the same time.

A run over all enterprises for one version, and runs over all versions for some enterprises, write the same rows. Two
of the latter never meet (each holds its enterprises' profiles); the former runs alone, so that what it read is not
overtaken before it is written. SQLite has one writer at a time anyway.
"""

from django.db import connection

_MATCHING = 7_301_001  # the number of this advisory lock, any but the same everywhere


def matching_alone() -> None:
    """Until the transaction ends, no other run matches."""
    _advisory("pg_advisory_xact_lock")


def matching_together() -> None:
    """Until the transaction ends, no run that wants to be alone begins."""
    _advisory("pg_advisory_xact_lock_shared")


def _advisory(function: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("a lock of a transaction needs a transaction")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_MATCHING])
