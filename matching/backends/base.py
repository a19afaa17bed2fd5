"""What a matcher backend can do. One suite of tests runs over all of them, with the plain evaluator as the judge.

A backend holds policies and is asked as of a day. It answers exactly what ``criteria.evaluate`` would for every pair,
only faster: which pairs are eligible, undetermined, or nearly eligible, and with which leaves unmet and unknown.
Windows of application are the caller's business: it puts in what is listed. Where a service behind it is away, its
questions raise BackendUnavailable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from matching.criteria import Facts, Node
from matching.criteria.evaluate import Verdict


class UnknownBackend(LookupError):
    """A backend was asked for by a name that nobody registered."""


class BackendUnavailable(RuntimeError):
    """The service behind a backend is away, or refuses; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A policy to be matched."""

    id: str
    criteria: Node


@dataclass(frozen=True, slots=True)
class Match:
    """A policy that fits, may fit, or nearly fits one enterprise. Leaf ids are in tree order."""

    policy: str
    verdict: Verdict
    unmet: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    form_only: bool = False


@dataclass(frozen=True, slots=True)
class Sifted:
    """The policies by verdict, without reasons. ``near`` are the ineligible ones with few enough leaves unmet."""

    eligible: tuple[str, ...]
    undetermined: tuple[str, ...]
    near: tuple[str, ...]


class MatcherBackend(Protocol):
    def put(self, policies: Iterable[Listed]) -> None:
        """Adds policies, or replaces those with the same id."""

    def remove(self, policies: Iterable[str]) -> None:
        """Takes policies out; one that is not there is no error."""

    def eligible(self, facts: Facts, *, as_of: date) -> tuple[str, ...]:
        """The policies whose criteria are true, in no set order: the fastest question."""

    def sift(self, facts: Facts, *, as_of: date, near: int = 0) -> Sifted:
        """The policies by verdict, each group in no set order."""

    def match(self, facts: Facts, *, as_of: date, near: int = 0) -> list[Match]:
        """Every policy that is eligible, undetermined, or ineligible with at most ``near`` leaves unmet, by id."""

    def match_many(
        self, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, list[Match]]]:
        """``match`` for each named profile, in the order given; asked in batches where that is faster."""

    def match_policy(
        self, policy: Listed, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, Match]]:
        """The profiles for which one policy (held or not) comes up, in the order given."""

    def close(self) -> None:
        """Gives back what the backend holds outside the process. It is not asked again."""
