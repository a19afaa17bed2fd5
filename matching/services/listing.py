"""Everything listed and open on a day, in the embedded engine, with a name for its content.

The night asks about every enterprise, so it asks in its own process: the embedded engine answers in a fraction of what
one question to a server costs, whatever the settings name for single questions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.db.models import F, Q

import matching.backends
import matching.criteria
from matching.backends.base import Listed
from matching.backends.memory import MemoryBackend
from matching.criteria import Vocabulary, canonical_json
from matching.models import MatchedListing, PolicyVersion
from matching.services.listed import readable
from matching.services.matches import NEAR
from matching.services.vocabulary import current_vocabulary


@cache
def engine_digest() -> str:
    """SHA-256 (hex) of the source of the criteria language and of the embedded engine.

    Whatever is mended there may change what equal leaves lead to, so that no state outlives a deploy that touches it.
    """
    digest = hashlib.sha256()
    for package in (matching.criteria, matching.backends):
        for path in sorted(Path(package.__path__[0]).glob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Content:
    """What decides a night: the vocabulary, and the versions with the hashes of their rules."""

    vocabulary: Vocabulary
    versions: Mapping[int, str]

    @property
    def basis(self) -> dict[str, Any]:
        """All but the versions. Two listings can be compared version by version only where this is the same."""
        return {"vocabulary": self.vocabulary.digest, "engine": engine_digest(), "near": NEAR}

    def is_that_of(self, other: Content) -> bool:
        return self.vocabulary.digest == other.vocabulary.digest and self.versions == other.versions

    def as_json(self) -> dict[str, Any]:
        return self.basis | {"versions": {str(pk): digest for pk, digest in sorted(self.versions.items())}}


def content_on(*, day: date) -> Content:
    """What is listed and open on a day (Asia/Shanghai)."""
    rows = (
        PolicyVersion.objects.filter(item__is_listed=True, item__current_version=F("pk"))
        .filter(Q(window_from__isnull=True) | Q(window_from__lte=day))
        .filter(Q(window_until__isnull=True) | Q(window_until__gte=day))
        .values_list("pk", "rule_hash")
    )
    return Content(current_vocabulary(), dict(rows))


class Listing:
    """One content in an engine of its own, and its row."""

    def __init__(self, content: Content, like: Listing | None = None) -> None:
        """Raises Gone. What `like` has read already is not read again."""
        data = content.as_json()
        digest = hashlib.sha256(canonical_json(data).encode()).hexdigest()
        self.content = content
        self.pk: int = MatchedListing.objects.get_or_create(digest=digest, defaults={"content": data})[0].pk
        self.policies = read_versions(content=content, like=like)
        self.engine = MemoryBackend()
        self.engine.put(self.policies.values())


class Gone(LookupError):
    """A version of a content is there no more, or under its number stands another."""


def read_versions(*, content: Content, like: Listing | None = None) -> dict[int, Listed]:
    """The criteria of a content's versions; those that `like` holds with the same rules are taken from there.

    Unreadable ones are logged and left out. Raises Gone.
    """
    held: Mapping[int, Listed] = {}
    if like is not None and like.content.basis == content.basis:
        known = like.content.versions
        held = {pk: listed for pk, listed in like.policies.items() if known[pk] == content.versions.get(pk)}
    policies = dict(held)
    wanted = content.versions.keys() - held.keys()
    found = set()
    rows = PolicyVersion.objects.filter(pk__in=wanted).order_by("pk").values_list("pk", "rule_hash", "rules")
    for pk, rule_hash, rules in rows.iterator(chunk_size=500):
        if rule_hash == content.versions[pk]:
            found.add(pk)
            listed = readable(version_id=pk, rules=rules, vocabulary=content.vocabulary)
            if listed is not None:
                policies[pk] = listed
    if missing := wanted - found:
        raise Gone(f"no such versions: {sorted(missing)[:10]}")
    return policies
