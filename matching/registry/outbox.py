"""The outbox: events written with the change that caused them, delivered once by a worker.

`emit` is called inside the caller's transaction. `deliver` runs each waiting message through every handler that
subscribed to its topic, in one transaction per message: a crash leaves the message waiting and its effects undone,
a second run finds it delivered. Handlers therefore write only to the database.

One worker delivers in the order of writing. Several share the work (a message that one holds is passed over by the
others), and a message that failed waits for its retry while later ones go on; so a handler reads the present state of
what its message names, and never trusts that an earlier message was handled before it.
"""

import logging
import threading
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from inspect import signature
from typing import Any

from django.db import connection, transaction

from matching.registry.models import OutboxMessage

logger = logging.getLogger(__name__)

Handler = Callable[..., None]
_handlers: dict[str, list[Handler]] = defaultdict(list)
_wakers: list[Callable[[], None]] = []
_thread = threading.local()

FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=1)
_MANY = 500


def subscribe(topic: str) -> Callable[[Handler], Handler]:
    """Register `handler(*, payload: dict, now: datetime)` for a topic. Handlers run in order of registration.

    A handler that also takes `message_id: int` is given the message's number, which tells occasions apart.
    """

    def register(handler: Handler) -> Handler:
        if handler not in _handlers[topic]:
            _handlers[topic].append(handler)
        return handler

    return register


def on_written(waker: Callable[[], None]) -> Callable[[], None]:
    """Register `waker()`, called once after each committed transaction that wrote messages. It only wakes a worker:
    when it fails or is lost, the worker's own schedule finds the messages."""
    if waker not in _wakers:
        _wakers.append(waker)
    return waker


def emit(*, topic: str, payload: dict[str, Any], now: datetime, dedupe_key: str | None = None) -> None:
    """Write one event into the caller's transaction. `now` is aware; `payload` is JSON (ids, no objects)."""
    emit_many(topic=topic, messages=[(payload, dedupe_key)], now=now)


def emit_many(*, topic: str, messages: Iterable[tuple[dict[str, Any], str | None]], now: datetime) -> None:
    """Write many events, each (payload, dedupe key or None); a key that was ever written before is passed over."""
    if not connection.in_atomic_block:
        raise RuntimeError("outbox.emit must be called inside the transaction whose event it records")
    rows = [
        OutboxMessage(topic=topic, payload=payload, dedupe_key=key, created_at=now, due_at=now)
        for payload, key in messages
    ]
    if not rows:
        return
    # Two statements, because ignoring conflicts would also hide what is wrong with a row that cannot conflict.
    OutboxMessage.objects.bulk_create([row for row in rows if row.dedupe_key is None], batch_size=_MANY)
    OutboxMessage.objects.bulk_create(
        [row for row in rows if row.dedupe_key is not None], batch_size=_MANY, ignore_conflicts=True
    )
    _wake_after_commit()


def is_delivering() -> bool:
    """Whether this thread is inside `deliver`: what its handlers write is found by the same run."""
    return getattr(_thread, "delivering", False)


def deliver(*, now: datetime, limit: int = 1000) -> int:
    """Deliver up to `limit` waiting messages in the order in which they were written; return how many succeeded.

    What handlers write is delivered too. Called from within a handler, it does nothing: the run that is under way
    finds the messages.
    """
    if is_delivering():
        return 0
    _thread.delivering = True
    try:
        return _deliver(now=now, limit=limit)
    finally:
        _thread.delivering = False


def waiting(*, now: datetime) -> int:
    """How many messages are due and not delivered."""
    return OutboxMessage.objects.filter(delivered_at__isnull=True, due_at__lte=now).count()


def _deliver(*, now: datetime, limit: int) -> int:
    delivered = last = 0
    skip_locked = connection.features.has_select_for_update_skip_locked
    for _ in range(limit):
        with transaction.atomic():
            message = (
                OutboxMessage.objects.select_for_update(skip_locked=skip_locked)
                .filter(delivered_at__isnull=True, due_at__lte=now, pk__gt=last)
                .order_by("id")
                .first()
            )
            if message is None:
                break
            last = message.pk
            delivered += _run(message=message, now=now)
    return delivered


def _run(*, message: OutboxMessage, now: datetime) -> bool:
    message.attempts += 1
    try:
        with transaction.atomic():
            for handler in _handlers.get(message.topic, ()):
                more = {"message_id": message.pk} if "message_id" in signature(handler).parameters else {}
                handler(payload=message.payload, now=now, **more)
    except Exception:  # whatever a handler raises, the message must stay, with its reason, and others go on
        logger.exception("outbox message %s (%s) failed", message.pk, message.topic)
        message.last_error = traceback.format_exc()[-4000:]
        message.due_at = now + min(FIRST_RETRY * 2 ** min(message.attempts - 1, 10), LAST_RETRY)
        message.save(update_fields=["attempts", "last_error", "due_at"])
        return False
    message.delivered_at = now
    message.last_error = ""
    message.save(update_fields=["attempts", "delivered_at", "last_error"])
    return True


def _wake_after_commit() -> None:
    # Once for a transaction: a callback of this or an enclosing savepoint will run if this one would.
    alive = set(connection.savepoint_ids)
    if any(entry[1] is _wake and entry[0] <= alive for entry in connection.run_on_commit):
        return
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    for waker in _wakers:
        waker()
