"""How long whoever asks is ready to wait for a service: a person for seconds, a job that writes an index for longer.

Said by the caller, in whatever thread it runs, and read where the request is made, so that no call between the two has
to hand a time limit on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("until", default=None)
_each: ContextVar[float | None] = ContextVar("each", default=None)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Inside, all requests together have this long; an outer, shorter limit stays. Not across a ``yield``."""
    end = time.monotonic() + seconds
    outer = _until.get()
    token = _until.set(end if outer is None else min(end, outer))
    try:
        yield
    finally:
        _until.reset(token)


@contextmanager
def unhurried(seconds: float) -> Iterator[None]:
    """Inside, each single request has this long, where nobody set a limit for all."""
    token = _each.set(seconds)
    try:
        yield
    finally:
        _each.reset(token)


def is_unhurried() -> bool:
    """Whether a job asks, which may wait until the server has time again, and no person."""
    return _each.get() is not None and _until.get() is None


def for_request(usual: float) -> float:
    """Seconds that the next request may take; none left is 0."""
    each = _each.get()
    until = _until.get()
    seconds = usual if each is None else each
    if until is not None:
        seconds = min(seconds, max(0.0, until - time.monotonic()))
    return seconds
