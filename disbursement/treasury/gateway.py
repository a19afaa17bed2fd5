"""Where sealed files go. A gateway may be handed the same file any number of times: it ends up there once,
whole.

The folder gateway serves both a person who downloads the file and a machine that fetches from a shared
folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO, Protocol

_PIECE = 1024 * 1024


class GatewayError(Exception):
    """The file could not be handed over; nothing was half-written. The message is for people."""


class Gateway(Protocol):
    def deliver(self, *, name: str, content: BinaryIO) -> None:
        """Hand the bytes over under that name, read from where `content` stands; again with the same bytes changes
        nothing. Raises GatewayError.
        """


class FolderGateway:
    """Writes into a folder: first under a temporary name, then renamed, so that no reader sees half a
    file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, *, name: str, content: BinaryIO) -> None:
        if Path(name).name != name or name.startswith("."):
            raise GatewayError(f"文件名“{name}”不能用。")
        target = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if target.exists():
                if not _same(target, content):
                    raise GatewayError(f"{target} 已有同名但内容不同的文件，未覆盖。请核对该文件的来源。")
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
            part.replace(target)
        except OSError as error:
            raise GatewayError(f"无法写入 {target}：{error.strerror}。请检查文件夹权限和磁盘空间后重试。") from error


def _same(path: Path, content: BinaryIO) -> bool:
    with path.open("rb") as standing:
        while piece := content.read(_PIECE):
            if standing.read(len(piece)) != piece:
                return False
        return not standing.read(1)
