"""The embedded engine: an inverted index in this process, the same on every database because it asks none.

Scores are those of `weighing`. All that a score is made of comes from the documents themselves, so two processes that
hold the same documents give the same order, to the last place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from . import pinyin
from .base import FACETS, Document, Facets, Hit, Request, Results, Suggestion
from .expand import Concept, Understood, understand
from .lexicon import Lexicon
from .tokenise import normalise
from .weighing import (
    BASE,
    LEAST_COVER,
    STEPS,
    TITLE,
    WHOLE_TITLE,
    Typed,
    nearest,
    phrase,
    spelled_pieces,
    steps,
    sure_terms,
    words_looked_for,
    worth,
)


class MemorySearch:
    """See ``SearchEngine``. Putting a document takes time for its own words only."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._words: dict[str, dict[str, int]] = {}
        self._postings: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self._in_title: dict[str, frozenset[str]] = {}
        self._titles: dict[str, tuple[str, str]] = {}
        self._lexicon = Lexicon()

    def put(self, documents: Iterable[Document]) -> None:
        for document in documents:
            self.remove([document.id])
            words = steps(document.words)
            self._documents[document.id] = document
            self._words[document.id] = words
            for word, step in words.items():
                self._postings[word][document.id] = step
            self._in_title[document.id] = frozenset(document.words.get("title", "").split())
            title = normalise(document.title)
            self._titles[document.id] = (title, pinyin.initials(title))
            self._lexicon.add(words)

    def remove(self, ids: Iterable[str]) -> None:
        for document in ids:
            if self._documents.pop(document, None) is None:
                continue
            words = self._words.pop(document)
            for word in words:
                del self._postings[word][document]
            del self._in_title[document], self._titles[document]
            self._lexicon.remove(words)

    def search(self, request: Request) -> Results:
        understood = understand(request.text, self._lexicon, self._titles_spelled) if request.text.strip() else None
        if understood is None:
            scored = dict.fromkeys(self._documents, (0.0, True))
        else:
            scored = self._scored(understood)
        kinds = Counter(self._documents[document].kind for document in scored)
        for document, factor in request.prefer.items():
            if document in scored:
                score, whole = scored[document]
                scored[document] = (score * factor, whole)
        candidates = [doc for doc in scored if not request.kind or self._documents[doc].kind == request.kind]
        kept, facets = self._narrowed(candidates, request, kinds)
        hits = sorted((self._hit(document, *scored[document]) for document in kept), key=self._order)
        end = None if request.size is None else request.start + request.size
        return Results(
            tuple(hits[request.start : end]),
            facets,
            total=len(hits),
            whole=sum(hit.whole for hit in hits),
            words=() if understood is None else words_looked_for(understood),
            corrected=understood.text if understood is not None and understood.corrected else "",
            nearest=nearest(understood, self._lexicon) if understood is not None and not candidates else (),
        )

    def suggest(self, text: str, *, kind: str = "", limit: int = 8) -> list[Suggestion]:
        typed = Typed(text, self._lexicon)
        if not typed.tells:
            return []
        titles = (
            (title, initials, document)
            for pk, (title, initials) in self._titles.items()
            if not kind or self._documents[pk].kind == kind
            for document in [self._documents[pk]]
        )
        return typed.suggestions(titles, limit)

    def _scored(self, understood: Understood) -> dict[str, tuple[float, bool]]:
        total: defaultdict[str, float] = defaultdict(float)
        cover: defaultdict[str, float] = defaultdict(float)
        held: Counter[str] = Counter()
        in_title: defaultdict[str, float] = defaultdict(float)
        everything = 0.0
        for concept in understood.concepts:
            telling = worth(concept, holding=self._holding(concept), among=len(self._documents))
            everything += telling
            for document, (strength, titled) in self._best_of(concept).items():
                total[document] += telling * strength
                cover[document] += telling
                held[document] += 1
                in_title[document] += telling * titled
        if not total:
            return {}
        asked = phrase(understood)
        scored: dict[str, tuple[float, bool]] = {}
        least = LEAST_COVER * max(cover.values())
        for document, score in total.items():
            if cover[document] < least:
                continue
            bonus = TITLE * in_title[document] / everything
            if asked and asked in self._titles[document][0].replace(" ", ""):
                bonus += WHOLE_TITLE
            whole = held[document] == len(understood.concepts)
            covered = BASE + (1 - BASE) * cover[document] / everything
            scored[document] = (score * covered * (1 + bonus), whole)
        return scored

    def _best_of(self, concept: Concept) -> dict[str, tuple[float, float]]:
        """For each document that holds an alternative the strength of the best, and the weight of the best titled."""
        best: dict[str, tuple[float, float]] = {}
        for term, weight in concept.terms.items():
            for document, step in self._postings.get(term, {}).items():
                strength, titled = best.get(document, (0.0, 0.0))
                in_title = weight if term in self._in_title[document] else 0.0
                best[document] = (max(strength, weight * step / STEPS), max(titled, in_title))
        return best

    def _holding(self, concept: Concept) -> int:
        holding: set[str] = set()
        for term in sure_terms(concept):
            holding.update(self._postings.get(term, ()))
        return len(holding)

    def _hit(self, document: str, score: float, whole: bool) -> Hit:
        return Hit(document, round(score, 9), whole)

    def _order(self, hit: Hit) -> tuple[float, str, str, str, str]:
        document = self._documents[hit.id]
        # Dates as text, complemented digit by digit, so that one ascending sort puts the latest first.
        latest = document.published.translate(_NINES)
        return (-hit.score, latest, document.code, document.title, document.id)

    def _narrowed(self, candidates: Collection[str], request: Request, kinds: Counter[str]) -> tuple[list[str], Facets]:
        """The candidates that pass every choice, and counts: under a facet, of those that pass every other one."""
        chosen = {name: frozenset(codes) for name, codes in request.chosen.items() if codes}
        counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
        kept: list[str] = []
        open_now = fitting = 0
        for candidate in candidates:
            document = self._documents[candidate]
            facets = document.facets
            failed = [name for name, codes in chosen.items() if codes.isdisjoint(facets.get(name, ()))]
            is_open = request.today is None or document.is_open(request.today)
            if request.open_now and not is_open:
                failed.append("open")
            fits = request.only is None or candidate in request.only
            if not fits:
                failed.append("fits")
            if not failed:
                kept.append(candidate)
                for name, counter in counts.items():
                    counter.update(facets.get(name, ()))
            elif len(failed) == 1 and failed[0] in counts:
                counts[failed[0]].update(facets.get(failed[0], ()))
            open_now += is_open and not set(failed) - {"open"}
            fitting += candidate in request.prefer and not set(failed) - {"fits"}
        return kept, Facets(counts, kinds, open_now, fitting)

    def _titles_spelled(self, letters: str) -> list[str]:
        return spelled_pieces(self._titles.values(), letters) if len(letters) >= 3 else []


_NINES = str.maketrans("0123456789", "9876543210")
