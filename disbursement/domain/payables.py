"""From a computed award to what is owed: caps, exclusions, instalments. Pure; the services bring the history.

就高不重复: an item that excludes others pays only what it gives beyond all that was already granted of those
in the same calendar year of approval, so that the enterprise ends with the highest of them and never with two.
Beyond all, not beyond the largest: a second item may itself have paid only its difference to a first. What an item
gives is what its caps leave of it: a cap holds the difference and what it is the difference to, which it counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from . import money
from .caps import Cap
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
    """The amount after history, with its working, line by line; `before`: what exclusive items paid already."""

    amount: Decimal
    working: list[str] = field(default_factory=list)
    before: Decimal = money.ZERO


def apply_history(
    computed: Decimal,
    *,
    item: str,
    year: int,
    cap_per_year: Decimal | None,
    exclusive_with: Sequence[str],
    earlier: Sequence[Earlier],
    caps: Sequence[Cap] = (),
) -> Granted:
    """What of `computed` may be granted, given what this enterprise got in `year` already. Never below zero.

    `caps` are the declared ones that the item is held to, beside its own for the year.
    """
    amount = computed
    working: list[str] = []
    excluded = [e for e in earlier if e.item in set(exclusive_with) and e.item != item and e.amount > 0]
    if cap_per_year is not None:
        had = money.total(e.amount for e in earlier if e.item == item)
        room = max(cap_per_year - had, money.ZERO)
        if amount > room:
            amount = room
            working.append(
                f"年度上限：本事项每年不超过{money.yuan(cap_per_year)}元，"
                f"{year}年已核定{money.yuan(had)}元，本次最多{money.yuan(amount)}元"
            )
    # A cap that counts nothing of what is excluded holds the item itself, before the difference is taken.
    beside = [cap for cap in caps if not any(cap.covers(e.item) for e in excluded)]
    amount = _under(beside, amount, excluded=[], working=working)
    if excluded:
        had = money.total(e.amount for e in excluded)
        amount = max(amount - had, money.ZERO)
        working.append(
            f"就高不重复：{year}年已获{_names(excluded)}{money.yuan(had)}元，本事项只补差额，为{money.yuan(amount)}元"
        )
        amount = _under([cap for cap in caps if cap not in beside], amount, excluded=excluded, working=working)
    return Granted(amount=amount, working=working, before=money.total(e.amount for e in excluded))


def _under(caps: Sequence[Cap], amount: Decimal, *, excluded: Sequence[Earlier], working: list[str]) -> Decimal:
    """The amount held to each cap beside those of `excluded` that the cap does not count; one that takes says so."""
    for cap in caps:
        uncounted = [e for e in excluded if not cap.covers(e.item)]
        had = money.total(e.amount for e in uncounted)
        room = max(cap.room - had, money.ZERO)
        if amount > room:
            amount = room
            less = f"，另减{_names(uncounted)}{money.yuan(had)}元" if uncounted else ""
            working.append(
                f"{cap.label}：不超过{money.yuan(cap.ceiling)}元，此前已核定{money.yuan(cap.used)}元{less}，"
                f"本次最多{money.yuan(amount)}元"
            )
    return amount


def _names(items: Sequence[Earlier]) -> str:
    return "、".join(f"“{e.name}”" for e in items)


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
