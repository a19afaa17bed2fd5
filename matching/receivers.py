"""What matching does when something happened: it matches, and tells whom it concerns."""

from datetime import datetime
from typing import Any

from matching.days import day_of
from matching.models import PushCause
from matching.registry import outbox
from matching.services import match_policies, match_profiles
from matching.tasks import wake

outbox.on_written(wake)


@outbox.subscribe("policy.version_published")
def match_published_version(*, payload: dict[str, Any], now: datetime) -> None:
    match_policies.match_version(version_id=payload["version_id"], as_of=day_of(now), now=now)


@outbox.subscribe("policy.withdrawn")
def forget_withdrawn_item(*, payload: dict[str, Any], now: datetime) -> None:
    match_policies.withdraw_item(item_id=payload["item_id"])


@outbox.subscribe("enterprise.facts_changed", together=True)
def match_changed_profiles(*, payloads: list[dict[str, Any]], now: datetime) -> None:
    ids = dict.fromkeys(payload["enterprise_id"] for payload in payloads)
    match_profiles.match_enterprises(enterprise_ids=ids, cause=PushCause.PROFILE, as_of=day_of(now), now=now)
