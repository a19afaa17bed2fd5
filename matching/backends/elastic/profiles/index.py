"""The profile index: written in bulk with versions, counted, walked in the order of ids, and compared head by head."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from elasticsearch import NotFoundError

from matching.chunks import chunks

from ...base import BackendUnavailable
from ..aliases import MissingIndex, VersionedIndex
from ..client import server_errors
from .document import ProfileDocument, ProfileRow
from .leaves import EVERYTHING, Query, all_of

Json = Any
BULK = 1000
_PAGE = 10_000
_KEPT = "5m"
_WHOLE: Json = {"allow_partial_search_results": False}
_NOT_WRITTEN = {"version_conflict_engine_exception"}


@dataclass(frozen=True, slots=True)
class Head:
    """What tells one state of a document from another."""

    id: int
    version: int
    digest: str


class ProfileIndex(VersionedIndex):
    def __init__(self, *, target: str | None = None, prefix: str | None = None) -> None:
        super().__init__("profiles", ProfileDocument, target=target, prefix=prefix)

    def put(self, rows: Iterable[ProfileRow], *, also: Sequence[str] = ()) -> None:
        """Writes documents, where the index does not hold them in the same or a higher version. ``also`` are indices
        that are being built and must miss nothing."""
        for piece in chunks(rows, BULK):
            lines: list[str] = []
            for row in piece:
                for where in self._wheres(also):
                    lines.append(json.dumps({"index": _meta(row, where)}))
                    lines.append(row.text)
            self._bulk(lines)

    def drop(self, ids: Iterable[int], *, also: Sequence[str] = ()) -> None:
        """Takes documents out; one that is not there is no error."""
        for piece in chunks(ids, BULK):
            wheres = self._wheres(also)
            self._bulk([json.dumps({"delete": {"_id": str(one)} | where}) for one in piece for where in wheres])

    def _wheres(self, also: Sequence[str]) -> list[Json]:
        # An alias that is gone must not become an index of its own.
        return [{"require_alias": self.read != self.write}, *({"_index": name} for name in also)]

    def _bulk(self, operations: list[str]) -> None:
        if not operations:
            return
        lines: Any = operations  # the client takes lines that are ready, whatever its annotations say
        with self._errors():
            answer = self.client.bulk(index=self.write, operations=lines)
        if not answer["errors"]:
            return
        results = [next(iter(item.values())) for item in answer["items"]]
        wrong = [one for one in results if "error" in one and one["error"]["type"] not in _NOT_WRITTEN]
        if any(one["error"]["type"] == "index_not_found_exception" for one in wrong):
            raise MissingIndex(self.write)
        if wrong:
            raise BackendUnavailable(f"Elasticsearch 拒绝了 {len(wrong)} 份画像：{json.dumps(wrong[0], default=str)}")

    def total(self) -> int:
        return self.counts([EVERYTHING])[0]

    def counts(self, queries: Sequence[Query], *, fresh: bool = False) -> list[int]:
        """How many documents each query matches. ``fresh``: the server is to count again what it may have counted
        before."""
        searches: list[Json] = []
        header = _WHOLE | ({"request_cache": False} if fresh else {})
        for query in queries:
            if query is not None:
                searches += [header, {"size": 0, "track_total_hits": True, "query": _filtered(query)}]
        if not searches:
            return [0] * len(queries)
        with self._errors():
            answers = list(self.client.msearch(index=self.read, searches=searches)["responses"])
        for answer in answers:
            if "error" in answer:
                if answer["error"]["type"] == "index_not_found_exception":
                    raise MissingIndex(self.read)
                raise BackendUnavailable(f"Elasticsearch 没有回答：{json.dumps(answer['error'])[:2000]}")
        found = iter(answers)
        return [0 if query is None else int(next(found)["hits"]["total"]["value"]) for query in queries]

    def walk(self, query: Query, *, after: int = 0, size: int = 2000) -> Iterator[list[int]]:
        """The ids that match, ascending, those above ``after``; all as of one moment, however long the walk takes."""
        if query is None:
            return
        with self._moment() as moment:
            while True:
                body = {"sort": ["id"], "docvalue_fields": ["id"], "stored_fields": "_none_"}
                hits = self._page(moment, all_of([query, {"range": {"id": {"gt": after}}}]), min(size, _PAGE), body)
                ids = [int(hit["fields"]["id"][0]) for hit in hits]
                if ids:
                    yield ids
                if len(ids) < size:
                    return
                after = ids[-1]

    def heads(self, *, among: Sequence[int] | None = None) -> Iterator[Head]:
        """The head of every document, or of those ``among``, by ascending id; as of one moment."""
        after = 0
        some = EVERYTHING if among is None else {"terms": {"id": list(among)}}
        body = {"sort": ["id"], "docvalue_fields": ["id", "version", "digest"], "stored_fields": "_none_"}
        with self._moment() as moment:
            while True:
                hits = self._page(moment, all_of([some, {"range": {"id": {"gt": after}}}]), _PAGE, body)
                for hit in hits:
                    fields = hit["fields"]
                    after = int(fields["id"][0])
                    yield Head(after, int(fields["version"][0]), fields["digest"][0])
                if len(hits) < _PAGE:
                    return

    def hurry(self, hurried: bool) -> None:
        """While an index is filled that nobody asks yet: not shown and not secured until it is finished."""
        told = {"refresh_interval": "-1", "translog.durability": "async"}
        usual = {"refresh_interval": "30s", "translog.durability": "request"}
        with self._errors():
            self.client.indices.put_settings(index=self.write, settings=told if hurried else usual)

    def tidy(self) -> None:
        """Makes few pieces of many: what is then asked is found faster."""
        with self._errors():
            self.client.indices.forcemerge(index=self.write, max_num_segments=1, wait_for_completion=True)

    @contextmanager
    def _moment(self) -> Iterator[list[str]]:
        """A point in time of the index; the server may give it another name with each answer."""
        with self._errors():
            opened = self.client.open_point_in_time(index=self.read, keep_alive=_KEPT)
        moment = [str(opened["id"])]
        try:
            yield moment
        finally:
            try:
                with server_errors():
                    self.client.options(ignore_status=404).close_point_in_time(id=moment[0])
            except BackendUnavailable:
                pass  # it closes by itself

    def _page(self, moment: list[str], query: Query, size: int, body: Json) -> list[Json]:
        with server_errors():
            try:
                answer = self.client.search(
                    pit={"id": moment[0], "keep_alive": _KEPT},
                    query=_filtered(query),
                    size=size,
                    source=False,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                    **body,
                )
            except NotFoundError as error:
                raise BackendUnavailable(f"Elasticsearch 不再保留这次遍历的时点，请从断点重试：{error}") from error
        moment[0] = answer.get("pit_id", moment[0])
        return list(answer["hits"]["hits"])


def _filtered(query: Query) -> Json:
    return {"constant_score": {"filter": query}}


def _meta(row: ProfileRow, where: Json) -> Json:
    # The same version again is the same document: written again it does no harm.
    return {"_id": str(row.id), "version": row.version, "version_type": "external_gte"} | where
