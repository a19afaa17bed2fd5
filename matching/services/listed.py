"""The items now listed, held in the matcher of this process and brought up to date before each question."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.conf import settings

from matching.backends.base import Listed, Match, MatcherBackend
from matching.backends.registry import create_listed_backend
from matching.criteria import Facts, InvalidInput, Vocabulary, parse_criteria, parse_facts
from matching.criteria.errors import Collector
from matching.criteria.facts import parse_fact
from matching.models import PolicyItem, PolicyVersion
from matching.services.vocabulary import current_vocabulary

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """A listed version in the matcher. Its rules decide what is held, because a number alone may be used again."""

    version_id: int
    rule_hash: str
    window_from: date | None
    window_until: date | None

    def is_open(self, day: date) -> bool:
        return (self.window_from is None or self.window_from <= day) and (
            self.window_until is None or day <= self.window_until
        )


class ListedVersions:
    """Every listed version, ready to be matched. One for each process and backend; safe to use from threads."""

    def __init__(self, backend_name: str) -> None:
        self._backend_name = backend_name
        self._lock = threading.Lock()
        self._vocabulary: Vocabulary | None = None
        self._backend: MatcherBackend = create_listed_backend(backend_name)
        self._held: dict[str, _Held] = {}

    def match(self, profiles: list[tuple[int, Facts]], *, as_of: date, near: int) -> list[tuple[int, list[Match]]]:
        """For each profile what comes up among the versions that are listed and open on `as_of`; `Match.policy` is
        the version's id as text."""
        with self._lock:
            self._bring_up_to_date()
            is_open = {key for key, held in self._held.items() if held.is_open(as_of)}
            named = [(str(pk), facts) for pk, facts in profiles]
            return [
                (int(name), [match for match in found if match.policy in is_open])
                for name, found in self._backend.match_many(named, as_of=as_of, near=near)
            ]

    @property
    def trouble(self) -> str:
        """Why the embedded matcher answers instead of the one that the settings name; empty where all is well."""
        return str(getattr(self._backend, "trouble", ""))

    def _bring_up_to_date(self) -> None:
        vocabulary = current_vocabulary()
        if self._vocabulary is None or self._vocabulary.digest != vocabulary.digest:
            self._vocabulary, self._backend, self._held = vocabulary, create_listed_backend(self._backend_name), {}
        fields = ("version_id", "rule_hash", "window_from", "window_until")
        rows = PolicyItem.objects.filter(is_listed=True).values_list(
            "current_version_id", *(f"current_version__{field}" for field in fields[1:])
        )
        now_listed = {str(row[0]): _Held(*row) for row in rows}
        gone = [key for key, held in self._held.items() if now_listed.get(key) != held]
        new = [key for key, held in now_listed.items() if self._held.get(key) != held]
        if gone:
            self._backend.remove(gone)
        if new:
            loaded = PolicyVersion.objects.filter(pk__in=new).values_list("pk", "rules")
            self._backend.put(
                listed
                for pk, rules in loaded.iterator(chunk_size=500)
                if (listed := readable(version_id=pk, rules=rules, vocabulary=vocabulary)) is not None
            )
        self._held = now_listed


def readable(*, version_id: int, rules: dict[str, Any], vocabulary: Vocabulary) -> Listed | None:
    """A version as the matcher takes it, or None (and an error in the log) where the vocabulary cannot read it.

    That does not happen while the vocabulary is changed by its service, which refuses what breaks a listed item.
    """
    try:
        return Listed(str(version_id), parse_criteria(rules.get("criteria"), vocabulary))
    except InvalidInput as error:
        logger.error("policy version %s cannot be read by the vocabulary in force: %s", version_id, error)
        return None


def known_facts(*, facts: Mapping[str, Any], vocabulary: Vocabulary) -> Facts:
    """A profile's facts, typed. What the vocabulary in force can no longer read is unknown, the rest counts."""
    try:
        return parse_facts(dict(facts), vocabulary)
    except InvalidInput:
        values = {}
        for key, value in facts.items():
            definition = vocabulary.facts.get(key)
            if definition is None:
                continue
            problems = Collector()
            typed = parse_fact(value, definition, vocabulary, key, problems)
            if typed is not None and not problems.problems:
                values[key] = typed
        return Facts(values)


@lru_cache(maxsize=4)
def _of_backend(name: str) -> ListedVersions:
    return ListedVersions(name)


def listed_versions() -> ListedVersions:
    """The one of this process, on the backend that the settings name."""
    return _of_backend(settings.HUIDA_MATCHER)
