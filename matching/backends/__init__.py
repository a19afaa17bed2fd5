"""Matcher backends: they propose, ``matching.criteria`` decides. ``create_backend`` makes one by its settings name."""

from .base import BackendUnavailable, Listed, Match, MatcherBackend, Sifted, UnknownBackend
from .registry import BACKENDS, create_backend

__all__ = [
    "BACKENDS",
    "BackendUnavailable",
    "Listed",
    "Match",
    "MatcherBackend",
    "Sifted",
    "UnknownBackend",
    "create_backend",
]
