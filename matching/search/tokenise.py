"""Chinese text into words: the same cut for what is indexed and for what is asked.

jieba without its guesses about unknown words, because a guess depends on the neighbours and so would differ between a
text and a query; what it should know beyond its own dictionary stands in `data/dictionary.txt` and in the synonyms.
"""

import hashlib
import logging
import re
import unicodedata
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from .synonyms import all_words

DATA = Path(__file__).parent / "data"
LONGEST_QUERY = 100
MOST_TOKENS = 12
_WORD = re.compile(r"[^\W_]")


def _listed(name: str) -> frozenset[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


# Words that stand in nearly every policy or question and tell none from another.
STOP_WORDS = _listed("stopwords.txt")


@cache
def domain_words() -> frozenset[str]:
    """The words that the domain adds to jieba's dictionary."""
    return _listed("dictionary.txt") | {word for word in all_words() if len(word) > 1}


@cache
def version() -> str:
    """Changes with the dictionary: tokens stored under another version have to be cut again."""
    return hashlib.sha256("\n".join(sorted(domain_words())).encode()).hexdigest()[:16]


@cache
def _segmenter() -> Any:
    with warnings.catch_warnings():
        # jieba still imports pkg_resources where it is there; the warning is about jieba, not about us.
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.WARNING)
    segmenter = jieba.Tokenizer()
    segmenter.initialize()
    for word in sorted(domain_words()):
        segmenter.add_word(normalise(word))
    return segmenter


def normalise(text: str) -> str:
    """Full-width forms made plain, lower case, runs of white space made one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def index_tokens(text: str) -> list[str]:
    """The words of a text in their order, repeated as they stand, long words with the words inside them."""
    words = _segmenter().cut_for_search(normalise(text), HMM=False)
    return [word for word in words if _WORD.search(word)]


def tokenise(text: str) -> list[str]:
    """The words of a text in their order, each once, normalised, without punctuation."""
    words = _segmenter().cut(normalise(text), HMM=False)
    return list(dict.fromkeys(word.strip() for word in words if _WORD.search(word)))


def parts(word: str) -> list[str]:
    """The shorter words inside a word, in their order."""
    return [part for part in dict.fromkeys(_segmenter().cut_for_search(word, HMM=False)) if part != word]
