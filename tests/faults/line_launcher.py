"""A process that has loaded the product and nothing else, and forks the workers on one budget line. For tests only.

Why not from the tests' own process: a fork carries its open connections along, and not only those in sight. Django
keeps one for a thread, and another for the same thread while an event loop runs in it, as Playwright's does from the
first browser on. A forked child no longer sees the loop, so it took the connection from before it: open all the while,
and the same socket for every worker ("decryption failed or bad record mac"). Nothing is connected here.

Reads pickles of `Task` from its input, answers each with a pickled `Told`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.faults.line_deeds import Told, Worker

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Task:
    """What all workers do on a database, started together."""

    database: str
    workers: Sequence[Worker]
    deeds: int
    mix: dict[str, int]


@dataclass(frozen=True)
class Launcher:
    """The process, as a test sees it."""

    process: subprocess.Popen[bytes]

    def run(self, task: Task) -> Told:
        """Every worker in a process of its own; what all of them did."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        pickle.dump(task, self.process.stdin)
        self.process.stdin.flush()
        told: Told = pickle.load(self.process.stdout)
        return told


@contextmanager
def launched() -> Iterator[Launcher]:
    """It loads what it needs while the test prepares the line."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {__name__} import serve; serve()"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings.test"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        try:
            yield Launcher(process)
        except BaseException:
            process.kill()
            raise


def _do(task: Task) -> Told:
    from django.db import connection

    from tests.faults.line_deeds import Told

    assert connection.connection is None, "what is connected here would be shared by all workers"
    connection.settings_dict["NAME"] = task.database
    context = multiprocessing.get_context("fork")
    start = context.Barrier(len(task.workers))
    begun = []
    for worker in task.workers:
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(worker, task, start, writer), daemon=True)
        process.start()
        writer.close()  # so that a worker that dies is heard of, and does not leave us waiting
        begun.append((worker, process, reader))
    told = Told()
    for worker, process, reader in begun:
        try:
            told.add(reader.recv())
        except EOFError:
            told.failures.append(f"worker {worker.number} died")
        process.join()
        if process.exitcode:
            told.failures.append(f"worker {worker.number} ended with {process.exitcode}")
    return told


def _work(worker: Worker, task: Task, start: Any, writer: Any) -> None:
    from django.db import connection

    from matching.registry import outbox

    try:
        start.wait(60)
        with outbox.quiet():  # letters are written by others
            worker.work(deeds=task.deeds, mix=task.mix)
    except BaseException:  # the test must hear of whatever it was
        worker.told.failures.append(f"worker {worker.number}:\n{traceback.format_exc()}")
    finally:
        connection.close()
        writer.send(worker.told)


def serve() -> None:
    import django

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed goes elsewhere
    django.setup()
    import_module("tests.faults.line_deeds")
    while True:
        try:
            task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_do(task), answers)
        answers.flush()
