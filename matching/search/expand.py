"""What a person typed, as concepts: each word with the other words that would do instead, and how much each counts.

This is the query tree. An engine turns it into its own query: every concept is looked for, a document is scored by the
best of a concept's alternatives, and a document that holds one of each concept holds the whole query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import pinyin
from .lexicon import LONGEST, Lexicon
from .synonyms import synonyms
from .tokenise import LONGEST_QUERY, MOST_TOKENS, STOP_WORDS, normalise, parts, tokenise

PART, INSIDE, SPELLED = 0.6, 0.7, 0.9
# What nearly every item gives: such a word tells little, and a compound with it is asked as two concepts.
MONEY = ("补贴", "补助", "奖补", "资助", "奖励", "扶持", "支持", "返还", "减免", "资金", "申请", "申报", "办理", "费用")
LITTLE = 0.35
_LETTERS_OR_DIGITS = re.compile(r"[a-z]+|[0-9]+")
_RUN = re.compile(r"[㐀-鿿]+|[a-z0-9]+(?:[ '][a-z]+)*")

TitlesSpelled = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing asked for. `terms` maps words of the documents to their weight (1 is the word as typed)."""

    text: str
    terms: Mapping[str, float]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Understood:
    """A query as concepts; `text` is it as understood, `corrected` says whether that differs from what was typed."""

    concepts: tuple[Concept, ...]
    text: str
    corrected: bool


def understand(query: str, lexicon: Lexicon, titles_spelled: TitlesSpelled) -> Understood:
    """Concepts of a query. Words that no document holds in any way stay as concepts without terms.

    `titles_spelled` gives the pieces of titles that are spelled by some initials, the likeliest first.
    """
    text = normalise(query[:LONGEST_QUERY])
    said: list[str] = []
    concepts: list[Concept] = []
    corrected = False
    for match in _RUN.finditer(text):
        run = match.group()
        if pinyin.is_han(run):
            mended = _mend(run, lexicon)
            corrected |= mended != run
            said.append(mended)
            concepts += _of_han(mended, lexicon)
        else:
            found = _of_letters(run, lexicon, titles_spelled)
            said.append("".join(concept.text for concept in found))
            concepts += found
    telling = [concept for concept in concepts if concept.text not in STOP_WORDS]
    unique = {concept.text: concept for concept in telling or concepts}
    return Understood(tuple(unique.values())[:MOST_TOKENS], " ".join(said), corrected)


def _of_han(run: str, lexicon: Lexicon) -> list[Concept]:
    found: list[Concept] = []
    for word in _joined_where_known(_in_order(run), lexicon):
        if word in STOP_WORDS:
            found.append(Concept(word, {word: 1.0}))
            continue
        if len(word) > 3 and word[-2:] in MONEY and len(word) <= LONGEST:
            found += [_concept(word[:-2], lexicon, also=word), _concept(word[-2:], lexicon)]
            continue
        concept = _concept(word, lexicon)
        smaller = [part for part in parts(word) if part not in STOP_WORDS] if not concept.terms else []
        found += [_concept(part, lexicon) for part in smaller] or [concept]
    return found


def _joined_where_known(words: list[str], lexicon: Lexicon) -> list[str]:
    """Words, with characters that stand alone side by side made one where a word of the documents has them inside."""
    found: list[str] = []
    for word in words:
        last = found[-1] if found else ""
        if len(word) == 1 and last and (len(last) == 1 or last not in words) and not {word, last} & STOP_WORDS:
            joined = last + word
            if joined not in lexicon and lexicon.holding(joined):
                found[-1] = joined
                continue
        found.append(word)
    return found


def _concept(word: str, lexicon: Lexicon, also: str = "") -> Concept:
    """A word with its synonyms, and those of `also`; where nothing holds it, the longer words it is inside of."""
    terms = {said: 1.0 for said in (word, also) if said in lexicon}
    for said in (also, word):
        terms |= {other: weight for other, weight in synonyms(said).items() if other in lexicon and other not in terms}
    if not terms and len(word) > 1:
        terms = dict.fromkeys(lexicon.holding(word)[:8], INSIDE)
    for part in parts(word):
        if part not in STOP_WORDS and len(part) > 2 and part in lexicon:
            terms.setdefault(part, PART)
    return Concept(word, terms, LITTLE if word in MONEY else 1.0 if len(word) > 1 else 0.5)


