"""What wakes matching up: commands, tasks, the schedule, and commits where no broker runs."""

from io import StringIO

import pytest
from celery import current_app
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from matching import tasks
from matching.models import Push
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from matching.services import match_policies
from portal.inbox.models import Notification
from portal.inbox.tasks import send_digests
from tests.factories import matching as make
from tests.integration.inbox.conftest import member


def run(name, *arguments):
    out, errors = StringIO(), StringIO()
    code = 0
    try:
        call_command(name, *arguments, stdout=out, stderr=errors)
    except SystemExit as stopped:
        code = stopped.code
    return code, out.getvalue(), errors.getvalue()


@pytest.mark.django_db
def test_run_outbox_once_delivers_everything_that_is_due():
    make.enterprise()
    make.published()
    code, out, _ = run("run_outbox", "--once")
    assert code == 0
    assert "已投递 3 条消息" in out  # the enterprise, the item, and the push that came of it
    assert Notification.objects.count() == 1
    assert run("run_outbox", "--once")[1] == "已投递 0 条消息\n"


@pytest.mark.django_db
def test_run_outbox_lists_what_failed_and_when_it_is_tried_again(monkeypatch):
    monkeypatch.setitem(outbox._handlers, "test.topic", [])

    @outbox.subscribe("test.topic")
    def stumble(*, payload, now):
        raise ValueError("数据有误")

    outbox.emit(topic="test.topic", payload={}, now=make.NOW)
    code, _, errors = run("run_outbox", "--once")
    assert code == 1
    assert "test.topic：已试 1 次" in errors
    assert "ValueError: 数据有误" in errors


@pytest.mark.django_db
def test_match_nightly_says_what_it_did():
    make.enterprise(established_on="2025-06-01")
    make.published({"fact": "established_on", "at_least_ago": "P1Y"})
    OutboxMessage.objects.update(delivered_at=timezone.now())
    code, out, _ = run("match_nightly", "--as-of", "2026-06-02")
    assert code == 0
    assert "已匹配 1 家企业，1 对结果；更新 1 条，移除 0 条，新推送 1 条" in out
    assert "新推送 0 条" in run("match_nightly", "--as-of", "2026-06-02")[1]


@pytest.mark.django_db
def test_the_nightly_task_may_run_twice():
    make.enterprise()
    make.published(now=timezone.now())
    OutboxMessage.objects.update(delivered_at=timezone.now())
    assert tasks.match_nightly.delay().get() == 1
    assert tasks.match_nightly.delay().get() == 0
    tasks.deliver_outbox.delay()
    tasks.deliver_outbox.delay()
    assert Push.objects.count() == Notification.objects.count() == 1


@pytest.mark.django_db
def test_the_digest_task_may_run_twice():
    member(make.enterprise(), email="a@example.com").memberships.update(granted_at=timezone.now())
    make.published(now=timezone.now())
    tasks.deliver_outbox.delay()
    assert send_digests.delay().get() == 1
    assert send_digests.delay().get() == 0
    assert len(mail.outbox) == 1
    assert run("send_digests")[1] == "新生成 0 封，已发送 0 封，失败 0 封\n"


def test_every_scheduled_task_exists():
    current_app.loader.import_default_modules()
    known = set(current_app.tasks)
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= known


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_publishing_is_told_when_the_transaction_ends():
    make.enterprise()
    make.published(name="房租补贴")
    assert Notification.objects.get().title == "《房租补贴》符合贵企业"
    assert not OutboxMessage.objects.filter(delivered_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_a_handler_that_fails_does_not_fail_the_publication(monkeypatch):
    make.enterprise()

    def broken(**_):
        raise RuntimeError("out of order")

    monkeypatch.setattr(match_policies, "match_version", broken)
    version = make.published()
    assert version.item.is_listed
    assert OutboxMessage.objects.get(delivered_at=None).attempts == 1
