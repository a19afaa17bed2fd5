"""Chinese text into the words that a search looks for."""

import logging
import re
import unicodedata
import warnings
from functools import cache
from typing import Any

LONGEST_QUERY = 100
MOST_TOKENS = 12
_WORD = re.compile(r"[^\W_]")
# Words that stand in nearly every policy or question and tell none from another.
STOP_WORDS = frozenset(
    [
        *"的了和与及或是在有对等吗呢啊能我你",
        "怎么",
        "怎样",
        "如何",
        "什么",
        "可以",
        "能否",
        "我们",
        "企业",
        "公司",
        "政策",
    ]
)


@cache
def _segmenter() -> Any:
    with warnings.catch_warnings():
        # jieba still imports pkg_resources where it is there; the warning is about jieba, not about us.
        warnings.simplefilter("ignore")
        import jieba
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    return jieba


def normalise(text: str) -> str:
    """Full-width forms made plain, lower case, runs of white space made one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def tokenise(text: str) -> list[str]:
    """The words of a text in their order, each once, normalised, without punctuation."""
    words = _segmenter().cut(normalise(text))
    return list(dict.fromkeys(word.strip() for word in words if _WORD.search(word)))


def query_tokens(query: str) -> list[str]:
    """What to look for: the words of a query without those that tell nothing; all of them where nothing else is left.

    At most `LONGEST_QUERY` characters and `MOST_TOKENS` words are looked at.
    """
    words = tokenise(query[:LONGEST_QUERY])
    telling = [word for word in words if word not in STOP_WORDS]
    return (telling or words)[:MOST_TOKENS]
