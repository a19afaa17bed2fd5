"""Reasons of pairs that are not plainly eligible: what ``criteria.evaluate`` says, asked once for each combination."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any

from matching.criteria import Facts, Node
from matching.criteria.clauses import ClauseCompiler, Clauses, Test
from matching.criteria.evaluate import CompiledTree, Verdict, lacks_form_facts_only

from . import bits
from .base import Match
from .columns import probe_of
from .tokens import Resolver, Token, Tokens

_REASONS_KEPT = 4096


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


def compile_item(policy: str, criteria: Node, compiler: ClauseCompiler) -> Item:
    tree = CompiledTree(criteria)
    tests = tuple(compiler.plain_test(signed.leaf) for signed in tree.leaves if not signed.leaf.soft)
    return Item(policy, tree, compiler.compile(criteria), tests, Match(policy, Verdict.ELIGIBLE))


class Reasons:
    """Why pairs are undetermined or near misses.

    Each distinct leaf gets a place in a string of bytes, which says for one profile what the leaf says: bit 0 false,
    bit 1 unknown, bit 2 unknown only for want of facts that the form asks for. A policy picks its leaves' bytes, and
    looks up the reasons that ``evaluate`` gave when they last stood so.
    """

    def __init__(self, items: list[Item], resolver: Resolver) -> None:
        self.items = items
        self.as_of = resolver.as_of
        columns: defaultdict[int, list[tuple[int, Test]]] = defaultdict(list)
        tokens: dict[int, Token] = {}
        places: dict[int, int] = {}
        form: defaultdict[Hashable, list[int]] = defaultdict(list)
        for test in {id(test): test for item in items for test in item.tests}.values():
            key = resolver.number(test)
            if isinstance(resolver.keys[key], Test):
                tokens[id(test)] = resolver.token(test)
                continue
            place = places[id(test)] = len(places)
            columns[key].append((place, test))
            if test.leaf.form_facts:
                form[test.leaf.fact, getattr(test.leaf, "percent_of", None)].append(place)
        self.width = len(places)
        self.probes = [probe_of(resolver.keys[key], [tests], self.width, self.as_of) for key, tests in columns.items()]
        leaf_at = {place: test.leaf for tests in columns.values() for place, test in tests}
        self.form = [(leaf_at[found[0]], bits.of(found, self.width)) for found in form.values()]
        self.pick: list[Callable[[bytes], Any]] = []
        self.tokens: list[tuple[Token, ...]] = []
        for item in items:
            found = [self.width - 1 - places[id(test)] for test in item.tests if id(test) in places]
            self.pick.append(itemgetter(*found) if found else _nothing)
            self.tokens.append(tuple(tokens[id(test)] for test in item.tests if id(test) in tokens))
        self.zeros = int.from_bytes(b"0" * self.width, "big")

    def of(self, policies: list[int], facts: Facts, tokens: Tokens) -> list[Match]:
        states = self._states(facts)
        items, pick, asked, as_of = self.items, self.pick, self.tokens, self.as_of
        found = []
        for number in policies:
            item = items[number]
            key = pick[number](states)
            if asked[number]:
                key = (key, *[tokens.state(token) for token in asked[number]])
            match = item.reasons.get(key)
            if match is None:
                match = evaluated(item, facts, as_of)
                if len(item.reasons) < _REASONS_KEPT:
                    item.reasons[key] = match
            found.append(match)
        return found

    def _states(self, facts: Facts) -> bytes:
        values, width, top = facts.values, self.width, 1 << self.width
        failed, unknown, form = top, top, top
        for probe in self.probes:
            fails, open_, _ = probe(values)
            failed |= fails
            unknown |= open_
        for leaf, asking in self.form:
            if unknown & asking and lacks_form_facts_only(leaf, facts):
                form |= asking
        # One byte a leaf, all at once: the digits of the three sets, "0" or "1", are added up as base-256 numbers.
        total = _digits(failed) + ((_digits(unknown) - self.zeros) << 1)
        if form != top:
            total += (_digits(form & unknown) - self.zeros) << 2
        return total.to_bytes(width, "big")


def _digits(marked: int) -> int:
    return int.from_bytes(bin(marked)[3:].encode(), "big")


def _nothing(states: bytes) -> None:
    """What a policy without a leaf in a column picks."""


def evaluated(item: Item, facts: Facts, as_of: date) -> Match:
    found = item.tree.evaluate(facts, as_of)
    return Match(item.id, found.verdict, found.unmet, found.unknown, found.form_only)
