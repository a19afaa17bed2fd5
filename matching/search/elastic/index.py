"""The items index: written in bulk, asked, compared by versions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matching.backends.base import BackendUnavailable
from matching.backends.elastic.aliases import MissingIndex, VersionedIndex
from matching.chunks import chunks

from ..base import Document
from .documents import ItemDocument, body

Json = Any
_BULK = 500
_PAGE = 10_000  # the most hits that a server gives at once, unless told otherwise
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Mark:
    """What is stored under an id: the version of the document, and by which writing it came there."""

    version: str
    sequence: int
    term: int


class ItemIndex(VersionedIndex):
    """All published documents of the district. Methods raise BackendUnavailable; MissingIndex where there is none."""

    def __init__(self, kind: str = "items", *, target: str | None = None) -> None:
        super().__init__(kind, ItemDocument, target=target)

    def put(self, documents: Iterable[Document]) -> None:
        """Writes documents, over those with the same id."""
        for piece in chunks(documents, _BULK):
            self._bulk([line for document in piece for line in ({"index": {"_id": document.id}}, body(document))])

    def remove(self, ids: Iterable[str]) -> None:
        """Takes documents out; one that is not there is no error."""
        for piece in chunks(ids, _BULK):
            self._bulk([{"delete": {"_id": pk}} for pk in piece])

    def marks(self, ids: Collection[str]) -> dict[str, Mark]:
        """What is stored under these ids, whether a search can find it yet or not."""
        found: dict[str, Mark] = {}
        for piece in chunks(ids, _BULK):
            with self._errors():
                answer = self.client.mget(index=self.write, ids=piece, source_includes=["version"])
            for told in answer["docs"]:
                if "error" in told:
                    raise MissingIndex(json.dumps(told["error"])[:2000])
                if told["found"]:
                    found[told["_id"]] = Mark(told["_source"]["version"], told["_seq_no"], told["_primary_term"])
        return found

    def replace(self, documents: Iterable[Document], gone: Iterable[str], *, seen: Mapping[str, Mark]) -> None:
        """Writes documents and takes others out, each only where what was seen under its id still stands there."""
        lines: list[list[Json]] = []
        for document in documents:
            mark = seen.get(document.id)
            action = {"create": {"_id": document.id}} if mark is None else {"index": _as_seen(document.id, mark)}
            lines.append([action, body(document)])
        lines += [[{"delete": _as_seen(pk, seen[pk])}] for pk in gone]
        for piece in chunks(lines, _BULK):
            self._bulk([line for pair in piece for line in pair], may_conflict=True)

    def _bulk(self, operations: list[Json], *, may_conflict: bool = False) -> None:
        with self._errors():
            answer = self.client.bulk(index=self.write, operations=operations, require_alias=self.read != self.write)
        wrong = [result for item in answer["items"] for result in item.values() if "error" in result]
        if any(result["error"]["type"] == "index_not_found_exception" for result in wrong):
            raise MissingIndex(self.write)
        wrong = [result for result in wrong if not (may_conflict and result["status"] == _CONFLICT)]
        if wrong:
            raise BackendUnavailable(
                f"Elasticsearch 拒绝了 {len(wrong)} 条：{json.dumps(wrong[0], default=str)[:2000]}"
            )

    def ask(self, question: Json) -> Json:
        """The answer to one search; raises BackendUnavailable also where some shard did not answer."""
        with self._errors():
            answer = self.client.search(index=self.read, **_arguments(question)).body
        if answer["timed_out"] or answer["_shards"]["failed"]:
            raise BackendUnavailable(f"Elasticsearch 没有答全：{json.dumps(answer['_shards'])[:2000]}")
        return answer

    def words(self) -> dict[str, int]:
        """Every word with the number of documents that hold it."""
        counts: dict[str, int] = {}
        composite: Json = {"size": _PAGE, "sources": [{"word": {"terms": {"field": "words"}}}]}
        while True:
            answer = self.ask({"size": 0, "track_total_hits": False, "aggs": {"words": {"composite": composite}}})
            found = answer["aggregations"]["words"]
            counts.update({bucket["key"]["word"]: bucket["doc_count"] for bucket in found["buckets"]})
            if "after_key" not in found:
                return counts
            composite["after"] = found["after_key"]

    def versions(self) -> Iterator[tuple[str, str]]:
        """Id and version of every document that a search can find."""
        question: Json = {
            "size": _PAGE,
            "query": {"match_all": {}},
            "sort": ["id"],
            "_source": False,
            "docvalue_fields": ["version"],
            "track_total_hits": False,
        }
        while True:
            hits = self.ask(question)["hits"]["hits"]
            for hit in hits:
                yield hit["sort"][0], hit["fields"]["version"][0]
            if len(hits) < _PAGE:
                return
            question["search_after"] = hits[-1]["sort"]

    def stored(self, ids: Iterable[str]) -> dict[str, Json]:
        """Documents as they are stored, by id; those that are not there are left out."""
        found: dict[str, Json] = {}
        for piece in chunks(ids, _BULK):
            with self._errors():
                answer = self.client.mget(index=self.read, ids=piece)
            found |= {told["_id"]: told["_source"] for told in answer["docs"] if told.get("found")}
        return found


def _as_seen(key: str, mark: Mark) -> Json:
    return {"_id": key, "if_seq_no": mark.sequence, "if_primary_term": mark.term}


def _arguments(question: Mapping[str, Json]) -> dict[str, Json]:
    """A search's body as the client takes it: by keyword, `from` and `_source` under names of Python."""
    return {{"from": "from_", "_source": "source"}.get(name, name): value for name, value in question.items()}
