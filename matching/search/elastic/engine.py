"""The engine on Elasticsearch: understands a query by the words that the index holds, and lets the server add up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from matching.backends import patience
from matching.backends.base import BackendUnavailable
from matching.backends.elastic import client
from matching.backends.elastic.aliases import MissingIndex

from .. import pinyin
from ..base import FACETS, DataLost, Document, EngineUnavailable, Facets, Hit, Request, Results, Suggestion
from ..expand import Understood, understand
from ..lexicon import Lexicon
from ..tokenise import normalise
from ..weighing import Typed, nearest, spelled_pieces, words_looked_for
from . import query
from .index import ItemIndex

Json = Any
State = tuple[int, int]
_TRIES = 3
_MOST_TITLES = 500  # looked through for what was typed
_MOST_READY = 1000  # queries remembered with what they mean, until the index changes


class ElasticSearch:
    """See ``SearchEngine``. One index is shared by all processes; what one puts, all find.

    Which words there are is read from the index whenever its state is another than the one they were read from, so a
    process that wrote nothing itself understands as well as one that did. Safe to use from threads.
    """

    def __init__(self, index: ItemIndex | None = None) -> None:
        self._index = index or ItemIndex()
        self._lock = threading.Lock()
        self._lexicon = Lexicon()
        self._state: State | None = None
        self._ready: dict[str, tuple[query.Weighed, float | None]] = {}
        self.held: int | None = None
        """How many documents the index had at the last question."""

    def knock(self) -> None:
        """Raises EngineUnavailable where no node answers within a second."""
        with _in_time():
            client.probe()

    def put(self, documents: Iterable[Document]) -> None:
        with _sound():
            self._index.ensure()
            self._index.put(documents)
            self._index.refresh()

    def remove(self, ids: Iterable[str]) -> None:
        with _sound():
            self._index.ensure()
            self._index.remove(ids)
            self._index.refresh()

    def search(self, request: Request) -> Results:
        with _in_time():
            if not request.text.strip():
                answer = self._index.ask(query.hits(request, None, None))
                everything = answer["aggregations"]["all"]
                self.held = _state(everything["doc_count"], everything)[0]
                return self._results(request, answer, None)
            for _ in range(_TRIES):
                weighed, most, known = self._weighed(request.text)
                understood = weighed.understood
                if not weighed.found:
                    return Results(
                        (), _no_facets(), words=words_looked_for(understood), nearest=self._nearest(understood)
                    )
                answer = self._index.ask(query.hits(request, weighed, most))
                everything = answer["aggregations"]["all"]
                if self._learn(_state(everything["doc_count"], everything), known):
                    break
            return self._results(request, answer, understood)

    def suggest(self, text: str, *, kind: str = "", limit: int = 8) -> list[Suggestion]:
        with _in_time():
            for _ in range(_TRIES):
                with self._lock:
                    typed, known = Typed(text, self._lexicon), self._state
                if not typed.tells:
                    return []
                clauses = [query.phrase_in("letters", typed.text)]
                if typed.initials:
                    clauses.append(query.phrase_in("initials", typed.initials))
                clauses += [query.phrase_in("letters", word) for word in typed.spelled]
                answer = self._index.ask(query.titles(clauses, kind=kind, size=_MOST_TITLES, first=typed.text))
                everything = answer["aggregations"]["all"]
                if self._learn(_state(everything["doc_count"], everything), known):
                    break
            return typed.suggestions(_titles(answer), limit)

    def _weighed(self, text: str) -> tuple[query.Weighed, float | None, State | None]:
        """A query as concepts, how much of it a document holds at most, and the state of the index by which that was
        found. Asked again soon (the next page, another choice), it is not worked out again."""
        with self._lock:
            if text in self._ready:
                return *self._ready[text], self._state
        for _ in range(_TRIES):
            with self._lock:
                understood, known = understand(text, self._lexicon, self._titles_spelled), self._state
            answer = self._index.ask(query.state_and_counts(understood.concepts))
            among, aggregations = answer["hits"]["total"]["value"], answer["aggregations"]
            if self._learn(_state(among, aggregations), known):
                break
        holding = [aggregations[str(place)]["doc_count"] for place in range(len(understood.concepts))]
        weighed = query.Weighed.of(understood, holding=holding, among=among)
        most = None
        if not weighed.all_cover_enough:
            best = self._index.ask(weighed.most_covered())["hits"]["hits"]
            most = float(best[0]["_score"]) if best else None
        with self._lock:
            if weighed.found and self._state == known:  # nothing found is not remembered: no answer would correct it
                if len(self._ready) >= _MOST_READY:
                    self._ready.clear()
                self._ready[text] = weighed, most
        return weighed, most, known

    def _learn(self, state: State, known: State | None) -> bool:
        """Whether the words that were known are those of this state of the index; where not, reads them."""
        self.held = state[0]
        if state == known:
            return True
        with self._lock:
            if self._state != state:
                self._lexicon.refill(self._index.words())
                self._state = state
                self._ready.clear()
        return False

    def _results(self, request: Request, answer: Json, understood: Understood | None) -> Results:
        aggregations = answer["aggregations"]
        kinds = Counter({bucket["key"]: bucket["doc_count"] for bucket in aggregations["kinds"]["buckets"]})
        told = query.counts(aggregations)
        counts = {
            name: Counter({bucket["key"]: bucket["doc_count"] for bucket in told[name]["buckets"]}) for name in FACETS
        }
        total = answer["hits"]["total"]["value"]
        candidates = kinds[request.kind] if request.kind else kinds.total()
        return Results(
            tuple(
                Hit(
                    hit["fields"]["id"][0],
                    0.0 if understood is None else float(hit["_score"]),
                    understood is None or "whole" in hit.get("matched_queries", ()),
                )
                for hit in answer["hits"]["hits"]
            ),
            Facets(counts, kinds, told["open"]["doc_count"], told["fits"]["doc_count"]),
            total=total,
            whole=told["whole"]["doc_count"],
            words=() if understood is None else words_looked_for(understood),
            corrected=understood.text if understood is not None and understood.corrected else "",
            nearest=self._nearest(understood) if understood is not None and not candidates else (),
        )

    def _nearest(self, understood: Understood) -> tuple[str, ...]:
        with self._lock:
            return nearest(understood, self._lexicon)

    def _titles_spelled(self, letters: str) -> list[str]:
        if len(letters) < 3:
            return []
        clauses = [query.phrase_in("initials", letters)]
        answer = self._index.ask(query.titles(clauses, kind="", size=_MOST_TITLES))
        return spelled_pieces(((title, initials) for title, initials, _ in _titles(answer)), letters)


def _state(among: int, aggregations: Json) -> State:
    """What stands for the documents that there are. Raises EngineUnavailable where some are not ours."""
    check = aggregations["check"]
    if check["count"] != among:
        raise DataLost("检索索引里有不属于它的内容；请运行 manage.py reindex")
    return among, int(check["sum"])


def _titles(answer: Json) -> Iterator[tuple[str, str, Document]]:
    for hit in answer["hits"]["hits"]:
        source = hit["_source"]
        title = normalise(source["title"])
        yield title, pinyin.initials(title), Document(source["id"], "", source["title"], {})


def _no_facets() -> Facets:
    return Facets({name: Counter() for name in FACETS}, Counter())


@contextmanager
def _in_time() -> Iterator[None]:
    """For a question: all its requests together take no longer than one may."""
    with _sound(), patience.at_most(settings.ELASTICSEARCH_TIMEOUT):
        yield


@contextmanager
def _sound() -> Iterator[None]:
    """No answer, and one that is not what it should be, is told in one way."""
    try:
        yield
    except MissingIndex as error:
        raise DataLost(f"没有检索索引（{error}）；它会自动重建，也可运行 manage.py reindex") from error
    except BackendUnavailable as error:
        raise EngineUnavailable(str(error)) from error
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise EngineUnavailable(f"Elasticsearch 的回答读不懂：{error!r}；请检查服务器和索引") from error
