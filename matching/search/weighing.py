"""The formula of the order, in parts that every engine can compute: the same documents give the same places anywhere.

A word weighs in a document by the fields in which it stands, how often, and how long they are (BM25F). That weight is
cut to one of a few steps, because a server without scripts can add up whole steps and nothing finer, and an embedded
engine that used finer ones would order by differences that the server cannot see.

    score = Σ worth·strength  ×  (BASE + (1 − BASE)·covered)  ×  (1 + TITLE·titled + WHOLE_TITLE where it stands there)

summed over the concepts of a query; a concept's strength is that of its best alternative.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from math import log

from . import pinyin
from .base import FIELDS, Document, Suggestion
from .expand import Concept, Understood
from .lexicon import Lexicon
from .tokenise import STOP_WORDS, domain_words, normalise

BITS = 6
STEPS = 2**BITS - 1
SATURATION = 2.0  # weighted occurrences at which a word gives half of what it can
LENGTH = 0.5  # how much a long field makes each of its words count less
SURE = 0.6  # alternatives of at least this weight count for how rare a concept is
LEAST_COVER = 0.3  # of what the best covered document holds of a query, that another must hold
BASE = 0.25  # what a document keeps of its score, however little of the query it holds
WHOLE_TITLE, TITLE = 1.5, 0.35  # added to a score, as parts of it: the query stands in the title; words that do
LONGEST_WORD = 100  # characters; a query is no longer
NEAREST = 6


def steps(fields: Mapping[str, str]) -> dict[str, int]:
    """For each word of a document how strongly it speaks of it: 1 to `STEPS`."""
    weights: defaultdict[str, float] = defaultdict(float)
    for name, (weight, usual) in FIELDS.items():
        words = fields.get(name, "").split()
        each = weight / (1 - LENGTH + LENGTH * max(len(words), usual / 2) / usual)
        for word, times in Counter(words).items():
            if len(word) <= LONGEST_WORD:
                weights[word] += each * times
    return {word: max(1, round(STEPS * weight / (SATURATION + weight))) for word, weight in weights.items()}


def sure_terms(concept: Concept) -> list[str]:
    """The alternatives that say nearly what was asked: the documents that hold one of them tell how rare it is."""
    return [term for term, weight in concept.terms.items() if weight >= SURE]


def worth(concept: Concept, *, holding: int, among: int) -> float:
    """How telling a concept is: the fewer documents hold it, the more. One that no document holds tells most."""
    return concept.weight * log(1 + (among - holding + 0.5) / (holding + 0.5))


def phrase(understood: Understood) -> str:
    """The query as it may stand in a title, without spaces; empty where it is a single character."""
    joined = understood.text.replace(" ", "")
    return joined if len(joined) > 1 else ""


def words_looked_for(understood: Understood) -> tuple[str, ...]:
    """What to mark in texts, the longest first."""
    words = {term for concept in understood.concepts for term in concept.terms if len(term) > 1}
    words |= {concept.text for concept in understood.concepts}
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


def nearest(understood: Understood, lexicon: Lexicon) -> tuple[str, ...]:
    """Words of the documents to try instead, where nothing was found: of each concept in turn, words of the domain
    before others."""
    of_each = []
    for concept in understood.concepts:
        near = [word for word in lexicon.near(concept.text, 4 * NEAREST) if word not in STOP_WORDS]
        of_each.append(sorted(near, key=lambda word: word not in domain_words())[:NEAREST])
    in_turn = dict.fromkeys(word for words in zip_longest(*of_each) for word in words if word)
    return tuple(in_turn)[:NEAREST]


def spelled_pieces(titles: Iterable[tuple[str, str]], letters: str) -> list[str]:
    """Pieces of titles whose initials are the letters, the commonest first. Titles come with their initials."""
    found: Counter[str] = Counter()
    for title, initials in titles:
        place = initials.find(letters)
        if place >= 0 and pinyin.is_han(piece := title[place : place + len(letters)]):
            found[piece] += 1
    return [piece for piece, _ in sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))]


class Typed:
    """What a person has typed so far, and what of the documents' words and titles it may become."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        self.text = normalise(text)
        self.letters = self.text.replace(" ", "")
        self.tells = bool(self.text) and not (self.text.isascii() and len(self.text) < 2)
        """Whether enough was typed to suggest anything."""
        self._by_letters = self.text.isascii() and self.letters.isalpha()
        self.said: list[str] = []
        if self.tells:
            self.said = lexicon.spelled(self.letters) if self._by_letters else lexicon.beginning(self.text)

    @property
    def initials(self) -> str:
        """Initials that a title may have inside; empty where none were typed."""
        return self.letters if self._by_letters and len(self.letters) > 2 else ""

    @property
    def spelled(self) -> list[str]:
        """Words that a title may have inside, where letters were typed."""
        return self.said if self._by_letters else []

    def words(self, limit: int) -> list[Suggestion]:
        """Words of the domain that the documents hold."""
        words = [word for word in self.said if len(word) > 1 and word != self.text and word in domain_words()]
        return [Suggestion(word) for word in words[:limit]]

    def place_in(self, title: str, initials: str) -> int:
        """Where in a title (normalised, and its initials) it stands; its length for a word of it; −1 for nowhere."""
        place = title.find(self.text)
        if place < 0 and self.initials:
            place = initials.find(self.initials)
        if place < 0 and any(word in title for word in self.spelled):
            place = len(title)
        return place

    def suggestions(self, titles: Iterable[tuple[str, str, Document]], limit: int) -> list[Suggestion]:
        """Words, then the titles (normalised, initials, document) in which the text stands, those that begin first."""
        found = self.words(limit // 2)
        placed = []
        for title, initials, document in titles:
            place = self.place_in(title, initials)
            if place >= 0:
                placed.append((place > 0, place, title, document.id, document.title))
        found += [Suggestion(title, pk) for _, _, _, pk, title in sorted(placed)[: limit - len(found)]]
        return found
