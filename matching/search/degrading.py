"""A searcher with a service behind it, and the embedded one in its place while that is away, slow or has lost its data.

Both answer alike, so nobody notices but the log and the health page. The service is left alone for some seconds after
it failed; then the next question knocks, and where it is answered asks again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from .base import DataLost, EngineUnavailable, Request, Results, Searcher, Suggestion

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

LEFT_ALONE = 15.0
"""Seconds in which a service that failed is not asked again."""
LEAST_HELD = 0.9
"""Of the documents that there are. What was published a moment ago may be on its way; more lacking was lost."""


class Service(Searcher, Protocol):
    """A searcher that says how many documents it had at the last question; None where it was asked none yet."""

    held: int | None

    def knock(self) -> None:
        """Raises EngineUnavailable, and soon, where the service does not answer at all."""


class DegradingSearch:
    """See ``Searcher``; never raises EngineUnavailable. Safe to use from threads where both searchers are."""

    def __init__(
        self,
        service: Service,
        stand_in: Searcher,
        *,
        expected: Callable[[], int],
        on_lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`expected()` is how many documents the service should hold; `on_lost()` asks somebody to bring them back."""
        self._service = service
        self._stand_in = stand_in
        self._expected = expected
        self._on_lost = on_lost
        self._clock = clock
        self._not_before: float | None = None
        self.trouble = ""
        """Why the embedded engine answers; empty where it does not."""

    def search(self, request: Request) -> Results:
        return self._ask(lambda searcher: searcher.search(request))

    def suggest(self, text: str, *, kind: str = "", limit: int = 8) -> list[Suggestion]:
        return self._ask(lambda searcher: searcher.suggest(text, kind=kind, limit=limit))

    def _ask(self, question: Callable[[Searcher], Answer]) -> Answer:
        if self._not_before is None or self._clock() >= self._not_before:
            if self._not_before is not None:
                # One tries; who comes meanwhile need not wait with it.
                self._not_before = self._clock() + LEFT_ALONE
            try:
                if self.trouble:
                    self._service.knock()
                answer = question(self._service)
                self._believe(self._service.held)
            except EngineUnavailable as error:
                self._failed(error)
            else:
                self._well()
                return answer
        return question(self._stand_in)

    def _believe(self, held: int | None) -> None:
        expected = self._expected()
        if held is not None and held < LEAST_HELD * expected:
            raise DataLost(f"检索索引里只有 {held} 条，应有 {expected} 条；它会自动补齐，也可运行 manage.py reindex")

    def _failed(self, error: EngineUnavailable) -> None:
        if not self.trouble:
            logger.warning("the search service is away, the embedded engine answers: %s", error)
        self.trouble = str(error)
        self._not_before = self._clock() + LEFT_ALONE
        if isinstance(error, DataLost):
            self._on_lost()

    def _well(self) -> None:
        if self.trouble:
            logger.warning("the search service is back")
        self.trouble, self._not_before = "", None
