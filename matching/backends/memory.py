"""The embedded matcher: every policy's clauses as bits of big integers, a profile answered by a few dozen look-ups.

For a day, each clause gets a bit. Each column (see ``columns``) turns a profile's value into the set of clauses that
fail there and the set that cannot be told. Joined over the columns they give, for all policies at once, the clauses
that surely fail and those that may; saturating counters, one integer for "at least 1", "at least 2", …, tell by how
many leaves a clause fails, and so the near misses. Clauses are laid out in planes (first clauses of all policies, then
second ones, …), so that joining the planes turns clauses into policies.

What the leaves of a pair say decides everything about it, so reasons are worked out by ``criteria.evaluate`` once for
each combination that comes up in a policy, and remembered.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cached_property
from operator import attrgetter

from matching.criteria import Facts
from matching.criteria.clauses import ClauseCompiler, Test
from matching.criteria.evaluate import Verdict

from . import bits
from .answers import count
from .base import Listed, Match, Sifted
from .columns import Probe, Values, probe_of
from .reasons import Item, Kept, Reasons, compile_item, evaluated
from .tokens import Resolver, Token, Tokens

_DAYS_KEPT = 4

_by_policy = attrgetter("policy")


class MemoryBackend:
    """See ``MatcherBackend``. Putting and removing is cheap; the first question after it rebuilds the day's bits."""

    def __init__(self) -> None:
        self._compiler = ClauseCompiler()
        self._items: dict[str, Item] = {}
        self._days: OrderedDict[date, _Day] = OrderedDict()
        self._kept = Kept()

    def put(self, policies: Iterable[Listed]) -> None:
        for policy in policies:
            self._items[policy.id] = self._compile(policy)
        self._days = OrderedDict()

    def remove(self, policies: Iterable[str]) -> None:
        for policy in policies:
            self._items.pop(policy, None)
        self._days = OrderedDict()

    def eligible(self, facts: Facts, *, as_of: date) -> tuple[str, ...]:
        return self._day(as_of).eligible(facts)

    def sift(self, facts: Facts, *, as_of: date, near: int = 0) -> Sifted:
        return self._day(as_of).sift(facts, near)

    def match(self, facts: Facts, *, as_of: date, near: int = 0) -> list[Match]:
        found = self._day(as_of).match(facts, near)
        found.sort(key=_by_policy)
        return found

    def match_many(
        self, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, list[Match]]]:
        for name, facts in profiles:
            yield name, self.match(facts, as_of=as_of, near=near)

    def match_policy(
        self, policy: Listed, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, Match]]:
        day = _Day([self._compile(policy)], as_of, Kept())
        for profile, facts in profiles:
            for match in day.match(facts, near):
                yield profile, match

    def close(self) -> None:
        """Nothing is held outside."""

    def digest(self, facts: Facts, *, as_of: date) -> bytes:
        """16 bytes for what every leaf of every policy held says of a profile (true, false, unknown, unknown only for
        want of what a form asks for).

        Nothing else decides what comes up for it, and why: where two digests of the same policies are equal, so are
        the answers of ``match``, whatever ``near``. Leaves are numbered by the policies, so that equal policies under
        equal ids give equal digests in every process.
        """
        return self._day(as_of).reasons.leaves.digest(facts)

    def _compile(self, policy: Listed) -> Item:
        return compile_item(policy.id, policy.criteria, self._compiler)

    def _day(self, as_of: date) -> _Day:
        day = self._days.get(as_of)
        if day is None:
            day = self._days[as_of] = _Day(list(self._items.values()), as_of, self._kept)
            if len(self._days) > _DAYS_KEPT:
                self._days.popitem(last=False)
        return day


