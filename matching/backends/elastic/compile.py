"""A policy as rows of the clause index, and a profile as the query that finds the rows it passes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from matching.criteria import Facts, ast
from matching.criteria.bounds import Bounds, DateBounds
from matching.criteria.clauses import BooleanColumn, Clause, ClauseCompiler, CodeColumn, Column, RecordsColumn, Test
from matching.criteria.evaluate import CompiledTree
from matching.criteria.judge import Judge, judge_of

from ..base import Listed
from .columns import boolean_code, codes_held, column_name, column_of, number_held, token_name
from .numbers import ranges

Json = Any
_FAILED = 4096
"""What a failed column adds to the score; an unknown one adds 1. Scores are exact up to 2 to the 24th."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the tests of a clause ask in one place: ``field`` in the index, answered by a column or by tokens."""

    field: str
    column: Column | None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A policy, ready for the index. ``version`` stands for its id and its rows: what differs has another one."""

    policy: Listed
    tree: CompiledTree
    version: str
    rows: dict[str, Json]
    asked: frozenset[Asked]
    tokens: dict[str, ast.Leaf]
    exact: bool
    """Whether the rows say what the tree says, up to values of a profile that are not exact themselves."""


def compile_item(policy: Listed, compiler: ClauseCompiler) -> Item:
    clauses = compiler.compile(policy.criteria)
    asked: set[Asked] = set()
    tokens: dict[str, ast.Leaf] = {}
    exact = clauses.exact
    bodies = []
    for clause in clauses.clauses:
        body, sure = _body(clause, asked, tokens)
        exact &= sure
        bodies.append(body)
    stamp = json.dumps([policy.id, bodies], sort_keys=True)
    version = hashlib.sha256(stamp.encode()).hexdigest()[:32]
    label = policy.id.encode(errors="replace").decode()
    rows = {
        f"{version}.{number}": {"policy": label, "version": version, "number": number, **body}
        for number, body in enumerate(bodies)
    }
    return Item(policy, CompiledTree(policy.criteria), version, rows, frozenset(asked), tokens, exact)


def _body(clause: Clause, asked: set[Asked], tokens: dict[str, ast.Leaf]) -> tuple[Json, bool]:
    asks: list[str] = []
    codes: dict[str, list[str]] = {}
    admitted: dict[str, Json] = {}
    exact = True
    for column, slot, test in clause.placed(column_of):
        if column is None:
            field = f"token_{slot}"
            name = token_name(test.leaf)
            tokens[name] = test.leaf
            codes[field] = [("-" if test.negated else "+") + name]
            asked.add(Asked(field, None))
            continue
        field = f"{column_name(column)}_{slot}"
        if isinstance(column, CodeColumn | BooleanColumn | RecordsColumn):
            field += "n" if test.negated else "p"
            codes[field] = _codes(test)
            asked.add(Asked(field, column, test.negated))
        else:
            admitted[field], sure = ranges(_bounds(test), test.negated)
            exact &= sure
            asked.add(Asked(field, column))
        asks.append(field)
    return {"asks": asks, "codes": codes, "ranges": admitted}, exact


def _codes(test: Test) -> list[str]:
    if isinstance(test.leaf, ast.BooleanLeaf):
        return [boolean_code(test.leaf.value)]
    assert isinstance(test.leaf, ast.CodeLeaf | ast.RecordsLeaf)
    return sorted(test.leaf.accepted)


def _bounds(test: Test) -> Bounds:
    if isinstance(test.leaf, ast.DateLeaf):
        return _days(test.leaf.dates)
    assert isinstance(test.leaf, ast.NumberLeaf | ast.YearlyLeaf)
    return test.leaf.bounds


def _days(dates: DateBounds) -> Bounds:
    window = dates.window(date.min + timedelta(days=366))  # no durations here: as of any day
    if window is None:
        return Bounds(Decimal(1), True, Decimal(1), True)
    return Bounds(Decimal(window[0].toordinal()), False, Decimal(window[1].toordinal()), False)


class Questions:
    """Everything that the rows of these policies may be asked, ready to be put to profiles."""

    def __init__(self, items: Iterable[Item]) -> None:
        asked: set[Asked] = set()
        leaves: dict[str, ast.Leaf] = {}
        for item in items:
            asked |= item.asked
            leaves |= item.tokens
        self.by_column: dict[Column, list[Asked]] = {}
        self.token_fields = sorted(one.field for one in asked if one.column is None)
        self.judges: dict[str, Judge] = {name: judge_of(leaf) for name, leaf in leaves.items()}
        for one in sorted(asked, key=lambda one: one.field):
            if one.column is not None:
                self.by_column.setdefault(one.column, []).append(one)

    def query(self, holder: str, facts: Facts, as_of: date, near: int) -> tuple[Json, bool]:
        """The query, and whether each value of the profile was exact in it."""
        fails: list[Json] = []
        unknown: list[Json] = []
        open_fields: list[str] = []
        exact = True
        for column, places in self.by_column.items():
            if isinstance(column, CodeColumn | BooleanColumn | RecordsColumn):
                held = codes_held(column, facts, as_of)
                if held is None:
                    open_fields += [one.field for one in places]
                    continue
                for one in places:
                    _ask_codes(one, *held, fails, unknown)
                continue
            stands = number_held(column, facts, as_of)
            if stands is None:
                open_fields += [one.field for one in places]
                continue
            exact &= stands.exact
            inside = {"gte": stands.low, "lte": stands.high, "relation": "intersects"}
            fails += [_asks_but_not(one.field, {"range": {f"ranges.{one.field}": inside}}) for one in places]
        if open_fields:
            unknown.append({"terms": {"asks": open_fields}})
        if self.token_fields:
            self._ask_tokens(facts, as_of, fails, unknown)
        return _combined(holder, fails, unknown, near), exact

    def _ask_tokens(self, facts: Facts, as_of: date, fails: list[Json], unknown: list[Json]) -> None:
        failing: list[str] = []
        open_: list[str] = []
        for name, judge in self.judges.items():
            truth = judge(facts, as_of)
            if truth is None:
                open_ += ["+" + name, "-" + name]
            else:
                failing.append(("-" if truth else "+") + name)
        for field in self.token_fields:
            if failing:
                fails.append({"terms": {f"codes.{field}": failing}})
            if open_:
                unknown.append({"terms": {f"codes.{field}": open_}})


def _ask_codes(
    one: Asked, sure: frozenset[str], possible: frozenset[str], fails: list[Json], unknown: list[Json]
) -> None:
    field = f"codes.{one.field}"
    if one.negated:
        if sure:
            fails.append({"terms": {field: sorted(sure)}})
    elif possible:
        fails.append(_asks_but_not(one.field, {"terms": {field: sorted(possible)}}))
    else:
        fails.append({"term": {"asks": one.field}})
    if len(possible) > len(sure):
        open_: Json = {"terms": {field: sorted(possible - sure)}}
        unknown.append({"bool": {"filter": [open_], "must_not": [{"terms": {field: sorted(sure)}}]}} if sure else open_)


def _asks_but_not(field: str, passes: Json) -> Json:
    return {"bool": {"filter": [{"term": {"asks": field}}], "must_not": [passes]}}


def _combined(holder: str, fails: list[Json], unknown: list[Json], near: int) -> Json:
    body: dict[str, Json] = {"filter": [{"term": {"holder": holder}}]}
    scored = [_scored(one, 1) for one in unknown]
    if near == 0:
        body["must_not"] = fails
    else:
        if near < len(fails):
            body["must_not"] = [{"bool": {"should": fails, "minimum_should_match": near + 1}}]
        scored += [_scored(one, _FAILED) for one in fails]
    if scored:
        body["should"] = scored
    return {"bool": body}


def _scored(query: Json, points: int) -> Json:
    return {"constant_score": {"filter": query, "boost": points}}


def failed_of(score: float) -> int:
    """How many columns of a row fail, by its score."""
    return int(score) // _FAILED


def is_open(score: float) -> bool:
    """Whether a column of a row that does not fail cannot be told."""
    return int(score) % _FAILED > 0
