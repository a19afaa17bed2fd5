"""Which backends there are, by the name that settings and ``--backend`` use."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from .base import MatcherBackend, UnknownBackend

BACKENDS: Mapping[str, str] = MappingProxyType(
    {
        "elasticsearch": "matching.backends.elastic.backend:ElasticBackend",
        "memory": "matching.backends.memory:MemoryBackend",
    }
)


def create_backend(name: str) -> MatcherBackend:
    """A new, empty backend. Raises UnknownBackend where the name is not registered."""
    try:
        module, _, attribute = BACKENDS[name].partition(":")
    except KeyError:
        raise UnknownBackend(f"没有名为 {name} 的匹配引擎；可用：{'、'.join(BACKENDS)}") from None
    backend: MatcherBackend = getattr(import_module(module), attribute)()
    return backend


def create_listed_backend(name: str) -> MatcherBackend:
    """A backend for what the district has listed: where a service is behind it, its rows are shared by all processes,
    and the embedded matcher stands in while it is away. Raises UnknownBackend."""
    if name != "elasticsearch":
        return create_backend(name)
    from .degrading import DegradingBackend
    from .elastic.backend import LISTED, ElasticBackend
    from .elastic.client import probe

    return DegradingBackend(ElasticBackend(holder=LISTED), knock=probe)
