"""What a search engine can do. The engine holds documents; rows of a database or pages of a site are not its business.

An engine answers a `Request` with the documents that hold its words or words that mean the same, best first, and with
facets counted over what was found. Its order is the same wherever the same documents are held: scores come from the
documents' own words and from how many documents hold a word, and ties are settled by date, code and title.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

# Weight of a word by the field it stands in, and the length (in tokens) at which a field counts as neither short nor
# long. Fixed lengths, not means over the corpus: a document's weights then never change because another came or went.
FIELDS: Mapping[str, tuple[float, int]] = {
    "title": (6.0, 10),
    "head": (2.5, 40),
    "clauses": (1.5, 120),
    "body": (1.0, 120),
}
FACETS = ("department", "item_type", "delivery", "size", "industry")
MOST_HITS = 10_000


@dataclass(frozen=True, slots=True)
class Document:
    """One published thing. `words` maps the fields of `FIELDS` to their tokens, separated by spaces.

    `facets` maps the names of `FACETS` to the codes under which the document is counted (parents among them).
    `version` is another one whenever anything else of the document is.
    """

    id: str
    kind: str
    title: str
    words: Mapping[str, str]
    code: str = ""
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    opens: date | None = None
    closes: date | None = None
    published: str = ""
    version: str = ""

    def is_open(self, day: date) -> bool:
        """Whether it can be applied for on a day (Asia/Shanghai)."""
        return (self.opens is None or self.opens <= day) and (self.closes is None or day <= self.closes)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks. An empty `text` asks for everything, the latest first.

    `chosen` narrows by facets (any of the codes); `only` narrows to these ids; `prefer` multiplies the scores of ids.
    `start` and `size` ask for a page of the hits; without a size for all (an engine may stop at `MOST_HITS`).
    """

    text: str = ""
    kind: str = ""
    chosen: Mapping[str, Collection[str]] = field(default_factory=dict)
    today: date | None = None
    open_now: bool = False
    only: frozenset[str] | None = None
    prefer: Mapping[str, float] = field(default_factory=dict)
    start: int = 0
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found. `whole`: it holds every word asked for, or one that means the same."""

    id: str
    score: float
    whole: bool


@dataclass(frozen=True, slots=True)
class Facets:
    """How many hits there are under each code of each facet, every other choice applied; by kind; open and fitting."""

    counts: Mapping[str, Mapping[str, int]]
    kinds: Mapping[str, int]
    open_now: int = 0
    fitting: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    """`hits` are those of the page asked for, `total` counts all, `whole` those of all that hold every word.

    `words` are what was looked for, to be marked in texts; `corrected` is the query as understood where a character
    was taken to be wrong; `nearest` are words of the corpus to try instead where nothing was found."""

    hits: tuple[Hit, ...]
    facets: Facets
    total: int = 0
    whole: int = 0
    words: tuple[str, ...] = ()
    corrected: str = ""
    nearest: tuple[str, ...] = ()

    @property
    def together(self) -> bool:
        """Whether some document holds all the words. True where nothing was found or asked."""
        return self.whole > 0 or not self.total


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a person may be about to type: a word, or (with an `id`) a title."""

    text: str
    id: str = ""


class EngineUnavailable(Exception):
    """The service behind an engine is away, slow, or does not hold what it should. Says what to do, in Chinese."""


class DataLost(EngineUnavailable):
    """The service is there and does not hold what it should."""


class Searcher(Protocol):
    """What answers questions. Raises EngineUnavailable where it needs a service that does not serve."""

    def search(self, request: Request) -> Results:
        """Everything found, best first."""

    def suggest(self, text: str, *, kind: str = "", limit: int = 8) -> list[Suggestion]:
        """Words and titles that begin or hold what was typed so far, in characters or in pinyin."""


class SearchEngine(Searcher, Protocol):
    """What answers questions about the documents that it was given."""

    def put(self, documents: Iterable[Document]) -> None:
        """Adds documents, or replaces those with the same id."""

    def remove(self, ids: Iterable[str]) -> None:
        """Takes documents out; one that is not there is no error."""
