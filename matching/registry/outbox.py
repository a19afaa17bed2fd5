"""The outbox: events written with the change that caused them, delivered once by a worker.

`emit` is called inside the caller's transaction. `deliver` runs each waiting message through every handler that
subscribed to its topic, in one transaction per message: a crash leaves the message waiting and its effects undone,
a second run finds it delivered. Handlers therefore write only to the database.
"""

import logging
import traceback
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from matching.registry.models import OutboxMessage

logger = logging.getLogger(__name__)

Handler = Callable[..., None]
_handlers: dict[str, list[Handler]] = defaultdict(list)

FIRST_RETRY = timedelta(seconds=30)
LAST_RETRY = timedelta(hours=1)


def subscribe(topic: str) -> Callable[[Handler], Handler]:
    """Register `handler(*, payload: dict, now: datetime)` for a topic. Handlers run in order of registration."""

    def register(handler: Handler) -> Handler:
        if handler not in _handlers[topic]:
            _handlers[topic].append(handler)
        return handler

    return register


def emit(*, topic: str, payload: dict[str, Any], now: datetime, dedupe_key: str | None = None) -> None:
    """Write one event into the caller's transaction. `now` is an aware datetime; `payload` is JSON (ids, no objects)."""
    if not connection.in_atomic_block:
        raise RuntimeError("outbox.emit must be called inside the transaction whose event it records")
    row = OutboxMessage(topic=topic, payload=payload, dedupe_key=dedupe_key, created_at=now, due_at=now)
    if dedupe_key is None:
        row.save()
    else:
        OutboxMessage.objects.bulk_create([row], ignore_conflicts=True)


def deliver(*, now: datetime, limit: int = 1000) -> int:
    """Deliver up to `limit` waiting messages in the order in which they were written; return how many succeeded."""
    delivered = 0
    skip_locked = connection.features.has_select_for_update_skip_locked
    tried: list[int] = []
    while len(tried) < limit:
        with transaction.atomic():
            message = (
                OutboxMessage.objects.select_for_update(skip_locked=skip_locked)
                .filter(delivered_at__isnull=True, due_at__lte=now)
                .exclude(pk__in=tried)
                .order_by("id")
                .first()
            )
            if message is None:
                break
            tried.append(message.pk)
            delivered += _run(message=message, now=now)
    return delivered


def _run(*, message: OutboxMessage, now: datetime) -> bool:
    message.attempts += 1
    try:
        with transaction.atomic():
            for handler in _handlers.get(message.topic, ()):
                handler(payload=message.payload, now=now)
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
