"""Number and yearly facts, growth and percentages, as of 2026-11-22: last is 2025, this 2026, before
last 2024."""

import pytest

from .world import F, T, U, judge, judge_many


def test_bounds_hold_their_ends_or_not_as_they_say():
    """`number`: one lower bound (`gte` or `gt`), one upper (`lte` or `lt`), or both, or `eq` alone."""
    judge_many(
        [
            ({"fact": "staff", "gte": 10}, {"staff": 10}, T),
            ({"fact": "staff", "gte": 10}, {"staff": "9.99"}, F),
            ({"fact": "staff", "gt": 10}, {"staff": 10}, F),
            ({"fact": "staff", "gt": 10}, {"staff": "10.01"}, T),
            ({"fact": "staff", "lte": 10}, {"staff": 10}, T),
            ({"fact": "staff", "lte": 10}, {"staff": "10.01"}, F),
            ({"fact": "staff", "lt": 10}, {"staff": 10}, F),
            ({"fact": "staff", "lt": 10}, {"staff": -10}, T),
            ({"fact": "staff", "gte": 10, "lte": 20}, {"staff": 20}, T),
            ({"fact": "staff", "gte": 10, "lt": 20}, {"staff": 20}, F),
            ({"fact": "staff", "gt": 10, "lte": 20}, {"staff": 10}, F),
            ({"fact": "staff", "gt": 10, "lt": 20}, {"staff": 15}, T),
            ({"fact": "staff", "gte": 10, "lte": 10}, {"staff": 10}, T),
            ({"fact": "staff", "eq": "10.0"}, {"staff": 10}, T),
            ({"fact": "staff", "eq": 10}, {"staff": "10.000"}, T),
            ({"fact": "staff", "eq": 10}, {"staff": "10.001"}, F),
            ({"fact": "staff", "eq": 0}, {"staff": "-0"}, T),
            ({"fact": "staff", "eq": 10}, {}, U),
            ({"fact": "staff", "gte": 10}, {"staff": 0}, F),
        ]
    )


def test_long_numbers_are_compared_exactly():
    """Arithmetic is exact decimal. At most 15 significant digits."""
    judge_many(
        [
            ({"fact": "staff", "gt": "999999999999998"}, {"staff": "999999999999999"}, T),
            ({"fact": "staff", "eq": "0.100000000000001"}, {"staff": "0.1"}, F),
            ({"fact": "staff", "gt": "0.0000000000000000000000000001"}, {"staff": "0.0000000000000000000000000002"}, T),
            (
                {"fact": "rev", "gt": "999999999999999", "years": 2, "over": "sum"},
                {"rev": {"2024": "999999999999999", "2025": "0.00000000000000000001"}},
                T,
            ),
            (
                {"fact": "rev", "eq": "999999999999999", "years": 2, "over": "sum"},
                {"rev": {"2024": "999999999999999", "2025": "0.00000000000000000001"}},
                F,
            ),
            (
                {"fact": "rev", "gt": "33.3333333333333", "years": 3, "over": "mean"},
                {"rev": {"2023": 0, "2024": 0, "2025": 100}},
                T,
            ),
            (
                {"fact": "rev", "lt": "33.3333333333334", "years": 3, "over": "mean"},
                {"rev": {"2023": 0, "2024": 0, "2025": 100}},
                T,
            ),
            ({"fact": "rev", "gt": "33.3333333333333", "growth": True}, {"rev": {"2024": 3, "2025": 4}}, T),
            ({"fact": "rev", "lt": "33.3333333333334", "growth": True}, {"rev": {"2024": 3, "2025": 4}}, T),
            ({"fact": "staff", "eq": "33.3333333333333", "percent_of": "insured"}, {"staff": 1, "insured": 3}, F),
            (
                {"fact": "staff", "gt": "99.9999999999999", "percent_of": "insured"},
                {"staff": "999999999999998", "insured": "999999999999999"},
                F,
            ),
            (
                {"fact": "staff", "lt": "100", "percent_of": "insured"},
                {"staff": "999999999999998", "insured": "999999999999999"},
                T,
            ),
        ]
    )


def test_year_names_count_from_the_year_of_as_of():
    """`year`: `"last"` (default: the year before `as_of`'s), `"this"`, `"before_last"`, or `"2024"`."""
    facts = {"rev": {"2021": 21, "2024": 24, "2025": 25, "2026": 26}}
    judge_many(
        [
            ({"fact": "rev", "eq": 25}, facts, T),
            ({"fact": "rev", "eq": 25, "year": "last"}, facts, T),
            ({"fact": "rev", "eq": 26, "year": "this"}, facts, T),
            ({"fact": "rev", "eq": 24, "year": "before_last"}, facts, T),
            ({"fact": "rev", "eq": 21, "year": "2021"}, facts, T),
            ({"fact": "rev", "eq": 21, "year": "2022"}, facts, U),
            ({"fact": "rev", "eq": 25}, {"rev": {"2024": 25}}, U),
            ({"fact": "rev", "eq": 25}, {}, U),
        ]
    )
    assert judge({"fact": "rev", "eq": 25}, facts, as_of="2026-01-01") == T
    assert judge({"fact": "rev", "eq": 25}, facts, as_of="2025-12-31") == F  # 2024 is then the last
    assert judge({"fact": "rev", "eq": 26}, facts, as_of="2027-01-01") == T


