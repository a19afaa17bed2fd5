"""The clause index: rows written in bulk, found and counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from elasticsearch import NotFoundError

from matching.chunks import chunks

from ..base import BackendUnavailable
from .aliases import MissingIndex, VersionedIndex
from .client import server_errors
from .documents import ClauseDocument

Json = Any
Hit = tuple[str, float]
_BULK = 2000
_PAGE = 10_000  # the most hits that a server gives at once, unless told otherwise


class ClauseIndex(VersionedIndex):
    """The rows of all holders. ``kind`` keeps apart what lasts (``clauses``) and what one run throws away."""

    def __init__(self, kind: str = "clauses", *, target: str | None = None, prefix: str | None = None) -> None:
        super().__init__(kind, ClauseDocument, target=target, prefix=prefix)

    def put(self, holder: str, rows: Mapping[str, Json]) -> None:
        """Writes rows by their keys; a row that is there already is written over with the same."""
        for piece in chunks(rows.items(), _BULK):
            lines: list[Json] = []
            for key, row in piece:
                lines += [{"index": {"_id": f"{holder}.{key}"}}, {"holder": holder, **row}]
            self._bulk(lines)

    def drop(self, holder: str, keys: Iterable[str]) -> None:
        """Takes rows out; one that is not there is no error."""
        for piece in chunks(keys, _BULK):
            self._bulk([{"delete": {"_id": f"{holder}.{key}"}} for key in piece])

    def _bulk(self, operations: list[Json]) -> None:
        with server_errors():
            try:
                answer = self.client.bulk(
                    index=self.write, operations=operations, require_alias=self.read != self.write
                )
            except NotFoundError as error:
                raise MissingIndex(str(error)) from error
        if answer["errors"]:
            results = [next(iter(item.values())) for item in answer["items"]]
            wrong = [result for result in results if "error" in result]
            if any(result["error"]["type"] == "index_not_found_exception" for result in wrong):
                raise MissingIndex(self.write)
            if wrong:
                raise BackendUnavailable(f"Elasticsearch 拒绝了 {len(wrong)} 行：{json.dumps(wrong[0], default=str)}")

    def count(self, holder: str) -> int:
        with server_errors():
            try:
                return int(self.client.count(index=self.read, query={"term": {"holder": holder}})["count"])
            except NotFoundError as error:
                raise MissingIndex(str(error)) from error

    def keys(self, holder: str, *, policies: Iterable[str] | None = None) -> Iterator[str]:
        """The key of every row of a holder, or of those of these policies."""
        after: list[Any] | None = None
        asked: list[Json] = [{"term": {"holder": holder}}]
        if policies is not None:
            asked.append({"terms": {"policy": list(policies)}})
        while True:
            body = _search({"bool": {"filter": asked}}, after, scores=False)
            with server_errors():
                try:
                    hits = self.client.search(index=self.read, **body)["hits"]["hits"]
                except NotFoundError as error:
                    raise MissingIndex(str(error)) from error
            for hit in hits:
                version, number = hit["sort"]
                yield f"{version}.{number}"
            if len(hits) < _PAGE:
                return
            after = hits[-1]["sort"]

    def rows(self, holder: str, keys: Iterable[str]) -> dict[str, Json]:
        """Rows as they were written, by key; those that are not there are left out."""
        with server_errors():
            found = self.client.mget(index=self.read, ids=[f"{holder}.{key}" for key in keys])
        return {doc["_id"].removeprefix(f"{holder}."): doc["_source"] for doc in found["docs"] if doc.get("found")}

    def find(self, holder: str, queries: list[Json]) -> tuple[int, list[list[Hit]]]:
        """How many rows the holder has, and for each query the versions and scores of the rows that it lets through."""
        counted = {"size": 0, "track_total_hits": True, "query": {"term": {"holder": holder}}}
        answers = self._searches([counted, *(_search(query, None) for query in queries)])
        found: list[list[Hit]] = []
        for query, answer in zip(queries, answers[1:], strict=True):
            hits = answer["hits"]["hits"]
            rows = [(hit["sort"][0], hit["_score"]) for hit in hits]
            while len(hits) == _PAGE:
                [more] = self._searches([_search(query, hits[-1]["sort"])])
                hits = more["hits"]["hits"]
                rows += [(hit["sort"][0], hit["_score"]) for hit in hits]
            found.append(rows)
        return int(answers[0]["hits"]["total"]["value"]), found

    def _searches(self, bodies: list[Json]) -> list[Json]:
        lines: list[Json] = []
        for body in bodies:
            lines += [{}, body]
        with server_errors():
            answers = self.client.msearch(index=self.read, searches=lines)["responses"]
        for answer in answers:
            if "error" in answer:
                if answer["error"]["type"] == "index_not_found_exception":
                    raise MissingIndex(self.read)
                raise BackendUnavailable(f"Elasticsearch 没有回答：{json.dumps(answer['error'])[:2000]}")
        return list(answers)


def _search(query: Json, after: list[Any] | None, *, scores: bool = True) -> Json:
    # The order serves paging; it tells the version too, so that no document needs to be fetched.
    body: Json = {
        "size": _PAGE,
        "query": query,
        "sort": ["version", "number"],
        "track_scores": scores,
        "track_total_hits": False,
        "_source": False,
        "stored_fields": "_none_",
    }
    if after is not None:
        body["search_after"] = after
    return body
