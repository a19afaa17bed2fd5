"""What each leaf of all policies says of one profile, each distinct leaf once: as a string of bytes, or a digest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from hashlib import blake2b

from matching.criteria import Facts
from matching.criteria.clauses import Test
from matching.criteria.evaluate import lacks_form_facts_only

from . import bits
from .columns import probe_of
from .tokens import Resolver, Token, Tokens

DIGEST_SIZE = 16


class LeafStates:
    """Leaves without a column are tokens, which the caller asks itself.

    Places are given in the order in which the tests come, so that equal policies give equal places in every process.
    """

    def __init__(self, tests: Iterable[Test], resolver: Resolver) -> None:
        columns: defaultdict[int, list[tuple[int, Test]]] = defaultdict(list)
        form: defaultdict[Hashable, list[int]] = defaultdict(list)
        self.as_of = resolver.as_of
        self.tokens: dict[int, Token] = {}
        self.places: dict[int, int] = {}
        """The place of each test, or its token, by the test's identity."""
        for test in {id(test): test for test in tests}.values():
            key = resolver.number(test)
            if isinstance(resolver.keys[key], Test):
                self.tokens[id(test)] = resolver.token(test)
                continue
            place = self.places[id(test)] = len(self.places)
            columns[key].append((place, test))
            if test.leaf.form_facts:
                form[test.leaf.fact, getattr(test.leaf, "percent_of", None)].append(place)
        self.width = len(self.places)
        self._probes = [probe_of(resolver.keys[key], [tests], self.width, self.as_of) for key, tests in columns.items()]
        leaf_at = {place: test.leaf for tests in columns.values() for place, test in tests}
        self._form = [(leaf_at[found[0]], bits.of(found, self.width)) for found in form.values()]
        self._distinct_tokens = list({token.number: token for token in self.tokens.values()}.values())
        self._zeros = int.from_bytes(b"0" * self.width, "big")
        self._size = self.width // 8 + 1

    def states(self, facts: Facts) -> bytes:
        """One byte a leaf, the last place first: bit 0 false, bit 1 unknown, bit 2 unknown only for want of facts
        that the form asks for."""
        failed, unknown, form = self._sets(facts)
        # All at once: the digits of the three sets, "0" or "1", are added up as base-256 numbers.
        total = self._digits(failed) + (self._digits(unknown) << 1)
        if form:
            total += self._digits(form) << 2
        return total.to_bytes(self.width, "big")

    def digest(self, facts: Facts) -> bytes:
        """Stands for ``states`` and what the tokens say."""
        size = self._size
        digest = blake2b(digest_size=DIGEST_SIZE)
        for found in self._sets(facts):
            digest.update(found.to_bytes(size, "little"))
        if self._distinct_tokens:
            asked = Tokens(facts, self.as_of)
            digest.update(bytes([asked.state(token) for token in self._distinct_tokens]))
        return digest.digest()

    def _sets(self, facts: Facts) -> tuple[int, int, int]:
        """The leaves that are false, those that are unknown, and those of them that lack only what the form asks."""
        values = facts.values
        failed = unknown = form = 0
        for probe in self._probes:
            fails, open_, _ = probe(values)
            failed |= fails
            if open_:
                unknown |= open_
        if unknown:
            for leaf, asking in self._form:
                if unknown & asking and lacks_form_facts_only(leaf, facts):
                    form |= unknown & asking
        return failed, unknown, form

    def _digits(self, members: int) -> int:
        return int.from_bytes(bin(members | 1 << self.width)[3:].encode(), "big") - self._zeros