def _of_letters(run: str, lexicon: Lexicon, titles_spelled: TitlesSpelled) -> list[Concept]:
    """Latin letters: words of the documents, else pinyin in full or by initials, of words or of pieces of titles."""
    joined = re.sub(r"[ ']", "", run)
    for letters in dict.fromkeys([run, joined]):
        if letters in lexicon or synonyms(letters):
            return [_concept(letters, lexicon)]
    pieces = _LETTERS_OR_DIGITS.findall(joined)
    if len(pieces) > 1:  # "iso9001" where the documents only say ISO
        found = [concept for piece in pieces for concept in _of_letters(piece, lexicon, titles_spelled)]
        return [concept for concept in found if concept.terms] or [Concept(joined, {})]
    if len(joined) < 2 or not joined.isalpha():
        return [Concept(joined, {})]
    if spelled := lexicon.spelled(joined):
        terms: dict[str, float] = {}
        for rank, word in enumerate(spelled):
            terms.setdefault(word, 1.0 if rank == 0 else SPELLED - 0.1 * min(rank, 5))
            for other, weight in synonyms(word).items():
                if other in lexicon:
                    terms.setdefault(other, weight * 0.8)
        return [Concept(spelled[0], terms)]
    if aloud := lexicon.read_aloud(joined):
        return [_concept(word, lexicon) for word in aloud]
    if pieces := titles_spelled(joined):
        return _of_han(pieces[0], lexicon)
    if run != joined:
        return [concept for word in re.split(r"[ ']", run) for concept in _of_letters(word, lexicon, titles_spelled)]
    return [Concept(joined, {})]


def _mend(run: str, lexicon: Lexicon) -> str:
    """A run of characters with what seems mistyped put right: only where a word of it is unknown to the documents."""
    weak = _weak_places(run, lexicon)
    if not weak:
        return run
    candidates: list[tuple[int, int, int, int, int, str]] = []
    edges = _edges(run)
    for start in edges:
        for end in edges:
            if not 2 <= end - start <= LONGEST:
                continue
            piece = run[start:end]
            if piece in lexicon or weak.isdisjoint(range(start, end)):
                continue
            sounding = lexicon.sounds_like(piece)
            # Three characters with one of them other are too often two words that only stand side by side.
            meant = sounding or (lexicon.nearly(piece) if len(piece) > 3 else None)
            if meant and meant != piece:
                # Longest first, then what sounds the same, then the commonest.
                candidates.append((start - end, 0 if sounding else 1, -lexicon.counts[meant], start, end, meant))
    mended, taken = dict[int, tuple[int, str]](), set[int]()
    for _, _, _, start, end, meant in sorted(candidates):
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            mended[start] = (end, meant)
    pieces, place = [], 0
    while place < len(run):
        end, said = mended.get(place, (place + 1, run[place]))
        pieces.append(said)
        place = end
    return "".join(pieces)


def _weak_places(run: str, lexicon: Lexicon) -> set[int]:
    """Places of characters that belong to no word which the documents or the synonyms know."""
    places: set[int] = set()
    start = 0
    for word in _in_order(run):
        known = word in STOP_WORDS or bool(synonyms(word)) or (word in lexicon and len(word) > 1)
        if not known:
            places.update(range(start, start + len(word)))
        start += len(word)
    return places


def _edges(run: str) -> list[int]:
    """The places at which a word of the run begins or ends."""
    edges = [0]
    for word in _in_order(run):
        edges.append(edges[-1] + len(word))
    return edges


def _in_order(run: str) -> list[str]:
    """The words of a run as often as they stand."""
    words: list[str] = []
    known = tokenise(run)
    place = 0
    while place < len(run):
        word = max((w for w in known if run.startswith(w, place)), key=len, default=run[place])
        words.append(word)
        place += len(word)
    return words
