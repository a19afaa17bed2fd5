"""How an enterprise's history of facts folds into a profile. Pure: rows in, a dict out.

A row says: from `valid_on` on, `key` had this value; the district learned it at `recorded_at`. Of the rows that are
valid by a day and recorded by an instant, the latest `valid_on` holds; of equal ones, the one recorded last; of equal
ones again, the one with the greatest `order` (the row's id). A value of None says that the fact is unknown again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of a fact's history."""

    key: str
    value: Any
    valid_on: date
    recorded_at: datetime
    order: int

    @property
    def rank(self) -> tuple[date, datetime, int]:
        return (self.valid_on, self.recorded_at, self.order)


def holding(rows: Iterable[HistoryRow], *, day: date, known_at: datetime | None = None) -> dict[str, HistoryRow]:
    """For each key the row that holds on `day`, as known at `known_at` (None: by all that is recorded)."""
    held: dict[str, HistoryRow] = {}
    for row in rows:
        if row.valid_on > day or (known_at is not None and row.recorded_at > known_at):
            continue
        earlier = held.get(row.key)
        if earlier is None or earlier.rank <= row.rank:
            held[row.key] = row
    return held


def fold(rows: Iterable[HistoryRow], *, day: date, known_at: datetime | None = None) -> dict[str, Any]:
    """The profile on `day`: known values by key, keys in order; withdrawn facts are absent."""
    held = holding(rows, day=day, known_at=known_at)
    return {key: held[key].value for key in sorted(held) if held[key].value is not None}
