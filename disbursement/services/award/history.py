"""What of a computed award may be granted, given all that the enterprise has: exclusions, its choice, and every cap."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from disbursement.domain import money
from disbursement.domain.caps import Cap
from disbursement.domain.payables import Earlier, Granted, apply_history
from disbursement.models import Application, Award, CapUse
from disbursement.selectors.caps import Limit, Position, caps_of, excluded_by, limits_in_force, position_of
from disbursement.selectors.choices import given_up_for
from disbursement.selectors.granted import sum_of
from matching.criteria.award import Award as AwardRules
from matching.days import day_of


@dataclass(frozen=True, slots=True)
class Allowed:
    """What remains of an award, with its working; `caps` are those that it is held to, `problems` what forbids it."""

    amount: Decimal
    working: list[str]
    caps: list[Cap]
    problems: list[str]
    had_this_item: bool


def allowed(*, application: Application, rules: AwardRules, computed: Decimal, now: datetime) -> Allowed:
    """What may be granted of `computed` at this moment. Changes nothing; a grant holds the enterprise's lock."""
    today = day_of(now)
    code = application.item.code
    position = position_of(enterprise=application.enterprise, as_of=today)
    limits = limits_in_force(year=today.year)
    own_cap = None if rules.cap_per_year is None else money.money(rules.cap_per_year)
    had = sum_of(earlier=position.of_year, codes={code})
    declared: list[Cap] = []
    problems: list[str] = []
    for limit in limits:
        if limit.covers(code):
            found, unknown = caps_of(limit=limit, position=position)
            declared += found
            problems += unknown
    granted = apply_history(
        computed,
        item=code,
        year=today.year,
        cap_per_year=own_cap,
        exclusive_with=excluded_by(code=code, names=rules.exclusive_with, limits=limits, position=position),
        earlier=position.of_year,
        caps=declared,
    )
    own = [] if own_cap is None else [Cap("item_year", f"本事项{today.year}年上限", own_cap, had)]
    problems += given_up_for(enterprise_id=application.enterprise_id, year=today.year, code=code)
    return Allowed(granted.amount, granted.working, [*own, *declared], problems, had > 0)


def rivals_of(*, code: str, award: Mapping[str, Any], limits: Sequence[Limit], position: Position) -> list[Earlier]:
    """What was granted this year of the items that exclude one with these award rules."""
    names = award.get("exclusive_with") or []
    rivals = set(excluded_by(code=code, names=names, limits=limits, position=position))
    return [each for each in position.of_year if each.item in rivals]


def beside_granted(
    *,
    computed: Decimal,
    code: str,
    award: Mapping[str, Any],
    rivals: Collection[Earlier],
    limits: Sequence[Limit],
    position: Position,
) -> Granted:
    """What an item with these award rules would still add to what was granted, if nothing were taken beside it; before
    the caps that it shares with all its `rivals`: those hold what is taken together, whatever that is.
    """
    own_cap = award.get("cap_per_year")
    if own_cap is None and sum_of(earlier=position.of_year, codes={code}) > 0:
        return Granted(money.ZERO)  # granted this year, once
    declared = [cap for limit in limits if limit.covers(code) for cap in caps_of(limit=limit, position=position)[0]]
    return apply_history(
        computed,
        item=code,
        year=position.year,
        cap_per_year=None if own_cap is None else money.money(str(own_cap)),
        exclusive_with=[each.item for each in rivals],
        earlier=position.of_year,
        caps=[cap for cap in declared if not all(cap.covers(each.item) for each in rivals)],
    )


def record_caps(*, award: Award, caps: list[Cap]) -> None:
    """Enter the caps that an award was held to, in the transaction that grants it."""
    CapUse.objects.bulk_create(
        CapUse(
            award=award,
            limit_id=cap.limit_id,
            kind=cap.kind,
            label=cap.label[:200],
            ceiling=cap.ceiling,
            used=cap.used,
            granted=award.amount,
        )
        for cap in caps
    )
