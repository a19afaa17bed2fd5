"""Tokens: tests that no column answers, judged once for a profile. And the numbers of column keys as of a day."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import date

from matching.criteria import Facts, ast
from matching.criteria.clauses import Test
from matching.criteria.evaluate import lacks_form_facts_only
from matching.criteria.judge import Judge, Truth, judge_of
from matching.criteria.records import judged_records

from .columns import resolve

_COUNTS_KEPT = 1000


class Token:
    """A test that is judged by itself, once for a profile. ``number`` is the same for both signs of a leaf, and
    ``filters`` for all leaves that ask of the same records: how many there are, say, with one or another bound."""

    __slots__ = ("counts", "filters", "judge", "leaf", "negated", "number")

    def __init__(self, test: Test, number: int, filters: int | None) -> None:
        self.judge: Judge = judge_of(test.leaf)
        self.leaf = test.leaf
        self.negated = test.negated
        self.number = number
        self.filters = filters
        self.counts: dict[tuple[int, int], Truth] = {}
        """What so many sure and so many possible records lead to, of the few numbers that come up."""

    def counted(self, sure: int, possible: int) -> Truth:
        assert isinstance(self.leaf, ast.RecordsLeaf)
        assert self.leaf.count is not None
        truth = self.leaf.count.judge_counts(sure, possible)
        if len(self.counts) < _COUNTS_KEPT:
            self.counts[sure, possible] = truth
        return truth


class Tokens:
    """What tokens say of one profile, each asked at most once. Truths are before the sign."""

    __slots__ = ("_numbers", "as_of", "facts", "known")

    def __init__(self, facts: Facts, as_of: date) -> None:
        self.facts = facts
        self.as_of = as_of
        self.known: dict[int, Truth] = {}
        self._numbers: dict[int, tuple[int, int] | None] = {}

    def truth(self, token: Token) -> Truth:
        try:
            return self.known[token.number]
        except KeyError:
            truth = self._counted(token) if token.filters is not None else token.judge(self.facts, self.as_of)
            self.known[token.number] = truth
            return truth

    def _counted(self, token: Token) -> Truth:
        assert token.filters is not None
        try:
            numbers = self._numbers[token.filters]
        except KeyError:
            assert isinstance(token.leaf, ast.RecordsLeaf)
            records = self.facts.records(token.leaf.fact)
            numbers = None
            if records is not None:
                truths = [truth for _, truth in judged_records(token.leaf, records, self.as_of)]
                numbers = truths.count(True), truths.count(None)
            self._numbers[token.filters] = numbers
        if numbers is None:
            return None
        try:
            return token.counts[numbers]
        except KeyError:
            return token.counted(*numbers)

    def state(self, token: Token) -> int:
        """As ``LeafStates`` numbers what a leaf says."""
        truth = self.truth(token)
        if truth is None:
            return 6 if lacks_form_facts_only(token.leaf, self.facts) else 2
        return 0 if truth else 1


class Resolver:
    """Small numbers for column keys as of a day, and one token for a leaf of either sign."""

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of
        self.keys: list[Hashable] = []
        self._by_test: dict[int, int] = {}
        self._by_key: dict[Hashable, int] = {}
        self._leaves: dict[Hashable, int] = {}
        self._filters: dict[Hashable, int] = {}

    def number(self, test: Test) -> int:
        found = self._by_test.get(id(test))
        if found is None:
            key = resolve(test, self.as_of)
            found = self._by_key.setdefault(key, len(self.keys))
            if found == len(self.keys):
                self.keys.append(key)
            self._by_test[id(test)] = found
        return found

    def token(self, test: Test) -> Token:
        leaf, filters = test.leaf, None
        if isinstance(leaf, ast.RecordsLeaf) and leaf.count is not None and leaf.amount is None:
            filters = self._filters.setdefault(replace(leaf, count=None), len(self._filters))
        return Token(test, self._leaves.setdefault(leaf, len(self._leaves)), filters)
