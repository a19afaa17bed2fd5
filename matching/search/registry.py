"""Which search engines there are, by the name that settings use."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from .base import SearchEngine


class UnknownEngine(LookupError):
    """An engine was asked for by a name that nobody registered."""


ENGINES: Mapping[str, str] = MappingProxyType(
    {
        "elasticsearch": "matching.search.elastic.engine:ElasticSearch",
        "memory": "matching.search.memory:MemorySearch",
    }
)


def create_engine(name: str) -> SearchEngine:
    """A new, empty engine. Raises UnknownEngine where the name is not registered."""
    try:
        module, _, attribute = ENGINES[name].partition(":")
    except KeyError:
        raise UnknownEngine(f"没有名为 {name} 的检索引擎；可用：{'、'.join(ENGINES)}") from None
    engine: SearchEngine = getattr(import_module(module), attribute)()
    return engine
