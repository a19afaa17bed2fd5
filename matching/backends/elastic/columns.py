"""Columns by name, the same in every process, and what a profile holds in each.

Names are a fact and a digest of the column, so that new facts, years and filters need no change of the mapping. Unlike
the embedded matcher's, the columns do not depend on the day: ``last`` year stays a name, and the profile is asked for
the year that it means. What no column answers so (durations, several years one by one, all-of, counts and sums) is a
token, judged once for a profile.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from matching.criteria import ast
from matching.criteria.clauses import (
    BooleanColumn,
    CodeColumn,
    Column,
    DateColumn,
    NumberColumn,
    RecordsColumn,
    Test,
    YearlyColumn,
)
from matching.criteria.facts import Facts
from matching.criteria.records import judged_records
from matching.criteria.values import HUNDRED, ZERO, minus, times, total

from .numbers import Place, place

RangeColumn = DateColumn | NumberColumn | YearlyColumn
Codes = tuple[frozenset[str], frozenset[str]]
"""The codes that a profile surely has in a column, and those that it may have, the sure ones among them."""


def column_of(test: Test) -> Column | None:
    """The column that answers a test in the index; None: a token."""
    column = test.column
    match column:
        case DateColumn():
            assert isinstance(test.leaf, ast.DateLeaf)
            dates = test.leaf.dates
            return None if dates.within_last or dates.at_least_ago else column
        case YearlyColumn(over=ast.Over.EACH, years=years) if years > 1:
            return None
        case RecordsColumn(every=True):
            return None
    return column


@lru_cache(maxsize=65_536)
def column_name(column: Column) -> str:
    return f"{_plain(column.fact)}_{digest(column)}"


@lru_cache(maxsize=65_536)
def token_name(leaf: ast.Leaf) -> str:
    return f"{_plain(leaf.fact)}_{digest(leaf)}"


def digest(value: Any) -> str:
    """Sixteen characters that stand for a value, whatever the process and the order of its sets."""
    text = json.dumps(_canonical(value), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(fact: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", fact.lower())[:40].strip("_")


def _canonical(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = {field.name: _canonical(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"": type(value).__name__, **members}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_canonical(member) for member in value]
    if isinstance(value, Mapping):
        return {str(key): _canonical(member) for key, member in value.items()}
    if isinstance(value, Decimal):
        # 1 and 1.0 are one bound, and equal tests are one.
        return str(Fraction(value))
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def codes_held(column: CodeColumn | BooleanColumn | RecordsColumn, facts: Facts, as_of: date) -> Codes | None:
    """What a profile holds in a column of codes, None where the fact is unknown."""
    match column:
        case CodeColumn(fact):
            code = facts.code(fact)
            return None if code is None else (frozenset((code,)),) * 2
        case BooleanColumn(fact):
            truth = facts.boolean(fact)
            return None if truth is None else (frozenset((boolean_code(truth),)),) * 2
    records = facts.records(column.fact)
    if records is None:
        return None
    leaf = ast.RecordsLeaf(
        id="",
        path="",
        fact=column.fact,
        quantifier=ast.Quantifier.ANY_OF,
        codes=(),
        covered=(),
        accepted=frozenset(record.code for record in records),
        held=column.held,
        obtained=column.obtained,
        first=column.first,
        where=column.where,
    )
    judged = judged_records(leaf, records, as_of)
    sure = frozenset(record.code for record, truth in judged if truth is True)
    return sure, sure | {record.code for record, truth in judged if truth is None}


def boolean_code(truth: bool) -> str:
    return "true" if truth else "false"


def number_held(column: RangeColumn, facts: Facts, as_of: date) -> Place | None:
    """Where a profile stands in a column of numbers or days, None where that cannot be told."""
    if isinstance(column, DateColumn):
        day = facts.date(column.fact)
        return None if day is None else Place(float(day.toordinal()), float(day.toordinal()))
    if isinstance(column, NumberColumn):
        value = number_figure(column, facts)
    else:
        value = yearly_figure(column, facts, final_year(column, as_of))
    if isinstance(value, Ratio):
        return place(Fraction(value.part) / Fraction(value.whole))
    return None if value is None else place(value)


class Ratio(NamedTuple):
    """A figure that a division gives, before it is divided; ``whole`` is > 0."""

    part: Decimal
    whole: Decimal


Figure = Decimal | Ratio


def number_figure(column: NumberColumn, facts: Facts) -> Figure | None:
    """What a profile shows in a column of numbers, exactly; None where that cannot be told."""
    number = facts.number(column.fact)
    if number is None or column.percent_of is None:
        return number
    return _ratio(times(HUNDRED, number), facts.number(column.percent_of))


def yearly_figure(column: YearlyColumn, facts: Facts, final: int) -> Figure | None:
    """The same in a column of yearly figures, for the years that end in ``final``."""
    series = facts.yearly(column.fact)
    if series is None:
        return None
    whole = _sum(series, final, column.years)
    if whole is None:
        return None
    if column.growth:
        earlier = series.get(final - 1)
        return None if earlier is None else _ratio(times(HUNDRED, minus(whole, earlier)), earlier)
    if column.percent_of is not None:
        divisors = facts.yearly(column.percent_of)
        divisor = None if divisors is None else _sum(divisors, final, column.years)
        return _ratio(times(HUNDRED, whole), divisor)
    if column.over is ast.Over.MEAN:
        return _ratio(whole, Decimal(column.years))
    return whole


def final_year(column: YearlyColumn, as_of: date) -> int:
    if isinstance(column.year, int):
        return column.year
    return as_of.year - {"this": 0, "last": 1, "before_last": 2}[column.year]


def _sum(series: Mapping[int, Decimal], final: int, years: int) -> Decimal | None:
    if years == 1:
        return series.get(final)
    numbers = [number for year, number in series.items() if final - years < year <= final]
    return total(numbers) if len(numbers) == years else None


def _ratio(part: Decimal, whole: Decimal | None) -> Ratio | None:
    return None if whole is None or whole <= ZERO else Ratio(part, whole)
