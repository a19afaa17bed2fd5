"""Slows down guessing of passwords: a few wrong ones for one account from one address, then a pause."""

from __future__ import annotations

import hashlib

from django.core.cache import cache

MAX_FAILURES = 6
PAUSE_SECONDS = 300


def _key(*, username: str, address: str) -> str:
    name = f"{username.strip().casefold()}\0{address}".encode("utf-8", "surrogatepass")
    return f"login-failures:{hashlib.sha256(name).hexdigest()}"


def is_paused(*, username: str, address: str) -> bool:
    return int(cache.get(_key(username=username, address=address), 0)) >= MAX_FAILURES


def note_failure(*, username: str, address: str) -> int:
    """Count one wrong password; return how many tries are left before the pause."""
    key = _key(username=username, address=address)
    cache.add(key, 0, PAUSE_SECONDS)
    try:
        failures = cache.incr(key)
    except ValueError:  # it expired between the two calls
        cache.set(key, 1, PAUSE_SECONDS)
        failures = 1
    return max(0, MAX_FAILURES - failures)


def forget_failures(*, username: str, address: str) -> None:
    cache.delete(_key(username=username, address=address))
