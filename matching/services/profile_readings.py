"""Profiles as documents of the search server: by which reading they are made.

Profiles are read by the latest `ProfileReading`. A vocabulary that says other things of facts, or an item that asks for
a figure which documents lack, makes another one, and every profile pending: whatever is not pending was made by it. A
document's version rises with its profile, and with the reading where the profile stays, and the server never replaces a
higher version by a lower one: whoever comes late with an older state changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from matching import locks
from matching.backends.elastic.profiles.document import ProfileRow, Reader
from matching.backends.elastic.profiles.figures import Measured, figures_asked, read, written
from matching.criteria import Vocabulary, canonical_json
from matching.models import PolicyItem, ProfileReading
from matching.services import indexing
from matching.services.listed import known_facts, readable
from matching.services.vocabulary import current_vocabulary

Stored = tuple[int, int, dict[str, Any]]
"""Enterprise, revision and facts of a profile."""


_FORGOTTEN = "-"  # stands for no vocabulary


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to make documents of profiles."""

    number: int
    vocabulary: Vocabulary
    figures: frozenset[Measured]

    def rows(self, profiles: Iterable[Stored]) -> Iterator[ProfileRow]:
        reader = Reader(self.figures)
        for pk, revision, facts in profiles:
            typed = known_facts(facts=facts, vocabulary=self.vocabulary)
            yield reader.row(enterprise=pk, version=self.version_of(revision), facts=typed)

    def version_of(self, revision: int) -> int:
        return revision << 20 | self.number


def current_reading() -> Reading:
    """The reading in force; the first one takes in the figures of every listed item."""
    vocabulary = current_vocabulary()
    latest = ProfileReading.objects.order_by("-number").first()
    if latest is None:
        return _make(vocabulary, _figures_listed(vocabulary))
    if latest.facts != _facts_digest(vocabulary):
        return _make(vocabulary, read(latest.figures))
    return Reading(latest.number, vocabulary, read(latest.figures))


def want_figures(*, rules: dict[str, Any], version_id: int) -> None:
    """Have documents carry the figures that these rules ask for, beside those they have."""
    vocabulary = current_vocabulary()
    listed = readable(version_id=version_id, rules=rules, vocabulary=vocabulary)
    asked = frozenset[Measured]() if listed is None else figures_asked(listed.criteria)
    if not asked:
        return
    reading = current_reading()
    if not asked <= reading.figures:
        _make(vocabulary, reading.figures | asked)


def forget() -> None:
    """Profiles change while the settings name no server, and nothing is noted: should they name one again, every
    profile has to be written."""
    ProfileReading.objects.exclude(facts=_FORGOTTEN).update(facts=_FORGOTTEN)


@transaction.atomic
def _make(vocabulary: Vocabulary, figures: frozenset[Measured]) -> Reading:
    locks.making_a_reading()
    digest = _facts_digest(vocabulary)
    latest = ProfileReading.objects.order_by("-number").first()
    if latest is not None:
        figures |= read(latest.figures)
        if latest.facts == digest and figures == read(latest.figures):
            return Reading(latest.number, vocabulary, figures)  # another made it a moment ago
    number = 1 if latest is None else latest.number + 1
    made = ProfileReading.objects.create(number=number, facts=digest, figures=written(figures))
    indexing.note_all_profiles()
    return Reading(made.number, vocabulary, figures)


def _figures_listed(vocabulary: Vocabulary) -> frozenset[Measured]:
    rows = PolicyItem.objects.filter(is_listed=True).values_list("current_version_id", "current_version__rules")
    found: set[Measured] = set()
    for version_id, rules in rows.iterator(chunk_size=500):
        listed = readable(version_id=version_id, rules=rules, vocabulary=vocabulary)
        if listed is not None:
            found |= figures_asked(listed.criteria)
    return frozenset(found)


def _facts_digest(vocabulary: Vocabulary) -> str:
    """Stands for what decides how facts are read: their types, and which codes there are. What codes are called and
    cover is told by queries."""
    told = {
        key: [str(fact.type), sorted(vocabulary.code_list(key).codes) if fact.codes else None]
        for key, fact in vocabulary.facts.items()
    }
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()
