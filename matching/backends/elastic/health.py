"""What an operator should know of the server, asked of the server itself: a process that has not needed it for hours
would not notice that it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from .. import patience
from ..base import BackendUnavailable
from .client import client, server_errors, urls


def findings(kinds: Iterable[str]) -> list[str]:
    """What is not as it should be, in words; ``kinds`` are those of the indices that must be there. Takes
    ELASTICSEARCH_PROBE_TIMEOUT seconds at most, and never raises because of the server."""
    try:
        with patience.at_most(settings.ELASTICSEARCH_PROBE_TIMEOUT), server_errors():
            return [*_nodes(), *_indices(kinds)]
    except BackendUnavailable as error:
        return [str(error)]


def _nodes() -> Iterable[str]:
    told = client().cluster.health(index=f"{settings.ELASTICSEARCH_INDEX_PREFIX}-*", local=True, expand_wildcards="all")
    nodes, wanted = int(told["number_of_nodes"]), len(urls())
    if nodes < wanted:
        yield _("Elasticsearch 集群有 %(nodes)s 个节点在线，设置里有 %(wanted)s 个") % {
            "nodes": nodes,
            "wanted": wanted,
        }
    if told["status"] == "red":
        yield _("Elasticsearch 有索引的主分片不在线；内置引擎代答，节点恢复或运行 manage.py reindex 后即可")
    elif told["status"] == "yellow" and wanted > 1:
        yield _("Elasticsearch 有副本尚未就位；再失去一个节点可能使索引不可用（数据可由数据库重建）")


def _indices(kinds: Iterable[str]) -> Iterable[str]:
    prefix = settings.ELASTICSEARCH_INDEX_PREFIX
    found: Any = client().indices.get(index=f"{prefix}-*", features="aliases,settings", ignore_unavailable=True)
    there = {alias for told in found.values() for alias in told.get("aliases", {})}
    lacking = [kind for kind in kinds if not {f"{prefix}-{kind}-read", f"{prefix}-{kind}-write"} <= there]
    if lacking:
        yield _("Elasticsearch 缺少索引：%(names)s；会自动补建，也可运行 manage.py reindex") % {
            "names": "、".join(lacking)
        }
    for name, told in sorted(found.items()):
        blocks = told["settings"]["index"].get("blocks", {})
        if any(str(value) == "true" for value in blocks.values()):
            yield _("Elasticsearch 索引 %(name)s 被设为只读（多因磁盘将满），新的变更写不进去：%(blocks)s") % {
                "name": name,
                "blocks": "、".join(sorted(blocks)),
            }
