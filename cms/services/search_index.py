"""The search index on Elasticsearch and the published rows: written after each change, compared, mended, built anew.

Whoever writes reads first what the index holds, then the rows, and writes only where the index still holds what it
saw; then it looks again. So an older process cannot undo what a newer one wrote: either its writing is refused, or it
read the rows later. Any number may write at once, die anywhere and be repeated.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from cms.services import search_documents
from cms.services.search_writes import KIND
from matching.backends import patience
from matching.backends.base import BackendUnavailable
from matching.backends.elastic.aliases import MissingIndex
from matching.backends.elastic.rebuild import Difference, RebuildFailed, Rebuilt
from matching.chunks import chunks
from matching.search.elastic.documents import body
from matching.search.elastic.index import ItemIndex
from matching.services import indexing

_TRIES = 10
_PIECE = 500
_SECONDS = 60.0  # that a request of whoever writes the index may take
Progress = Callable[[int, int], None]


def drain() -> int:
    """Settle pending writes; returns how many. Raises BackendUnavailable: what was not written stays pending."""
    return indexing.drain(kind=KIND, write=write)


def write(ids: Sequence[int]) -> None:
    """Bring the documents of these pages to the rows' present state. Raises BackendUnavailable."""
    index = ItemIndex()
    if index.ensure():
        _bring(index, list(search_documents.versions()))
    _bring(index, [str(pk) for pk in ids])
    index.refresh()


def mend() -> Difference:
    """Write what the index lacks or holds of another state, take out what it has too many; returns what that was.
    Raises BackendUnavailable."""
    index = ItemIndex()
    with patience.unhurried(_SECONDS):
        index.ensure()
        found = _compare(index)
        if found:
            _bring(index, [*found.lacking, *found.surplus, *found.wrong])
            index.refresh()
    return found


def check() -> Difference:
    """How the index differs from the rows, to the last field; false where it does not. Raises BackendUnavailable."""
    index = ItemIndex()
    with patience.unhurried(_SECONDS):
        found = _compare(index)
        known = set(search_documents.versions()).difference(found.lacking)
        spoilt = _spoilt(index, sorted(known)) if known else []
    return Difference(found.lacking, found.surplus, tuple(sorted({*found.wrong, *spoilt})), found.rows)


def rebuild(*, now: datetime, on_progress: Progress) -> Rebuilt:
    """Fill a new index, or go on with one that was left unfinished, verify it to the last field, put it into service
    and delete the others; what changed meanwhile is mended. `on_progress` hears the documents done and all.

    Raises RebuildFailed where the new index does not become right, BackendUnavailable where the server is away.
    """
    with patience.unhurried(_SECONDS):
        service = ItemIndex()
        name = service.unfinished()
        if name is None:
            name = f"{service.base}-{now:%Y%m%d%H%M%S%f}"
            service.create(name)
        target = ItemIndex(target=name)
        difference = _compare(target)
        found = done = difference.rows - len(difference.lacking) - len(difference.wrong)
        on_progress(done, difference.rows)
        for piece in chunks([*difference.surplus, *difference.lacking, *difference.wrong], _PIECE):
            _bring(target, piece)
            done += len(set(piece).difference(difference.surplus))
            on_progress(done, difference.rows)
        _verify(target)
        service.switch(name)
        for other in service.names():
            if other != name:
                service.delete(other)
    mend()
    return Rebuilt(name, difference.rows, found)


def _bring(index: ItemIndex, ids: Collection[str]) -> None:
    for piece in chunks(ids, _PIECE):
        for _ in range(_TRIES):
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
        wrong=tuple(sorted(pk for pk, version in wanted.items() if there.get(pk, version) != version)),
        rows=len(wanted),
    )


def _spoilt(index: ItemIndex, ids: Collection[str]) -> list[str]:
    """Documents that have the right version and other contents: somebody else wrote them."""
    found: list[str] = []
    for piece in chunks(ids, _PIECE):
        stored = index.stored(piece)
        for document in search_documents.documents(ids=piece):
            there = stored.get(document.id)
            if there is not None and there["version"] == document.version and there != body(document):
                found.append(document.id)
    return found


def _verify(target: ItemIndex) -> None:
    """Raises RebuildFailed where the index is not what the rows say; what was published meanwhile is written first."""
    difference = _compare(target)
    for _ in range(_TRIES):
        if not difference:
            break
        _bring(target, [*difference.lacking, *difference.surplus, *difference.wrong])
        difference = _compare(target)
    else:
        raise RebuildFailed(f"新索引 {target.read} 与数据库不符（{difference}）；没有切换，请重试")
    spoilt = _spoilt(target, list(search_documents.versions()))
    if spoilt:
        raise RebuildFailed(f"新索引 {target.read} 有 {len(spoilt)} 条内容不符（如 {spoilt[0]}）；没有切换，请重试")
