"""What matching does when something happened: it matches, and tells whom it concerns."""

from datetime import datetime
from typing import Any

from django.conf import settings

from matching.days import day_of
from matching.models import PushCause
from matching.registry import outbox
from matching.services import match_policies, match_profiles, runs
from matching.tasks import wake, wake_run

outbox.on_written(wake)
runs.on_wanted(wake_run)


@outbox.subscribe("policy.version_published")
def match_published_version(*, payload: dict[str, Any], now: datetime, message_id: int) -> None:
    """Begin a run, which workers share. Where there are none, it is done at once, within the delivery."""
    wanted = {"version_id": payload["version_id"], "as_of": day_of(now), "now": now, "occasion": f"outbox:{message_id}"}
    if settings.CELERY_TASK_ALWAYS_EAGER:
        match_policies.match_version(**wanted)
    else:
        runs.begin(**wanted)


@outbox.subscribe("policy.withdrawn")
def forget_withdrawn_item(*, payload: dict[str, Any], now: datetime) -> None:
    match_policies.withdraw_item(item_id=payload["item_id"], now=now)


@outbox.subscribe("enterprise.facts_changed", together=True)
def match_changed_profiles(*, payloads: list[dict[str, Any]], now: datetime) -> None:
    ids = sorted({payload["enterprise_id"] for payload in payloads})  # locked in one order everywhere
    match_profiles.match_enterprises(enterprise_ids=ids, cause=PushCause.PROFILE, as_of=day_of(now), now=now)
