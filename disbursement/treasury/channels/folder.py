"""A folder that both sides see (SFTP, a mounted share): `out` for payment files, `in` for returns.

Out: written under a temporary name, then renamed; where the other side asks for it, an empty-handed reader is told by
`NAME.done`, which holds the file's SHA-256 and comes after the file. In: a file is read when its own `.done` stands
beside it or, where the bank writes none, when nothing has touched it for a while; then it goes to `processed`, or to
`rejected` with the reason beside it. A file that comes twice is taken twice and posted once.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from disbursement.treasury.channels.folder_writer import FolderWriter, WriteError

from .base import LARGEST, Arrival, Parcel, Receipt, Unsure

_SUFFIXES = frozenset({".csv", ".xlsx", ".xml"})
_DONE = ".done"
MOST_FILES = 1000


class FolderChannel:
    """`marked` asks for `.done` both ways; `quiet` is in seconds. With `again` a file that was taken away is put there
    once more when it is asked for: people take it, no machine of a bank's.
    """

    def __init__(
        self, folder: Path, *, marked: bool = False, quiet: float = 10, out: Path | None = None, again: bool = False
    ) -> None:
        self._out = out or folder / "out"
        self._in = folder / "in"
        self._marked = marked
        self._quiet = quiet
        self._again = again

    def trouble(self) -> str:
        """Why nothing can be written there now, for people; "" where it can. The folder is made at the first file."""
        there = next(place for place in (self._out, *self._out.parents) if place.exists())
        if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
            return ""
        return f"文件夹 {self._out} 不能写入。请检查挂载和权限。"

    def hand_over(self, parcel: Parcel, *, tried: bool) -> Receipt | None:
        writer = FolderWriter(self._out)
        try:
            with parcel.open() as content:
                writer.deliver(name=parcel.name, content=content, once=not self._again)
            if self._marked:
                writer.deliver(name=f"{parcel.name}{_DONE}", content=io.BytesIO(_marker(parcel)))
        except WriteError as error:
            raise Unsure(str(error)) from error
        return Receipt()

    def recall(self, parcel: Parcel) -> None:
        """Take back what stands there of a file of which nobody knows whether the bank has it: from here on nobody
        fetches it. What was fetched before stays known as such. Raises Unsure where the folder cannot be used, or
        another file stands under that name.
        """
        writer = FolderWriter(self._out)
        try:
            writer.take_back(name=f"{parcel.name}{_DONE}", content=io.BytesIO(_marker(parcel)))
            with parcel.open() as content:
                writer.take_back(name=parcel.name, content=content)
        except WriteError as error:
            raise Unsure(str(error)) from error

    def forget(self, name: str) -> None:
        """The bank has not got the file and will not pay it: another try may put it there anew. Raises Unsure where it
        stands there, and may be fetched yet.
        """
        try:
            for each in (f"{name}{_DONE}", name):
                FolderWriter(self._out).forget(name=each)
        except WriteError as error:
            raise Unsure(str(error)) from error

    def arrivals(self, *, known: Callable[[str], bool], at: float) -> Iterator[Arrival]:
        try:
            names = sorted(entry.name for entry in os.scandir(self._in)) if self._in.is_dir() else []
        except OSError as error:
            raise Unsure(f"无法读取文件夹 {self._in}：{error.strerror}。请检查挂载和权限。") from error
        for name in [name for name in names if self._is_one(name)][:MOST_FILES]:
            arrival = self._read(self._in / name, at)
            if arrival is None:
                continue
            if known(hashlib.sha256(arrival.content).hexdigest()):
                arrival.keep()
            else:
                yield arrival

    def _is_one(self, name: str) -> bool:
        return not name.startswith((".", "~")) and Path(name).suffix.lower() in _SUFFIXES

    def _read(self, path: Path, at: float) -> Arrival | None:
        """The file, if it is whole and a file; None where it is to be left for the next time."""
        try:
            # Not followed: a link could lead anywhere on the machine.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode) or before.st_size > LARGEST:
                return None
            if not self._marked and at - before.st_mtime < self._quiet:
                return None
            content = file.read(LARGEST + 1)
        if self._marked and not self._is_marked(path, content):
            return None

        def untouched() -> bool:
            try:
                now = path.stat()
            except OSError:
                return False
            return (now.st_mtime_ns, now.st_size) == (before.st_mtime_ns, before.st_size)

        def keep() -> None:
            # Somebody may still be writing to it: then it stays, and is read again.
            if untouched():
                self._put_away(path, "processed", content)

        def reject(reason: str) -> None:
            if untouched():
                put = self._put_away(path, "rejected", content)
                put.with_name(f"{put.name}.txt").write_text(f"{reason}\n", encoding="utf-8")

        return Arrival(path.name, content, keep, reject)

    def _is_marked(self, path: Path, content: bytes) -> bool:
        try:
            said = path.with_name(f"{path.name}{_DONE}").read_text(encoding="ascii", errors="replace").split()
        except OSError:
            return False
        # An empty marker only says that the file is whole; one with a hash says which file.
        return not said or said[0].lower() == hashlib.sha256(content).hexdigest()

    def _put_away(self, path: Path, where: str, content: bytes) -> Path:
        folder = self._in / where
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / path.name
        if target.exists():
            target = folder / f"{path.stem}-{hashlib.sha256(content).hexdigest()[:8]}{path.suffix}"
        path.replace(target)
        marker = path.with_name(f"{path.name}{_DONE}")
        marker.unlink(missing_ok=True)
        return target


def _marker(parcel: Parcel) -> bytes:
    return f"{parcel.sha256}\n".encode()
