"""The kinds of index that the district keeps: what each can do for whoever writes, rebuilds or compares them all.

A kind lives where its rows come from and is registered by the application that has it (`AppConfig.ready`), so that
`manage.py reindex` and the worker that writes know no kind by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Progress = Callable[[int, int], None]
"""Hears how many rows are done, and how many there are in all."""


@dataclass(frozen=True, slots=True)
class Compared:
    """An index against the database: rows that there should be, and how many of them it lacks, has too many, or holds
    with another content. True where they differ; ``example`` names one that does."""

    rows: int
    lacking: int = 0
    surplus: int = 0
    wrong: int = 0
    example: str = ""

    def __bool__(self) -> bool:
        return bool(self.lacking or self.surplus or self.wrong)


@dataclass(frozen=True, slots=True)
class Built:
    """The index now in service, its rows, and how many of them were there already from a rebuild that was stopped."""

    name: str
    rows: int
    found: int


class IndexKind(Protocol):
    """One kind of index. Each method raises BackendUnavailable where the server is away."""

    @property
    def name(self) -> str:
        """As in the names of its indices, in ``--only`` and in `PendingIndexWrite.kind`."""

    @property
    def label(self) -> str:
        """For people."""

    @property
    def in_use(self) -> bool:
        """Whether the settings ask for it; where they do not, nobody writes it by itself."""

    def write(self, ids: Sequence[int]) -> None:
        """Brings the index to the database's present state of these objects; others may do so at the same time."""

    def rebuild(self, *, now: datetime, on_progress: Progress) -> Built:
        """Builds a new index beside the one in service, verifies it, and puts it into service; goes on with one that
        was left unfinished. What changes meanwhile is not lost."""

    def check(self, *, on_progress: Progress) -> Compared:
        """Compares every row with the database, and changes nothing."""

    def mend(self) -> int:
        """Brings the index in service to the database, or has that done; returns how many rows differed."""


_kinds: dict[str, IndexKind] = {}


def register(kind: IndexKind) -> None:
    _kinds[kind.name] = kind


def kinds() -> tuple[IndexKind, ...]:
    """All of them, in the order in which they were registered."""
    return tuple(_kinds.values())


def kind_named(name: str) -> IndexKind:
    """Raises LookupError with the names that there are."""
    if name not in _kinds:
        raise LookupError(f"没有名为 {name} 的索引；可用：{'、'.join(_kinds)}")
    return _kinds[name]
