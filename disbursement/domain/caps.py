"""Caps that an award is held to: by item, by group of items, by enterprise, by a fact; for a year and in all. Pure.

Each cap takes what is too much; the narrowest decides (`payables.apply_history`). The services bring what was granted
before.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from . import money


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap as it stands for one enterprise: `ceiling` and what was `used` of it before, both in 元.

    `kind` is one of item_year, per_year, total, fact; `limit_id` the declared limit (None: the item's own yearly cap);
    `codes` the items that count under it (None: all).
    """

    kind: str
    label: str
    ceiling: Decimal
    used: Decimal
    limit_id: int | None = None
    codes: frozenset[str] | None = None

    def covers(self, code: str) -> bool:
        return self.codes is None or code in self.codes

    @property
    def room(self) -> Decimal:
        """What may still be granted under it, never below zero."""
        return max(self.ceiling - self.used, money.ZERO)


def share_of(value: Decimal, share: Decimal) -> Decimal:
    """`share` % of a fact's value in 元, rounded down to the cent; below zero counts as zero."""
    return money.money((max(value, money.ZERO) * share / 100).quantize(money.CENT, rounding="ROUND_DOWN"))
