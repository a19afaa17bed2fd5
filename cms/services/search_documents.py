"""The published rows as documents of a search engine."""

from collections.abc import Collection, Iterator
from hashlib import sha256
from typing import Any

from cms.models.search import SearchRow
from cms.services import search_writes
from cms.services.listing import words_of
from matching.criteria import Vocabulary
from matching.search import Document
from matching.search.tokenise import version as dictionary_version
from matching.services.vocabulary import ITEM_TYPES, current_vocabulary

_COLUMNS = (
    *("page_id", "kind", "code", "title", "department__code", "item_type", "delivery", "window_from", "window_until"),
    *("expires_on", "sizes", "industries", "texts", "words", "words_version", "published_at", "stamp"),
)
_MANY = 500  # rows; for more the whole table is read rather than a list of ids sent
_PIECE = 200


def versions() -> dict[str, str]:
    """The version of every document, by id. Nothing of the rows' texts is read for it."""
    reading = _reading(current_vocabulary())
    return {str(pk): _version(stamp, reading) for pk, stamp in SearchRow.objects.values_list("pk", "stamp")}


def documents(*, ids: Collection[str]) -> Iterator[Document]:
    """The documents of these ids, as their rows now are; one that is not published is left out."""
    vocabulary = current_vocabulary()
    reading = _reading(vocabulary)
    rows = SearchRow.objects.order_by("pk").values(*_COLUMNS)
    wanted = set(ids)
    if len(wanted) <= _MANY:
        rows = rows.filter(pk__in=[int(pk) for pk in wanted])
    for row in rows.iterator(chunk_size=_PIECE):
        if str(row["page_id"]) in wanted:
            yield _document(row, vocabulary, reading)


def settled_count() -> int:
    """How many documents an index should hold at least: those that are not still to be written."""
    return max(0, SearchRow.objects.count() - search_writes.pending_count())


def _reading(vocabulary: Vocabulary) -> str:
    """What a document depends on beside its row: the parents of item types, and the dictionary that cuts texts."""
    return f"{vocabulary.digest} {dictionary_version()}"


def _version(stamp: str, reading: str) -> str:
    return sha256(f"{stamp} {reading}".encode()).hexdigest()[:24]


def _document(row: dict[str, Any], vocabulary: Vocabulary, reading: str) -> Document:
    types = vocabulary.code_lists.get(ITEM_TYPES)
    item_type = row["item_type"]
    ends = [day for day in (row["window_until"], row["expires_on"]) if day]
    # Cut again here where the dictionary is another one since: a new release needs no rewriting of rows.
    words = row["words"] if row["words_version"] == dictionary_version() else words_of(texts=row["texts"])
    return Document(
        id=str(row["page_id"]),
        kind=row["kind"],
        title=row["title"],
        code=row["code"],
        words=words,
        facets={
            "department": _codes(row["department__code"]),
            "item_type": types.ancestors(item_type) if types and item_type in types else _codes(item_type),
            "delivery": _codes(row["delivery"]),
            "size": tuple(code for code in row["sizes"].split(",") if code),
            "industry": tuple(code for code in row["industries"].split(",") if code),
        },
        opens=row["window_from"],
        closes=min(ends) if ends else None,
        published=f"{row['published_at']:%Y%m%d%H%M%S}",
        version=_version(row["stamp"], reading),
    )


def _codes(code: str | None) -> tuple[str, ...]:
    return (code,) if code else ()
