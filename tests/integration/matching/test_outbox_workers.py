"""Several workers, and workers that are killed: every message once, and nothing lost. On PostgreSQL only."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from matching.models import Match, PolicyVersion, Push
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from matching.services import match_policies
from portal.inbox.models import Notification
from tests.factories import matching as make

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="needs PostgreSQL"),
]


@pytest.fixture(autouse=True)
def nobody_wakes(monkeypatch):
    """Workers are started by the test, not by a commit."""
    monkeypatch.setattr(outbox, "_wakers", [])


def together(work, count):
    """Run `work` in so many threads, each on its own connection, starting at once; re-raises what one raised."""
    start = threading.Barrier(count)
    failures = []

    def run():
        try:
            start.wait()
            work()
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]


def test_workers_at_the_same_time_share_the_messages_and_deliver_each_once(monkeypatch):
    heard = []
    monkeypatch.setitem(outbox._handlers, "test.topic", [])

    @outbox.subscribe("test.topic")
    def listen(*, payload, now):
        heard.append((payload["n"], threading.get_ident()))

    now = timezone.now()
    with transaction.atomic():
        outbox.emit_many(topic="test.topic", messages=[({"n": n}, None) for n in range(200)], now=now)
    together(lambda: outbox.deliver(now=now), 3)
    assert sorted(n for n, _ in heard) == list(range(200))
    assert len({thread for _, thread in heard}) > 1
    assert not OutboxMessage.objects.filter(delivered_at=None).exists()


def test_workers_at_the_same_time_push_each_pair_once():
    for number in range(15):
        make.enterprise(insured_staff=number)
    for least in (0, 5, 10):
        make.published({"fact": "insured_staff", "gte": least})
    together(lambda: outbox.deliver(now=make.NOW), 3)
    outbox.deliver(now=make.NOW + timedelta(hours=2))  # what lost a race and waits
    assert Push.objects.count() == 15 + 10 + 5
    assert Notification.objects.count() == 30
    assert Match.objects.count() == 45
    assert not OutboxMessage.objects.filter(delivered_at=None).exists()


def test_a_version_and_a_profile_matched_at_once_end_with_the_present_facts():
    firm = make.enterprise(insured_staff=1)
    version = make.published({"fact": "insured_staff", "gte": 10})
    outbox.deliver(now=make.NOW)

    def version_run():
        match_policies.match_version(version_id=version.pk, as_of=make.TODAY, now=make.NOW)

    for staff in range(2, 22):
        make.learn(firm, insured_staff=staff)
        works = [version_run, lambda: outbox.deliver(now=make.NOW)]
        together(lambda works=works: works.pop()(), 2)
        stored = Match.objects.get(enterprise=firm).verdict
        assert stored == ("eligible" if staff >= 10 else "ineligible")


KILLED = """
import os, signal, sys
import django
django.setup()
from django.utils import timezone
from matching.registry import outbox
from matching.services import push

at = sys.argv[1]
outbox._wakers.clear()
if at == "handler":  # matches and pushes are written, their transaction is not committed
    real = push.outbox.emit_many
    def emit_many(*, topic, messages, now):
        real(topic=topic, messages=messages, now=now)
        if topic == "push.created":
            os.kill(os.getpid(), signal.SIGKILL)
    push.outbox.emit_many = emit_many
elif at == "between":  # one message is delivered, the next is not
    outbox._MOST_TOGETHER = 1
    real = outbox._run_alone
    done = []
    def run_alone(*, message, now):
        if len(done) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        done.append(message.pk)
        return real(message=message, now=now)
    outbox._run_alone = run_alone
outbox.deliver(now=timezone.now())
"""


@pytest.mark.parametrize("at", ["handler", "between"])
def test_a_worker_that_is_killed_loses_nothing_and_tells_nothing_twice(at):
    for number in range(4):
        make.enterprise(insured_staff=number)
    make.published({"fact": "insured_staff", "gte": 2})
    settings = connection.settings_dict
    address = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings)
    worker = subprocess.run(
        [sys.executable, "-c", KILLED, at],
        env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "portal.settings.test"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert worker.returncode == -signal.SIGKILL, worker.stderr
    if at == "handler":
        assert not Push.objects.exists()
    else:
        assert OutboxMessage.objects.exclude(delivered_at=None).count() == 3
    later = timezone.now() + timedelta(minutes=5)
    outbox.deliver(now=later)
    outbox.deliver(now=later)
    assert Push.objects.count() == 2
    events = OutboxMessage.objects.filter(topic="push.created")
    assert sum(len(event.payload["push_ids"]) for event in events) == 2
    assert Notification.objects.count() == 2
    assert PolicyVersion.objects.count() == 1
