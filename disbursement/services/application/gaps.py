"""Promised materials (容缺) and their day: the enterprise is reminded before it and told once it is past; so is whoever
has the application on the desk, who may then ask for a correction, which lapses where it is not supplied.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from disbursement.models import ToleratedGap
from disbursement.selectors.attention import GAP_STATES
from disbursement.selectors.calendar import working_calendar
from matching.days import day_of
from matching.registry import outbox

TOPIC = "gap.due"
# Working days before the promised day from which the enterprise is reminded.
DAYS_BEFORE = 3
# Calendar days among which those working days lie, holidays of a week and more included.
_SPAN = timedelta(days=21)


def remind(*, now: datetime) -> int:
    """The night's reminders of what is promised and not in, each occasion once: topic `gap.due` {gap, stage}, `soon` or
    `late`. How many gaps were looked at that have one. Can run twice.
    """
    today, calendar = day_of(now), working_calendar()
    waiting = ToleratedGap.objects.filter(
        filled_at__isnull=True,
        granted_at__isnull=False,
        promised_by__lt=today + _SPAN,
        application__state__in=[state.value for state in GAP_STATES],
    )
    found: list[tuple[int, str]] = []
    for pk, day in waiting.order_by("pk").values_list("pk", "promised_by"):
        if day < today:
            found.append((pk, "late"))
        elif calendar.working_days_between(today, day) <= DAYS_BEFORE:
            found.append((pk, "soon"))
    with transaction.atomic():
        messages = [({"gap": pk, "stage": stage}, f"{TOPIC}:{pk}:{stage}") for pk, stage in found]
        outbox.emit_many(topic=TOPIC, messages=messages, now=now)
    return len(found)
