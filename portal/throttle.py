"""At most so many in so long, for what a stranger may send: counted by the address that it comes from."""

from __future__ import annotations

import hashlib

from django.core.cache import cache
from django.http import HttpRequest


def take(request: HttpRequest, *, name: str, most: int, seconds: int) -> bool:
    """Count one of `name` from the request's address; whether it is still one of `most` within `seconds`."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    key = f"throttle:{name}:{hashlib.sha256(address.encode()).hexdigest()}"
    cache.add(key, 0, seconds)
    try:
        taken = cache.incr(key)
    except ValueError:  # it expired between the two calls
        cache.set(key, 1, seconds)
        taken = 1
    return taken <= most
