"""Versioned indices behind a read and a write alias.

``<prefix>-<kind>-<stamp>`` stands behind ``<prefix>-<kind>-read`` and ``-write``, which move together and at once, so
that a new index is filled and checked before anybody looks at it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from elasticsearch import BadRequestError, Elasticsearch, NotFoundError
from elasticsearch.dsl import Document

from ..base import BackendUnavailable
from .client import client, server_errors

logger = logging.getLogger(__name__)

Json = Any
FIRST = "000001"


class MissingIndex(BackendUnavailable):
    """The server is there, the index is not."""


class VersionedIndex:
    """The indices of a kind. With a ``target`` it reads and writes that one index, whatever the aliases say."""

    def __init__(
        self, kind: str, document: type[Document], *, target: str | None = None, prefix: str | None = None
    ) -> None:
        self.base = f"{prefix or settings.ELASTICSEARCH_INDEX_PREFIX}-{kind}"
        self.document = document
        self.read = target or f"{self.base}-read"
        self.write = target or f"{self.base}-write"

    @property
    def client(self) -> Elasticsearch:
        return client()

    def stands(self) -> bool:
        """Whether both aliases stand before one and the same index, and this code made it."""
        standing = self._standing()
        return len(standing) == 1 and {self.read, self.write} in standing.values() and self._is_ours(min(standing))

    def ensure(self) -> bool:
        """Makes sure that the index stands, and tells whether it did not. Where aliases were lost the newest index gets
        them back; where there is none the first is made. What somebody else put in their place is deleted: under our
        names there is nothing that could not be written again. Safe beside another process doing the same."""
        if self.stands():
            return False
        standing = self._standing()
        if standing:
            logger.warning("%s: the aliases are lost or stand before something else: %s", self.base, standing)
        for name in sorted(standing, key=lambda name: (self.write in standing[name], name), reverse=True):
            if not self._is_ours(name):
                self.delete(name)
            elif not self._is_lost(name):
                self.switch(name)
                return True
        try:
            self.create(f"{self.base}-{FIRST}", aliases=(self.read, self.write))
        except BackendUnavailable as error:
            cause = error.__cause__
            exists = isinstance(cause, BadRequestError) and cause.error == "resource_already_exists_exception"
            if not exists or not self.stands():  # made by another process a moment ago
                raise
        return True

    def _standing(self) -> dict[str, set[str]]:
        """The indices behind one of the aliases; where there are none, those behind no alias at all."""
        with server_errors():
            found = self.client.indices.get_alias(index=f"{self.base}-*")
        ours = {self.read, self.write}
        standing = {name: ours.intersection(told["aliases"]) for name, told in found.items()}
        return {name: aliases for name, aliases in standing.items() if aliases} or {
            name: set() for name, told in found.items() if not told["aliases"]
        }

    def create(self, name: str, *, aliases: Iterable[str] = ()) -> None:
        """Makes an index, and waits for its copies, so that none of its rows ever stands on one node alone where there
        are two. Raises BackendUnavailable where the node that was to hold it has gone meanwhile."""
        body, schema = shape_of(self.document)
        with server_errors():
            made = self.client.indices.create(
                index=name,
                settings=body["settings"],
                mappings={**body["mappings"], "_meta": {"schema": schema}},
                aliases={alias: {} for alias in aliases},
                wait_for_active_shards="all",
                timeout="10s",
            )
        if not made["shards_acknowledged"] and self._is_lost(name):
            self.delete(name)
            raise BackendUnavailable(f"新索引 {name} 所在的节点离线了；请重试，或稍后会自动重试")

    def _is_lost(self, name: str) -> bool:
        """Whether no node at hand holds the index."""
        with server_errors():
            return bool(self.client.cluster.health(index=name, local=True)["status"] == "red")

    def _is_ours(self, name: str) -> bool:
        return self._schema(name) is not None

    def _schema(self, name: str) -> str | None:
        with server_errors():
            mapping = self.client.indices.get_mapping(index=name)[name]["mappings"]
        return mapping.get("_meta", {}).get("schema")

    def is_up_to_date(self, name: str) -> bool:
        """Whether an index was made with the settings and mapping of this code."""
        return self._schema(name) == shape_of(self.document)[1]

    def begin(self, name: str) -> None:
        """Makes an index to be filled beside the one in service. Until it is switched to, ``building`` names it."""
        self.create(name, aliases=(self._building,))

    def building(self) -> list[str]:
        """The indices now being filled, by this or another process: what is written to the index in service has to be
        written to them too. Raises MissingIndex where none is in service."""
        with self._errors():
            found = self.client.indices.get_alias(index=f"{self.base}-*")
        if not any(self.write in told["aliases"] for told in found.values()):
            raise MissingIndex(self.write)
        return sorted(name for name, told in found.items() if self._building in told["aliases"])

    @property
    def _building(self) -> str:
        # What was begun by other code has another shape.
        return f"{self.base}-building-{shape_of(self.document)[1]}"

    def names(self) -> list[str]:
        """Every index of this kind, behind an alias or not."""
        with server_errors():
            return sorted(self.client.indices.get(index=f"{self.base}-*", ignore_unavailable=True))

    def current(self) -> str | None:
        """The index behind the read alias."""
        with server_errors():
            try:
                return min(self.client.indices.get_alias(name=self.read), default=None)
            except NotFoundError:
                return None

    def unfinished(self) -> str | None:
        """The newest index that no alias stands before, that has today's mapping and that a node at hand holds; other
        leavings are deleted."""
        current, found = self.current(), None
        for name in reversed(self.names()):
            if name == current:
                continue
            if found is None and self.is_up_to_date(name) and not self._is_lost(name):
                found = name
            else:
                self.delete(name)
        return found

    def switch(self, name: str) -> None:
        """Both aliases to this index, at once."""
        with server_errors():
            self.client.indices.update_aliases(
                actions=[
                    *(
                        {"remove": {"index": f"{self.base}-*", "alias": alias, "must_exist": False}}
                        for alias in (self.read, self.write, f"{self.base}-building-*")
                    ),
                    *({"add": {"index": name, "alias": alias}} for alias in (self.read, self.write)),
                ]
            )

    def delete(self, name: str) -> None:
        with server_errors():
            self.client.indices.delete(index=name, ignore_unavailable=True)

    def refresh(self) -> None:
        with self._errors():
            self.client.indices.refresh(index=self.write)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """The client's errors as ours."""
        with server_errors():
            try:
                yield
            except NotFoundError as error:
                raise MissingIndex(str(error)) from error


def shape_of(document: type[Document]) -> tuple[Json, str]:
    """Settings and mappings, and what stands for them."""
    body = document._index.to_dict()
    return body, hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
