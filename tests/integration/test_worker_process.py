"""PostgreSQL, Redis and a Celery worker by environment variables alone: a commit here is delivered over there."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import connection

from matching.models import MatchRun, Push
from matching.registry.models import OutboxMessage
from portal.inbox.models import Notification

BROKER = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="needs PostgreSQL"),
]


def environment() -> dict[str, str]:
    wanted = connection.settings_dict
    place = f"{wanted['HOST']}:{wanted['PORT'] or 5432}/{wanted['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "DATABASE_URL": f"postgres://{wanted['USER']}:{wanted['PASSWORD']}@{place}",
        "CELERY_BROKER_URL": BROKER,
        "EMAIL_URL": "memorymail://",
    }


@pytest.fixture(name="worker")
def worker_fixture() -> Iterator["subprocess.Popen[str]"]:
    redis.Redis.from_url(BROKER).flushdb()
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "portal", "worker", "--pool", "solo", "--loglevel", "INFO"],
        cwd=settings.BASE_DIR,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    guard = threading.Timer(90, process.kill)  # a worker that never answers must not hold the suite
    guard.start()
    yield process
    guard.cancel()
    process.terminate()
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()
    redis.Redis.from_url(BROKER).flushdb()


def read_until(process: "subprocess.Popen[str]", text: str) -> None:
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        if text in line:
            return
    pytest.fail("the worker ended without saying " + text + ":\n" + "".join(said))


PUBLISH = """
from tests.factories import matching as make
make.enterprise(registered_region="510105")
make.published()
"""


def test_a_commit_wakes_a_worker_which_tells_the_enterprise(worker: "subprocess.Popen[str]") -> None:
    read_until(worker, "ready.")
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", PUBLISH],
        cwd=settings.BASE_DIR,
        env=environment(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    # The delivery begins a run, whose plan and chunk are tasks of their own; the push's event is delivered after that.
    while not Notification.objects.exists():
        read_until(worker, "succeeded in")
    assert Push.objects.count() == 1
    assert not OutboxMessage.objects.filter(delivered_at__isnull=True).exists()
    while MatchRun.objects.get().is_alive:
        read_until(worker, "succeeded in")
    assert MatchRun.objects.get().state == "done"
