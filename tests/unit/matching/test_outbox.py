"""The outbox: written with the change, delivered once, in order, again after a failure."""

from datetime import timedelta

import pytest
from django.db import transaction

from matching.registry import outbox
from matching.registry.models import OutboxMessage
from tests.factories.matching import NOW


@pytest.fixture
def heard(monkeypatch):
    """A topic of this test alone, and what was heard of it."""
    seen = []
    monkeypatch.setitem(outbox._handlers, "test.topic", [])
    outbox.subscribe("test.topic")(lambda *, payload, now: seen.append(payload["n"]))
    return seen


@pytest.mark.django_db
def test_messages_are_heard_in_the_order_of_writing_and_once(heard):
    for n in range(5):
        outbox.emit(topic="test.topic", payload={"n": n}, now=NOW)
    assert outbox.deliver(now=NOW) == 5
    assert outbox.deliver(now=NOW) == 0
    assert heard == [0, 1, 2, 3, 4]


@pytest.mark.django_db
def test_a_key_that_was_written_before_is_not_written_again(heard):
    for _ in range(2):
        outbox.emit(topic="test.topic", payload={"n": 1}, now=NOW, dedupe_key="one")
        outbox.deliver(now=NOW)
    assert heard == [1]


@pytest.mark.django_db
def test_what_a_handler_writes_is_heard_in_the_same_run(heard):
    @outbox.subscribe("test.topic")
    def go_on(*, payload, now):
        if payload["n"] < 3:
            outbox.emit(topic="test.topic", payload={"n": payload["n"] + 1}, now=now)

    outbox.emit(topic="test.topic", payload={"n": 1}, now=NOW)
    assert outbox.deliver(now=NOW) == 3
    assert heard == [1, 2, 3]


@pytest.mark.django_db
def test_a_failed_message_waits_longer_each_time_while_others_go_on(heard):
    @outbox.subscribe("test.topic")
    def stumble(*, payload, now):
        if payload["n"] == 0:
            raise ValueError("不行")

    outbox.emit(topic="test.topic", payload={"n": 0}, now=NOW)
    outbox.emit(topic="test.topic", payload={"n": 1}, now=NOW)
    assert outbox.deliver(now=NOW) == 1
    waits = []
    now = NOW
    for _ in range(10):
        message = OutboxMessage.objects.get(delivered_at=None)
        waits.append(message.due_at - now)
        assert outbox.deliver(now=message.due_at - timedelta(seconds=1)) == 0
        now = message.due_at
        assert outbox.deliver(now=now) == 0
    assert waits[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert waits[-1] == outbox.LAST_RETRY
    message.refresh_from_db()
    assert message.attempts == 11
    assert "不行" in message.last_error


@pytest.mark.django_db
def test_the_effects_of_a_handler_that_fails_are_undone(heard):
    @outbox.subscribe("test.topic")
    def write_and_fail(*, payload, now):
        outbox.emit(topic="test.other", payload={}, now=now)
        raise ValueError

    outbox.emit(topic="test.topic", payload={"n": 0}, now=NOW)
    outbox.deliver(now=NOW)
    assert not OutboxMessage.objects.filter(topic="test.other").exists()


@pytest.mark.django_db
def test_delivering_from_within_a_handler_does_nothing(heard):
    nested = []
    outbox.subscribe("test.topic")(lambda *, payload, now: nested.append(outbox.deliver(now=now)))
    outbox.emit(topic="test.topic", payload={"n": 1}, now=NOW)
    outbox.emit(topic="test.topic", payload={"n": 2}, now=NOW)
    assert outbox.deliver(now=NOW) == 2
    assert nested == [0, 0]
    assert not outbox.is_delivering()


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="inside the transaction"):
        outbox.emit(topic="test.topic", payload={}, now=NOW)


