"""The product's own processes, on the test's database and servers: commands, a web server, workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.cluster.nodes import free_ports, until


def environment(**more: str) -> dict[str, str]:
    """What a process needs to stand where the test stands."""
    wanted = connection.settings_dict
    place = f"{wanted['HOST']}:{wanted['PORT'] or 5432}/{wanted['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "DATABASE_URL": f"postgres://{wanted['USER']}:{wanted['PASSWORD']}@{place}",
        "EMAIL_URL": "memorymail://",
        "ELASTICSEARCH_URL": settings.ELASTICSEARCH_URL,
        "ELASTICSEARCH_INDEX_PREFIX": settings.ELASTICSEARCH_INDEX_PREFIX,
        "ELASTICSEARCH_TIMEOUT": str(settings.ELASTICSEARCH_TIMEOUT),
        "HUIDA_MATCHER": settings.HUIDA_MATCHER,
        "HUIDA_SEARCH": settings.HUIDA_SEARCH,
        **more,
    }


@contextmanager
def running(*command: str, log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the product, its output in a file; ended with what it started when left, by force after a while."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=settings.BASE_DIR,
            env=environment(**more),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guard = threading.Timer(600, process.kill)  # what never ends must not hold the suite
    guard.start()
    try:
        yield process
    finally:
        guard.cancel()
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def manage(*arguments: str, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """A command, run to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextmanager
def web(log: Path, **more: str) -> Iterator[str]:
    """gunicorn with two workers of some threads each; its address."""
    [port] = free_ports(1)
    options = ("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4", "--worker-class", "gthread")
    with running("gunicorn", "portal.wsgi", *options, log=log, **more) as process:

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            return "Booting worker" in log.read_text()

        until(ready, seconds=60, what="gunicorn")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def worker(log: Path, broker: str, *, processes: int = 1, beat: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker with so many processes, and the schedule inside where asked."""
    pool = ("--pool", "solo") if processes == 1 else ("--concurrency", str(processes))
    more = ("--beat", "--schedule", f"{log}.schedule") if beat else ()
    options = ("worker", *pool, "--loglevel", "INFO", *more)
    with running("celery", "-A", "portal", *options, log=log, CELERY_BROKER_URL=broker) as process:

        def ready() -> bool:
            assert process.poll() is None, log.read_text()
            return "ready." in log.read_text()

        until(ready, seconds=90, what="a worker")
        yield process
