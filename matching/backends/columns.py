"""Columns of a matcher: for a profile's value, which of the tests on it surely fail, and which cannot be told.

Tests are numbered, and a set of them is an integer of bits, so that a probe is one look-up whatever the number of
tests: a code leads to the tests it fails, a number to the stretch between two thresholds and so to the tests it fails.
Everything is worked out beforehand for one ``as_of``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from matching.criteria import ast
from matching.criteria.bounds import Bounds
from matching.criteria.clauses import (
    BooleanColumn,
    CodeColumn,
    DateColumn,
    NumberColumn,
    RecordsColumn,
    Test,
    YearlyColumn,
)
from matching.criteria.facts import FactValue
from matching.criteria.values import HUNDRED, ZERO, minus, times, total

from . import bits
from .answers import Answer, answer
from .record_columns import every_code, one_code
from .stretches import Ranged, Stretches

Values = Mapping[str, FactValue]
Probe = Callable[[Values], Answer]
Numbered = Sequence[tuple[int, Test]]
Slots = Sequence[Numbered]


def resolve(test: Test, as_of: date) -> Hashable:
    """The key of a test's column as of a day: relative years become calendar years, so that both meet in one column."""
    column = test.column
    if column is None:
        return test
    if isinstance(column, YearlyColumn):
        assert isinstance(test.leaf, ast.YearlyLeaf)
        column = replace(column, year=test.leaf.final_year(as_of.year))
        if column.years > 1 and column.over is ast.Over.EACH:
            return column, test.negated
    return column


def probe_of(key: Hashable, slots: Slots, width: int, as_of: date) -> Probe:
    """The probe of a column over numbered tests, all below ``width``; no number stands twice in a slot."""
    everyone = bits.of((number for tests in slots for number, _ in tests), width)
    match key:
        case CodeColumn(fact):
            return _look_up(fact, *_codes(slots, width), everyone)
        case BooleanColumn(fact):
            return _look_up(fact, *_booleans(slots, width), everyone)
        case DateColumn(fact):
            return _value(fact, _dates(slots, width, as_of), everyone)
        case NumberColumn(fact, None):
            return _value(fact, _ranges(slots, width), everyone)
        case NumberColumn(fact, str(percent_of)):
            return _percent(fact, percent_of, _ranges(slots, width), everyone)
        case YearlyColumn(over=ast.Over.EACH):
            return _one_year(key, _ranges(slots, width), everyone)
        case YearlyColumn():
            return _years_together(key, _ranges(slots, width), everyone)
        case (YearlyColumn() as column, bool(negated)):
            return _side_by_side([_each_year(column, tests, width, negated) for tests in slots])
        case RecordsColumn(every=True):
            return _side_by_side([every_code(key, tests, width, as_of) for tests in slots])
        case RecordsColumn():
            return one_code(key, slots, width, as_of)
    raise TypeError(f"no column: {key!r}")


def _side_by_side(probes: list[Probe]) -> Probe:
    if len(probes) == 1:
        return probes[0]

    def probe(values: Values) -> Answer:
        found = [slot(values) for slot in probes]
        unknown = 0
        for _, open_, _ in found:
            unknown |= open_
        return answer([fails for fails, _, _ in found], unknown)

    return probe


def _codes(slots: Slots, width: int) -> tuple[dict[Any, Answer], Answer]:
    """The answer by code, and that of a code that nobody asks for."""
    otherwise = []
    touched: list[dict[str, list[int]]] = []
    for tests in slots:
        otherwise.append(bits.of((number for number, test in tests if not test.negated), width))
        lists: dict[str, list[int]] = {}
        for number, test in tests:
            for code in test.leaf.accepted:  # type: ignore[union-attr]
                lists.setdefault(code, []).append(number)
        touched.append(lists)
    # A test in a code's list turns round there: it fails with that code if negated, with all others if not.
    by_code = {
        code: answer(
            [usual ^ bits.of(lists.get(code, ()), width) for usual, lists in zip(otherwise, touched, strict=True)]
        )
        for code in {code for lists in touched for code in lists}
    }
    return by_code, answer(otherwise)


def _booleans(slots: Slots, width: int) -> tuple[dict[Any, Answer], Answer]:
    def fails(value: bool) -> Answer:
        return answer([bits.of((number for number, test in tests if test.negated is value), width) for tests in slots])

    return {True: fails(True)}, fails(False)


def _look_up(fact: str, by_value: dict[Any, Answer], otherwise: Answer, everyone: int) -> Probe:
    unknown: Answer = (0, everyone, ())

    def probe(values: Values) -> Answer:
        value = values.get(fact)
        return unknown if value is None else by_value.get(value, otherwise)

    return probe


