"""A process that runs Huida's commands in children which die by SIGKILL where they are told to.

Reads one JSON object a line, answers one a line. Django is loaded once; each request is served by a forked child with
its own database connection, so that a kill is a real one and costs no start-up. Only tests run this.

    {"database": NAME, "outbox": FOLDER, "do": "cycle", "argv": ["cutoff", …], "kill_at": N | "part" | "delivered"}

`kill_at` N kills just before the N-th SQL statement; "part" when the file is written but not yet renamed, "delivered"
when it is handed over but not yet recorded. The answer has "killed", or "statements" and what the deed returned.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

import django


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Fuse:
    """Counts the SQL statements of a connection, and kills before the chosen one."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.count = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += 1
        if self.count == self.at:
            kill()
        return execute(sql, params, many, context)


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """In the child: do the deed on its own connection."""
    from django.conf import settings
    from django.db import connection

    from disbursement.treasury.channels import folder_writer
    from tests.faults import deeds, push_deeds

    connection.settings_dict["NAME"] = request["database"]
    settings.HUIDA_TREASURY_OUTBOX = Path(request["outbox"])
    at = request.get("kill_at")
    if at == "part":
        original = Path.replace

        def replace(self: Path, target: Any) -> Path:
            if self.name.endswith(".part"):
                kill()
            return original(self, target)

        Path.replace = replace  # type: ignore[assignment, method-assign]
    if at == "delivered":
        deliver = folder_writer.FolderWriter.deliver

        def delivered(self: folder_writer.FolderWriter, *, name: str, content: BinaryIO, once: bool = True) -> None:
            deliver(self, name=name, content=content, once=once)
            kill()

        folder_writer.FolderWriter.deliver = delivered  # type: ignore[method-assign]
    fuse = Fuse(at if isinstance(at, int) else None)
    connection.execute_wrappers.append(fuse)
    deed = getattr(deeds, request["do"], None) or getattr(push_deeds, request["do"])
    result = deed(*request.get("argv", []))
    return {"statements": fuse.count, "result": result}


def prepare() -> None:
    """Whatever a child would load by itself is loaded here, once: addresses, tasks, fonts and style of notices."""
    from django.db import connections
    from django.urls import get_resolver

    from bench.notices import payment
    from disbursement.documents.render import render_pdf
    from portal.celery import app

    for name in (
        "tests.faults.deeds",
        "tests.faults.push_deeds",
        "disbursement.management.commands.cycle",
        "celery.app.trace",
        "kombu.transport.memory",
        "tqdm",
    ):
        import_module(name)
    app.loader.import_default_modules()
    assert get_resolver().url_patterns
    assert render_pdf(payment(1))
    connections.close_all()


def main() -> None:
    django.setup()
    prepare()
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            try:
                answer = serve(json.loads(line))
            except BaseException:  # the parent must hear of whatever it was
                answer = {"error": traceback.format_exc()}
            os.write(writer, json.dumps(answer).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        answer = {"killed": True} if os.WIFSIGNALED(status) else json.loads(said)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