@pytest.mark.django_db
def test_a_worker_is_woken_once_for_a_transaction_however_many_messages_it_wrote(
    heard, monkeypatch, django_capture_on_commit_callbacks
):
    woken = []
    monkeypatch.setattr(outbox, "_wakers", [lambda: woken.append(1)])
    with django_capture_on_commit_callbacks(execute=True):
        for n in range(3):
            outbox.emit(topic="test.topic", payload={"n": n}, now=NOW)
    assert woken == [1]


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_that_is_rolled_back_does_not_silence_the_transaction(heard, monkeypatch):
    woken = []
    monkeypatch.setattr(outbox, "_wakers", [lambda: woken.append(1)])
    with transaction.atomic():
        point = transaction.savepoint()
        outbox.emit(topic="test.topic", payload={"n": 1}, now=NOW)
        transaction.savepoint_rollback(point)
        outbox.emit(topic="test.topic", payload={"n": 2}, now=NOW)
    assert woken == [1]
    outbox.deliver(now=NOW)
    assert heard == [2]


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_a_commit_delivers_at_once_and_what_follows_too(heard):
    @outbox.subscribe("test.topic")
    def go_on(*, payload, now):
        if payload["n"] < 3:
            outbox.emit(topic="test.topic", payload={"n": payload["n"] + 1}, now=now)

    with transaction.atomic():
        outbox.emit(topic="test.topic", payload={"n": 1}, now=NOW)
        assert heard == []
    assert heard == [1, 2, 3]
    assert not OutboxMessage.objects.filter(delivered_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_waker_that_fails_does_not_fail_what_was_committed(monkeypatch, caplog):
    def broken():
        raise OSError("no broker")

    monkeypatch.setattr(outbox, "_wakers", [broken])
    with transaction.atomic():
        outbox.emit(topic="test.topic", payload={}, now=NOW)
    assert OutboxMessage.objects.filter(delivered_at=None).count() == 1


@pytest.mark.django_db
def test_messages_of_one_topic_that_follow_each_other_go_together(monkeypatch):
    calls = []
    for topic in ("test.many", "test.one"):
        monkeypatch.setitem(outbox._handlers, topic, [])
    outbox.subscribe("test.many", together=True)(
        lambda *, payloads, now: calls.append([payload["n"] for payload in payloads])
    )
    outbox.subscribe("test.one")(lambda *, payload, now: calls.append(payload["n"]))
    for n, topic in enumerate(["many", "many", "one", "many", "many", "many"]):
        outbox.emit(topic=f"test.{topic}", payload={"n": n}, now=NOW)
    assert outbox.deliver(now=NOW) == 6
    assert calls == [[0, 1], 2, [3, 4, 5]]
    outbox.emit_many(topic="test.many", messages=[({"n": n}, None) for n in range(250)], now=NOW)
    assert outbox.deliver(now=NOW, limit=240) == 240
    assert [len(call) for call in calls[3:]] == [100, 100, 40]


@pytest.mark.django_db
def test_of_messages_that_fail_together_only_the_bad_one_waits(monkeypatch):
    monkeypatch.setitem(outbox._handlers, "test.many", [])

    @outbox.subscribe("test.many", together=True)
    def write_or_stumble(*, payloads, now):
        for payload in payloads:
            outbox.emit(topic="test.written", payload=payload, now=now)
            if payload["n"] == 2:
                raise ValueError("第二条不行")

    outbox.emit_many(topic="test.many", messages=[({"n": n}, None) for n in range(4)], now=NOW)
    outbox.deliver(now=NOW)
    waiting = OutboxMessage.objects.get(delivered_at=None)
    assert waiting.payload == {"n": 2}
    assert "第二条不行" in waiting.last_error
    written = OutboxMessage.objects.filter(topic="test.written").order_by("id")
    assert [message.payload["n"] for message in written] == [0, 1, 3]
    assert set(OutboxMessage.objects.filter(topic="test.many").values_list("attempts", flat=True)) == {1}
