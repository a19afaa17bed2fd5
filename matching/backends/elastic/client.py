"""The connection, and the one error by which everything that can go wrong with the server is known outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.conf import settings
from elastic_transport import ApiError, TransportError
from elasticsearch import Elasticsearch

from ..base import BackendUnavailable


@lru_cache(maxsize=4)
def _client(url: str, timeout: float) -> Elasticsearch:
    # No retries: whoever asks has the embedded matcher to fall back on, and no time to lose.
    return Elasticsearch(url, request_timeout=timeout, max_retries=0, retry_on_timeout=False)


def client() -> Elasticsearch:
    """The client of this process, for the server that the settings name."""
    return _client(settings.ELASTICSEARCH_URL, settings.ELASTICSEARCH_TIMEOUT)


@contextmanager
def server_errors() -> Iterator[None]:
    """Turns the client's errors into BackendUnavailable, with what to do about it."""
    try:
        yield
    except (ApiError, TransportError) as error:
        raise unavailable(error) from error


def unavailable(error: Any) -> BackendUnavailable:
    return BackendUnavailable(
        f"Elasticsearch（{settings.ELASTICSEARCH_URL}）不可用：{error}。"
        "请启动它（开发环境：make services），或改用内置引擎 memory，结果相同"
    )


def was_used() -> bool:
    """Whether this process has asked a server anything."""
    return _client.cache_info().currsize > 0


def delete_indices() -> None:
    """Deletes every index of ours, of whatever kind. What they held can be written again from the database."""
    with server_errors():
        names = list(client().indices.get(index=f"{settings.ELASTICSEARCH_INDEX_PREFIX}-*", features="aliases"))
        if names:
            client().indices.delete(index=names, ignore_unavailable=True)
