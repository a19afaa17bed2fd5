"""What one leaf says of one enterprise: True, False, or None for unknown. Exact decimals, as of a given date."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import assert_never

from . import ast
from .bounds import Bounds
from .facts import Facts
from .records import judge_records
from .values import HUNDRED, ZERO, minus, times, total

Truth = bool | None
Judge = Callable[[Facts, date], Truth]


def judge_of(leaf: ast.Leaf) -> Judge:
    """The function that judges this leaf, before any ``not`` over it and whether it is soft or not."""
    match leaf:
        case ast.CodeLeaf():
            return partial(_code, leaf)
        case ast.NumberLeaf():
            return partial(_number, leaf)
        case ast.YearlyLeaf():
            return partial(_yearly, leaf)
        case ast.DateLeaf():
            return partial(_date, leaf)
        case ast.BooleanLeaf():
            return partial(_boolean, leaf)
        case ast.RecordsLeaf():
            return partial(judge_records, leaf)
        case _:
            assert_never(leaf)


def _code(leaf: ast.CodeLeaf, facts: Facts, as_of: date) -> Truth:
    code = facts.code(leaf.fact)
    return None if code is None else (code in leaf.accepted) is not leaf.negated


def _number(leaf: ast.NumberLeaf, facts: Facts, as_of: date) -> Truth:
    number = facts.number(leaf.fact)
    if number is None:
        return None
    if leaf.percent_of is None:
        return leaf.bounds.admits(number)
    return percent_admitted(leaf.bounds, number, facts.number(leaf.percent_of))


def percent_admitted(bounds: Bounds, part: Decimal, whole: Decimal | None) -> Truth:
    """Whether 100 × part ÷ whole is inside; unknown where the whole is missing or ≤ 0."""
    if whole is None or whole <= ZERO:
        return None
    return bounds.admits_ratio(times(HUNDRED, part), whole)


def _date(leaf: ast.DateLeaf, facts: Facts, as_of: date) -> Truth:
    value = facts.date(leaf.fact)
    return None if value is None else leaf.dates.admits(value, as_of)


def _boolean(leaf: ast.BooleanLeaf, facts: Facts, as_of: date) -> Truth:
    value = facts.boolean(leaf.fact)
    return None if value is None else value is leaf.value


def _yearly(leaf: ast.YearlyLeaf, facts: Facts, as_of: date) -> Truth:
    series = facts.yearly(leaf.fact)
    divisors = facts.yearly(leaf.percent_of) if leaf.percent_of is not None else None
    if series is None or (leaf.percent_of is not None and divisors is None):
        return None
    final = leaf.final_year(as_of.year)
    if leaf.over is None or leaf.over is ast.Over.EACH:
        return _each_year(leaf, series, divisors, final)
    whole = _total(series, final, leaf.years)
    if whole is None:
        return None
    if divisors is not None:
        # Total over total, for the mean as well: the number of years cancels out.
        return percent_admitted(leaf.bounds, whole, _total(divisors, final, leaf.years))
    if leaf.over is ast.Over.MEAN:
        return leaf.bounds.admits_ratio(whole, Decimal(leaf.years))
    return leaf.bounds.admits(whole)


def _total(series: Mapping[int, Decimal], final: int, years: int) -> Decimal | None:
    """The sum of the years up to ``final``, None where one is missing."""
    # Only known years are looked at, so that a vast number of years asks for no vast loop.
    numbers = [number for year, number in series.items() if final - years < year <= final]
    return total(numbers) if len(numbers) == years else None


def _each_year(
    leaf: ast.YearlyLeaf, series: Mapping[int, Decimal], divisors: Mapping[int, Decimal] | None, final: int
) -> Truth:
    """Every year must be inside. One that is known to fail settles it, whatever else is missing."""
    passed = 0
    for year in series:
        if not final - leaf.years < year <= final:
            continue
        truth = year_admitted(leaf, series, divisors, year)
        if truth is False:
            return False
        passed += truth is True
    return True if passed == leaf.years else None


def year_admitted(
    leaf: ast.YearlyLeaf, series: Mapping[int, Decimal], divisors: Mapping[int, Decimal] | None, year: int
) -> Truth:
    """One year of an ``each``: its value, its growth in %, or its percentage of the other fact."""
    number = series.get(year)
    if number is None:
        return None
    if leaf.growth:
        earlier = series.get(year - 1)
        if earlier is None or earlier <= ZERO:
            return None
        return leaf.bounds.admits_ratio(times(HUNDRED, minus(number, earlier)), earlier)
    if divisors is not None:
        return percent_admitted(leaf.bounds, number, divisors.get(year))
    return leaf.bounds.admits(number)
