"""How well a search answers the judged queries: nDCG@10 and recall@10."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import import_module
from math import log2
from statistics import mean, quantiles

from django.conf import settings
from django.test import override_settings

from cms.models import PolicyItemPage, SearchRow
from cms.models.search import Kind
from cms.services.finding import find, published_rows
from cms.services.importing import import_policies
from cms.services.listing import Narrowing
from cms.services.search_index import ItemKind
from matching.backends.elastic import client
from matching.search.base import FIELDS
from tests.search_quality import corpus

TOP = 10
RELEVANT = 2  # the least grade that recall counts
Search = Callable[[str], Sequence[str]]
OURS, SHARED = "ours, embedded", "ours, on Elasticsearch"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class Score:
    """Means over all queries; `each` gives (nDCG, recall) by query; `p95` is of one search, in ms."""

    ndcg: float
    recall: float
    p95: float
    each: Mapping[str, tuple[float, float]] = field(repr=False)
    found: Mapping[str, tuple[str, ...]] = field(repr=False)


def load() -> None:
    """Import and publish the corpus into the database."""
    report = import_policies(
        lines=corpus.lines(),
        file="corpus",
        district="青羊区",
        publish=True,
        now=NOW,
    )
    assert not report.problems, report.problems[:5]
    # Ties go to the latest: all of one moment, so that the speed of the import decides nothing.
    SearchRow.objects.update(published_at=NOW)


def ours(engine: str) -> Search:
    """The product's own search on an engine; what it needs of a server is written first."""
    if engine == "elasticsearch":
        ItemKind().mend()

    def search(query: str) -> Sequence[str]:
        with override_settings(HUIDA_SEARCH=engine):
            results = find(narrowing=Narrowing(query=query), today=TODAY).results
            assert not published_rows().trouble, published_rows().trouble
        codes = _codes()
        return [codes[hit.id] for hit in results.hits]

    return search


_known: dict[str, str] = {}


def _codes() -> dict[str, str]:
    if not _known:
        _known.update({str(pk): code for pk, code in PolicyItemPage.objects.values_list("pk", "code")})
    return _known


def wagtails(path: str, operator: str) -> Search:
    """A database search of Wagtail over the same pages: title, summary, audience, clause and criteria."""
    backend = import_module(path).SearchBackend({})
    index = backend.get_index_for_model(PolicyItemPage)
    if index is not None:
        index.add_items(PolicyItemPage, list(PolicyItemPage.objects.all()))

    def search(query: str) -> Sequence[str]:
        return [page.code for page in backend.search(query, PolicyItemPage, operator=operator)[:TOP]]

    return search


def standard() -> Search:
    """Elasticsearch left to itself: the same texts in its own `standard` analyzer, asked by one `multi_match`."""
    index = f"{settings.ELASTICSEARCH_INDEX_PREFIX}-quality-standard"
    server = client.client()
    rows = SearchRow.objects.filter(kind=Kind.ITEM).values_list("code", "texts")
    fields = {name: {"type": "text", "analyzer": "standard"} for name in FIELDS}
    server.options(ignore_status=404).indices.delete(index=index)
    server.indices.create(index=index, mappings={"properties": fields})
    lines = [line for code, texts in rows for line in ({"index": {"_id": code}}, texts)]
    server.bulk(index=index, operations=lines, refresh=True)

    def search(query: str) -> Sequence[str]:
        asked = {"multi_match": {"query": query, "fields": list(FIELDS)}}
        answer = server.search(index=index, query=asked, size=TOP, source=False)
        return [hit["_id"] for hit in answer["hits"]["hits"]]

    return search


def on_elasticsearch(name: str = corpus.TUNED) -> dict[str, Score]:
    """Ours and the server's own, over the corpus that was loaded."""
    judged = corpus.judgements(name)
    return {
        SHARED: measured(ours("elasticsearch"), judged),
        "Elasticsearch, standard analyzer": measured(standard(), judged),
    }


def contest(name: str = corpus.TUNED) -> dict[str, Score]:
    """Ours and Wagtail's database searches, over the corpus that was loaded."""
    judged = corpus.judgements(name)
    return {
        OURS: measured(ours("memory"), judged),
        "Wagtail, full text of the database": measured(wagtails("wagtail.search.backends.database", "or"), judged),
        "Wagtail, parts of words": measured(wagtails("wagtail.search.backends.database.fallback", "or"), judged),
    }


def measured(search: Search, judged: Mapping[str, Mapping[str, int]]) -> Score:
    """The score over the judged queries. The first query is asked once before, to have everything in memory."""
    _known.clear()
    search(next(iter(judged)))
    each: dict[str, tuple[float, float]] = {}
    found: dict[str, tuple[str, ...]] = {}
    times = []
    for query, grades in judged.items():
        start = time.perf_counter()
        answer = list(search(query))
        times.append((time.perf_counter() - start) * 1000)
        found[query] = tuple(answer)
        each[query] = (ndcg(answer, grades), recall(answer, grades))
    return Score(
        mean(score for score, _ in each.values()),
        mean(score for _, score in each.values()),
        quantiles(times, n=20)[-1],
        each,
        found,
    )


def ndcg(answer: Sequence[str], grades: Mapping[str, int]) -> float:
    """Discounted gain of the first ten (2^grade − 1, by the logarithm of the place) over the best there could be."""

    def gain(of: Sequence[int]) -> float:
        return sum((2**grade - 1) / log2(place + 2) for place, grade in enumerate(of[:TOP]))

    best = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(code, 0) for code in answer]) / best if best else 0.0


def recall(answer: Sequence[str], grades: Mapping[str, int]) -> float:
    """Which part of the relevant items (of ten, where there are more) stands among the first ten."""
    relevant = {code for code, grade in grades.items() if grade >= RELEVANT}
    return len(relevant.intersection(answer[:TOP])) / min(len(relevant), TOP)


def table(scores: Mapping[str, Score]) -> str:
    """The scores side by side."""
    rows = [f"{'':<42}{'nDCG@10':>9}{'recall@10':>11}{'p95':>11}"]
    for name, score in scores.items():
        rows.append(f"{name:<42}{score.ndcg:>9.3f}{score.recall:>11.3f}{score.p95:>8.1f} ms")
    return "\n".join(rows)


def worst(score: Score, count: int) -> str:
    """The queries answered worst, with what was found."""
    order = sorted(score.each.items(), key=lambda pair: pair[1])[:count]
    return "\n".join(
        f"  {ndcg:.2f} {recall:.2f} {query}: {' '.join(score.found[query][:TOP])}" for query, (ndcg, recall) in order
    )