def test_several_years_are_taken_as_sum_mean_or_each():
    """`years: N` (default 1: that year and the N−1 before it) taken `over`: `"sum"`, `"mean"` or `"each"`."""
    three = {"rev": {"2022": 1000, "2023": 10, "2024": 20, "2025": 60}}
    judge_many(
        [
            ({"fact": "rev", "eq": 90, "years": 3, "over": "sum"}, three, T),
            ({"fact": "rev", "eq": 30, "years": 3, "over": "mean"}, three, T),
            ({"fact": "rev", "gte": 10, "years": 3, "over": "each"}, three, T),
            ({"fact": "rev", "gte": 11, "years": 3, "over": "each"}, three, F),
            ({"fact": "rev", "eq": 30, "years": 2, "over": "sum", "year": "before_last"}, three, T),
            ({"fact": "rev", "eq": 1010, "years": 2, "over": "sum", "year": "2023"}, three, T),
            ({"fact": "rev", "eq": 60, "years": 1, "over": "sum"}, three, T),
            ({"fact": "rev", "eq": 60, "years": 1, "over": "mean"}, three, T),
            ({"fact": "rev", "eq": 60, "years": 1, "over": "each"}, three, T),
            ({"fact": "rev", "gte": 1, "years": 2, "over": "sum"}, {"rev": {"2025": 60}}, U),
            ({"fact": "rev", "gte": 1, "years": 2, "over": "mean"}, {"rev": {"2024": 60}}, U),
            ({"fact": "rev", "lte": 1, "years": 5, "over": "sum"}, three, U),
        ]
    )


def test_with_each_a_year_known_to_fail_settles_it_and_a_missing_one_leaves_it_open():
    """Unknown if a needed year is missing; with `each`, a year that is known to fail settles it."""
    leaf = {"fact": "rev", "gte": 10, "years": 3, "over": "each"}
    judge_many(
        [
            (leaf, {"rev": {"2025": 9}}, F),
            (leaf, {"rev": {"2023": 9}}, F),
            (leaf, {"rev": {"2023": 10, "2025": 10}}, U),
            (leaf, {"rev": {"2022": 9, "2023": 10, "2024": 10, "2025": 10}}, T),
            ({"not": leaf}, {"rev": {"2025": 9}}, T),
            ({"not": leaf}, {"rev": {"2025": 10}}, U),
        ]
    )


def test_growth_compares_the_percentage_over_the_year_before():
    """`growth: true` compares not the value but its % over the year before; unknown if a growth's
    earlier year is ≤ 0."""
    leaf = {"fact": "rev", "gte": 10, "growth": True}
    judge_many(
        [
            (leaf, {"rev": {"2024": 100, "2025": 110}}, T),
            (leaf, {"rev": {"2024": 100, "2025": "109.99"}}, F),
            (leaf, {"rev": {"2024": 0, "2025": 110}}, U),
            (leaf, {"rev": {"2024": -1, "2025": 110}}, U),
            (leaf, {"rev": {"2024": 100}}, U),
            (leaf, {"rev": {"2025": 110}}, U),
            ({"fact": "rev", "eq": -100, "growth": True}, {"rev": {"2024": 100, "2025": 0}}, T),
            ({"fact": "rev", "eq": -150, "growth": True}, {"rev": {"2024": 100, "2025": -50}}, T),
            ({"fact": "rev", "eq": 50, "growth": True, "year": "this"}, {"rev": {"2025": 2, "2026": 3}}, T),
            ({"fact": "rev", "eq": 50, "growth": True, "year": "2020"}, {"rev": {"2019": 2, "2020": 3}}, T),
        ]
    )


def test_growth_of_each_year_needs_the_year_before_the_first():
    """`growth: true` (`over` may then only be `each`); with `each`, a year that is known to fail settles it."""
    leaf = {"fact": "rev", "gte": 10, "growth": True, "years": 2, "over": "each"}
    judge_many(
        [
            (leaf, {"rev": {"2023": 100, "2024": 110, "2025": 121}}, T),
            (leaf, {"rev": {"2023": 100, "2024": 110, "2025": 120}}, F),
            (leaf, {"rev": {"2023": 100, "2024": 109, "2025": 121}}, F),
            (leaf, {"rev": {"2024": 110, "2025": 121}}, U),
            (leaf, {"rev": {"2024": 110, "2025": 120}}, F),
            (leaf, {"rev": {"2023": 0, "2024": 110, "2025": 121}}, U),
            (leaf, {"rev": {"2023": 0, "2024": 110, "2025": 120}}, F),
            (leaf, {"rev": {"2023": 100, "2024": 0, "2025": 121}}, F),
            (leaf, {"rev": {"2023": 100, "2025": 121}}, U),
            ({**leaf, "years": 1}, {"rev": {"2024": 100, "2025": 110}}, T),
        ]
    )


