"""Pinyin of words, without tones: "高新技术" is "gaoxinjishu", by initials "gxjs"."""

from functools import lru_cache
from typing import Any


def is_han(text: str) -> bool:
    """Whether a text is of Chinese characters only."""
    return bool(text) and all("㐀" <= character <= "鿿" for character in text)


@lru_cache(maxsize=50_000)
def syllables(text: str) -> tuple[str, ...]:
    """One syllable for each Chinese character; other characters stand for themselves, one by one."""
    # Its dictionary takes a quarter of a second to load: only where something is searched or indexed.
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(text, errors=_one_by_one, v_to_u=False))


def _one_by_one(other: str) -> Any:
    return list(other)  # pypinyin takes a list too, its types say text alone


def full(text: str) -> str:
    return "".join(syllables(text))


def initials(text: str) -> str:
    """One character for each character of the text, so that places in one are places in the other."""
    return "".join(syllable[0] for syllable in syllables(text))
