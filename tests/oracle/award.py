"""A second, naive reading of awards over raw JSON: every way of resolving what is unknown is tried.

Shares no code with `matching.criteria`. An unknown base or limit is tried at 0 and at two vast numbers: amounts are
monotone in each base and limit, so 0 gives the least; where the two vast numbers disagree, nothing bounds the amount.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import product
from math import floor
from typing import Any

from tests.oracle.criteria import judge, number

Json = Any
VAST = (Fraction(10) ** 40, Fraction(10) ** 41)


def named_number(name: str, facts: Json, as_of: date) -> Fraction | None:
    key, _, year = name.partition("@")
    if key not in facts:
        return None
    value = facts[key]
    if year:
        named = {"last": as_of.year - 1, "this": as_of.year, "before_last": as_of.year - 2}
        value = value.get(str(named.get(year, year)).zfill(4))
        if value is None:
            return None
    return max(number(value), Fraction(0))


def condition(criteria: Json | None, facts: Json, vocabulary: Json, as_of: date) -> list[bool]:
    """The truth values a `when` may take."""
    if criteria is None:
        return [True]
    verdict = judge(criteria, facts, vocabulary, as_of)["verdict"]
    return {"eligible": [True], "ineligible": [False], "undetermined": [True, False]}[verdict]


def pay(rule: Json, base: Fraction, limit: Fraction | None, bonus: Fraction, rate_limit: Json | None) -> Fraction:
    if "fixed" in rule:
        amount = number(rule["fixed"])
    elif "rate" in rule:
        rate = number(rule["rate"]) + bonus
        if rate_limit is not None:
            rate = min(rate, number(rate_limit))
        amount = base * rate / 100
    elif "brackets" in rule:
        amount, floor_of_part = Fraction(0), Fraction(0)
        for bracket in rule["brackets"]:
            top = number(bracket["upto"]) if "upto" in bracket else base
            part = min(base, top) - floor_of_part
            if part > 0:
                amount += part * number(bracket["rate"]) / 100
            floor_of_part = top
    else:
        counted = min(base, number(rule["quantity_cap"])) if "quantity_cap" in rule else base
        amount = counted * number(rule["each"])
    if "cap" in rule:
        amount = min(amount, number(rule["cap"]))
    if limit is not None:
        amount = min(amount, limit)
    return amount


def ways(award: Json, facts: Json, vocabulary: Json, as_of: date, vast: Fraction) -> Iterator[Fraction]:
    """The amount before the last cap and rounding, for every way of resolving the unknowns."""
    rules = award["rules"]
    points = award.get("bonus_points", [])

    def numbers(name: str | None) -> list[Fraction | None]:
        if name is None:
            return [None]
        known = named_number(name, facts, as_of)
        return [Fraction(0), vast] if known is None else [known]

    whens = [condition(rule.get("when"), facts, vocabulary, as_of) for rule in rules]
    bonuses = [condition(bonus.get("when"), facts, vocabulary, as_of) for bonus in points]
    bases = [numbers(rule.get("of")) for rule in rules]
    limits = [numbers(rule.get("cap_fact")) for rule in rules]
    for chosen in product(product(*whens), product(*bonuses), product(*bases), product(*limits)):
        when, bonus_on, base, limit = chosen
        bonus = sum((number(p["points"]) for p, on in zip(points, bonus_on, strict=True) if on), Fraction(0))
        paid = [
            pay(rule, base[i] or Fraction(0), limit[i], bonus, award.get("rate_limit"))
            for i, rule in enumerate(rules)
            if when[i]
        ]
        how = award.get("choose", "first")
        yield (
            {"first": paid[:1], "highest": [max(paid, default=Fraction(0))], "sum": [sum(paid, Fraction(0))]}[how][0]
            if paid
            else Fraction(0)
        )


def settle(award: Json, amount: Fraction) -> str:
    if "cap_total" in award:
        amount = min(amount, number(award["cap_total"]))
    cents = floor(amount) * 100 if award.get("rounding", "cent") == "yuan" else floor(amount * 100)
    return f"{cents // 100}.{cents % 100:02d}"


def estimate(award: Json, facts: Json, vocabulary: Json, as_of: date) -> tuple[str, str | None]:
    """The least and the most the award may pay in 元, as texts with two places; None where nothing bounds it."""
    some, more = ([*ways(award, facts, vocabulary, as_of, vast)] for vast in VAST)
    most, even_more = settle(award, max(some)), settle(award, max(more))
    return settle(award, min(some)), most if most == even_more else None
