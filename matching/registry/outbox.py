"""The outbox: events written with the change that caused them, delivered once by a worker.

`emit` is called inside the caller's transaction. `deliver` runs each waiting message through every handler that
subscribed to its topic, in one transaction per message (or few messages that are handled together): a crash leaves the
message waiting and its effects undone, a second run finds it delivered. Handlers therefore write only to the database.

One worker delivers in the order of writing. Several share the work (a message that one holds is passed over by the
others), and a message that failed waits for its retry while later ones go on; so a handler reads the present state of
what its message names, and never trusts that an earlier message was handled before it.
"""

import logging
import threading
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from inspect import signature
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from matching.registry.models import OutboxMessage

logger = logging.getLogger(__name__)

Handler = Callable[..., None]
_handlers: dict[str, list[Handler]] = defaultdict(list)
_together: set[Handler] = set()
_wakers: list[Callable[[], None]] = []
_thread = threading.local()

FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=1)
_MANY = 500
_MOST_TOGETHER = 100


def subscribe(topic: str, *, together: bool = False) -> Callable[[Handler], Handler]:
    """Register `handler(*, payload: dict, now: datetime)` for a topic. Handlers run in order of registration.

    A handler that also takes `message_id: int` is given the message's number, which tells occasions apart. With
    `together` it is `handler(*, payloads: list[dict], now: datetime)` and gets messages that follow each other in one
    call, where that is faster; should the call fail, each is handled alone.
    """

    def register(handler: Handler) -> Handler:
        if handler not in _handlers[topic]:
            _handlers[topic].append(handler)
        if together:
            _together.add(handler)
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


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, this thread wakes no worker: the caller delivers, at the time that it means (simulations, the demo)."""
    before = getattr(_thread, "quiet", False)
    _thread.quiet = True
    try:
        yield
    finally:
        _thread.quiet = before


def is_quiet() -> bool:
    """Whether this thread is to wake nobody now."""
    return bool(getattr(_thread, "quiet", False))


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
    delivered = tried = last = 0
    while tried < limit:
        with transaction.atomic():
            first = _due(now).filter(pk__gt=last).first()
            if first is None:
                break
            messages = [first, *_followers(first, now, most=min(limit - tried, _MOST_TOGETHER) - 1)]
            last = messages[-1].pk
            tried += len(messages)
            if len(messages) == 1 or not _run(messages=messages, now=now):
                delivered += sum(_run_alone(message=message, now=now) for message in messages)
            else:
                delivered += len(messages)
    return delivered


def _due(now: datetime) -> QuerySet[OutboxMessage]:
    """Messages that wait, the first first, locked; those that another worker has in hand are passed over."""
    skip_locked = connection.features.has_select_for_update_skip_locked
    return (
        OutboxMessage.objects.select_for_update(skip_locked=skip_locked)
        .filter(delivered_at__isnull=True, due_at__lte=now)
        .order_by("id")
    )


def _followers(first: OutboxMessage, now: datetime, *, most: int) -> list[OutboxMessage]:
    """The messages of the same topic that come next, before one of another topic, where they may go together."""
    handlers = _handlers.get(first.topic, ())
    if most < 1 or not handlers or not _together.issuperset(handlers):
        return []
    waiting = OutboxMessage.objects.filter(delivered_at__isnull=True, due_at__lte=now, pk__gt=first.pk)
    other = waiting.exclude(topic=first.topic).order_by("id").values_list("id", flat=True).first()
    following = _due(now).filter(pk__gt=first.pk, topic=first.topic)
    return list((following if other is None else following.filter(pk__lt=other))[:most])


def _run(*, messages: Sequence[OutboxMessage], now: datetime) -> bool:
    """Handle messages of one topic in one go; False, and nothing done, where that fails."""
    try:
        with transaction.atomic():
            for handler in _handlers.get(messages[0].topic, ()):
                handler(payloads=[message.payload for message in messages], now=now)
    except Exception:  # each will be tried alone, and tells then what is wrong
        logger.warning("%s outbox messages from %s failed together", len(messages), messages[0].pk, exc_info=True)
        return False
    OutboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(
        delivered_at=now, attempts=F("attempts") + 1, last_error=""
    )
    return True


def _run_alone(*, message: OutboxMessage, now: datetime) -> bool:
    message.attempts += 1
    try:
        with transaction.atomic():
            for handler in _handlers.get(message.topic, ()):
                _call(handler, message, now)
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


def _call(handler: Handler, message: OutboxMessage, now: datetime) -> None:
    if handler in _together:
        handler(payloads=[message.payload], now=now)
    elif "message_id" in signature(handler).parameters:
        handler(payload=message.payload, now=now, message_id=message.pk)
    else:
        handler(payload=message.payload, now=now)


def _wake_after_commit() -> None:
    # Once for a transaction: a callback of this or an enclosing savepoint will run if this one would.
    alive = set(connection.savepoint_ids)
    if any(entry[1] is _wake and entry[0] <= alive for entry in connection.run_on_commit):
        return
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    if is_quiet():
        return
    for waker in _wakers:
        waker()
