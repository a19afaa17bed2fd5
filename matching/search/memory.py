"""The embedded engine: an inverted index in this process, the same on every database because it asks none.

Words score by field, how often they stand there and how rare they are (BM25F); a concept scores by the best of its
alternatives; a document that lacks a concept keeps only part of its score. All that a score is made of comes from the
documents themselves, so two processes that hold the same documents give the same order, to the last place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from math import log

from . import pinyin
from .base import FACETS, FIELDS, Document, Facets, Hit, Request, Results, Suggestion
from .expand import Concept, Understood, understand
from .lexicon import Lexicon
from .tokenise import STOP_WORDS, domain_words, normalise

SATURATION = 2.0  # weighted occurrences at which a word gives half of what it can
LENGTH = 0.5  # how much a long field makes each of its words count less
SURE = 0.6  # alternatives of at least this weight count for how rare a concept is
LEAST_COVER = 0.3  # of the weight of a query, that a document must hold
WHOLE_TITLE, TITLE = 1.5, 0.35  # added to a score, as parts of it: the query stands in the title; words that do
_NEAREST = 6


class MemorySearch:
    """See ``SearchEngine``. Putting a document takes time for its own words only."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._words: dict[str, dict[str, float]] = {}
        self._postings: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._in_title: dict[str, frozenset[str]] = {}
        self._titles: dict[str, tuple[str, str]] = {}
        self._lexicon = Lexicon()

    def put(self, documents: Iterable[Document]) -> None:
        for document in documents:
            self.remove([document.id])
            words = _weights(document.words)
            self._documents[document.id] = document
            self._words[document.id] = words
            for word, weight in words.items():
                self._postings[word][document.id] = weight
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
        words = () if understood is None else _words_looked_for(understood)
        nearest: tuple[str, ...] = ()
        if understood is not None and not candidates:
            nearest = self._nearest(understood)
        corrected = understood.text if understood is not None and understood.corrected else ""
        return Results(tuple(hits), facets, words, corrected, nearest)

    def suggest(self, text: str, *, kind: str = "", limit: int = 8) -> list[Suggestion]:
        typed = normalise(text)
        if not typed or (typed.isascii() and len(typed) < 2):
            return []
        by_letters = typed.isascii() and typed.replace(" ", "").isalpha()
        letters = typed.replace(" ", "")
        said = self._lexicon.spelled(letters) if by_letters else self._lexicon.beginning(typed)
        words = [word for word in said if len(word) > 1 and word != typed and word in domain_words()][: limit // 2]
        titles = []
        for document, (title, initials) in self._titles.items():
            if kind and self._documents[document].kind != kind:
                continue
            place = title.find(typed)
            if place < 0 and by_letters:
                place = initials.find(letters) if len(letters) > 2 else -1
                if place < 0 and any(word in title for word in said):
                    place = len(title)
            if place >= 0:
                titles.append((place > 0, place, title, document))
        found = [Suggestion(word) for word in words]
        for _, _, _, document in sorted(titles)[: limit - len(found)]:
            found.append(Suggestion(self._documents[document].title, document))
        return found

    def _scored(self, understood: Understood) -> dict[str, tuple[float, bool]]:
        total: defaultdict[str, float] = defaultdict(float)
        cover: defaultdict[str, float] = defaultdict(float)
        held: Counter[str] = Counter()
        in_title: defaultdict[str, float] = defaultdict(float)
        everything = 0.0
        for concept in understood.concepts:
            best = self._best_of(concept)
            worth = concept.weight * self._rarity(concept)
            everything += worth
            for document, (score, term) in best.items():
                total[document] += worth * score
                cover[document] += worth
                held[document] += 1
                if term in self._in_title[document]:
                    in_title[document] += worth * concept.terms[term]
        if not total:
            return {}
        phrase = understood.text.replace(" ", "")
        scored: dict[str, tuple[float, bool]] = {}
        most = max(cover.values())
        for document, score in total.items():
            covered = cover[document] / everything
            if cover[document] < LEAST_COVER * most:
                continue
            bonus = TITLE * in_title[document] / everything
            if len(phrase) > 1 and phrase in self._titles[document][0].replace(" ", ""):
                bonus += WHOLE_TITLE
            whole = held[document] == len(understood.concepts)
            scored[document] = (score * (0.25 + 0.75 * covered) * (1 + bonus), whole)
        return scored

    def _best_of(self, concept: Concept) -> dict[str, tuple[float, str]]:
        best: dict[str, tuple[float, str]] = {}
        for term, weight in concept.terms.items():
            for document, weighted in self._postings.get(term, {}).items():
                score = weight * weighted / (SATURATION + weighted)
                known = best.get(document)
                if known is None or score > known[0]:
                    best[document] = (score, term)
        return best

    def _rarity(self, concept: Concept) -> float:
        """How telling a concept is: the fewer documents hold it, the more. One that no document holds tells most."""
        holding: set[str] = set()
        for term, weight in concept.terms.items():
            if weight >= SURE:
                holding.update(self._postings.get(term, ()))
        among = len(self._documents)
        return log(1 + (among - len(holding) + 0.5) / (len(holding) + 0.5))

    def _hit(self, document: str, score: float, whole: bool) -> Hit:
        return Hit(document, round(score, 9), whole)

    def _order(self, hit: Hit) -> tuple[float, str, str, str]:
        document = self._documents[hit.id]
        # Dates as text, complemented digit by digit, so that one ascending sort puts the latest first.
        latest = document.published.translate(_NINES)
        return (-hit.score, latest, document.code, document.title)

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
        if len(letters) < 3:
            return []
        found: Counter[str] = Counter()
        for title, initials in self._titles.values():
            place = initials.find(letters)
            if place >= 0 and pinyin.is_han(piece := title[place : place + len(letters)]):
                found[piece] += 1
        return [piece for piece, _ in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))]

    def _nearest(self, understood: Understood) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for concept in understood.concepts:
            found.update(dict.fromkeys(self._lexicon.near(concept.text, _NEAREST)))
        return tuple(word for word in found if word not in STOP_WORDS)[:_NEAREST]


_NINES = str.maketrans("0123456789", "9876543210")


def _weights(fields: Mapping[str, str]) -> dict[str, float]:
    """For each word of a document its occurrences, weighted by field and by how long the field is."""
    weights: defaultdict[str, float] = defaultdict(float)
    for name, (weight, usual) in FIELDS.items():
        words = fields.get(name, "").split()
        each = weight / (1 - LENGTH + LENGTH * max(len(words), usual / 2) / usual)
        for word, times in Counter(words).items():
            weights[word] += each * times
    return dict(weights)


def _words_looked_for(understood: Understood) -> tuple[str, ...]:
    words = {term for concept in understood.concepts for term in concept.terms if len(term) > 1}
    words |= {concept.text for concept in understood.concepts}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))
