"""The range of an award is exactly what brute force finds when every unknown is tried by itself.

The reference below is written from the description of the language alone: it resolves each condition, base and cap by
trying values, computes each amount in fractions, and takes the least and the most.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.criteria import parse_facts, parse_vocabulary
from matching.criteria.award import estimate, parse_award, split_instalments
from tests.rounds import examples

AS_OF = date(2026, 11, 22)
FLAGS = ("f0", "f1", "f2", "f3")
AMOUNTS = ("n0", "n1", "n2")
VOCABULARY = parse_vocabulary(
    {
        "facts": [
            *({"key": key, "label": key, "type": "boolean"} for key in FLAGS),
            *({"key": key, "label": key, "type": "number"} for key in AMOUNTS),
            {"key": "y", "label": "y", "type": "yearly"},
        ]
    }
)
HUGE = Fraction(10**60)  # dwarfs any cap of 15 digits, at any rate of 15 places
VAST = 10**30

money = st.integers(0, 3000).map(str)
cents = st.integers(0, 300000).map(lambda value: f"{value // 100}.{value % 100:02d}")
percent = st.integers(0, 1200).map(lambda value: f"{value // 10}.{value % 10}")
base = st.sampled_from([*AMOUNTS, "y@last", "y@2024"])
when = st.one_of(
    st.none(),
    st.sampled_from(FLAGS).map(lambda key: {"fact": key, "is": True}),
    st.sampled_from(FLAGS).map(lambda key: {"not": {"fact": key, "is": True}}),
)


@st.composite
def brackets(draw: st.DrawFn) -> list[dict[str, str]]:
    tops = sorted(draw(st.sets(st.integers(1, 2000), max_size=3)))
    rates = [draw(percent) for _ in range(len(tops) + 1)]
    if draw(st.booleans()):
        rates[-1] = "0"
    return [*({"upto": str(top), "rate": rate} for top, rate in zip(tops, rates, strict=False)), {"rate": rates[-1]}]


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["fixed", "rate", "brackets", "each"]))
    rule: dict[str, Any] = {}
    if kind == "fixed":
        rule["fixed"] = draw(cents)
    else:
        rule["of"] = draw(base)
        rule[kind] = draw({"rate": percent, "brackets": brackets(), "each": cents}[kind])
    optional = {"when": when, "cap": st.none() | cents, "cap_fact": st.none() | base}
    if kind == "each":
        optional["quantity_cap"] = st.none() | money
    for key, values in optional.items():
        value = draw(values)
        if value is not None:
            rule[key] = value
    return rule


@st.composite
def awards(draw: st.DrawFn) -> dict[str, Any]:
    data: dict[str, Any] = {"rules": draw(st.lists(rules(), min_size=1, max_size=3))}
    bonuses = draw(st.lists(st.tuples(when, percent), max_size=2))
    data["bonus_points"] = [{"points": p} | ({"when": w} if w else {}) for w, p in bonuses]
    for key, values in {
        "choose": st.sampled_from(["first", "highest", "sum"]),
        "rounding": st.sampled_from(["cent", "yuan"]),
        "rate_limit": percent,
        "cap_total": cents,
    }.items():
        value = draw(st.none() | values)
        if value is not None:
            data[key] = value
    return data


known_facts = st.fixed_dictionaries(
    {},
    optional={
        **{key: st.booleans() for key in FLAGS},
        **{key: st.integers(-100, 3000).map(str) for key in AMOUNTS},
        "y": st.dictionaries(st.sampled_from(["2024", "2025"]), money),
    },
)


def conditions(data: dict[str, Any] | None, known: dict[str, Any]) -> list[bool]:
    if data is None:
        return [True]
    if "not" in data:
        return [not value for value in conditions(data["not"], known)]
    return [known[data["fact"]]] if data["fact"] in known else [False, True]


def values(name: str, known: dict[str, Any], tried: list[Fraction]) -> list[Fraction]:
    key, _, year = name.partition("@")
    value = known.get(key)
    if year and value is not None:
        value = value.get("2025" if year == "last" else year)
    return tried if value is None else [max(Fraction(0), Fraction(value))]


def resolved(rule: dict[str, Any], known: dict[str, Any], tried: list[Fraction]) -> list[tuple[bool, Any, Any]]:
    """Every way of resolving one rule's condition, base and cap fact."""
    bases = values(rule["of"], known, tried) if "of" in rule else [None]
    caps = values(rule["cap_fact"], known, tried) if "cap_fact" in rule else [None]
    return list(itertools.product(conditions(rule.get("when"), known), bases, caps))


