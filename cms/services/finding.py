"""Search in what is published, as readers ask: in the index that all processes share, or in this process."""

import threading
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import cast

from django.conf import settings

from cms.models.search import Kind, SearchRow
from cms.personal import Fits
from cms.services import search_documents, search_writes
from cms.services.listing import PAGE_SIZE, Narrowing, open_on
from matching.search import Request, Results, SearchEngine, Searcher, Suggestion, create_engine
from matching.search.degrading import DegradingSearch, Service
from matching.selectors import most_fitting

SURE, MAYBE = 1.3, 1.1  # by how much more an item counts that fits the reader's enterprise
POPULAR = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A page of the results of a question, which page it is, and what to offer where there are none: what fits the
    most enterprises, or where that is not known what is newest."""

    results: Results
    page: int = 1
    popular: tuple[SearchRow, ...] = ()
    newest: tuple[SearchRow, ...] = ()


class HeldRows:
    """See ``Searcher``: every published row in the embedded engine of this process, brought up to date before each
    question. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: SearchEngine = create_engine("memory")
        self._versions: dict[str, str] = {}

    def search(self, request: Request) -> Results:
        with self._lock:
            self._bring_up_to_date()
            return self._engine.search(request)

    def suggest(self, text: str, *, kind: str = "", limit: int = 8) -> list[Suggestion]:
        with self._lock:
            self._bring_up_to_date()
            return self._engine.suggest(text, kind=kind, limit=limit)

    def _bring_up_to_date(self) -> None:
        versions = search_documents.versions()
        if versions == self._versions:
            return
        self._engine.remove([pk for pk in self._versions if pk not in versions])
        changed = [pk for pk, version in versions.items() if self._versions.get(pk) != version]
        self._engine.put(search_documents.documents(ids=changed))
        self._versions = versions


class PublishedRows:
    """Every published row, ready to be searched by an engine. One for each process; safe to use from threads."""

    def __init__(self, engine_name: str) -> None:
        self._searcher: Searcher = HeldRows()
        if engine_name != "memory":
            service = cast(Service, create_engine(engine_name))
            self._searcher = DegradingSearch(
                service, self._searcher, expected=search_documents.settled_count, on_lost=search_writes.ask_for_mending
            )

    @property
    def trouble(self) -> str:
        """Why the embedded engine answers instead of the one that the settings name; empty where all is well."""
        return str(getattr(self._searcher, "trouble", ""))

    def search(
        self, *, narrowing: Narrowing, today: date, fits: Fits | None, start: int = 0, size: int | None = None
    ) -> Results:
        """What a reader asked for; `fits` prefers what fits the reader's enterprise, and narrows to it if asked."""
        sure = maybe = frozenset[str]()
        if fits is not None and (fits.sure or fits.maybe):
            items = SearchRow.objects.filter(kind=Kind.ITEM).values_list("code", "pk")
            ids = {code: str(pk) for code, pk in items}
            sure, maybe = (frozenset(ids[code] for code in some if code in ids) for some in (fits.sure, fits.maybe))
        chosen = {
            "department": narrowing.department,
            "item_type": narrowing.item_type,
            "delivery": narrowing.delivery,
            "size": narrowing.size,
            "industry": narrowing.industry,
        }
        narrowed = narrowing.kind == Kind.ITEM
        return self._searcher.search(
            Request(
                text=narrowing.query,
                kind=narrowing.kind,
                chosen={name: {code} for name, code in chosen.items() if code},
                today=today,
                open_now=narrowing.open_now and narrowed,
                only=sure if fits and narrowing.fits_me and narrowed else None,
                prefer=dict.fromkeys(maybe, MAYBE) | dict.fromkeys(sure, SURE),
                start=start,
                size=size,
            )
        )

    def suggest(self, *, text: str, kind: str) -> list[Suggestion]:
        """What a reader may be about to type; the id of a title is that of its page."""
        return self._searcher.suggest(text[:50], kind=kind)


@lru_cache(maxsize=4)
def _of_engine(name: str) -> PublishedRows:
    return PublishedRows(name)


def published_rows() -> PublishedRows:
    """The one of this process, on the engine that the settings name."""
    return _of_engine(settings.HUIDA_SEARCH)


def find(*, narrowing: Narrowing, today: date, fits: Fits | None = None, page: int = 1) -> Found:
    """A page of what a reader asked for, best or newest first; the last one where there are not so many. For no hits
    the items that fit the most enterprises."""
    rows = published_rows()
    page = max(1, page)
    while True:
        start = (page - 1) * PAGE_SIZE
        results = rows.search(narrowing=narrowing, today=today, fits=fits, start=start, size=PAGE_SIZE)
        last = max(1, -(-results.total // PAGE_SIZE))
        if page > last:
            page = last
            continue
        if results.total or not narrowing.query:
            return Found(results, page)
        popular = popular_rows(today=today)
        return Found(results, page, popular, () if popular else newest_rows(today=today))


def popular_rows(*, today: date) -> tuple[SearchRow, ...]:
    """The open items that fit the most enterprises."""
    codes = most_fitting(day=today, limit=POPULAR)
    rows = SearchRow.objects.filter(kind=Kind.ITEM, code__in=codes).select_related("page", "department")
    return tuple(sorted(rows, key=lambda row: codes.index(row.code)))


def newest_rows(*, today: date) -> tuple[SearchRow, ...]:
    """The open items that were published last."""
    rows = SearchRow.objects.filter(open_on(day=today), kind=Kind.ITEM).select_related("page", "department")
    return tuple(rows.order_by("-published_at", "pk")[:POPULAR])


def rows_in_order(*, ids: list[str]) -> list[SearchRow]:
    """The rows of a page of hits, in their order. One that went down meanwhile is left out."""
    rows = SearchRow.objects.select_related("page", "department").in_bulk([int(pk) for pk in ids])
    return [rows[int(pk)] for pk in ids if int(pk) in rows]
