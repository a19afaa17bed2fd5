"""The published rows, held in the search engine of this process and brought up to date before each question."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.conf import settings

from cms.models.search import Kind, SearchRow
from cms.personal import Fits
from cms.services.listing import Narrowing, words_of
from matching.criteria import Vocabulary
from matching.search import Document, Request, Results, SearchEngine, Suggestion, create_engine
from matching.search.tokenise import version
from matching.selectors import most_fitting
from matching.services.vocabulary import ITEM_TYPES, current_vocabulary

SURE, MAYBE = 1.3, 1.1  # by how much more an item counts that fits the reader's enterprise
POPULAR = 5
_COLUMNS = (
    *("page_id", "kind", "code", "title", "department__code", "item_type", "delivery", "window_from", "window_until"),
    *("expires_on", "sizes", "industries", "texts", "words", "words_version", "published_at"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """The results of a question, and what to offer where there are none."""

    results: Results
    popular: tuple[SearchRow, ...] = ()


class PublishedRows:
    """Every published row, ready to be searched. One for each process and engine; safe to use from threads."""

    def __init__(self, engine_name: str) -> None:
        self._lock = threading.Lock()
        self._engine_name = engine_name
        self._engine: SearchEngine = create_engine(engine_name)
        self._stamps: dict[str, str] = {}
        self._items: dict[str, str] = {}
        self._types = ""

    def search(self, *, narrowing: Narrowing, today: date, fits: Fits | None) -> Results:
        """What a reader asked for; `fits` prefers what fits the reader's enterprise, and narrows to it if asked."""
        with self._lock:
            self._bring_up_to_date()
            sure = self._ids(fits.sure) if fits else frozenset()
            maybe = self._ids(fits.maybe) if fits else frozenset()
            chosen = {
                "department": narrowing.department,
                "item_type": narrowing.item_type,
                "delivery": narrowing.delivery,
                "size": narrowing.size,
                "industry": narrowing.industry,
            }
            narrowed = narrowing.kind == Kind.ITEM
            return self._engine.search(
                Request(
                    text=narrowing.query,
                    kind=narrowing.kind,
                    chosen={name: {code} for name, code in chosen.items() if code},
                    today=today,
                    open_now=narrowing.open_now and narrowed,
                    only=sure if fits and narrowing.fits_me and narrowed else None,
                    prefer=dict.fromkeys(maybe, MAYBE) | dict.fromkeys(sure, SURE),
                )
            )

    def suggest(self, *, text: str, kind: str) -> list[Suggestion]:
        """What a reader may be about to type; the id of a title is that of its page."""
        with self._lock:
            self._bring_up_to_date()
            return self._engine.suggest(text[:50], kind=kind)

    def _ids(self, codes: Collection[str]) -> frozenset[str]:
        return frozenset(self._items[code] for code in codes if code in self._items)

    def _bring_up_to_date(self) -> None:
        vocabulary = current_vocabulary()
        if self._types != vocabulary.digest:  # parents of item types are of the vocabulary
            self._types, self._stamps, self._items = vocabulary.digest, {}, {}
            self._engine = create_engine(self._engine_name)
        stamps = {str(pk): stamp for pk, stamp in SearchRow.objects.values_list("pk", "stamp")}
        if stamps == self._stamps:
            return
        gone = [pk for pk in self._stamps if pk not in stamps]
        changed = [pk for pk, stamp in stamps.items() if self._stamps.get(pk) != stamp]
        self._engine.remove(gone)
        rows = SearchRow.objects.values(*_COLUMNS)
        rows = rows.all() if len(changed) > 500 else rows.filter(pk__in=changed)
        wanted = set(changed)
        documents = [_document(row, vocabulary) for row in rows.iterator() if str(row["page_id"]) in wanted]
        self._engine.put(documents)
        held = {pk: code for code, pk in self._items.items() if pk in stamps and pk not in wanted}
        held |= {document.id: document.code for document in documents if document.kind == Kind.ITEM}
        self._items = {code: pk for pk, code in held.items()}
        self._stamps = stamps


@lru_cache(maxsize=4)
def _of_engine(name: str) -> PublishedRows:
    return PublishedRows(name)


def published_rows() -> PublishedRows:
    """The one of this process, on the engine that the settings name."""
    return _of_engine(settings.HUIDA_SEARCH)


def find(*, narrowing: Narrowing, today: date, fits: Fits | None = None) -> Found:
    """What a reader asked for, best or newest first; for no hits the items that fit the most enterprises."""
    results = published_rows().search(narrowing=narrowing, today=today, fits=fits)
    return Found(results, () if results.hits or not narrowing.query else popular_rows(today=today))


def popular_rows(*, today: date) -> tuple[SearchRow, ...]:
    """The open items that fit the most enterprises."""
    codes = most_fitting(day=today, limit=POPULAR)
    rows = SearchRow.objects.filter(kind=Kind.ITEM, code__in=codes).select_related("page", "department")
    return tuple(sorted(rows, key=lambda row: codes.index(row.code)))


def rows_in_order(*, ids: Collection[str]) -> list[SearchRow]:
    """The rows of a page of hits, in their order. One that went down meanwhile is left out."""
    rows = SearchRow.objects.select_related("page", "department").in_bulk([int(pk) for pk in ids])
    return [rows[int(pk)] for pk in ids if int(pk) in rows]


def _document(row: dict[str, Any], vocabulary: Vocabulary) -> Document:
    types = vocabulary.code_lists.get(ITEM_TYPES)
    item_type = row["item_type"]
    ends = [day for day in (row["window_until"], row["expires_on"]) if day]
    # Cut again here where the dictionary is another one since: a new release needs no rewriting of rows.
    words = row["words"] if row["words_version"] == version() else words_of(texts=row["texts"])
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
    )


def _codes(code: str | None) -> tuple[str, ...]:
    return (code,) if code else ()
