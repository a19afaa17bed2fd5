"""What an enterprise may say of itself (企业填报), and what is known of it with its source and day."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model

from matching.criteria import FactDefinition, Scope
from matching.models import Enterprise, Fact
from matching.services import facts
from matching.services.vocabulary import current_vocabulary

SELF_DECLARED = "企业填报"
# What these say of an enterprise, it cannot say in their place: credit, accidents, money already received.
AUTHORITIES = frozenset({"信用平台", "应急", "生态环境", "财政"})


@dataclass(frozen=True, slots=True)
class Known:
    """A fact as it holds on a day: its JSON value, who said it, and since when."""

    value: Any
    source: str
    valid_on: date


def may_declare(*, definition: FactDefinition, source: str | None) -> bool:
    """Whether an enterprise may state the fact; `source` is that of the value on file, None where there is none."""
    if definition.scope is not Scope.ENTERPRISE or definition.source in AUTHORITIES:
        return False
    return source is None or source == SELF_DECLARED


def known_facts(*, enterprise: Enterprise, keys: Collection[str], day: date) -> dict[str, Known]:
    """Those of `keys` that are known on `day` (Asia/Shanghai), in one query."""
    rows = Fact.objects.filter(enterprise=enterprise, key__in=list(keys), valid_on__lte=day)
    found: dict[str, Known] = {}
    # The last of a key holds: the same order in which a profile is folded.
    for key, value, source, valid_on in rows.order_by("valid_on", "recorded_at", "pk").values_list(
        "key", "value", "source", "valid_on"
    ):
        found.pop(key, None)
        if value is not None:
            found[key] = Known(value, source, valid_on)
    return found


def record_declared(
    *, enterprise: Enterprise, values: Mapping[str, Any], valid_on: date, user_id: int, now: datetime
) -> list[str]:
    """Record what the enterprise states, in the caller's transaction; returns the keys that were taken.

    What an authority says of it is left out. Raises InvalidInput where a value cannot be read.
    """
    vocabulary = current_vocabulary()
    known = known_facts(enterprise=enterprise, keys=list(values), day=valid_on)
    taken = [
        key
        for key in values
        if key in vocabulary.facts
        and may_declare(definition=vocabulary.facts[key], source=known[key].source if key in known else None)
    ]
    news = [
        facts.NewFact(enterprise.pk, key, values[key], SELF_DECLARED, valid_on)
        for key in taken
        if key not in known or known[key].value != values[key]
    ]
    if news:
        facts.record_many(facts=news, now=now, recorded_by=get_user_model().objects.get(pk=user_id))
    return taken
