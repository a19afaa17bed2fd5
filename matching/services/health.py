"""Whether the search server behind matching and search is as it should be, for the health page."""

import threading
import time

from django.conf import settings

from matching.backends.elastic import health

_KEPT = 5.0
"""Seconds for which an answer is given again: whoever watches often must not load a server that is in trouble."""
_lock = threading.Lock()
_last: tuple[float, tuple[str, ...], list[str]] | None = None


def notices() -> list[str]:
    """What is not well, in words; nothing where the settings do without Elasticsearch. Takes a second at most."""
    global _last  # noqa: PLW0603 - one answer for the process
    kinds: list[str] = []
    if settings.HUIDA_MATCHER == "elasticsearch":
        kinds += ["clauses", "profiles"]
    if settings.HUIDA_SEARCH == "elasticsearch":
        kinds.append("items")
    if not kinds:
        return []
    asked = (settings.ELASTICSEARCH_URL, *kinds)
    with _lock:
        if _last is None or _last[1] != asked or time.monotonic() - _last[0] > _KEPT:
            found = health.findings(kinds)
            _last = (time.monotonic(), asked, found)
        return list(_last[2])
