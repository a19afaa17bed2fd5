"""Caps that an award is held to: by item, by group of items, by enterprise, by a fact; for a year and in all. Pure.

Each cap takes what is too much; the narrowest decides. The services bring what was granted before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from . import money


@dataclass(frozen=True, slots=True)
class Cap:
    """One cap as it stands for one enterprise: `ceiling` and what was `used` of it before, both in 元.

    `kind` is one of item_year, per_year, total, fact; `limit_id` the declared limit (None: the item's own yearly cap).
    """

    kind: str
    label: str
    ceiling: Decimal
    used: Decimal
    limit_id: int | None = None

    @property
    def room(self) -> Decimal:
        """What may still be granted under it, never below zero."""
        return max(self.ceiling - self.used, money.ZERO)


@dataclass(frozen=True, slots=True)
class Capped:
    """What remains of an amount, with the working of each reduction."""

    amount: Decimal
    working: list[str] = field(default_factory=list)


def under_caps(amount: Decimal, caps: Sequence[Cap]) -> Capped:
    """The amount reduced to the narrowest cap; each cap that reduces it further says so, in their order."""
    working = []
    for cap in caps:
        if amount > cap.room:
            amount = cap.room
            working.append(
                f"{cap.label}：不超过{money.yuan(cap.ceiling)}元，此前已核定{money.yuan(cap.used)}元，"
                f"本次为{money.yuan(amount)}元"
            )
    return Capped(amount, working)


def share_of(value: Decimal, share: Decimal) -> Decimal:
    """`share` % of a fact's value in 元, rounded down to the cent; below zero counts as zero."""
    return money.money((max(value, money.ZERO) * share / 100).quantize(money.CENT, rounding="ROUND_DOWN"))
