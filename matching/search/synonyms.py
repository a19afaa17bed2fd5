"""Everyday words and the words of documents, as data (`data/synonyms.json`).

`same` are groups whose members mean the same; `says` leads one way, from what enterprises say to what documents write.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SAME, SAYS = 0.8, 0.75
_FILE = Path(__file__).parent / "data" / "synonyms.json"


@cache
def _data() -> Mapping[str, object]:
    loaded: dict[str, object] = json.loads(_FILE.read_text(encoding="utf-8"))
    return loaded


@cache
def _table() -> Mapping[str, Mapping[str, float]]:
    table: dict[str, dict[str, float]] = {}
    data = _data()
    groups, says = data["same"], data["says"]
    assert isinstance(groups, list)
    assert isinstance(says, dict)
    for group in groups:
        for word in group:
            table.setdefault(word, {}).update({other: SAME for other in group if other != word})
    for word, written in says.items():
        for other in written:
            table.setdefault(word, {}).setdefault(other, SAYS)
    return table


def synonyms(word: str) -> Mapping[str, float]:
    """Words that a text may use for `word`, with how much each counts (below 1)."""
    return _table().get(word, {})


def all_words() -> frozenset[str]:
    """Every word that stands in the data."""
    table = _table()
    return frozenset(table) | {other for others in table.values() for other in others}
