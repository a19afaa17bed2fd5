"""A measured value told beside the range that is asked, and what is missing to it. Shared by the comparisons."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .bounds import Bounds
from .facts import Facts
from .values import rounded, with_unit
from .vocabulary import Scope, Vocabulary
from .words import flipped, label_of, signed_bounds_phrase


@dataclass(frozen=True, slots=True)
class Case:
    """What a leaf is compared with; ``negated`` where a ``not`` stands over the leaf."""

    negated: bool
    facts: Facts
    as_of: date
    vocabulary: Vocabulary

    def label(self, key: str) -> str:
        return label_of(key, self.vocabulary)

    def origin(self, key: str) -> str:
        """Where a fact comes from, in brackets; empty where nobody said."""
        source = source_of(key, self.vocabulary)
        if not source:
            return ""
        return f"（{source}）" if self.vocabulary.facts[key].scope is Scope.APPLICATION else f"（来源：{source}）"


def source_of(key: str, vocabulary: Vocabulary) -> str:
    """``税务``, ``申报时填写``, or empty."""
    definition = vocabulary.facts.get(key)
    if definition is None:
        return ""
    return "申报时填写" if definition.scope is Scope.APPLICATION else definition.source


def measured(value: Fraction, bounds: Bounds, unit: str, negated: bool) -> str:
    """``1,820 万元，要求不低于 2,000 万元，还差 180 万元``."""
    asked = f"{told(value, unit, bounds)}，要求{signed_bounds_phrase(bounds, unit, negated)}"
    wanted = flipped(bounds) if negated else bounds
    return asked if wanted is None else asked + gap(value, wanted, unit)


def inside(value: Fraction, bounds: Bounds) -> bool:
    return bounds.admits_ratio(Decimal(value.numerator), Decimal(value.denominator))


def gap(value: Fraction, bounds: Bounds, unit: str) -> str:
    """``，还差 180 万元``, ``，超出 2 人``; empty where the value is inside."""
    if inside(value, bounds):
        return ""
    if bounds.lower is not None and value <= bounds.lower:
        short = Fraction(bounds.lower) - value
        return f"，还差{_difference(short, unit)}" if short else f"，须高于 {with_unit(bounds.lower, unit)}"
    assert bounds.upper is not None
    over = value - Fraction(bounds.upper)
    return f"，超出{_difference(over, unit)}" if over else f"，须低于 {with_unit(bounds.upper, unit)}"


def _difference(value: Fraction, unit: str) -> str:
    text = told(value, "个百分点" if unit == "%" else unit)
    return text if text.startswith("约") else f" {text}"


def told(value: Fraction, unit: str, beside: Bounds | None = None) -> str:
    """Exact where a decimal can tell it; else with 约, rounded so finely that it stays on its side of the bounds."""
    exact = _exact(value)
    if exact is not None:
        return with_unit(exact, unit)
    bounds = () if beside is None else (beside.lower, beside.upper)
    limits = [Fraction(0), *(Fraction(bound) for bound in bounds if bound is not None)]
    places = 2
    while any(_side(Fraction(rounded(value, places)), limit) != _side(value, limit) for limit in limits):
        places += 1
    return f"约 {with_unit(rounded(value, places), unit)}"


def _side(value: Fraction, limit: Fraction) -> int:
    return (value > limit) - (value < limit)


def _exact(value: Fraction) -> Decimal | None:
    """The decimal equal to ``value``, if it has at most as many places as a fact may have digits."""
    denominator = value.denominator
    places = 0
    while denominator % 10 == 0:
        denominator //= 10
        places += 1
    while denominator > 1 and places < 400:
        if denominator % 2 and denominator % 5:
            return None
        denominator = denominator // 2 if denominator % 2 == 0 else denominator // 5
        places += 1
    shown = rounded(value, places)
    return shown if Fraction(shown) == value else None
