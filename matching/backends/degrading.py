"""A backend with a service behind it, and the embedded one in its place while that is away.

Both answer alike, so nobody notices but the log and the health page. A question waits ELASTICSEARCH_TIMEOUT seconds at
most, whatever the service does meanwhile. The service is left alone for some seconds after it failed; then the next
question knocks, and where it is answered asks again, and the service brings itself up to date.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date

from django.conf import settings

from matching.criteria import Facts

from . import patience
from .base import BackendUnavailable, Listed, Match, MatcherBackend, Sifted
from .memory import MemoryBackend

logger = logging.getLogger(__name__)

LEFT_ALONE = 15.0
"""Seconds in which a service that failed is not asked again."""


class DegradingBackend:
    """See ``MatcherBackend``; never raises BackendUnavailable."""

    def __init__(
        self,
        service: MatcherBackend,
        *,
        knock: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``knock()`` raises BackendUnavailable, and soon, where the service does not answer at all."""
        self._service = service
        self._knock = knock
        self._clock = clock
        self._policies: dict[str, Listed] = {}
        self._embedded: MemoryBackend | None = None
        self._not_before: float | None = None
        self.trouble: str = ""
        """Why the embedded matcher answers; empty where it does not."""

    def put(self, policies: Iterable[Listed]) -> None:
        new = list(policies)
        self._policies |= {policy.id: policy for policy in new}
        self._service.put(new)
        if self._embedded is not None:
            self._embedded.put(new)

    def remove(self, policies: Iterable[str]) -> None:
        gone = list(policies)
        for policy in gone:
            self._policies.pop(policy, None)
        self._service.remove(gone)
        if self._embedded is not None:
            self._embedded.remove(gone)

    def eligible(self, facts: Facts, *, as_of: date) -> tuple[str, ...]:
        return self.sift(facts, as_of=as_of).eligible

    def sift(self, facts: Facts, *, as_of: date, near: int = 0) -> Sifted:
        if self._may_ask():
            try:
                with patience.at_most(settings.ELASTICSEARCH_TIMEOUT):
                    found = self._service.sift(facts, as_of=as_of, near=near)
            except BackendUnavailable as error:
                self._failed(error)
            else:
                self._well()
                return found
        return self._stand_in().sift(facts, as_of=as_of, near=near)

    def match(self, facts: Facts, *, as_of: date, near: int = 0) -> list[Match]:
        [(_, found)] = self.match_many([("", facts)], as_of=as_of, near=near)
        return found

    def match_many(
        self, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, list[Match]]]:
        """Where the service fails on the way, the embedded matcher goes on with the profile at which it failed."""
        waiting = list(profiles)
        done = 0
        if self._may_ask():
            try:
                answers = iter(self._service.match_many(waiting, as_of=as_of, near=near))
                while True:
                    with patience.at_most(settings.ELASTICSEARCH_TIMEOUT):
                        found = next(answers, None)
                    if found is None:
                        break
                    done += 1
                    yield found
            except BackendUnavailable as error:
                self._failed(error)
            else:
                self._well()
        if done < len(waiting):
            yield from self._stand_in().match_many(waiting[done:], as_of=as_of, near=near)

    def match_policy(
        self, policy: Listed, profiles: Iterable[tuple[str, Facts]], *, as_of: date, near: int = 0
    ) -> Iterator[tuple[str, Match]]:
        # One policy against all: no index of policies helps, and the answer is the same.
        yield from MemoryBackend().match_policy(policy, profiles, as_of=as_of, near=near)

    def close(self) -> None:
        try:
            with patience.at_most(settings.ELASTICSEARCH_TIMEOUT):
                self._service.close()
        except BackendUnavailable as error:
            self._failed(error)

    def _may_ask(self) -> bool:
        if self._not_before is None:
            return True
        if self._clock() < self._not_before:
            return False
        try:
            self._knock()
        except BackendUnavailable as error:
            self._failed(error)
            return False
        return True

    def _failed(self, error: BackendUnavailable) -> None:
        if not self.trouble:
            logger.warning("the matcher's service is away, the embedded one answers: %s", error)
        self.trouble = str(error)
        self._not_before = self._clock() + LEFT_ALONE

    def _well(self) -> None:
        if self.trouble:
            logger.warning("the matcher's service is back")
        self.trouble, self._not_before, self._embedded = "", None, None

    def _stand_in(self) -> MemoryBackend:
        if self._embedded is None:
            self._embedded = MemoryBackend()
            self._embedded.put(self._policies.values())
        return self._embedded
