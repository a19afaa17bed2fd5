"""The index as the database wants it: compared, mended in place, or built anew beside the one in service.

Keys are made of what a row says, so a row that is there is right, a rebuild that was stopped goes on with what is
lacking, and comparing keys is comparing contents (``check`` looks into the rows all the same).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from matching.chunks import chunks
from matching.criteria.clauses import ClauseCompiler

from ..base import BackendUnavailable, Listed
from .aliases import MissingIndex
from .backend import LISTED
from .compile import compile_item
from .indices import ClauseIndex

Rows = dict[str, dict[str, Any]]
Progress = Callable[[int, int], None]
_PIECE = 500
_SAMPLE = 200


class RebuildFailed(BackendUnavailable):
    """The new index is not what was written; the one in service was left as it is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Keys of rows that the index lacks, has too many, or holds with another content."""

    lacking: tuple[str, ...]
    surplus: tuple[str, ...]
    wrong: tuple[str, ...]
    rows: int

    def __bool__(self) -> bool:
        return bool(self.lacking or self.surplus or self.wrong)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The index now in service, its rows, and how many of them were there already from a rebuild that was stopped."""

    name: str
    rows: int
    found: int


def rows_of(policies: Iterable[Listed]) -> Rows:
    compiler = ClauseCompiler()
    return {key: row for policy in policies for key, row in compile_item(policy, compiler).rows.items()}


def check(policies: Iterable[Listed]) -> Difference:
    """How the index in service differs from what is listed. Changes nothing."""
    return _compare(ClauseIndex(), rows_of(policies), look_into=True)


def mend(policies: Iterable[Listed]) -> Difference:
    """Writes what the index in service lacks and takes out what it has too many; returns what that was."""
    index, rows = ClauseIndex(), rows_of(policies)
    index.ensure()
    found = _compare(index, rows, look_into=False)
    if found:
        index.put(LISTED, {key: rows[key] for key in found.lacking})
        index.drop(LISTED, found.surplus)
        index.refresh()
    return found


def replace(policies: Iterable[Listed], *, instead_of: Iterable[str]) -> None:
    """Brings the rows of some policies to what they now are: those listed have theirs, all others in ``instead_of``
    have none."""
    index, rows = ClauseIndex(), rows_of(policies)
    index.ensure()
    index.refresh()
    there = set(index.keys(LISTED, policies=instead_of))
    index.put(LISTED, {key: row for key, row in rows.items() if key not in there})
    index.drop(LISTED, there.difference(rows))


def rebuild(policies: Iterable[Listed], *, stamp: str, on_progress: Progress) -> Rebuilt:
    """Fills a new index named with ``stamp`` (or goes on with one that was left unfinished), verifies it, and only then
    puts it into service and deletes the others. ``on_progress`` hears the rows done and the rows in all.

    Raises RebuildFailed where count or sample is not right, BackendUnavailable where the server is away.
    """
    service, rows = ClauseIndex(), rows_of(policies)
    name = service.unfinished()
    if name is None:
        name = f"{service.base}-{stamp}"
        service.create(name)
    target = ClauseIndex(target=name)
    target.refresh()
    there = set(target.keys(LISTED))
    target.drop(LISTED, there.difference(rows))
    lacking = {key: row for key, row in rows.items() if key not in there}
    done = found = len(rows) - len(lacking)
    on_progress(done, len(rows))
    for piece in chunks(lacking.items(), _PIECE):
        target.put(LISTED, dict(piece))
        done += len(piece)
        on_progress(done, len(rows))
    target.refresh()
    _verify(target, rows)
    service.switch(name)
    for other in service.names():
        if other != name:
            service.delete(other)
    return Rebuilt(name, len(rows), found)


def _verify(target: ClauseIndex, rows: Rows) -> None:
    counted = target.count(LISTED)
    if counted != len(rows):
        raise RebuildFailed(f"新索引 {target.read} 有 {counted} 行，应有 {len(rows)} 行；没有切换，请重试")
    step = max(1, len(rows) // _SAMPLE)
    wrong = _wrong(target, rows, sorted(rows)[::step])
    if wrong:
        raise RebuildFailed(f"新索引 {target.read} 抽查有 {len(wrong)} 行不符（如 {wrong[0]}）；没有切换，请重试")


def _compare(index: ClauseIndex, rows: Rows, *, look_into: bool) -> Difference:
    try:
        index.refresh()
        there = set(index.keys(LISTED))
    except MissingIndex:
        there = set()
    both = sorted(there.intersection(rows))
    return Difference(
        lacking=tuple(sorted(set(rows).difference(there))),
        surplus=tuple(sorted(there.difference(rows))),
        wrong=tuple(_wrong(index, rows, both)) if look_into else (),
        rows=len(rows),
    )


def _wrong(index: ClauseIndex, rows: Rows, keys: list[str]) -> list[str]:
    wrong = []
    for piece in chunks(keys, _PIECE):
        found = index.rows(LISTED, piece)
        wrong += [key for key in piece if found.get(key) != {"holder": LISTED, **rows[key]}]
    return wrong
