"""Kills at an exact SQL statement: laid by the test in a file, burnt down by the process that it is for.

`fuse-web.json` holds {"after": N, "kill": "process" | "backend"}: of the web processes the first that is about to send
its N-th statement since it saw the fuse kills itself, or the database backend that serves it. The file is renamed
first, so that one fuse kills one process, and says afterwards what was being done.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = "FAULTS_FOLDER"
ROLE = "FAULTS_ROLE"


def lay(folder: Path, *, role: str, after: int, kill: str) -> None:
    """For the test: lay a fuse, over one that did not burn."""
    part = folder / f"fuse-{role}.part"
    part.write_text(json.dumps({"after": after, "kill": kill}))
    part.replace(folder / f"fuse-{role}.json")


def burnt(folder: Path) -> list[dict[str, Any]]:
    """For the test: the fuses that killed, in the order in which they did."""
    paths = sorted(folder.glob("burnt-*.json"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(path.read_text()) for path in paths]


def clear(folder: Path) -> None:
    """For the test: take up what did not burn, and forget what did."""
    for path in [*folder.glob("fuse-*.json"), *folder.glob("burnt-*.json")]:
        path.unlink(missing_ok=True)


class Fuse:
    """An execute wrapper of a connection in one of the product's processes."""

    seen: tuple[int, int] | None = None
    left = 0
    kill = ""

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        path = Path(os.environ[FOLDER], f"fuse-{os.environ.get(ROLE, 'none')}.json")
        found = _stat(path)
        if found is None:
            return execute(sql, params, many, context)
        cls = type(self)
        if cls.seen != (found.st_ino, found.st_mtime_ns):
            with contextlib.suppress(OSError, ValueError):
                told = json.loads(path.read_text())
                cls.seen, cls.left, cls.kill = (found.st_ino, found.st_mtime_ns), told["after"], told["kill"]
        cls.left -= 1
        if cls.left == 0:
            self._burn(path, sql, context)
        return execute(sql, params, many, context)

    def _burn(self, path: Path, sql: str, context: Any) -> None:
        ash = path.with_name(f"burnt-{os.getpid()}-{time.time_ns()}.json")
        try:
            path.rename(ash)
        except FileNotFoundError:
            return  # another process was faster
        backend = context["connection"].connection.info.backend_pid
        ash.write_text(json.dumps({"role": os.environ[ROLE], "kill": self.kill, "sql": sql[:160]}))
        if self.kill == "backend":
            os.kill(backend, signal.SIGKILL)
        else:
            os.kill(os.getpid(), signal.SIGKILL)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def attach(connection: Any, **_: Any) -> None:
    """For `connection_created`."""
    if not any(isinstance(found, Fuse) for found in connection.execute_wrappers):
        connection.execute_wrappers.append(Fuse())
