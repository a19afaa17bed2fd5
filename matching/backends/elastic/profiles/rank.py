"""Exact numbers as doubles that keep their order beside every number that can be written down.

A number of the criteria language has at most 15 significant digits, and between two such neighbours lie at least four
doubles. So a figure that no such number tells exactly (a share, a growth, a long sum) is put one double beside the
number that it would otherwise fall on: comparing the doubles is then comparing the numbers, with nothing in between.
"""

from __future__ import annotations

import math
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from matching.criteria.bounds import Bounds
from matching.criteria.values import MOST_DIGITS, times

from ..columns import Ratio
from ..numbers import digits_of

_LEAST, _MOST = 1e-290, 1e300
_NEXT_TO_NOTHING, _BEYOND = 1e-295, 1e305
"""Where everything nearer to 0, and everything farther, is put: their order among themselves is lost."""


# Of a quotient more digits than any number of ours has: it stays on its side of each of them.
_DIVISION = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def rank(value: Decimal | Ratio) -> float:
    """The double of a value; one to one and in order beside numbers of 15 digits, see ``is_sure``."""
    divided = isinstance(value, Ratio)
    told = _DIVISION.divide(value.part, value.whole) if isinstance(value, Ratio) else value
    if not told:
        return 0.0
    near = float(told)
    if not _LEAST <= abs(near) <= _MOST:
        return math.copysign(_BEYOND if abs(near) > _MOST else _NEXT_TO_NOTHING, told)
    if not divided and len(told.as_tuple().digits) <= MOST_DIGITS:
        return near
    beside = Decimal(repr(near))
    if digits_of(beside) > MOST_DIGITS:
        return near
    # The double of a number of ours: which side of that is the value?
    exact = told if not isinstance(value, Ratio) else value.part
    other = beside if not isinstance(value, Ratio) else times(beside, value.whole)
    if exact == other:
        return near
    return math.nextafter(near, math.inf if exact > other else -math.inf)


def rank_of_fact(number: Decimal) -> float:
    """``rank`` of a number that a fact says: it has few enough digits."""
    near = float(number)
    return near if _LEAST <= abs(near) <= _MOST or not number else rank(number)


def is_sure(ranked: float) -> bool:
    """Whether the order against this rank is exact."""
    return abs(ranked) not in (_NEXT_TO_NOTHING, _BEYOND)


def admitted(bounds: Bounds) -> dict[str, Any] | None:
    """The range of ranks inside the bounds; None where there is none. Where an end is not sure, too much is inside."""
    if bounds.holds_nothing:
        return None
    found: dict[str, Any] = {}
    if bounds.lower is not None:
        end = rank(bounds.lower)
        found["gt" if bounds.lower_strict and is_sure(end) else "gte"] = end
    if bounds.upper is not None:
        end = rank(bounds.upper)
        found["lt" if bounds.upper_strict and is_sure(end) else "lte"] = end
    return found


def refused(bounds: Bounds) -> list[dict[str, Any]] | None:
    """The ranges of ranks outside the bounds; None where that is everything. Where an end is not sure, too much."""
    if bounds.holds_nothing:
        return None
    found: list[dict[str, Any]] = []
    if bounds.lower is not None:
        end = rank(bounds.lower)
        found.append({"lte" if bounds.lower_strict or not is_sure(end) else "lt": end})
    if bounds.upper is not None:
        end = rank(bounds.upper)
        found.append({"gte" if bounds.upper_strict or not is_sure(end) else "gt": end})
    return found


def are_sure(bounds: Bounds) -> bool:
    return all(is_sure(rank(end)) for end in (bounds.lower, bounds.upper) if end is not None)
