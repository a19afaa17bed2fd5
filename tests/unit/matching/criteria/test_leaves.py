"""What one leaf says: code, number, yearly, date, boolean. Unknown is None."""

import decimal
from datetime import date
from typing import Any

import pytest

from .samples import truth


def test_a_leaf_over_an_absent_fact_is_unknown() -> None:
    for leaf in (
        {"fact": "region", "in": ["5101"]},
        {"fact": "region", "not_in": ["5101"]},
        {"fact": "staff", "gte": 0},
        {"fact": "revenue", "gte": 0},
        {"fact": "founded", "on_or_after": "2000-01-01"},
        {"fact": "listed", "is": False},
        {"fact": "qualifications", "none_of": ["srdi"]},
        {"fact": "qualifications", "any_of": ["srdi"], "count": {"gte": 0}},
    ):
        assert truth(leaf) is None


@pytest.mark.parametrize(
    ("codes", "own", "expected"),
    [
        (["5101"], "510105", True),
        (["5101"], "5101", True),
        (["510105"], "5101", False),
        (["510107", "51"], "5107", True),
        (["510107"], "510105", False),
    ],
)
def test_in_and_not_in_follow_the_hierarchy(codes: list[str], own: str, expected: bool) -> None:
    assert truth({"fact": "region", "in": codes}, region=own) is expected
    assert truth({"fact": "region", "not_in": codes}, region=own) is not expected


@pytest.mark.parametrize(
    ("bounds", "value", "expected"),
    [
        ({"gte": 10}, "10.00", True),
        ({"gt": 10}, "10.00", False),
        ({"gt": 10}, "10.01", True),
        ({"lte": 10}, 10, True),
        ({"lt": 10}, 10, False),
        ({"gte": 5, "lt": 10}, "9.999", True),
        ({"gte": 5, "lt": 10}, "4.999", False),
        ({"eq": "0.10"}, "0.1", True),
        ({"eq": "0.10"}, "0.100001", False),
        ({"gte": "-5"}, "-5", True),
    ],
)
def test_numbers_are_compared_exactly(bounds: Any, value: Any, expected: bool) -> None:
    assert truth({"fact": "staff", **bounds}, staff=value) is expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (10, 100, True),
        ("9.99", 100, False),
        (10, 0, None),
        (10, -1, None),
        (1, "3", True),
        (None, 5, None),
        (5, None, None),
    ],
)
def test_percent_of_is_a_hundred_times_the_quotient_and_unknown_where_the_other_is_missing_or_not_above_zero(
    part: Any, whole: Any, expected: bool | None
) -> None:
    known = {key: value for key, value in (("rd_staff", part), ("staff", whole)) if value is not None}
    assert truth({"fact": "rd_staff", "gte": 10, "percent_of": "staff"}, **known) is expected


def test_a_percentage_is_compared_without_rounding() -> None:
    third = {"fact": "rd_staff", "percent_of": "staff"}
    assert truth({**third, "eq": "33.3333333333333"}, rd_staff=1, staff=3) is False
    assert truth({**third, "gt": "33.3333333333333"}, rd_staff=1, staff=3) is True
    with decimal.localcontext(decimal.Context(prec=3)):
        assert truth({**third, "gt": "33.3333333333333"}, rd_staff=1, staff=3) is True
        assert truth({**third, "eq": 100}, rd_staff="999999999999999", staff="999999999999998") is False


REVENUE = {"2022": 10, "2023": 20, "2024": 30, "2025": 40, "2026": 50}


@pytest.mark.parametrize(("year", "value"), [(None, 40), ("last", 40), ("this", 50), ("before_last", 30), ("2023", 20)])
def test_the_year_counts_from_as_of(year: str | None, value: int) -> None:
    leaf = {"fact": "revenue", "eq": value} | ({} if year is None else {"year": year})
    assert truth(leaf, revenue=REVENUE) is True


def test_as_of_decides_which_year_is_the_last() -> None:
    assert truth({"fact": "revenue", "eq": 20}, as_of=date(2024, 1, 1), revenue=REVENUE) is True


def test_a_missing_year_makes_the_leaf_unknown() -> None:
    assert truth({"fact": "revenue", "gte": 0}, revenue={"2024": 1}) is None
    assert truth({"fact": "revenue", "gte": 0}, revenue={}) is None


@pytest.mark.parametrize(
    ("over", "bounds", "expected"),
    [
        ("sum", {"eq": 90}, True),
        ("mean", {"eq": 30}, True),
        ("mean", {"gt": 30}, False),
        ("each", {"gte": 20}, True),
        ("each", {"gte": 21}, False),
    ],
)
def test_several_years_are_taken_together(over: str, bounds: Any, expected: bool) -> None:
    assert truth({"fact": "revenue", "years": 3, "over": over, **bounds}, revenue=REVENUE) is expected


