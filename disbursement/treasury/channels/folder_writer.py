"""How a sealed file is put into a folder, from which a person takes it or a machine fetches it: handed in any number of
times it stands there once, whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_PIECE = 1024 * 1024
_NOTE = ".sent"


class WriteError(Exception):
    """The file could not be written; nothing was half-written. The message is for people."""


class FolderWriter:
    """Writes into a folder: first under a temporary name, then renamed, so that no reader sees half a
    file.

    Before it is renamed a note of that temporary name is kept beside it (`.NAME.….sent`): a note whose file is no
    longer there says that the file stood here once, whole, whoever died afterwards and whoever has fetched it since.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, *, name: str, content: BinaryIO, once: bool = True) -> None:
        """Put the bytes there under that name, read from where `content` stands; again with the same bytes changes
        nothing. With `once` also after somebody has fetched the file and taken it away. Raises WriteError.
        """
        if Path(name).name != name or name.startswith("."):
            raise WriteError(f"文件名“{name}”不能用。")
        target = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._is_there(target, content, once=once):
                return
            # A name of its own for each writer: two that send the same bytes at once must not take each other's file.
            with tempfile.NamedTemporaryFile(
                dir=self._folder, prefix=f".{name}.", suffix=".part", delete=False
            ) as handle:
                shutil.copyfileobj(content, handle, _PIECE)
                handle.flush()
                os.fsync(handle.fileno())
            part = Path(handle.name)
            part.chmod(0o644)
            with self._alone():
                # While this one wrote, another may have put it there, and a machine have fetched it.
                with part.open("rb") as written:
                    is_there = self._is_there(target, written, once=once)
                if is_there:
                    part.unlink()
                    return
                if once:
                    self._note(part)
                part.replace(target)
        except OSError as error:
            raise WriteError(f"无法写入 {target}：{error.strerror}。请检查文件夹权限和磁盘空间后重试。") from error

    def take_back(self, *, name: str, content: BinaryIO) -> None:
        """Remove the file, where it stands there with these bytes, and the notes of it. Where it does not, its notes
        stay: it was fetched. Raises WriteError for a folder that is not there, and for another file of that name.
        """
        with self._told(name):
            if (self._folder / name).exists() and self._is_there(self._folder / name, content, once=False):
                self._clear(name)  # first: a note without its file would say that somebody fetched it
                (self._folder / name).unlink()

    def forget(self, *, name: str) -> None:
        """Remove the notes that the file stood there. Raises WriteError where it stands there now."""
        with self._told(name):
            if (self._folder / name).exists():
                raise WriteError(f"{self._folder / name} 还在文件夹中，可能被取走。请结束核实，重新发起后再办。")
            self._clear(name)

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            with self._alone():
                yield
        except OSError as error:
            raise WriteError(
                f"文件夹 {self._folder} 不能使用（{name}）：{error.strerror}。请恢复挂载和权限后重试。"
            ) from error

    def _clear(self, name: str) -> None:
        for note in self._notes(name):
            (self._folder / note).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """No other writer of this machine puts a file into the folder meanwhile; where the mount can lock."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _is_there(self, target: Path, content: BinaryIO, *, once: bool) -> bool:
        """Whether the file is there or, with `once`, was there before. Raises WriteError for another of that name."""
        if not target.exists():
            return once and self._stood(target.name)
        if not _same(target, content):
            raise WriteError(f"{target} 已有同名但内容不同的文件，未覆盖。请核对该文件的来源。")
        return True

    def _stood(self, name: str) -> bool:
        """Whether the file was renamed into the folder before."""
        parts = [note.removesuffix(_NOTE) for note in self._notes(name)]
        return any(not (self._folder / part).exists() for part in parts)

    def _notes(self, name: str) -> list[str]:
        names = [entry.name for entry in os.scandir(self._folder) if entry.name.startswith(f".{name}.")]
        return [found for found in names if found.endswith(_NOTE)]

    def _note(self, part: Path) -> None:
        with open(f"{part}{_NOTE}", "xb") as note:
            os.fsync(note.fileno())
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _same(path: Path, content: BinaryIO) -> bool:
    with path.open("rb") as standing:
        while piece := content.read(_PIECE):
            if standing.read(len(piece)) != piece:
                return False
        return not standing.read(1)
