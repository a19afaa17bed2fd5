"""Numbers, dates and durations."""

import decimal
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.criteria.errors import Collector
from matching.criteria.values import (
    Period,
    read_date,
    read_number,
    read_period,
    read_year,
    rounded,
    times,
    total,
    with_unit,
)


@pytest.mark.parametrize(
    "value", [0, -7, 999999999999999, "0", "-0.5", "35000000.00", "000123", "0.000000000000000001", "123456789012345"]
)
def test_a_number_is_an_integer_or_decimal_text(value: Any) -> None:
    problems = Collector()
    assert read_number(value, "x", problems) == Decimal(str(value))
    assert not problems.problems


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        True,
        None,
        "",
        "1.",
        ".5",
        "+1",
        "1e3",
        "1,000",
        " 1",
        "1\n",
        "１２",
        "--1",
        "NaN",
        "Infinity",
        [],
        {},
        "0x1",
    ],
)
def test_anything_else_is_no_number(value: Any) -> None:
    problems = Collector()
    assert read_number(value, "x", problems) is None
    assert [problem.path for problem in problems.problems] == ["x"]


@pytest.mark.parametrize("value", [1234567890123456, "1234567890123456", "0.1234567890123456", "-12345678.90123456"])
def test_a_number_has_at_most_fifteen_significant_digits(value: Any) -> None:
    problems = Collector()
    assert read_number(value, "x", problems) is None
    assert "15 位" in problems.problems[0].message


@pytest.mark.parametrize(
    "value", ["2026-2-1", "2026-02-30", "0000-01-01", "20260201", "2026/02/01", 20260201, None, "2026-02-01T00:00"]
)
def test_a_date_is_a_day_of_the_calendar_in_its_one_form(value: Any) -> None:
    problems = Collector()
    assert read_date(value, "x", problems) is None
    assert problems.problems


@pytest.mark.parametrize("value", ["26", "02026", 2026, "２０２６", "abcd"])
def test_a_year_is_text_of_four_digits(value: Any) -> None:
    problems = Collector()
    assert read_year(value, "x", problems) is None
    assert problems.problems


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("P3Y", Period(36, 0)),
        ("P6M", Period(6, 0)),
        ("P90D", Period(0, 90)),
        ("P1Y2M3D", Period(14, 3)),
        ("P0D", Period(0, 0)),
    ],
)
def test_a_duration_is_years_months_days_or_a_mix(text: str, period: Period) -> None:
    assert read_period(text, "x", Collector()) == period


@pytest.mark.parametrize("text", ["P", "3Y", "P3", "P1W", "P1D1Y", "PT1H", "P-1Y", "p1y", "P1.5Y", "", 3, None])
def test_no_other_duration_is_taken(text: Any) -> None:
    problems = Collector()
    assert read_period(text, "x", problems) is None
    assert problems.problems


@pytest.mark.parametrize(
    ("as_of", "period", "expected"),
    [
        (date(2026, 11, 22), "P3Y", date(2023, 11, 22)),
        (date(2024, 2, 29), "P1Y", date(2023, 2, 28)),  # a day past the month's end becomes its last day
        (date(2026, 3, 31), "P1M", date(2026, 2, 28)),
        (date(2024, 3, 31), "P1M", date(2024, 2, 29)),
        (date(2024, 2, 29), "P1Y12M", date(2022, 2, 28)),  # years and months are taken off together
        (date(2026, 3, 31), "P1M1D", date(2026, 2, 27)),  # then days
        (date(2026, 1, 1), "P1D", date(2025, 12, 31)),
        (date(2026, 1, 15), "P13M", date(2024, 12, 15)),
    ],
)
def test_durations_are_taken_off_as_the_contract_says(as_of: date, period: str, expected: date) -> None:
    found = read_period(period, "x", Collector())
    assert found is not None
    assert found.before(as_of) == expected


@pytest.mark.parametrize("period", [Period(999_999 * 12, 0), Period(0, 999_999_999), Period(2026 * 12, 0)])
def test_a_duration_longer_than_the_calendar_ends_before_it(period: Period) -> None:
    assert period.before(date(2026, 11, 22)) is None


@settings(deadline=None)
@given(st.lists(st.integers(-(10**15), 10**15)), st.integers(1, 60))
def test_sums_and_products_are_exact_in_any_decimal_context(numbers: list[int], precision: int) -> None:
    exact = [Decimal(number).scaleb(-20) for number in numbers]
    with decimal.localcontext(decimal.Context(prec=precision)):
        assert Fraction(total(exact)) == sum((Fraction(number, 10**20) for number in numbers), Fraction(0))
        for number in exact:
            assert Fraction(times(number, number)) == Fraction(number) ** 2


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        ("18200000", "元", "1,820 万元"),
        ("18205000", "元", "1,820.5 万元"),
        ("18200001", "元", "18,200,001 元"),
        ("10000", "元", "1 万元"),
        ("9999.50", "元", "9,999.5 元"),
        ("-20000000", "元", "-2,000 万元"),
        ("0.00", "元", "0 元"),
        ("12.50", "%", "12.5%"),
        ("1200", "人", "1,200 人"),
        ("3", "", "3"),
    ],
)
def test_amounts_are_told_exactly_and_as_people_write_them(number: str, unit: str, text: str) -> None:
    assert with_unit(Decimal(number), unit) == text


def test_rounding_for_show_takes_halves_away_from_zero() -> None:
    assert [str(rounded(Fraction(n, 200), 2)) for n in (1, -1, 2, 3)] == ["0.01", "-0.01", "0.01", "0.02"]