def pays(data: dict[str, Any], rule: dict[str, Any], of: Any, cap_fact: Any, points: Fraction) -> Fraction:
    if "fixed" in rule:
        amount = Fraction(rule["fixed"])
    elif "rate" in rule:
        rate = Fraction(rule["rate"]) + points
        if "rate_limit" in data:
            rate = min(rate, Fraction(data["rate_limit"]))
        amount = of * rate / 100
    elif "each" in rule:
        amount = min([of, *([Fraction(rule["quantity_cap"])] if "quantity_cap" in rule else [])]) * Fraction(
            rule["each"]
        )
    else:
        amount, floor = Fraction(0), Fraction(0)
        for bracket in rule["brackets"]:
            top = min(of, Fraction(bracket.get("upto", of)))
            amount += max(Fraction(0), top - floor) * Fraction(bracket["rate"]) / 100
            floor = max(floor, top)
    limits = [Fraction(rule["cap"])] if "cap" in rule else []
    return min([amount, *limits, *([] if cap_fact is None else [cap_fact])])


def outcomes(data: dict[str, Any], known: dict[str, Any], tried: list[Fraction]) -> Iterator[Fraction]:
    bonuses = data["bonus_points"]
    for flags in itertools.product(*(conditions(bonus.get("when"), known) for bonus in bonuses)):
        points = sum((Fraction(b["points"]) for b, true in zip(bonuses, flags, strict=True) if true), Fraction(0))
        for way in itertools.product(*(resolved(rule, known, tried) for rule in data["rules"])):
            paid = [
                pays(data, rule, of, cap, points)
                for rule, (true, of, cap) in zip(data["rules"], way, strict=True)
                if true
            ]
            choose = data.get("choose", "first")
            amount = {"first": sum(paid[:1]), "highest": max(paid, default=0), "sum": sum(paid)}[choose]
            if "cap_total" in data:
                amount = min(amount, Fraction(data["cap_total"]))
            unit = 1 if data.get("rounding") == "yuan" else Fraction(1, 100)
            yield Fraction(amount // unit) * unit


@pytest.mark.slow
@settings(max_examples=examples(400), deadline=None)
@given(data=awards(), known=known_facts, middle=st.integers(0, 3000))
def test_the_range_is_what_brute_force_finds(data, known, middle):
    found = estimate(parse_award(data, VOCABULARY), parse_facts(known, VOCABULARY), AS_OF)
    least_and_most = set(outcomes(data, known, [Fraction(0), HUGE]))
    assert Fraction(found.low) == min(least_and_most)
    if found.high is None:
        assert max(least_and_most) > VAST
    else:
        assert Fraction(found.high) == max(least_and_most)
    # Values between the ends never lead outside the range.
    for amount in outcomes(data, known, [Fraction(0), Fraction(middle), HUGE]):
        assert amount >= Fraction(found.low)
        assert found.high is None or amount <= Fraction(found.high)


@settings(deadline=None)
@given(data=awards(), known=known_facts, precision=st.integers(1, 5))
def test_no_decimal_context_moves_an_amount(data, known, precision):
    expected = estimate(parse_award(data, VOCABULARY), parse_facts(known, VOCABULARY), AS_OF)
    with localcontext() as context:
        context.prec = precision
        assert estimate(parse_award(data, VOCABULARY), parse_facts(known, VOCABULARY), AS_OF) == expected


@given(
    amount=st.integers(0, 10**12).map(lambda value: Decimal(value) / 100),
    cuts=st.sets(st.integers(1, 999), max_size=5),
    rounding=st.sampled_from(["cent", "yuan"]),
)
def test_instalments_always_add_up_and_none_but_the_last_takes_more_than_its_share(amount, cuts, rounding):
    edges = [0, *sorted(cuts), 1000]
    shares = [Decimal(b - a) / 10 for a, b in itertools.pairwise(edges)]
    data = {"rules": [{"fixed": "1"}], "rounding": rounding, "instalments": [str(share) for share in shares]}
    parts = split_instalments(parse_award(data, VOCABULARY), amount)
    assert len(parts) == len(shares)
    assert sum(map(Fraction, parts)) == Fraction(amount)
    for part, share in list(zip(parts, shares, strict=True))[:-1]:
        exact = Fraction(amount) * Fraction(share) / 100
        assert Fraction(part) <= exact < Fraction(part) + (1 if rounding == "yuan" else Fraction(1, 100))
    assert parts[-1] >= 0
