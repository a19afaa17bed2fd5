"""Reasons of pairs that are not plainly eligible: what ``criteria.evaluate`` says, asked once for each combination."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any

from matching.criteria import Facts, Node
from matching.criteria.clauses import ClauseCompiler, Clauses, Test
from matching.criteria.evaluate import CompiledTree, Verdict

from .base import Match
from .leaves import LeafStates
from .tokens import Resolver, Tokens

_REASONS_KEPT = 250_000
"""Over all policies of a matcher, some 100 MB: a worker that matches for years must not grow."""


@dataclass(slots=True)
class Item:
    """A policy with its clauses, and the reasons worked out so far by what its leaves said."""

    id: str
    tree: CompiledTree
    clauses: Clauses
    tests: tuple[Test, ...]
    """One for each leaf that is not soft, in tree order, without signs."""
    fits: Match
    reasons: dict[Hashable, Match] = field(default_factory=dict)
    told: dict[Match, Match] = field(default_factory=dict)
    """Each answer once: many combinations lead to the same leaves."""


def compile_item(policy: str, criteria: Node, compiler: ClauseCompiler) -> Item:
    tree = CompiledTree(criteria)
    tests = tuple(compiler.plain_test(signed.leaf) for signed in tree.leaves if not signed.leaf.soft)
    return Item(policy, tree, compiler.compile(criteria), tests, Match(policy, Verdict.ELIGIBLE))


class Kept:
    """The reasons that a matcher remembers, over all its policies. Where they become too many all are forgotten."""

    def __init__(self, most: int = _REASONS_KEPT) -> None:
        self.most = most
        self.items: list[Item] = []
        self.count = 0

    def keep(self, item: Item, key: Hashable, match: Match) -> Match:
        if self.count >= self.most:
            for full in self.items:
                full.reasons.clear()
                full.told.clear()
            self.items.clear()
            self.count = 0
        if not item.reasons:
            self.items.append(item)
        self.count += 1
        match = item.told.setdefault(match, match)
        item.reasons[key] = match
        return match


class Reasons:
    """Why pairs are undetermined or near misses.

    ``LeafStates`` says for one profile what each leaf says. A policy picks its leaves' bytes, and looks up the reasons
    that ``evaluate`` gave when they last stood so.
    """

    def __init__(self, items: list[Item], resolver: Resolver, kept: Kept) -> None:
        self.items = items
        self.as_of = resolver.as_of
        self.kept = kept
        self.leaves = leaves = LeafStates((test for item in items for test in item.tests), resolver)
        self.pick: list[Callable[[bytes], Any]] = []
        for item in items:
            found = [leaves.width - 1 - leaves.places[id(test)] for test in item.tests if id(test) in leaves.places]
            self.pick.append(itemgetter(*found) if found else _nothing)
        self.tokens = [
            tuple(leaves.tokens[id(test)] for test in item.tests if id(test) in leaves.tokens) for item in items
        ]

    def of(self, policies: list[int], facts: Facts, tokens: Tokens) -> list[Match]:
        states = self.leaves.states(facts)
        items, pick, asked, as_of = self.items, self.pick, self.tokens, self.as_of
        found = []
        for number in policies:
            item = items[number]
            key = pick[number](states)
            if asked[number]:
                key = (key, *[tokens.state(token) for token in asked[number]])
            match = item.reasons.get(key)
            if match is None:
                match = self.kept.keep(item, key, evaluated(item, facts, as_of))
            found.append(match)
        return found


def _nothing(states: bytes) -> None:
    """What a policy without a leaf in a column picks."""


def evaluated(item: Item, facts: Facts, as_of: date) -> Match:
    found = item.tree.evaluate(facts, as_of)
    return Match(item.id, found.verdict, found.unmet, found.unknown, found.form_only)