def test_percent_of_compares_a_hundred_times_fact_over_fact2():
    """`percent_of: KEY2`: compares 100 × fact ÷ fact2; unknown if fact2 is missing or ≤ 0."""
    leaf = {"fact": "staff", "gte": 50, "percent_of": "insured"}
    judge_many(
        [
            (leaf, {"staff": 1, "insured": 2}, T),
            (leaf, {"staff": "0.99", "insured": 2}, F),
            (leaf, {"staff": 1}, U),
            (leaf, {"insured": 2}, U),
            (leaf, {"staff": 1, "insured": 0}, U),
            (leaf, {"staff": 1, "insured": -2}, U),
            (leaf, {"staff": 0, "insured": 0}, U),
            (leaf, {"staff": -1, "insured": 2}, F),
            ({"fact": "staff", "eq": "-50", "percent_of": "insured"}, {"staff": -1, "insured": 2}, T),
            ({"fact": "staff", "gte": 20, "lte": 30, "percent_of": "insured"}, {"staff": 3, "insured": 10}, T),
        ]
    )


def test_percent_of_a_yearly_fact_takes_the_same_years():
    """for `yearly` facts over the same years."""
    judge_many(
        [
            ({"fact": "rd", "eq": 5, "percent_of": "rev"}, {"rd": {"2025": 5}, "rev": {"2025": 100, "2024": 1}}, T),
            ({"fact": "rd", "eq": 5, "percent_of": "rev"}, {"rd": {"2025": 5}, "rev": {"2024": 100}}, U),
            ({"fact": "rd", "eq": 5, "percent_of": "rev"}, {"rd": {"2024": 5}, "rev": {"2025": 100}}, U),
            (
                {"fact": "rd", "eq": 5, "percent_of": "rev", "year": "this"},
                {"rd": {"2026": 5}, "rev": {"2026": 100}},
                T,
            ),
            ({"fact": "rd", "eq": 5, "percent_of": "rev"}, {"rd": {"2025": 5}, "rev": {"2025": 0}}, U),
            ({"fact": "rd", "eq": 5, "percent_of": "rev"}, {"rd": {"2025": 5}, "rev": {"2025": -1}}, U),
        ]
    )


@pytest.mark.parametrize("over", ["sum", "mean"])
def test_percent_over_several_years_is_total_over_total(over: str):
    """`sum` and `mean`: total over total, and only the total of fact2 must be > 0."""
    leaf = {"fact": "rd", "eq": 10, "percent_of": "rev", "years": 2, "over": over}
    judge_many(
        [
            (leaf, {"rd": {"2024": 1, "2025": 9}, "rev": {"2024": 50, "2025": 50}}, T),
            (leaf, {"rd": {"2024": 1, "2025": 9}, "rev": {"2024": -100, "2025": 200}}, T),
            (leaf, {"rd": {"2024": 1, "2025": 9}, "rev": {"2024": 0, "2025": 100}}, T),
            (leaf, {"rd": {"2024": 1, "2025": 9}, "rev": {"2024": -100, "2025": 100}}, U),
            (leaf, {"rd": {"2024": 1, "2025": 9}, "rev": {"2024": -200, "2025": 100}}, U),
            (leaf, {"rd": {"2024": 1, "2025": 9}, "rev": {"2025": 100}}, U),
            (leaf, {"rd": {"2025": 9}, "rev": {"2024": 50, "2025": 50}}, U),
        ]
    )


def test_percent_of_each_year_goes_year_by_year():
    """`each`: year by year; with `each`, a year that is known to fail settles it."""
    leaf = {"fact": "rd", "gte": 10, "percent_of": "rev", "years": 2, "over": "each"}
    judge_many(
        [
            (leaf, {"rd": {"2024": 10, "2025": 10}, "rev": {"2024": 100, "2025": 100}}, T),
            (leaf, {"rd": {"2024": 1, "2025": 90}, "rev": {"2024": 100, "2025": 100}}, F),
            (leaf, {"rd": {"2024": 10, "2025": 10}, "rev": {"2024": 0, "2025": 100}}, U),
            (leaf, {"rd": {"2024": 10, "2025": 9}, "rev": {"2024": 0, "2025": 100}}, F),
            (leaf, {"rd": {"2024": 9}, "rev": {"2024": 100}}, F),
            (leaf, {"rd": {"2024": 10}, "rev": {"2024": 100}}, U),
        ]
    )


def test_a_span_of_years_longer_than_any_calendar_is_judged_like_any_other():
    """`years: N` (…that year and the N−1 before it); unknown if a needed year is missing; `each`
    …settles it."""
    for years in (10_000, 10**9, 10**30):
        judge_many(
            [
                ({"fact": "rev", "gte": 10, "years": years, "over": "sum"}, {"rev": {"2025": 5}}, U),
                ({"fact": "rev", "gte": 10, "years": years, "over": "each"}, {"rev": {"2025": 5}}, F),
                ({"fact": "rev", "gte": 10, "years": years, "over": "each"}, {"rev": {"2025": 15}}, U),
            ]
        )