def test_a_mean_that_has_no_end_as_a_decimal_is_compared_exactly() -> None:
    leaf = {"fact": "revenue", "years": 3, "over": "mean"}
    years = {"2023": 0, "2024": 0, "2025": 1}
    assert truth({**leaf, "gt": "0.333333333333333"}, revenue=years) is True
    assert truth({**leaf, "lt": "0.333333333333334"}, revenue=years) is True


def test_with_each_a_year_that_is_known_to_fail_settles_it() -> None:
    leaf = {"fact": "revenue", "years": 3, "over": "each", "gte": 15}
    assert truth(leaf, revenue={"2025": 10}) is False
    assert truth(leaf, revenue={"2025": 20, "2024": 20}) is None
    assert truth({**leaf, "over": "sum"}, revenue={"2025": 10, "2024": 1}) is None


def test_growth_is_the_percentage_over_the_year_before() -> None:
    assert truth({"fact": "revenue", "growth": True, "eq": "33.3"}, revenue={"2024": 1000, "2025": 1333}) is True
    assert truth({"fact": "revenue", "growth": True, "lt": 0}, revenue={"2024": 10, "2025": 9}) is True
    assert truth({"fact": "revenue", "growth": True, "gte": 10}, revenue={"2025": 9}) is None


@pytest.mark.parametrize("earlier", [0, -1])
def test_growth_over_a_year_that_is_not_above_zero_is_unknown(earlier: int) -> None:
    assert truth({"fact": "revenue", "growth": True, "gte": 0}, revenue={"2024": earlier, "2025": 9}) is None


def test_growth_of_each_year_needs_one_year_more_and_one_failure_settles_it() -> None:
    leaf = {"fact": "revenue", "growth": True, "years": 2, "over": "each", "gte": 10}
    assert truth(leaf, revenue={"2023": 100, "2024": 110, "2025": 121}) is True
    assert truth(leaf, revenue={"2024": 110, "2025": 121}) is None
    assert truth(leaf, revenue={"2024": 110, "2025": 111}) is False
    assert truth(leaf, revenue={"2023": 100, "2024": 101}) is False


def test_a_percentage_of_sums_is_total_over_total_and_only_the_total_must_be_above_zero() -> None:
    leaf = {"fact": "rd", "percent_of": "revenue", "years": 2, "eq": 10}
    years: Any = {"rd": {"2024": 5, "2025": 5}, "revenue": {"2024": -50, "2025": 150}}
    for over in ("sum", "mean"):
        assert truth({**leaf, "over": over}, **years) is True
        assert truth({**leaf, "over": over}, rd=years["rd"], revenue={"2024": -50, "2025": 50}) is None
        assert truth({**leaf, "over": over}, rd=years["rd"], revenue={"2025": 50}) is None


def test_a_percentage_of_each_year_is_taken_year_by_year() -> None:
    leaf = {"fact": "rd", "percent_of": "revenue", "years": 2, "over": "each", "gte": 10}
    assert truth(leaf, rd={"2024": 5, "2025": 5}, revenue={"2024": 50, "2025": 50}) is True
    assert truth(leaf, rd={"2024": 5, "2025": 5}, revenue={"2024": -50, "2025": 50}) is None
    assert truth(leaf, rd={"2024": 5, "2025": 4}, revenue={"2024": -50, "2025": 50}) is False
    assert truth(leaf, rd={"2024": 5, "2025": 4}) is None


def test_a_vast_number_of_years_is_unknown_at_once() -> None:
    for over in ("sum", "mean", "each"):
        assert truth({"fact": "revenue", "years": 10**12, "over": over, "gte": 0}, revenue=REVENUE) is None


@pytest.mark.parametrize(
    ("dates", "value", "expected"),
    [
        ({"on_or_after": "2021-03-15"}, "2021-03-15", True),
        ({"on_or_after": "2021-03-15"}, "2021-03-14", False),
        ({"on_or_before": "2021-03-15"}, "2021-03-15", True),
        ({"on_or_before": "2021-03-15"}, "2021-03-16", False),
        ({"within_last": "P3Y"}, "2023-11-22", True),
        ({"within_last": "P3Y"}, "2023-11-21", False),
        ({"within_last": "P3Y"}, "2026-11-22", True),
        ({"within_last": "P3Y"}, "2026-11-23", False),
        ({"at_least_ago": "P3Y"}, "2023-11-22", True),
        ({"at_least_ago": "P3Y"}, "2023-11-23", False),
        ({"within_last": "P3Y", "at_least_ago": "P1Y"}, "2025-11-22", True),
        ({"within_last": "P3Y", "at_least_ago": "P1Y"}, "2025-11-23", False),
        ({"within_last": "P9999Y"}, "0001-01-01", True),
        ({"at_least_ago": "P9999Y"}, "0001-01-01", False),
    ],
)
def test_date_operators_include_their_ends(dates: Any, value: str, expected: bool) -> None:
    assert truth({"fact": "founded", **dates}, founded=value) is expected


@pytest.mark.parametrize("wanted", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_boolean_is_what_is_asked(wanted: bool, known: bool) -> None:
    assert truth({"fact": "listed", "is": wanted}, listed=known) is (wanted is known)
