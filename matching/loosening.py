"""A condition made easier by one step, and a tree with one leaf put in another's place. Pure.

A step is what an officer would try next: a tenth off a threshold, another year on a period, one thing fewer of a
count, one more code. What has no step can only be dropped: it is then as a soft leaf, true whatever the fact.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from matching.criteria import ast
from matching.criteria.bounds import Bounds, DateBounds
from matching.criteria.values import Period, with_unit

TENTH = Decimal("0.1")


def dropped(leaf: ast.Leaf) -> ast.Leaf:
    """The leaf as if it were not asked."""
    return replace(leaf, soft=True)


def a_step_easier(leaf: ast.Leaf, *, unit: str = "") -> tuple[ast.Leaf, str] | None:
    """(the leaf one step easier, what changes, in Chinese); None where the leaf has no step of its own."""
    match leaf:
        case ast.NumberLeaf() | ast.YearlyLeaf():
            easier = _bounds(leaf.bounds)
            if easier is None:
                return None
            sign = "%" if leaf.percent_of or (isinstance(leaf, ast.YearlyLeaf) and leaf.growth) else unit
            return replace(leaf, bounds=easier), _told(leaf.bounds, easier, sign)
        case ast.DateLeaf():
            dates = _dates(leaf.dates)
            return None if dates is None else (replace(leaf, dates=dates[0]), dates[1])
        case ast.RecordsLeaf():
            return _records(leaf)
    return None


def replaced(node: ast.Node, path: str, leaf: ast.Leaf) -> ast.Node:
    """The tree with `leaf` where the leaf of this path stands."""
    match node:
        case ast.All(members):
            return ast.All(tuple(replaced(member, path, leaf) for member in members))
        case ast.Any(members):
            return ast.Any(tuple(replaced(member, path, leaf) for member in members))
        case ast.AtLeast(needed, members):
            return ast.AtLeast(needed, tuple(replaced(member, path, leaf) for member in members))
        case ast.Not(member):
            return ast.Not(replaced(member, path, leaf))
        case ast.IfThen(condition, then):
            return ast.IfThen(replaced(condition, path, leaf), replaced(then, path, leaf))
    assert isinstance(node, ast.LeafBase)
    return leaf if node.path == path else node


def _bounds(bounds: Bounds) -> Bounds | None:
    """A tenth lower below, a tenth higher above. An exact number and a bound of 0 have no step."""
    if bounds.eq is not None:
        return None
    lower = None if bounds.lower is None else bounds.lower - abs(bounds.lower) * TENTH
    upper = None if bounds.upper is None else bounds.upper + abs(bounds.upper) * TENTH
    easier = replace(bounds, lower=lower, upper=upper)
    return None if easier == bounds else easier


def _told(before: Bounds, after: Bounds, unit: str) -> str:
    parts = []
    if before.lower is not None and after.lower is not None and before.lower != after.lower:
        parts.append(f"下限由 {with_unit(before.lower, unit)} 降到 {with_unit(after.lower, unit)}")
    if before.upper is not None and after.upper is not None and before.upper != after.upper:
        parts.append(f"上限由 {with_unit(before.upper, unit)} 提到 {with_unit(after.upper, unit)}")
    return "，".join(parts)


def _dates(dates: DateBounds) -> tuple[DateBounds, str] | None:
    """A year more on a period within which, a year less on one that must have passed."""
    if dates.within_last is not None:
        longer = _plus_a_year(dates.within_last, 1)
        assert longer is not None
        return replace(dates, within_last=longer), f"期限由 {dates.within_last} 内放宽到 {longer} 内"
    if dates.at_least_ago is not None:
        shorter = _plus_a_year(dates.at_least_ago, -1)
        if shorter is not None:
            return replace(dates, at_least_ago=shorter), f"满 {dates.at_least_ago} 缩短到满 {shorter}"
    if dates.on_or_after is not None:
        earlier = Period(12, 0).before(dates.on_or_after)
        if earlier is not None:
            return replace(dates, on_or_after=earlier), f"起始日由 {dates.on_or_after} 提前到 {earlier}"
    return None


def _plus_a_year(period: Period, years: int) -> Period | None:
    months = period.months + 12 * years
    return None if months < 0 else replace(period, months=months)


def _records(leaf: ast.RecordsLeaf) -> tuple[ast.Leaf, str] | None:
    if leaf.quantifier is ast.Quantifier.NONE_OF:
        return None
    if leaf.count is not None:
        fewer = _one_fewer(leaf.count)
        return None if fewer is None else (replace(leaf, count=fewer), "数量少一项")
    if leaf.amount is not None:
        amount = _bounds(leaf.amount)
        return None if amount is None else (replace(leaf, amount=amount), _told(leaf.amount, amount, "元"))
    if leaf.obtained is not None:
        dates = _dates(leaf.obtained)
        return None if dates is None else (replace(leaf, obtained=dates[0]), f"取得{dates[1]}")
    if leaf.quantifier is ast.Quantifier.ALL_OF and len(leaf.codes) > 1:
        return replace(leaf, quantifier=ast.Quantifier.ANY_OF), "由全部具备改为具备其一"
    return None


def _one_fewer(bounds: Bounds) -> Bounds | None:
    if bounds.lower is None or bounds.eq is not None:
        return None
    least = bounds.lower.to_integral_value(ROUND_FLOOR if bounds.lower_strict else ROUND_CEILING)
    fewer = least - 1
    return None if fewer < (0 if bounds.lower_strict else 1) else replace(bounds, lower=fewer)
