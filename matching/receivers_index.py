"""What the search server has to be told of: noted in the transaction of the delivery, written by a worker of its own.

No handler here asks a server, so that the outbox never waits for one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from matching.models import PolicyVersion
from matching.registry import outbox
from matching.services import indexing, profile_readings
from matching.services.clause_index import ClauseKind
from matching.services.index_kinds import register
from matching.services.profile_kind import ProfileKind
from matching.tasks import wake_writer

register(ClauseKind())
register(ProfileKind())


@outbox.subscribe("enterprise.facts_changed", together=True)
def note_changed_profiles(*, payloads: list[dict[str, Any]], now: datetime) -> None:
    if indexing.in_use():
        indexing.note(kind=indexing.PROFILES, ids={payload["enterprise_id"] for payload in payloads})
        _wake()
    else:
        profile_readings.forget()


@outbox.subscribe("policy.version_published")
def note_published_version(*, payload: dict[str, Any], now: datetime) -> None:
    if indexing.in_use():
        indexing.note(kind=indexing.CLAUSES, ids=[payload["item_id"]])
        rules = PolicyVersion.objects.values_list("rules", flat=True).get(pk=payload["version_id"])
        profile_readings.want_figures(rules=rules, version_id=payload["version_id"])
        _wake()


@outbox.subscribe("policy.withdrawn")
def note_withdrawn_item(*, payload: dict[str, Any], now: datetime) -> None:
    if indexing.in_use():
        indexing.note(kind=indexing.CLAUSES, ids=[payload["item_id"]])
        _wake()


def _wake() -> None:
    transaction.on_commit(wake_writer, robust=True)