def _ranges(slots: Slots, width: int) -> Stretches:
    return Stretches(
        [[(number, test.leaf.bounds, test.negated) for number, test in tests] for tests in slots],  # type: ignore[union-attr]
        width,
    )


def _dates(slots: Slots, width: int, as_of: date) -> Stretches:
    def range_(number: int, test: Test) -> Ranged:
        window = test.leaf.dates.window(as_of)  # type: ignore[union-attr]
        # Days are ordered like numbers, and that is all that is asked of them.
        days: Any = None if window is None else Bounds(window[0], False, window[1], False)  # type: ignore[arg-type]
        return number, days, test.negated

    return Stretches([[range_(number, test) for number, test in tests] for tests in slots], width)


def _value(fact: str, stretches: Stretches, everyone: int) -> Probe:
    at, unknown = stretches.at, (0, everyone, ())

    def probe(values: Values) -> Answer:
        value = values.get(fact)
        return unknown if value is None else at(value)

    return probe


def _percent(fact: str, percent_of: str, stretches: Stretches, everyone: int) -> Probe:
    unknown = (0, everyone, ())

    def probe(values: Values) -> Answer:
        part: Any = values.get(fact)
        whole: Any = values.get(percent_of)
        if part is None or whole is None or whole <= ZERO:
            return unknown
        return stretches.at_ratio(times(HUNDRED, part), whole)

    return probe


def _at_year(column: YearlyColumn, stretches: Stretches) -> Callable[[Any, Any, int], Answer | None]:
    """The answer for one year's value, growth or percentage; None where it cannot be told."""
    at, at_ratio, growth, percent_of = stretches.at, stretches.at_ratio, column.growth, column.percent_of

    def at_year(series: Any, divisors: Any, year: int) -> Answer | None:
        number = series.get(year)
        if number is None:
            return None
        if growth:
            earlier = series.get(year - 1)
            if earlier is None or earlier <= ZERO:
                return None
            return at_ratio(times(HUNDRED, minus(number, earlier)), earlier)
        if percent_of is not None:
            whole = divisors.get(year)
            return None if whole is None or whole <= ZERO else at_ratio(times(HUNDRED, number), whole)
        return at(number)

    return at_year


def _one_year(column: YearlyColumn, stretches: Stretches, everyone: int) -> Probe:
    unknown: Answer = (0, everyone, ())
    fact, percent_of, at_year = column.fact, column.percent_of or column.fact, _at_year(column, stretches)
    assert isinstance(column.year, int)
    final = column.year

    def probe(values: Values) -> Answer:
        series = values.get(fact)
        divisors = values.get(percent_of)
        if series is None or divisors is None:
            return unknown
        return at_year(series, divisors, final) or unknown

    return probe


def _each_year(column: YearlyColumn, tests: Numbered, width: int, negated: bool) -> Probe:
    """Every one of several years; all the tests are negated, or none is."""
    everyone = bits.of((number for number, _ in tests), width)
    ranges = Stretches([[(number, test.leaf.bounds, False) for number, test in tests]], width)  # type: ignore[union-attr]
    fact, percent_of, at_year = column.fact, column.percent_of or column.fact, _at_year(column, ranges)
    assert isinstance(column.year, int)
    final, years = column.year, column.years

    def probe(values: Values) -> Answer:
        series: Any = values.get(fact)
        divisors = values.get(percent_of)
        if series is None or divisors is None:
            return 0, everyone, ()
        failed = known = 0
        for year in series:
            if final - years < year <= final and (found := at_year(series, divisors, year)) is not None:
                failed |= found[0]
                known += 1
        unknown = 0 if known == years else everyone ^ failed
        return (everyone ^ failed ^ unknown if negated else failed), unknown, ()

    return probe


def _years_together(column: YearlyColumn, stretches: Stretches, everyone: int) -> Probe:
    unknown = (0, everyone, ())
    fact, percent_of, years = column.fact, column.percent_of, column.years
    mean_of = Decimal(years) if column.over is ast.Over.MEAN else None
    assert isinstance(column.year, int)
    final = column.year

    def sum_up(series: Any) -> Decimal | None:
        numbers = [number for year, number in series.items() if final - years < year <= final]
        return total(numbers) if len(numbers) == years else None

    def probe(values: Values) -> Answer:
        series = values.get(fact)
        whole = None if series is None else sum_up(series)
        if whole is None:
            return unknown
        if percent_of is not None:
            divisors = values.get(percent_of)
            divisor = None if divisors is None else sum_up(divisors)
            if divisor is None or divisor <= ZERO:
                return unknown
            return stretches.at_ratio(times(HUNDRED, whole), divisor)
        if mean_of is not None:
            return stretches.at_ratio(whole, mean_of)
        return stretches.at(whole)

    return probe
