"""Awards against a second, naive reading that tries every way of resolving what is unknown."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from matching.criteria import parse_facts
from matching.criteria.award import estimate, parse_award
from tests.oracle.award import estimate as oracle

from . import strategies
from .samples import VOCABULARY, VOCABULARY_JSON

Json = Any

_AMOUNTS = st.sampled_from(["0", "1", "2.5", "10", "100", "1000", "33.33", "7"])
_BASES = st.one_of(
    st.sampled_from(["staff", "rd_staff", "investment", "loan"]),
    st.builds(
        lambda key, year: f"{key}@{year}",
        st.sampled_from(["revenue", "rd"]),
        st.sampled_from(["last", "this", "before_last", "2024"]),
    ),
)


@st.composite
def rules(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(["fixed", "rate", "brackets", "each"]))
    rule: Json = {} if draw(st.booleans()) else {"when": draw(strategies.trees)}
    if kind == "fixed":
        rule["fixed"] = draw(_AMOUNTS)
    else:
        rule["of"] = draw(_BASES)
    if kind == "rate":
        rule["rate"] = draw(_AMOUNTS)
    elif kind == "brackets":
        tops = sorted(draw(st.sets(st.sampled_from([1, 3, 10, 50]), max_size=3)))
        rule["brackets"] = [
            *({"upto": str(top), "rate": draw(_AMOUNTS)} for top in tops),
            {"rate": draw(_AMOUNTS)},
        ]
    elif kind == "each":
        rule["each"] = draw(_AMOUNTS)
        if draw(st.booleans()):
            rule["quantity_cap"] = draw(st.sampled_from(["0", "1", "5", "20"]))
    if draw(st.booleans()):
        rule["cap"] = draw(st.sampled_from(["0.015", "5", "20.555", "200"]))
    if draw(st.booleans()):
        rule["cap_fact"] = draw(_BASES)
    return rule


@st.composite
def awards(draw: st.DrawFn) -> Json:
    award: Json = {"rules": draw(st.lists(rules(), min_size=1, max_size=3))}
    if draw(st.booleans()):
        award["choose"] = draw(st.sampled_from(["first", "highest", "sum"]))
    if draw(st.booleans()):
        points = st.builds(
            lambda when, n: {"points": n} | ({"when": when} if when else {}),
            st.one_of(st.none(), strategies.trees),
            _AMOUNTS,
        )
        award["bonus_points"] = draw(st.lists(points, min_size=1, max_size=2))
    if draw(st.booleans()):
        award["rate_limit"] = draw(st.sampled_from(["5", "20", "50"]))
    if draw(st.booleans()):
        award["cap_total"] = draw(st.sampled_from(["7.777", "100"]))
    if draw(st.booleans()):
        award["rounding"] = draw(st.sampled_from(["cent", "yuan"]))
    return award


@given(awards(), strategies.facts, strategies.as_ofs)
def test_low_and_high_are_the_least_and_the_most_over_every_way(award: Json, facts: Json, as_of: date) -> None:
    found = estimate(parse_award(award, VOCABULARY), parse_facts(facts, VOCABULARY), as_of)
    high = None if found.high is None else f"{found.high:.2f}"
    assert (f"{found.low:.2f}", high) == oracle(award, facts, VOCABULARY_JSON, as_of)
