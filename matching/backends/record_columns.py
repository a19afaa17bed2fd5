"""Columns over records: which codes pass the filters, and so which tests fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from matching.criteria import ast
from matching.criteria.clauses import RecordsColumn, Test
from matching.criteria.facts import FactValue
from matching.criteria.records import judged_records

from . import bits
from .answers import Answer, answer

Numbered = Sequence[tuple[int, Test]]
Slots = Sequence[Numbered]
Probe = Callable[[Mapping[str, FactValue]], Answer]
CodeSets = Callable[[Any], tuple[set[str], set[str]]]


def _code_sets(column: RecordsColumn, slots: Slots, as_of: date) -> CodeSets:
    """Of a profile's records: the codes that surely pass the filters, and those that may (the sure among them)."""
    if column.plain:
        # Most columns are; and ``held`` alone is never unknown.
        ever = column.held is ast.Held.EVER

        def held(records: Any) -> tuple[set[str], set[str]]:
            codes = set()
            for record in records:
                on, until = record.on, record.until
                if (on is None or on <= as_of) and (ever or until is None or as_of <= until):
                    codes.add(record.code)
            return codes, codes

        return held
    asked = frozenset(code for tests in slots for _, test in tests for code in records_leaf(test).accepted)
    leaf = replace(records_leaf(slots[0][0][1]), accepted=asked)

    def filtered(records: Any) -> tuple[set[str], set[str]]:
        judged = judged_records(leaf, records, as_of)
        sure = {record.code for record, truth in judged if truth is True}
        return sure, sure | {record.code for record, truth in judged if truth is None}

    return filtered


def records_leaf(test: Test) -> ast.RecordsLeaf:
    assert isinstance(test.leaf, ast.RecordsLeaf)
    return test.leaf


def one_code(column: RecordsColumn, slots: Slots, width: int, as_of: date) -> Probe:
    """``any_of``, and ``none_of`` as its negation."""
    fact, code_sets = column.fact, _code_sets(column, slots, as_of)
    unknown_fact = (0, bits.of((number for tests in slots for number, _ in tests), width), ())
    layers = [_layer(tests, width) for tests in slots]

    def probe(values: Mapping[str, FactValue]) -> Answer:
        records = values.get(fact)
        if records is None:
            return unknown_fact
        sure_codes, possible_codes = code_sets(records)
        fails, unknown = [], 0
        for positive, negative, asking in layers:
            sure = 0
            for code in sure_codes:
                if code in asking:
                    sure |= asking[code]
            possible = sure
            if len(possible_codes) > len(sure_codes):
                for code in possible_codes:
                    possible |= asking.get(code, 0)
                unknown |= possible ^ sure
            failed = positive ^ (positive & possible) if possible else positive
            fails.append(failed | (negative & sure) if negative else failed)
        return answer(fails, unknown)

    return probe


def _layer(tests: Numbered, width: int) -> tuple[int, int, dict[str, int]]:
    """The tests that are not negated, those that are, and by code those that ask for it."""
    positive = bits.of((number for number, test in tests if not test.negated), width)
    negative = bits.of((number for number, test in tests if test.negated), width)
    lists: dict[str, list[int]] = {}
    for number, test in tests:
        for code in records_leaf(test).accepted:
            lists.setdefault(code, []).append(number)
    return positive, negative, {code: bits.of(numbers, width) for code, numbers in lists.items()}


def every_code(column: RecordsColumn, tests: Numbered, width: int, as_of: date) -> Probe:
    """``all_of``: each code, or one that it covers, must stand in a record."""
    fact, code_sets = column.fact, _code_sets(column, [tests], as_of)
    everyone = bits.of((number for number, _ in tests), width)
    negative = bits.of((number for number, test in tests if test.negated), width)
    lists: dict[frozenset[str], list[int]] = {}
    for number, test in tests:
        for codes in set(records_leaf(test).covered):
            lists.setdefault(codes, []).append(number)
    groups = [(codes, bits.of(numbers, width)) for codes, numbers in lists.items()]

    def probe(values: Mapping[str, FactValue]) -> Answer:
        records = values.get(fact)
        if records is None:
            return 0, everyone, ()
        sure, possible = code_sets(records)
        impossible, unsure = 0, 0
        for codes, asking in groups:
            if codes.isdisjoint(possible):
                impossible |= asking
            elif codes.isdisjoint(sure):
                unsure |= asking
        unsure &= ~impossible
        passed = everyone ^ impossible ^ unsure
        return (impossible & ~negative) | (passed & negative), unsure, ()

    return probe
