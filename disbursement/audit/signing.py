"""The secret of a database session, with which the triggers sign what the session writes.

A session's secret is derived from the audit key and a random name; only the name is stored, so that nobody without the
key can sign, or check, a link. On PostgreSQL the secret is a session variable; a connection pooler must therefore pool
sessions, not transactions. On SQLite the triggers call a function that only the platform's connections have: another
program cannot write there at all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created
from django.dispatch import receiver

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def keys() -> list[str]:
    """The audit key in use, then those used before it (`HUIDA_AUDIT_KEYS`, or else the secret keys)."""
    return [*getattr(settings, "HUIDA_AUDIT_KEYS", ()), settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def secret_of(session: str, key: str) -> str:
    return hmac.new(key.encode(), f"huida.audit:{session}".encode(), hashlib.sha256).hexdigest()


def message(
    *, stream: str, kind: str, shape: str, ids: str, count: int, digest: str, written_by: str, microseconds: int
) -> str:
    """What a link's signature is for."""
    return "|".join((stream, kind, shape, ids, str(count), digest, written_by, str(microseconds)))


def mac(text: str, *, secret: str) -> str:
    return _sha256(secret + _sha256(text))


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


class Verifier:
    """Checks links' signatures, keeping the secrets of the sessions that it has met."""

    def __init__(self, candidates: Iterable[str] | None = None) -> None:
        self._keys = list(keys() if candidates is None else candidates)
        self._secrets: dict[str, list[str]] = {}

    def is_signed(self, *, session: str, signature: str, text: str) -> bool:
        if not session or not signature:
            return False
        if session not in self._secrets:
            if len(self._secrets) > 10_000:
                self._secrets.clear()
            self._secrets[session] = [secret_of(session, key) for key in self._keys]
        return any(hmac.compare_digest(mac(text, secret=secret), signature) for secret in self._secrets[session])


def sign(text: str) -> str:
    """The platform's own signature, for anchors."""
    return hmac.new(keys()[0].encode(), text.encode(), hashlib.sha256).hexdigest()


def is_own_signature(text: str, signature: str) -> bool:
    return any(
        hmac.compare_digest(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest(), signature)
        for key in keys()
    )


@receiver(connection_created, dispatch_uid="huida.audit.session")
def open_session(sender: Any, connection: Any, **kwargs: Any) -> None:
    """Give a new connection its session's name and secret."""
    session = secrets.token_hex(16)
    secret = secret_of(session, keys()[0])
    if connection.vendor == "postgresql":
        # Not through Django's cursor: nobody's count of queries, and no log of statements, has it.
        with connection.connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('huida.session', %s, false), set_config('huida.secret', %s, false)",
                (session, secret),
            )
    elif connection.vendor == "sqlite":
        made = connection.connection
        made.create_function("huida_session", 0, lambda: session, deterministic=False)
        made.create_function("huida_sha256", 1, _sqlite_sha256, deterministic=True)
        made.create_function("huida_mac", 8, lambda *parts: _sqlite_mac(secret, *parts), deterministic=False)


def _sqlite_mac(secret: str, *parts: Any) -> str:
    stream, kind, shape, ids, count, digest, written_by, at = parts
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    text = message(
        stream=stream,
        kind=kind,
        shape=shape,
        ids=ids,
        count=count,
        digest=digest,
        written_by=written_by,
        microseconds=microseconds(moment),
    )
    return mac(text, secret=secret)


def _sqlite_sha256(value: Any) -> str | None:
    if value is None:
        return None
    return hashlib.sha256(value if isinstance(value, bytes) else str(value).encode()).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
