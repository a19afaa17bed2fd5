"""What of a computed award may be granted, given all that the enterprise has: exclusions, its choice, and every cap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from disbursement.domain import money
from disbursement.domain.caps import Cap, under_caps
from disbursement.domain.payables import apply_history
from disbursement.models import Application, Award, CapUse
from disbursement.selectors.caps import caps_of, excluded_by, limits_in_force, position_of
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
    excluded = {
        *rules.exclusive_with,
        *_naming(application=application, year=today.year),
        *excluded_by(code=code, limits=limits, known={each.item for each in position.of_year}),
    }
    granted = apply_history(
        computed,
        item=code,
        year=today.year,
        cap_per_year=own_cap,
        exclusive_with=sorted(excluded),
        earlier=position.of_year,
    )
    had = sum_of(earlier=position.of_year, codes={code})
    caps = [] if own_cap is None else [Cap("item_year", f"本事项{today.year}年上限", own_cap, had)]
    problems: list[str] = []
    for limit in limits:
        if limit.covers(code):
            found, unknown = caps_of(limit=limit, position=position)
            caps += found
            problems += unknown
    capped = under_caps(granted.amount, caps)
    problems += given_up_for(enterprise_id=application.enterprise_id, year=today.year, code=code)
    return Allowed(capped.amount, [*granted.working, *capped.working], caps, problems, had > 0)


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


def _naming(*, application: Application, year: int) -> list[str]:
    """Exclusion binds both, whichever of the two names the other: the items granted this year that name this one."""
    return [
        item
        for item, said in Award.objects.filter(enterprise_id=application.enterprise_id, year=year).values_list(
            "item_code", "version__rules"
        )
        if application.item.code in ((said.get("award") or {}).get("exclusive_with") or [])
    ]
