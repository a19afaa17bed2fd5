"""Declaring and ending caps over items and groups of items (享受上限); who may is the caller's business."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from disbursement.domain.errors import Fault, Invalid, invalid
from disbursement.models import AwardLimit, LimitedItem
from disbursement.selectors.caps import YEAR_WORDS
from matching.criteria import FactType
from matching.models import PolicyItem
from matching.services.vocabulary import current_vocabulary


@transaction.atomic
def declare(
    *,
    name: str,
    basis: str,
    item_ids: Collection[int],
    covers_all: bool,
    is_exclusive: bool,
    per_year: Decimal | None,
    total: Decimal | None,
    fact: str,
    fact_share: Decimal,
    from_year: int,
    until_year: int | None,
    user_id: int,
    now: datetime,
) -> AwardLimit:
    """Put a limit in force for approvals from now on, in the calendar years named. Raises Invalid with every fault.

    What was granted before stands, and counts.
    """
    faults = []
    if not name.strip():
        faults.append(Fault("name", "请填写名称。"))
    if not basis.strip():
        faults.append(Fault("basis", "请填写依据的文件和条款。"))
    if not (is_exclusive or per_year is not None or total is not None or fact.strip()):
        faults.append(Fault("per_year", "请至少设定一种限制：就高不重复、每年上限、累计上限或按指标封顶。"))
    if covers_all and item_ids:
        faults.append(Fault("items", "已选“适用于全部事项”，请不要再选具体事项。"))
    if not covers_all and not item_ids:
        faults.append(Fault("items", "请选择事项，或选“适用于全部事项”。"))
    if is_exclusive and not covers_all and len(item_ids) < 2:
        faults.append(Fault("items", "就高不重复至少要有两个事项。"))
    if until_year is not None and until_year < from_year:
        faults.append(Fault("until_year", "截止年度不能早于起始年度。"))
    faults += _fact_faults(fact.strip())
    if faults:
        raise Invalid(faults)
    limit = AwardLimit.objects.create(
        name=name.strip(),
        basis=basis.strip(),
        covers_all=covers_all,
        is_exclusive=is_exclusive,
        per_year=per_year,
        total=total,
        fact=fact.strip(),
        fact_share=fact_share,
        from_year=from_year,
        until_year=until_year,
        declared_by_id=user_id,
        declared_at=now,
    )
    items = PolicyItem.objects.filter(pk__in=item_ids).order_by("pk")
    LimitedItem.objects.bulk_create(LimitedItem(limit=limit, item=item) for item in items)
    return limit


@transaction.atomic
def end(*, limit_id: int, reason: str, user_id: int, now: datetime) -> AwardLimit:
    """End a limit: approvals from now on are free of it. Raises Invalid."""
    limit = AwardLimit.objects.select_for_update().get(pk=limit_id)
    if limit.ended_at is not None:
        raise invalid("limit", "这条上限已经停用。")
    if not reason.strip():
        raise invalid("reason", "请写明停用的原因和依据。")
    limit.ended_at, limit.ended_by_id, limit.end_reason = now, user_id, reason.strip()
    limit.save(update_fields=["ended_at", "ended_by", "end_reason"])
    return limit


def _fact_faults(fact: str) -> list[Fault]:
    if not fact:
        return []
    key, _at, which = fact.partition("@")
    definition = current_vocabulary().facts.get(key)
    if definition is None:
        return [Fault("fact", f"词表中没有指标“{key}”。")]
    if definition.type not in (FactType.NUMBER, FactType.YEARLY):
        return [Fault("fact", f"“{definition.label}”不是金额指标，不能用来封顶。")]
    if definition.type is FactType.NUMBER and which:
        return [Fault("fact", f"“{definition.label}”不分年度，请只写“{key}”。")]
    if definition.type is FactType.YEARLY and which not in YEAR_WORDS and not (which.isascii() and which.isdigit()):
        allowed = f"“{key}@last”（上年）、@this、@before_last 或 @2025"
        return [Fault("fact", f"“{definition.label}”按年度统计，请写{allowed}。")]
    return []
