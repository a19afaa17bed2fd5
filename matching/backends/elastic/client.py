"""The connection, and the one error by which everything that can go wrong with the server is known outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.conf import settings
from elastic_transport import ApiError, TransportError
from elasticsearch import Elasticsearch

from .. import patience
from ..base import BackendUnavailable
from .transport import PatientNode, PatientTransport

_CONNECTIONS = 64  # to each node: a thread must not wait for another's, which may hang
_LONGEST_REST = 30.0  # seconds for which a node that failed again and again is not asked first


@lru_cache(maxsize=4)
def _client(addresses: str, api_key: str, ca_certs: str) -> Elasticsearch:
    more: dict[str, Any] = {}
    if api_key:
        more["api_key"] = api_key
    if ca_certs:
        more["ca_certs"] = ca_certs
    return Elasticsearch(
        _split(addresses),
        transport_class=PatientTransport,
        node_class=PatientNode,
        connections_per_node=_CONNECTIONS,
        dead_node_backoff_factor=2.0,
        max_dead_node_backoff=_LONGEST_REST,
        **more,
    )


def _split(addresses: str) -> list[str]:
    return [url.strip() for url in addresses.split(",") if url.strip()]


def urls() -> list[str]:
    """The nodes that the settings name."""
    return _split(settings.ELASTICSEARCH_URL)


def client() -> Elasticsearch:
    """The client of this process, for the nodes that the settings name. A request takes at most ELASTICSEARCH_TIMEOUT
    seconds, whatever the nodes do, or what ``matching.backends.patience`` says."""
    made = _client(settings.ELASTICSEARCH_URL, settings.ELASTICSEARCH_API_KEY, settings.ELASTICSEARCH_CA_CERTS)
    assert isinstance(made.transport, PatientTransport)
    made.transport.usual = settings.ELASTICSEARCH_TIMEOUT
    return made


def probe() -> None:
    """Raises BackendUnavailable where no node answers within ELASTICSEARCH_PROBE_TIMEOUT seconds."""
    with patience.at_most(settings.ELASTICSEARCH_PROBE_TIMEOUT), server_errors():
        client().cluster.health(local=True)


@contextmanager
def server_errors() -> Iterator[None]:
    """Turns the client's errors into BackendUnavailable, with what to do about it."""
    try:
        yield
    except (ApiError, TransportError) as error:
        raise unavailable(error) from error


def unavailable(error: Any) -> BackendUnavailable:
    return BackendUnavailable(
        f"Elasticsearch（{shown_urls()}）不可用：{error}。"
        "请启动它（开发环境：make services），或改用内置引擎 memory，结果相同"
    )


def shown_urls() -> str:
    """The addresses as people may read them: without the password that may stand in them."""
    return re.sub(r"//[^/@,]*@", "//", settings.ELASTICSEARCH_URL)