class _Day:
    """All policies as of one day, as bits."""

    def __init__(self, items: list[Item], as_of: date, kept: Kept) -> None:
        self.as_of = as_of
        self.kept = kept
        # A policy that no enterprise can qualify for has no clause, and no bit.
        # The order is that of the policies, not of their coming: equal policies have equal digests in every process.
        self.items = sorted((item for item in items if item.clauses.clauses), key=_most_clauses_first)
        self.names = bits.Names([item.id for item in self.items])
        self.resolver = Resolver(as_of)
        widths: list[int] = []
        placed: defaultdict[int, list[list[tuple[int, Test]]]] = defaultdict(list)
        start = 0
        for plane in range(len(self.items[0].clauses.clauses) if self.items else 0):
            width = 0
            for number, item in enumerate(self.items):
                if len(item.clauses.clauses) <= plane:
                    break
                width += 1
                for key, slot, test in item.clauses.clauses[plane].placed(self.resolver.number):
                    slots = placed[key]
                    if slot == len(slots):
                        slots.append([])
                    slots[slot].append((start + number, test))
            widths.append(width)
            start += width
        self.width = start
        tests = (len(clause.tests) for item in self.items for clause in item.clauses.clauses)
        self.most_tests = max(tests, default=0)
        self.everything = (1 << start) - 1
        self.fold = bits.folder(widths)
        self.rough = bits.of((n for n, item in enumerate(self.items) if not item.clauses.exact), len(self.items))
        self.probes: list[Probe] = []
        self.tokens: list[tuple[int, Token]] = []
        for key, slots in placed.items():
            column = self.resolver.keys[key]
            if isinstance(column, Test):
                token = self.resolver.token(column)
                self.tokens += [(bits.of((number for number, _ in tests), start), token) for tests in slots]
            else:
                self.probes.append(probe_of(column, slots, start, as_of))

    def eligible(self, facts: Facts) -> tuple[str, ...]:
        failed, unknown, _ = self._scan(facts, 0, Tokens(facts, self.as_of))
        fits = self.fold(self.everything ^ (failed | unknown))
        if not self.rough:
            return self.names(fits)
        fits &= ~self.rough
        rough = self.fold(self.everything ^ failed) & self.rough
        sure = [match.policy for match in self._decide(rough, facts, 0) if match.verdict is Verdict.ELIGIBLE]
        return (*self.names(fits), *sure)

    def sift(self, facts: Facts, near: int) -> Sifted:
        fits, may, nearly, rough = self._sets(facts, near, Tokens(facts, self.as_of))
        names = self.names
        groups = {
            Verdict.ELIGIBLE: names(fits),
            Verdict.UNDETERMINED: names(may),
            Verdict.INELIGIBLE: names(nearly),
        }
        for match in self._decide(rough, facts, near) if rough else ():
            groups[match.verdict] += (match.policy,)
        return Sifted(groups[Verdict.ELIGIBLE], groups[Verdict.UNDETERMINED], groups[Verdict.INELIGIBLE])

    def match(self, facts: Facts, near: int) -> list[Match]:
        tokens = Tokens(facts, self.as_of)
        fits, may, nearly, rough = self._sets(facts, near, tokens)
        items = self.items
        found = [items[number].fits for number in bits.members(fits)]
        unsure = bits.members(may | nearly)
        if unsure:
            found += self.reasons.of(unsure, facts, tokens)
        if rough:
            found += self._decide(rough, facts, near)
        return found

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons(self.items, self.resolver, self.kept)

    def _sets(self, facts: Facts, near: int, tokens: Tokens) -> tuple[int, int, int, int]:
        """Policies that are eligible, undetermined, near misses, and those for the tree to decide."""
        failed, unknown, too_far = self._scan(facts, near, tokens)
        everything, fold = self.everything, self.fold
        fits = fold(everything ^ (failed | unknown))
        may = fold(everything ^ failed)
        nearly = fold(everything ^ too_far) if near else may
        if not self.rough:
            return fits, may ^ fits, nearly ^ may, 0
        keep = ~self.rough
        return fits & keep, (may ^ fits) & keep, (nearly ^ may) & keep, nearly & self.rough

    def _scan(self, facts: Facts, near: int, tokens: Tokens) -> tuple[int, int, int]:
        """Clauses that fail by a leaf, that have an unknown leaf, and that fail by more than ``near`` leaves."""
        values: Values = facts.values
        near = min(near, self.most_tests)
        failed = unknown = too_far = 0
        if near == 0:
            for probe in self.probes:
                fails, open_, _ = probe(values)
                failed |= fails
                if open_:
                    unknown |= open_
            counters = [failed]
        elif near == 1:
            for probe in self.probes:
                fails, open_, more = probe(values)
                too_far |= failed & fails
                if more:
                    too_far |= more[0]
                failed |= fails
                if open_:
                    unknown |= open_
            counters = [failed, too_far]
        else:
            counters = [0] * (near + 1)
            for probe in self.probes:
                found = probe(values)
                count(counters, found)
                unknown |= found[1]
        if self.tokens:
            unknown |= self._ask(tokens, counters)
        return counters[0], unknown, counters[-1]

    def _ask(self, tokens: Tokens, counters: list[int]) -> int:
        """Adds to the counters the clauses that fail by a token; returns those with an unknown one."""
        unknown = 0
        alive = self.everything ^ counters[-1]
        if len(counters) == 2:  # one near miss, as every night asks: the same as below, without a loop over counters
            failed, too_far = counters
            for asking, token in self.tokens:
                if asking & alive:
                    truth = tokens.truth(token)
                    if truth is None:
                        unknown |= asking
                    elif truth is token.negated:
                        again = failed & asking
                        failed |= asking
                        too_far |= again
                        alive ^= alive & again
            counters[:] = failed, too_far
            return unknown
        for asking, token in self.tokens:
            if not asking & alive:
                continue  # those that ask it are out already
            truth = tokens.truth(token)
            if truth is None:
                unknown |= asking
            elif truth is token.negated:
                count(counters, (asking, 0, ()))
                alive = self.everything ^ counters[-1]
        return unknown

    def _decide(self, policies: int, facts: Facts, near: int) -> Iterator[Match]:
        """By the tree, for policies whose clauses let too much through."""
        for number in bits.members(policies):
            match = evaluated(self.items[number], facts, self.as_of)
            if len(match.unmet) <= near:
                yield match


def _most_clauses_first(item: Item) -> tuple[int, str]:
    return -len(item.clauses.clauses), item.id
