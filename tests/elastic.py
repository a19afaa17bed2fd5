"""What tests and benchmarks put into Elasticsearch, and take away again."""

from __future__ import annotations

from django.conf import settings

from matching.backends.elastic.client import _client, client, server_errors


def was_used() -> bool:
    """Whether this process has asked a server anything."""
    return _client.cache_info().currsize > 0


def delete_indices() -> None:
    """Deletes every index under the prefix of the settings, of whatever kind."""
    with server_errors():
        names = list(client().indices.get(index=f"{settings.ELASTICSEARCH_INDEX_PREFIX}-*", features="aliases"))
        if names:
            client().indices.delete(index=names, ignore_unavailable=True)
