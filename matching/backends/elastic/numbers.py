"""Exact numbers as the doubles of a range field, never letting through too little.

Decimals of at most 15 significant digits go to the nearest double one to one and in order, so that comparing the
doubles is comparing the decimals. Everything else (sums, ratios, numbers near the end of what doubles reach) becomes an
interval one step wider than the nearest double on either side, and bounds near that end are moved outwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from matching.criteria.bounds import Bounds
from matching.criteria.values import MOST_DIGITS

_LEAST = 1e-290
_MOST = 1e300
"""Beyond every bound that can be written down."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, both ends included. ``exact``: just there, not only near."""

    low: float
    high: float
    exact: bool = True


def place(value: Decimal | Fraction) -> Place:
    """The place of a value of a profile."""
    near, exact = _nearest(value)
    return Place(near, near) if exact else Place(_below(near), _above(near), exact=False)


def ranges(bounds: Bounds, negated: bool) -> tuple[list[dict[str, float]], bool]:
    """The ranges that a test admits (its complement where negated), and whether they are exact."""
    if bounds.holds_nothing:
        return ([{"lte": _MOST}, {"gte": -_MOST}] if negated else []), True
    lower, upper = bounds.lower, bounds.upper
    if not negated:
        found: dict[str, float] = {}
        sure = True
        if lower is not None:
            found["gte"], one = _end(lower, bounds.lower_strict, _above)
            sure &= one
        if upper is not None:
            found["lte"], one = _end(upper, bounds.upper_strict, _below)
            sure &= one
        return [found], sure
    rays: list[dict[str, float]] = []
    sure = True
    if lower is not None:
        end, one = _end(lower, not bounds.lower_strict, _below)
        rays.append({"lte": end})
        sure &= one
    if upper is not None:
        end, one = _end(upper, not bounds.upper_strict, _above)
        rays.append({"gte": end})
        sure &= one
    return rays, sure


def _end(bound: Decimal, strict: bool, inwards: Any) -> tuple[float, bool]:
    """A closed end of a range: the next double inwards where the bound itself is not admitted."""
    near, exact = _nearest(bound)
    if exact:
        return (inwards(near) if strict else near), True
    return (_below(near) if inwards is _above else _above(near)), False


def _nearest(value: Decimal | Fraction) -> tuple[float, bool]:
    """The nearest double (0.0 for either zero), and whether it stands for this value alone."""
    if not value:
        return 0.0, True
    try:
        near = float(value)
    except OverflowError:
        near = math.inf if value > 0 else -math.inf
    if abs(near) > _MOST:
        return math.copysign(_MOST, near), False
    if abs(near) < _LEAST:
        return near + 0.0, False
    if isinstance(value, Fraction):
        written = Decimal(repr(near))
        return near, Fraction(written) == value and digits_of(written) <= MOST_DIGITS
    return near, digits_of(value) <= MOST_DIGITS


def digits_of(value: Decimal) -> int:
    """Significant digits, idle zeros at the end not counted."""
    digits = value.as_tuple().digits
    return len(bytes(digits).rstrip(b"\0"))


def _above(value: float) -> float:
    return math.nextafter(value, math.inf) + 0.0


def _below(value: float) -> float:
    return math.nextafter(value, -math.inf) + 0.0
