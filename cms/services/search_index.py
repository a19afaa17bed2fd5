"""The search index on Elasticsearch and the published rows: written after each change, compared, mended, built anew.

Whoever writes reads first what the index holds, then the rows, and writes only where the index still holds what it
saw; then it looks again. So an older process cannot undo what a newer one wrote: either its writing is refused, or it
read the rows later. Any number may write at once, die anywhere and be repeated.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from cms.services import search_documents, search_writes
from matching.backends import patience
from matching.backends.base import BackendUnavailable
from matching.backends.elastic.aliases import MissingIndex
from matching.backends.elastic.rebuild import RebuildFailed
from matching.chunks import chunks
from matching.search.elastic.documents import body
from matching.search.elastic.index import ItemIndex
from matching.services.index_kinds import Built, Compared, Progress

_TRIES = 10
_PIECE = 500
_SECONDS = 60.0  # that a request of whoever writes the index may take


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids of documents that the index lacks, has too many, or holds in another version than the rows have."""

    lacking: tuple[str, ...]
    surplus: tuple[str, ...]
    other: tuple[str, ...]
    rows: int

    def __bool__(self) -> bool:
        return bool(self.ids)

    @property
    def ids(self) -> tuple[str, ...]:
        return (*self.lacking, *self.surplus, *self.other)


class ItemKind:
    """See `IndexKind`. Its objects are published pages."""

    name = search_writes.KIND

    @property
    def label(self) -> str:
        return _("检索条目")

    @property
    def in_use(self) -> bool:
        return search_writes.in_use()

    def write(self, ids: Sequence[int]) -> None:
        """Raises MissingIndex where there is no index."""
        index = ItemIndex()
        _bring(index, [str(pk) for pk in ids])
        index.refresh()

    def mend(self) -> int:
        """Quick where nothing differs: versions are compared, no texts are read."""
        index = ItemIndex()
        with patience.unhurried(_SECONDS):
            index.ensure()
            found = _compare(index)
            if found:
                _bring(index, found.ids)
                index.refresh()
        return len(found.ids)

    def check(self, *, on_progress: Progress) -> Compared:
        """To the last field."""
        index = ItemIndex()
        with patience.unhurried(_SECONDS):
            found = _compare(index)
            known = [pk for pk in search_documents.versions() if pk not in found.lacking]
            wrong = {*found.other, *_spoilt(index, known, on_progress)}
        on_progress(found.rows, found.rows)
        example = next(iter((*found.lacking, *found.surplus, *sorted(wrong))), "")
        return Compared(found.rows, len(found.lacking), len(found.surplus), len(wrong), example)

    def rebuild(self, *, now: datetime, on_progress: Progress) -> Built:
        """Verified to the last field before it is put into service. What is published meanwhile is written before the
        end or mended after it. Raises RebuildFailed where the new index does not become right."""
        service = ItemIndex()
        with patience.unhurried(_SECONDS):
            name = service.unfinished()
            if name is None:
                name = f"{service.base}-{now:%Y%m%d%H%M%S%f}"
                service.create(name)
            target = ItemIndex(target=name)
            difference = _compare(target)
            found = done = difference.rows - len(difference.lacking) - len(difference.other)
            on_progress(done, difference.rows)
            for piece in chunks(difference.ids, _PIECE):
                _bring(target, piece)
                done += len(set(piece).difference(difference.surplus))
                on_progress(done, difference.rows)
            _verify(target)
            service.switch(name)
            for other in service.names():
                if other != name:
                    service.delete(other)
        self.mend()
        return Built(name, difference.rows, found)


def _ignored(done: int, total: int) -> None:
    """Nobody looks."""


def _bring(index: ItemIndex, ids: Collection[str]) -> None:
    for piece in chunks(ids, _PIECE):
        for _try in range(_TRIES):
            # In this order: what is read from the rows is then never older than what was seen in the index.
            seen = index.marks(piece)
            wanted = {document.id: document for document in search_documents.documents(ids=piece)}
            lacking = [one for pk, one in wanted.items() if pk not in seen or seen[pk].version != one.version]
            gone = [pk for pk in seen if pk not in wanted]
            if not lacking and not gone:
                break
            index.replace(lacking, gone, seen=seen)
        else:
            raise BackendUnavailable("检索索引一再被别处改写；稍后会自动再试")


def _compare(index: ItemIndex) -> Difference:
    """By versions alone: quick, and right unless somebody spoilt the contents."""
    try:
        index.refresh()
        there = dict(index.versions())
    except MissingIndex:
        there = {}
    wanted = search_documents.versions()
    return Difference(
        lacking=tuple(sorted(pk for pk in wanted if pk not in there)),
        surplus=tuple(sorted(pk for pk in there if pk not in wanted)),
        other=tuple(sorted(pk for pk, version in wanted.items() if there.get(pk, version) != version)),
        rows=len(wanted),
    )


def _spoilt(index: ItemIndex, ids: Collection[str], on_progress: Progress = _ignored) -> list[str]:
    """Documents that have the right version and other contents: somebody else wrote them."""
    found: list[str] = []
    for number, piece in enumerate(chunks(ids, _PIECE)):
        on_progress(number * _PIECE, len(ids))
        stored = index.stored(piece)
        for document in search_documents.documents(ids=piece):
            there = stored.get(document.id)
            if there is not None and there["version"] == document.version and there != body(document):
                found.append(document.id)
    return found


def _verify(target: ItemIndex) -> None:
    """Raises RebuildFailed where the index is not what the rows say; what was published meanwhile is written first."""
    difference = _compare(target)
    for _try in range(_TRIES):
        if not difference:
            break
        _bring(target, difference.ids)
        difference = _compare(target)
    else:
        raise RebuildFailed(f"新索引 {target.read} 与数据库不符（{difference}）；没有切换，请重试")
    spoilt = _spoilt(target, list(search_documents.versions()))
    if spoilt:
        raise RebuildFailed(f"新索引 {target.read} 有 {len(spoilt)} 条内容不符（如 {spoilt[0]}）；没有切换，请重试")
