"""Tokens: tests that no column answers, judged once for a profile. And the numbers of column keys as of a day."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date

from matching.criteria import Facts
from matching.criteria.clauses import Test
from matching.criteria.evaluate import lacks_form_facts_only
from matching.criteria.judge import Judge, Truth, judge_of

from .columns import resolve


class Token:
    """A test that is judged by itself, once for a profile. ``number`` is the same for both signs of a leaf."""

    __slots__ = ("judge", "leaf", "negated", "number")

    def __init__(self, test: Test, number: int) -> None:
        self.judge: Judge = judge_of(test.leaf)
        self.leaf = test.leaf
        self.negated = test.negated
        self.number = number


class Tokens:
    """What tokens say of one profile, each asked at most once. Truths are before the sign."""

    __slots__ = ("as_of", "facts", "known")

    def __init__(self, facts: Facts, as_of: date) -> None:
        self.facts = facts
        self.as_of = as_of
        self.known: dict[int, Truth] = {}

    def truth(self, token: Token) -> Truth:
        try:
            return self.known[token.number]
        except KeyError:
            truth = self.known[token.number] = token.judge(self.facts, self.as_of)
            return truth

    def state(self, token: Token) -> int:
        """As ``Reasons`` numbers what a leaf says."""
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
        return Token(test, self._leaves.setdefault(test.leaf, len(self._leaves)))
