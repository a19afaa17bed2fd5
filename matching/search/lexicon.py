"""The words that an engine's documents hold: how many hold each, and which word a typed text may mean.

Pinyin and mistyped words are looked up in dictionaries made from the words, never by walking over them all: a word of n
characters stands under its pinyin, its initials, and under each text that it becomes when one character is left out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from . import pinyin

LONGEST = 10  # characters of a word that can be mistyped
_MOST_BY_PINYIN = 6


class Lexicon:
    """Words with the number of documents that hold them. Words are never dropped, only counted down to 0."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._by_sound: defaultdict[str, set[str]] = defaultdict(set)
        self._by_initials: defaultdict[str, set[str]] = defaultdict(set)
        self._without_one: defaultdict[str, set[str]] = defaultdict(set)
        self._known: set[str] = set()
        self._sorted: dict[str, list[str]] = {}

    def add(self, words: Iterable[str]) -> None:
        for word in words:
            self.counts[word] += 1
            if word not in self._known:
                self._known.add(word)
                self._learn(word)

    def remove(self, words: Iterable[str]) -> None:
        for word in words:
            self.counts[word] -= 1

    def refill(self, counts: Mapping[str, int]) -> None:
        """The words of another state of the documents, instead of those held so far."""
        self.counts = Counter(counts)
        for word in counts.keys() - self._known:
            self._known.add(word)
            self._learn(word)
        self._sorted.clear()

    def __contains__(self, word: str) -> bool:
        return self.counts.get(word, 0) > 0

    def _learn(self, word: str) -> None:
        self._sorted.clear()
        if not 2 <= len(word) <= LONGEST or not pinyin.is_han(word):
            return
        self._by_sound[pinyin.full(word)].add(word)
        self._by_initials[pinyin.initials(word)].add(word)
        if len(word) >= 3:
            for shorter in _leave_one_out(word):
                self._without_one[shorter].add(word)

    def _best(self, words: Iterable[str]) -> list[str]:
        return sorted((word for word in words if word in self), key=lambda word: (-self.counts[word], word))

    def sounds_like(self, text: str) -> str | None:
        """The commonest word with the same pinyin, tones aside."""
        found = self._best(word for word in self._by_sound.get(pinyin.full(text), ()) if len(word) == len(text))
        return found[0] if found else None

    def nearly(self, text: str) -> str | None:
        """The commonest word from which `text` differs by one character: another, one too many, or one too few.

        Texts of two characters are nearly everything; three may differ by another character only.
        """
        if len(text) < 3:
            return None
        found: set[str] = set()
        for shorter in _leave_one_out(text):
            found |= {word for word in self._without_one.get(shorter, ()) if len(word) == len(text)}
            if len(shorter) >= 4 and shorter in self:
                found.add(shorter)
        if len(text) >= 4:
            found |= self._without_one.get(text, set())
        # A first or last character too many is a neighbour, not a mistake: the word alone is found without it.
        best = self._best(word for word in found if word not in text and text not in word)
        return best[0] if best else None

    def spelled(self, letters: str) -> list[str]:
        """Words whose initials or pinyin are these letters or begin with them; the most likely first."""
        whole = self._best(self._by_initials.get(letters, ())) + self._best(self._by_sound.get(letters, ()))
        begun: list[str] = []
        if len(letters) >= 3:
            for name, table in (("initials", self._by_initials), ("sound", self._by_sound)):
                for key in self._begins(name, table, letters):
                    begun += table[key]
        ordered = sorted({word for word in begun if word in self}, key=lambda w: (len(w), -self.counts[w], w))
        return list(dict.fromkeys(whole + ordered))[:_MOST_BY_PINYIN]

    def read_aloud(self, letters: str) -> list[str]:
        """Words whose full pinyin, one after another, makes the letters: "fangzubutie" → 房租, 补贴. Or nothing."""
        best: dict[int, list[str]] = {len(letters): []}
        for start in range(len(letters) - 2, -1, -1):
            for end in range(len(letters), start + 2, -1):
                if end in best and (found := self._best(self._by_sound.get(letters[start:end], ()))):
                    best[start] = [found[0], *best[end]]
                    break
        return best.get(0, [])

    def beginning(self, text: str) -> list[str]:
        """Words that begin with `text`, the commonest first."""
        return self._best(self._begins("words", self.counts, text))

    def holding(self, text: str) -> list[str]:
        """Words that have `text` inside, the commonest first."""
        return self._best(word for word in self._known if text in word)

    def near(self, text: str, limit: int) -> list[str]:
        """Words with most characters or sounds in common with `text`, to try instead of it."""
        own, sounds = set(text), set(pinyin.syllables(text))
        scored = []
        for word in self._known:
            if word not in self or not pinyin.is_han(word) or not 2 <= len(word) <= 8:
                continue
            shared = 2 * len(own.intersection(word)) + len(sounds.intersection(pinyin.syllables(word)))
            if shared >= 3:
                scored.append((-shared / (len(own) + len(word)), -self.counts[word], word))
        return [word for _, _, word in sorted(scored)[:limit]]

    def _begins(self, name: str, table: Iterable[str], text: str) -> Iterator[str]:
        keys = self._sorted.get(name)
        if keys is None:
            keys = self._sorted[name] = sorted(table)
        for index in range(bisect_left(keys, text), len(keys)):
            if not keys[index].startswith(text):
                return
            yield keys[index]


def _leave_one_out(text: str) -> list[str]:
    return [text[:index] + text[index + 1 :] for index in range(len(text))]
