"""What workers do, hurried on and looked at: the schedule at a test's pace, and whether everything is done."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import redis
from celery import Celery
from django.core.management import CommandError, call_command

from matching.models import MatchRun, PendingIndexWrite
from matching.models.run import ALIVE
from matching.registry.models import OutboxMessage
from portal.celery_schedule import CELERY_BEAT_SCHEDULE

_OWN = int("0" + os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")) % 6
BROKER = f"{os.environ.get('TEST_REDIS_SERVER', 'redis://127.0.0.1:6379')}/{10 + _OWN}"
"""A broker of this test process's own; it is emptied."""


class Beat:
    """The schedule, at a test's pace, and what a commit's wake-up does: tasks put to the worker, nothing else."""

    def __init__(self, *, rarest: float = 600.0) -> None:
        """``rarest``: what the schedule asks for less often (every so many seconds) is left out."""
        redis.Redis.from_url(BROKER).flushdb()
        self._app = Celery(broker=BROKER, set_as_current=False)  # tasks of this process stay its own
        self._tasks = [
            str(entry["task"])
            for entry in CELERY_BEAT_SCHEDULE.values()
            if isinstance(entry["schedule"], float) and entry["schedule"] <= rarest
        ]

    def wake(self) -> None:
        self._app.send_task("matching.deliver_outbox")

    @contextmanager
    def beating(self, every: float = 2.0) -> Iterator[None]:
        stop = threading.Event()

        def beat() -> None:
            while not stop.wait(every):
                for task in self._tasks:
                    self._app.send_task(task, expires=every)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(10)
            self._app.close()
            redis.Redis.from_url(BROKER).flushdb()


def all_is_done() -> bool:
    return not (
        OutboxMessage.objects.filter(delivered_at__isnull=True).exists()
        or MatchRun.objects.filter(state__in=ALIVE).exists()
        or PendingIndexWrite.objects.exists()
    )


def differing() -> str:
    """What ``manage.py reindex --check`` finds; nothing where every index equals the database."""
    try:
        call_command("reindex", "--check", stdout=StringIO())
    except CommandError as error:
        return str(error)
    return ""


def announced() -> list[int]:
    """The pushes of which an event was written, as often as it was, ascending."""
    payloads = OutboxMessage.objects.filter(topic="push.created").values_list("payload", flat=True)
    return sorted(pk for payload in payloads for pk in payload["push_ids"])
