"""What the items index holds of a document. New facets' codes and new words add values; no mapping is ever changed."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from elasticsearch.dsl import Date, Document, Keyword, Long, MetaField, Object, Text

from .. import pinyin
from ..base import FACETS
from ..base import Document as Published
from ..tokenise import normalise
from ..weighing import BITS, steps

ALWAYS, EVER = date(1, 1, 1), date(9999, 12, 31)  # a window without an end is stored as one that never ends


class ItemDocument(Document):
    """A published page. `impacts` holds how strongly it speaks of each word, as the bits of a number (see `impacts`).

    `letters` and `initials` are the title character by character, so that a phrase finds any part of it. The sum of
    `check` over all documents tells one state of the index from another.
    """

    id = Keyword(required=True)
    kind = Keyword(required=True)
    code = Keyword(ignore_above=256)
    title = Keyword(ignore_above=1024)
    version = Keyword(required=True, ignore_above=256)
    check = Long(required=True)
    words = Keyword(multi=True)
    impacts = Keyword(multi=True, doc_values=False)
    titled = Keyword(multi=True, doc_values=False)
    letters = Text(analyzer="whitespace", norms=False)
    initials = Text(analyzer="whitespace", norms=False)
    facets = Object(properties={name: Keyword(multi=True) for name in FACETS})
    opens = Date(format="yyyy-MM-dd", required=True)
    closes = Date(format="yyyy-MM-dd", required=True)
    published = Keyword()

    class Meta:
        dynamic = MetaField("strict")

    class Index:
        settings = {"number_of_shards": 1, "auto_expand_replicas": "0-1"}


def body(document: Published) -> dict[str, Any]:
    """A document as it is stored."""
    words = steps(document.words)
    title = normalise(document.title)
    return {
        "id": document.id,
        "kind": document.kind,
        "code": document.code,
        "title": document.title,
        "version": document.version,
        "check": check_of(document.id, document.version),
        "words": sorted(words),
        "impacts": sorted(bit for word, step in words.items() for bit in impacts(word, step)),
        "titled": sorted(words.keys() & set(document.words.get("title", "").split())),
        "letters": spaced(title),
        "initials": spaced(pinyin.initials(title)),
        "facets": {name: list(document.facets.get(name, ())) for name in FACETS},
        "opens": (document.opens or ALWAYS).isoformat(),
        "closes": (document.closes or EVER).isoformat(),
        "published": document.published,
    }


def impacts(word: str, step: int) -> list[str]:
    """The bits of a step that are set, each a term of its own: constant scores of them add up to the step."""
    return [f"{bit}{word}" for bit in range(BITS) if step >> bit & 1]


def spaced(text: str) -> str:
    """A text character by character, white space left out."""
    return " ".join("".join(text.split()))


def check_of(key: str, version: str) -> int:
    """A number of 32 bits that stands for one version of one document."""
    return int.from_bytes(hashlib.sha256(f"{key} {version}".encode()).digest()[:4])
