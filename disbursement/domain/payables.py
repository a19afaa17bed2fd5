"""From a computed award to what is owed: caps, exclusions, instalments. Pure; the services bring the history.

就高不重复: an item that excludes others pays only what it gives beyond all that was already granted of those
in the same calendar year of approval, so that the enterprise ends with the highest of them and never with two.
Beyond all, not beyond the largest: a second item may itself have paid only its difference to a first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from . import money
from .cycle import years_later


@dataclass(frozen=True, slots=True)
class Earlier:
    """Something already granted to the same enterprise in the same calendar year; `amount` as far as it still
    stands.
    """

    item: str
    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Granted:
    """The amount after history, with its working, line by line."""

    amount: Decimal
    working: list[str] = field(default_factory=list)


def apply_history(
    computed: Decimal,
    *,
    item: str,
    year: int,
    cap_per_year: Decimal | None,
    exclusive_with: Sequence[str],
    earlier: Sequence[Earlier],
) -> Granted:
    """What of `computed` may be granted, given what this enterprise got in `year` already. Never below
    zero.
    """
    amount = computed
    working: list[str] = []
    excluded = [e for e in earlier if e.item in set(exclusive_with) and e.item != item and e.amount > 0]
    if excluded:
        had = money.total(e.amount for e in excluded)
        amount = max(amount - had, money.ZERO)
        names = "、".join(f"“{e.name}”" for e in excluded)
        working.append(f"就高不重复：{year}年已获{names}{money.yuan(had)}元，本事项只补差额，为{money.yuan(amount)}元")
    if cap_per_year is not None:
        had = money.total(e.amount for e in earlier if e.item == item)
        room = max(cap_per_year - had, money.ZERO)
        if amount > room:
            amount = room
            working.append(
                f"年度上限：本事项每年不超过{money.yuan(cap_per_year)}元，"
                f"{year}年已核定{money.yuan(had)}元，本次为{money.yuan(amount)}元"
            )
    return Granted(amount=amount, working=working)


@dataclass(frozen=True, slots=True)
class Instalment:
    """One part of an award: its number from 1, the month in which it is due, and its amount (> 0)."""

    number: int
    month: date
    amount: Decimal


def instalments(parts: Sequence[Decimal], *, first_month: date) -> list[Instalment]:
    """The parts of an award, one a year from `first_month` on. Parts that come to nothing are left out."""
    return [
        Instalment(number=index + 1, month=years_later(first_month, index), amount=money.money(part))
        for index, part in enumerate(parts)
        if part > 0
    ]
