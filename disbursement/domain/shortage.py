"""Who gets what of a budget that may not suffice (预算不足), by the rule of the item. Pure; amounts in 元.

The cut-off does as it says here, and the month's preflight says what the cut-off will do: one text for both. A line is
named by (code, year); what its own year's line cannot pay goes on the same line of the year in which it is paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from . import money

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Claim:
    """One payable that waits for budget: its id, the line that should pay it, and what it asks for (> 0)."""

    pk: int
    code: str
    year: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What one claim gets of a line that is shared out; `amount` may be less than what it asks for."""

    pk: int
    amount: Decimal
    entitled: Decimal

    @property
    def is_reduced(self) -> bool:
        return self.amount < self.entitled


@dataclass(slots=True)
class Firm:
    """Claims served whole, by line, and those that none could pay."""

    served: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))
    short: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Shared:
    """Claims that share what a line has left, by line, and those that get nothing."""

    served: dict[Key, list[Share]] = field(default_factory=lambda: defaultdict(list))
    short: list[int] = field(default_factory=list)


def lines_for(code: str, year: int, *, month: date) -> list[Key]:
    """The lines that may pay in that month what a year's line should: that first, then the month's own."""
    return [(code, each) for each in sorted({year, max(year, month.year)})]


def first_come(claims: Sequence[Claim], *, free: MutableMapping[Key, Decimal], month: date) -> Firm:
    """Serve claims whole, in their order, each from the first line that has enough; `free` is drawn down."""
    found = Firm()
    for claim in claims:
        keys = lines_for(claim.code, claim.year, month=month)
        key = next((key for key in keys if free.get(key, money.ZERO) >= claim.amount), None)
        if key is None:
            found.short.append(claim.pk)
        else:
            free[key] -= claim.amount
            found.served[key].append(claim.pk)
    return found


def pro_rata(claims: Sequence[Claim], *, free: Mapping[Key, Decimal], month: date) -> Shared:
    """Share out what the lines have left, by size, to the cent (largest remainder).

    The claims of a year go together to the line that gives them more, their own on a tie: a share is final, and a cent
    that their own year has left is no answer to them. They stay where all together would get less by their going.
    """
    found = Shared()
    chosen = _chosen(claims, free=free, month=month)
    by_line: dict[Key, list[Claim]] = defaultdict(list)
    for claim in claims:
        key = chosen[claim.code, claim.year]
        if free.get(key, money.ZERO) <= 0:
            found.short.append(claim.pk)
        else:
            by_line[key].append(claim)
    for key, group in by_line.items():
        for claim, amount in zip(group, money.pro_rata(free[key], [each.amount for each in group]), strict=True):
            if amount > 0:
                found.served[key].append(Share(claim.pk, amount, claim.amount))
            else:
                found.short.append(claim.pk)
    return found


def _chosen(claims: Sequence[Claim], *, free: Mapping[Key, Decimal], month: date) -> dict[Key, Key]:
    """The line that pays what another year's line should, by that line. Those whose own line covers least of them
    choose first, so that whoever joins them on a later line leaves them no worse off than at home.

    Nobody goes for a little more where their own line's money would be left lying at the cost of the later year's own
    claims: the lines together never pay less than if all stayed.
    """
    asked: dict[Key, Decimal] = defaultdict(lambda: money.ZERO)
    for claim in claims:
        asked[claim.code, claim.year] += claim.amount

    def paid(key: Key, wanted: Decimal) -> Decimal:
        return min(wanted, max(free.get(key, money.ZERO), money.ZERO))

    def covered(key: Key, wanted: Decimal) -> Fraction:
        return Fraction(paid(key, wanted)) / Fraction(wanted)

    chosen = {key: key for key in asked}
    on_line = dict(asked)
    for own in sorted(asked, key=lambda key: (covered(key, asked[key]), key)):
        *_, later = lines_for(*own, month=month)
        there = on_line.get(later, money.ZERO)
        joined = there + asked[own]
        is_better = later != own and covered(later, joined) > covered(own, asked[own])
        if is_better and paid(later, joined) >= paid(own, asked[own]) + paid(later, there):
            chosen[own], on_line[later] = later, joined
    return chosen
