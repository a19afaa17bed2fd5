"""Fifteen digits at their very bounds, on the real server: plain, summed, as a mean, a percentage and a growth."""

import logging
from contextlib import closing
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from matching.backends import Listed, create_backend
from matching.criteria import evaluate, parse_criteria, parse_facts
from tests.unit.matching.criteria.samples import VOCABULARY

Json = Any
AS_OF = date(2026, 11, 22)

digits = st.integers(10**14, 10**15 - 4)


def text(number: int, places: int) -> str:
    sign, whole = ("-" if number < 0 else ""), str(abs(number)).rjust(places + 1, "0")
    return f"{sign}{whole[:-places]}.{whole[-places:]}" if places else f"{sign}{whole}"


@st.composite
def at_the_bound(draw: st.DrawFn) -> tuple[list[Json], Json]:
    """Leaves whose bound is the profile's figure or its neighbour in the last of fifteen digits."""
    number, places = draw(digits), draw(st.integers(0, 14))
    sign = draw(st.sampled_from([1, -1]))
    whole = draw(st.integers(1, 10**6))
    leaves: list[Json] = []
    for step in (-1, 0, 1):
        bound = text(sign * (number + step), places)
        for operator in ("gte", "gt", "lte", "lt", "eq"):
            test = {operator: bound}
            leaves += [
                {"fact": "staff", **test},
                {"fact": "staff", "percent_of": "rd_staff", **test},
                {"fact": "revenue", "years": 2, "over": "sum", **test},
                {"fact": "revenue", "years": 3, "over": "mean", **test},
                {"fact": "revenue", "growth": True, **test},
                {"fact": "revenue", "percent_of": "rd", **test},
            ]
    facts = {
        "staff": text(sign * number, places),
        "rd_staff": draw(st.sampled_from(["100", str(whole), "0.3"])),
        "revenue": {
            "2025": text(sign * number, places),
            "2024": draw(st.sampled_from(["0", "1", text(number, places)])),
        }
        | {"2023": text(sign * (number + 3), places)},
        "rd": {"2025": draw(st.sampled_from(["100", "3", str(whole)]))},
    }
    return leaves, facts


@pytest.mark.elasticsearch
@pytest.mark.slow
def test_no_pair_is_lost_or_won_at_the_last_digit(caplog: pytest.LogCaptureFixture) -> None:
    @settings(max_examples=25, deadline=None)
    @given(at_the_bound())
    def agree(drawn: tuple[list[Json], Json]) -> None:
        leaves, profile = drawn
        trees = [*leaves, *({"not": leaf} for leaf in leaves)]
        policies = [Listed(f"P{number:03d}", parse_criteria(tree, VOCABULARY)) for number, tree in enumerate(trees)]
        facts = parse_facts(profile, VOCABULARY)
        told = {policy.id: evaluate(policy.criteria, facts, AS_OF) for policy in policies}
        assume(any(not one.unmet for one in told.values()))
        with closing(create_backend("elasticsearch")) as backend:
            backend.put(policies)
            found = {match.policy: match.verdict for match in backend.match(facts, as_of=AS_OF)}
        assert found == {policy: one.verdict for policy, one in told.items() if not one.unmet}

    with caplog.at_level(logging.ERROR):
        agree()
    assert "defect" not in caplog.text
