"""Chinese search for people: framework-free but for `elastic`. `base` is the protocol, `memory` the embedded engine,
`elastic` the one on Elasticsearch, `degrading` puts the one in the place of the other.

Text becomes tokens in one place (`tokenise`), a question becomes concepts in one place (`expand`), so every engine is
asked the same words about the same tokens.
"""

from .base import (
    DataLost,
    Document,
    EngineUnavailable,
    Facets,
    Hit,
    Request,
    Results,
    SearchEngine,
    Searcher,
    Suggestion,
)
from .registry import ENGINES, UnknownEngine, create_engine

__all__ = [
    "ENGINES",
    "DataLost",
    "Document",
    "EngineUnavailable",
    "Facets",
    "Hit",
    "Request",
    "Results",
    "SearchEngine",
    "Searcher",
    "Suggestion",
    "UnknownEngine",
    "create_engine",
]
