"""Chinese search for people: framework-free. `base` is the protocol, `memory` the embedded engine.

Text becomes tokens in one place (`tokenise`), a question becomes concepts in one place (`expand`), so every engine is
asked the same words about the same tokens.
"""

from .base import Document, Facets, Hit, Request, Results, SearchEngine, Suggestion
from .registry import ENGINES, UnknownEngine, create_engine

__all__ = [
    "ENGINES",
    "Document",
    "Facets",
    "Hit",
    "Request",
    "Results",
    "SearchEngine",
    "Suggestion",
    "UnknownEngine",
    "create_engine",
]
