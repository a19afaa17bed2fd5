"""Figures: what criteria measure that no single fact says (a share, a growth, a sum or mean of years).

There are too many to keep every one for every enterprise, so a document carries those that listed items ask for; which
these are is data (``matching.models.ProfileReading``), written as text that is the same in every process. Their columns
are without a year: a document holds the figure for each year that has one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from matching.criteria import Node, ast
from matching.criteria.clauses import ClauseCompiler, NumberColumn, Test, YearlyColumn
from matching.criteria.normal import normalise, signed_leaves

from ..columns import column_name

Measured = NumberColumn | YearlyColumn
ANY_YEAR = 0


def yearless(column: Measured) -> Measured:
    return replace(column, year=ANY_YEAR) if isinstance(column, YearlyColumn) else column


def year_by_year(column: YearlyColumn) -> YearlyColumn:
    """The column of one year of an ``each``, without the year."""
    return replace(column, year=ANY_YEAR, years=1)


def is_plain(column: Measured) -> bool:
    """Whether the fact says it by itself, so that every document has it."""
    if isinstance(column, NumberColumn):
        return column.percent_of is None
    return column.years == 1 and not column.growth and column.percent_of is None


@lru_cache(maxsize=65_536)
def field_of(column: Measured) -> str:
    """The field of a column without a year; that of a year has it as suffix."""
    return column_name(column)


@lru_cache(maxsize=65_536)
def field_in(column: YearlyColumn, year: int) -> str:
    return f"{field_of(column)}_{year}"


def column_asked(test: Test) -> Measured | None:
    """The column without a year that a test looks at, None where it measures nothing."""
    column = test.column
    if isinstance(column, YearlyColumn):
        return year_by_year(column) if column.over is ast.Over.EACH else yearless(column)
    return column if isinstance(column, NumberColumn) else None


def figures_asked(tree: Node) -> frozenset[Measured]:
    """The figures that criteria ask for beyond what facts say by themselves."""
    compiler = ClauseCompiler()
    tests = (compiler.test(signed) for signed in signed_leaves(normalise(tree)) if not signed.leaf.soft)
    columns = (column_asked(test) for test in tests)
    return frozenset(column for column in columns if column is not None and not is_plain(column))


def written(figures: Iterable[Measured]) -> list[str]:
    """Figures as text, in order."""
    return sorted(json.dumps(_told(figure), ensure_ascii=False) for figure in figures)


def read(texts: Iterable[str]) -> frozenset[Measured]:
    """What ``written`` wrote."""
    return frozenset(_figure(json.loads(text)) for text in texts)


def _told(figure: Measured) -> list[object]:
    if isinstance(figure, NumberColumn):
        return ["number", figure.fact, figure.percent_of]
    return ["yearly", figure.fact, figure.percent_of, figure.years, str(figure.over), figure.growth]


def _figure(told: list[Any]) -> Measured:
    kind, fact, percent_of, *more = told
    if kind == "number":
        return NumberColumn(fact, percent_of)
    years, over, growth = more
    return YearlyColumn(fact, ANY_YEAR, years, ast.Over(over), growth, percent_of)
