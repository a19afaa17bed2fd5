"""Where the words of a query stand in a text, for marking them."""

from __future__ import annotations

import re
from collections.abc import Iterable

Piece = tuple[str, bool]


def pieces(text: str, words: Iterable[str]) -> list[Piece]:
    """The text in pieces, each with whether it is one of the words (upper and lower case alike, the longest first)."""
    wanted = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    if not wanted or not text:
        return [(text, False)] if text else []
    found: list[Piece] = []
    last = 0
    for match in re.finditer("|".join(map(re.escape, wanted)), text, re.IGNORECASE):
        if match.start() > last:
            found.append((text[last : match.start()], False))
        found.append((match.group(), True))
        last = match.end()
    if last < len(text):
        found.append((text[last:], False))
    return found


def snippet(text: str, words: Iterable[str], *, width: int = 80) -> str:
    """A piece of a text of about `width` characters in which most of the words stand; empty where none does."""
    wanted = {word.casefold() for word in words if word}
    lower = text.casefold()
    if len(lower) != len(text):
        lower = text
    places = sorted((match.start(), word) for word in wanted for match in re.finditer(re.escape(word), lower))
    if not places:
        return ""
    best = max(
        range(len(places)),
        key=lambda first: (
            sum(len(word) for word in {w for p, w in places[first:] if p < places[first][0] + width - 10}),
            -first,
        ),
    )
    start = max(0, places[best][0] - 12)
    end = min(len(text), start + width)
    return ("…" if start else "") + text[start:end].strip() + ("…" if end < len(text) else "")
