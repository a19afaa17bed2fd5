"""What an award pays: the amount, or the range it must lie in, with its working.

Everything is computed in exact fractions and rounded down once, at the end, so the result never depends on a decimal
context. What is unknown makes a range. Each unknown (a ``when``, a base, a ``cap_fact``) is resolved by itself, and
the amount never falls when a base, a cap or the points grow, so the ends of the range are reached at the ends of
each unknown: that makes intervals exact here, not merely safe. ``first`` alone is not monotone in its conditions;
there, every rule that could be the first true one is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from .award_parse import Award, Base, Rule
from .facts import Facts

__all__ = ["Estimate", "estimate", "split_instalments"]

ZERO = Fraction(0)
HUNDRED = Fraction(100)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An amount in 元 with two places; ``low`` equals ``high`` where everything is known.

    ``high`` is None where nothing bounds it. ``working`` tells a person, line by line, how it came about.
    """

    low: Decimal
    high: Decimal | None
    working: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A closed range of exact values from 0 upwards; ``high`` None is unbounded."""

    low: Fraction
    high: Fraction | None

    @property
    def exact(self) -> bool:
        return self.low == self.high

    def at_most(self, other: Range) -> Range:
        return Range(min(self.low, other.low), _least(self.high, other.high))


UNKNOWN = Range(ZERO, None)


def estimate(award: Award, facts: Facts, as_of: date) -> Estimate:
    """The amount that `award` pays on these facts, judged as of `as_of` (a calendar day in Asia/Shanghai).

    Conditions of the item itself are not looked at: ask `evaluate` whether the pair is eligible first. Caps by year
    and exclusive items need history and apply at approval.
    """
    working: list[str] = []
    points = _points(award, facts, as_of, working)
    results: list[tuple[bool | None, Range]] = []
    many = len(award.rules) > 1
    for number, rule in enumerate(award.rules, start=1):
        prefix = f"第 {number} 项：" if many else ""
        when = rule.when.judge(facts, as_of)
        if when is False:
            working.append(f"{prefix}条件不满足，不计")
            results.append((False, Range(ZERO, ZERO)))
            continue
        amount, steps = _rule(rule, award, facts, as_of, points)
        working.append(f"{prefix}{'条件待定，若满足：' if when is None else ''}{steps}")
        results.append((when, amount))
        if when and award.choose == "first":
            if number < len(award.rules):
                working.append(f"按顺序取第一个满足条件的项，第 {number + 1} 项起不再计算")
            break
    total = _choose(award.choose, results)
    if many:
        working.append(_chosen_line(award, results, total))
    if award.cap_total is not None:
        cap = Fraction(award.cap_total)
        capped = total.at_most(Range(cap, cap))
        if capped != total:
            working.append(f"合计不超过 {_yuan(cap)}，取 {_span(capped)}")
        total = capped
    low = _floor(total.low, award.rounding)
    high = None if total.high is None else _floor(total.high, award.rounding)
    rounded = Range(Fraction(low), None if high is None else Fraction(high))
    if rounded != total:
        working.append(f"{'不足 1 元' if award.rounding == 'yuan' else '不足 1 分'}的部分舍去，取 {_span(rounded)}")
    working.append(f"奖补金额：{_span(rounded)}")
    return Estimate(low, high, tuple(working))


def split_instalments(award: Award, amount: Decimal) -> list[Decimal]:
    """`amount` (元) in the award's instalments: each rounded down by its rounding, the last takes the rest.

    Raises:
        ValueError: the amount is negative or has more than two places.
    """
    whole = Fraction(amount)
    if whole < 0:
        raise ValueError(f"金额 {amount} 为负数，不能分期；请检查核定金额")
    if (whole * 100).denominator != 1:
        raise ValueError(f"金额 {amount} 超过两位小数，不能分期；请先按规则取整")
    parts = [_floor(whole * Fraction(share) / HUNDRED, award.rounding) for share in award.instalments[:-1]]
    rest = whole - sum((Fraction(part) for part in parts), ZERO)
    return [*parts, _floor(rest, "cent")]


def _choose(choose: str, results: Sequence[tuple[bool | None, Range]]) -> Range:
    possible = [amount for when, amount in results if when is not False]
    sure = [amount for when, amount in results if when]
    if choose == "sum":
        return Range(sum((a.low for a in sure), ZERO), _total(a.high for a in possible))
    if choose == "highest":
        return Range(max((a.low for a in sure), default=ZERO), _most(a.high for a in possible))
    # The rules stop at the first sure one: any of those before it may be the first true one, and where none is sure,
    # none may be true.
    outcomes = possible if sure else [*possible, Range(ZERO, ZERO)]
    return Range(min(a.low for a in outcomes), _most(a.high for a in outcomes))


def _points(award: Award, facts: Facts, as_of: date, working: list[str]) -> Range:
    """Percentage points of the bonuses whose condition is true, or may be."""
    low = high = ZERO
    for bonus in award.bonus_points:
        value = Fraction(bonus.points)
        when = bonus.when.judge(facts, as_of)
        if when is False:
            working.append(f"加 {_number(value)} 个百分点：条件不满足，不加")
            continue
        high += value
        if when:
            low += value
            working.append(f"加 {_number(value)} 个百分点：条件满足")
        else:
            working.append(f"加 {_number(value)} 个百分点：条件待定")
    return Range(low, high)


def _rule(rule: Rule, award: Award, facts: Facts, as_of: date, points: Range) -> tuple[Range, str]:
    if rule.fixed is not None:
        value = Fraction(rule.fixed)
        amount, steps = Range(value, value), f"定额 {_yuan(value)}"
    else:
        assert rule.of is not None
        base, told = _base(rule.of, facts, as_of)
        if rule.rate is not None:
            amount, steps = _by_rate(rule, award, base, told, points)
        elif rule.brackets:
            amount, steps = _by_brackets(rule, base, told)
        else:
            amount, steps = _by_each(rule, base, told)
    if rule.cap is not None:
        cap = Fraction(rule.cap)
        amount = amount.at_most(Range(cap, cap))
        steps += f"；不超过 {_yuan(cap)}，取 {_span(amount)}"
    if rule.cap_fact is not None:
        limit, told = _base(rule.cap_fact, facts, as_of)
        amount = amount.at_most(limit)
        steps += f"；不超过{told}，取 {_span(amount)}"
    return amount, steps


def _by_rate(rule: Rule, award: Award, base: Range, told: str, points: Range) -> tuple[Range, str]:
    assert rule.rate is not None
    start = Fraction(rule.rate)
    assert points.high is not None
    rate = Range(start + points.low, start + points.high)
    said = f"{_number(start)}%"
    if points.high:
        said = f"（{said} + {_between(points, ' 个百分点')}）"
    if award.rate_limit is not None:
        limit = Fraction(award.rate_limit)
        limited = rate.at_most(Range(limit, limit))
        if limited != rate:
            said = f"{said}，比例不超过 {_number(limit)}%，按 {_between(limited, '%')}"
        rate = limited
    assert rate.high is not None
    amount = Range(base.low * rate.low / HUNDRED, _times(base.high, rate.high / HUNDRED))
    return amount, f"{told} × {said} = {_span(amount)}"


def _by_brackets(rule: Rule, base: Range, told: str) -> tuple[Range, str]:
    low, parts = _brackets(rule, base.low)
    if base.exact:
        amount = Range(low, low)
        return amount, f"{told}，超额累进：{' + '.join(parts) or '0 元'} = {_span(amount)}"
    if base.high is not None:
        high: Fraction | None = _brackets(rule, base.high)[0]
    elif rule.brackets[-1].rate > 0:
        high = None
    else:  # what lies above the last threshold pays nothing
        last = rule.brackets[-2].upto if len(rule.brackets) > 1 else None
        high = ZERO if last is None else _brackets(rule, Fraction(last))[0]
    amount = Range(low, high)
    return amount, f"{told}，按 {len(rule.brackets)} 档超额累进 = {_span(amount)}"


def _brackets(rule: Rule, base: Fraction) -> tuple[Fraction, list[str]]:
    paid, below, parts = ZERO, ZERO, []
    for bracket in rule.brackets:
        top = base if bracket.upto is None else min(base, Fraction(bracket.upto))
        if top > below:
            part = top - below
            paid += part * Fraction(bracket.rate) / HUNDRED
            parts.append(f"{_number(part)} × {_number(Fraction(bracket.rate))}%")
            below = top
    return paid, parts


def _by_each(rule: Rule, base: Range, told: str) -> tuple[Range, str]:
    assert rule.each is not None
    assert rule.of is not None
    each = Fraction(rule.each)
    quantity = base
    if rule.quantity_cap is not None:
        cap = Fraction(rule.quantity_cap)
        quantity = base.at_most(Range(cap, cap))
        if quantity != base:
            told = (
                f"{told}，不超过 {_number(cap)} {rule.of.unit}".rstrip()
                + f"，按 {_between(quantity, f' {rule.of.unit}')}"
            )
    amount = Range(quantity.low * each, _times(quantity.high, each))
    return amount, f"{told} × 每{rule.of.unit or '单位'} {_yuan(each)} = {_span(amount)}"


def _base(base: Base, facts: Facts, as_of: date) -> tuple[Range, str]:
    """The value a base or `cap_fact` has, from 0 upwards, and how it is told."""
    value = base.value(facts, as_of)
    name = base.name(as_of)
    if value is None:
        return UNKNOWN, f"{name}（未知，从 0 起计）"
    exact = Fraction(value)
    told = f"{name} {_number(exact)} {base.unit}".rstrip()
    if exact < 0:
        return Range(ZERO, ZERO), f"{told}（负数按 0 计）"
    return Range(exact, exact), told


def _chosen_line(award: Award, results: Sequence[tuple[bool | None, Range]], total: Range) -> str:
    if all(when is False for when, _ in results):
        return "没有满足条件的项，不予奖补"
    if award.choose == "sum":
        return f"各项合计 = {_span(total)}"
    if award.choose == "highest":
        return f"就高取其中最高的一项 = {_span(total)}"
    return f"取第一个满足条件的项 = {_span(total)}"


def _floor(value: Fraction, rounding: str) -> Decimal:
    """Round down (never below: amounts are from 0 upwards) to 分 or 元, with two places, in any decimal context."""
    if rounding == "yuan":
        return Decimal(f"{value.numerator // value.denominator}.00")
    cents = value.numerator * 100 // value.denominator
    return Decimal(f"{cents // 100}.{cents % 100:02d}")


def _least(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)


def _most(values: Iterable[Fraction | None]) -> Fraction | None:
    most = ZERO
    for value in values:
        if value is None:
            return None
        most = max(most, value)
    return most


def _total(values: Iterable[Fraction | None]) -> Fraction | None:
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _times(value: Fraction | None, factor: Fraction) -> Fraction | None:
    """`value` × `factor`; unbounded times nothing is nothing."""
    if factor == 0:
        return ZERO
    return None if value is None else value * factor


def _number(value: Fraction) -> str:
    """Exact decimal text with thousands separated: every value here divides a power of ten."""
    sign = "-" if value < 0 else ""
    value = abs(value)
    whole, rest = divmod(value.numerator, value.denominator)
    digits = ""
    while rest:
        digit, rest = divmod(rest * 10, value.denominator)
        digits += str(digit)
    return f"{sign}{whole:,}" + (f".{digits}" if digits else "")


def _yuan(value: Fraction) -> str:
    return f"{_number(value)} 元"


def _between(span: Range, unit: str) -> str:
    if span.high is None:
        return f"{_number(span.low)}{unit}以上"
    if span.exact:
        return f"{_number(span.low)}{unit}"
    return f"{_number(span.low)}至{_number(span.high)}{unit}"


def _span(span: Range) -> str:
    if span.high is None:
        return f"{_yuan(span.low)}以上（不封顶）"
    if span.exact:
        return _yuan(span.low)
    return f"{_yuan(span.low)}至 {_yuan(span.high)}"
