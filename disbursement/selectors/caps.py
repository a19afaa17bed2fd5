"""Which declared limits bind an item, and how much room they leave an enterprise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q

from disbursement.domain.caps import Cap, share_of
from disbursement.domain.money import money
from disbursement.domain.payables import Earlier
from disbursement.models import Award, AwardLimit
from disbursement.selectors.granted import granted_in_year, sum_of
from matching.models import Enterprise
from matching.services.facts import profile_as_of

YEAR_WORDS = {"last": -1, "this": 0, "before_last": -2}


@dataclass(frozen=True, slots=True)
class Limit:
    """A declared limit with the codes of its items; None: all items."""

    declared: AwardLimit
    codes: frozenset[str] | None

    def covers(self, code: str) -> bool:
        return self.codes is None or code in self.codes

    @property
    def label(self) -> str:
        return f"{self.declared.name}（{self.declared.basis}）"


def limits_in_force(*, year: int) -> list[Limit]:
    """The limits declared for a calendar year of approval, in the order of their declaration. Two queries."""
    found = AwardLimit.objects.filter(ended_at__isnull=True, from_year__lte=year)
    found = found.filter(Q(until_year__isnull=True) | Q(until_year__gte=year)).order_by("pk")
    return [
        Limit(limit, None if limit.covers_all else frozenset(row.item.code for row in limit.items.all()))
        for limit in found.prefetch_related("items__item")
    ]


@dataclass(frozen=True, slots=True)
class Position:
    """What is known of one enterprise when its caps are read: what it has, and its facts as of a day. `naming`: the
    items granted in the year, each with those that it excludes.
    """

    year: int
    of_year: list[Earlier]
    of_all: list[Earlier]
    naming: dict[str, set[str]]
    profile: dict[str, Any]
    as_of: date


def position_of(*, enterprise: Enterprise, as_of: date) -> Position:
    """Four queries or so; `as_of` (Asia/Shanghai) is the day of approval."""
    naming: dict[str, set[str]] = {}
    awards = Award.objects.filter(enterprise=enterprise, year=as_of.year)
    for item, rules in awards.values_list("item_code", "version__rules"):
        naming.setdefault(item, set()).update((rules.get("award") or {}).get("exclusive_with") or [])
    return Position(
        year=as_of.year,
        of_year=granted_in_year(enterprise_id=enterprise.pk, year=as_of.year),
        of_all=granted_in_year(enterprise_id=enterprise.pk, year=None),
        naming=naming,
        profile=profile_as_of(enterprise=enterprise, day=as_of),
        as_of=as_of,
    )


def caps_of(*, limit: Limit, position: Position) -> tuple[list[Cap], list[str]]:
    """The caps of one limit for an enterprise, and what (in Chinese) is not known of them."""
    declared, caps, problems = limit.declared, [], []
    had = sum_of(earlier=position.of_year, codes=limit.codes)
    if declared.per_year is not None:
        caps.append(
            Cap("per_year", f"{limit.label}，{position.year}年上限", declared.per_year, had, declared.pk, limit.codes)
        )
    if declared.total is not None:
        used = sum_of(earlier=position.of_all, codes=limit.codes)
        caps.append(Cap("total", f"{limit.label}，累计上限", declared.total, used, declared.pk, limit.codes))
    if declared.fact:
        value = fact_value(reference=declared.fact, profile=position.profile, as_of=position.as_of)
        if value is None:
            problems.append(f"“{limit.label}”按指标{declared.fact}封顶，企业的这项信息尚缺，不能核定。请先补充核实。")
        else:
            ceiling = share_of(value, declared.fact_share)
            label = f"{limit.label}，{declared.fact}的{declared.fact_share}%"
            caps.append(Cap("fact", label, ceiling, had, declared.pk, limit.codes))
    return caps, problems


def excluded_by(*, code: str, names: Iterable[str], limits: Iterable[Limit], position: Position) -> list[str]:
    """The items granted in the year that exclude `code`: those that it `names`, those that name it (exclusion binds
    both, whichever names the other), and those that a declared group sets against it.
    """
    named = set(names)
    groups = [limit for limit in limits if limit.declared.is_exclusive and limit.covers(code)]
    return [
        each.item
        for each in position.of_year
        if each.item != code
        and (
            each.item in named
            or code in position.naming.get(each.item, ())
            or any(limit.covers(each.item) for limit in groups)
        )
    ]


def fact_value(*, reference: str, profile: dict[str, Any], as_of: date) -> Decimal | None:
    """The value in 元 of `key` (a number) or `key@last`, `@this`, `@before_last`, `@2024` (of a yearly one), rounded
    down to the cent; None where it is not known. Never below zero.
    """
    key, _at, which = reference.partition("@")
    value = profile.get(key)
    if which:
        year = str(as_of.year + YEAR_WORDS[which]) if which in YEAR_WORDS else which
        value = value.get(year) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict | list | bool):
        return None
    try:
        return money(max(Decimal(str(value)), Decimal(0)).quantize(Decimal("0.01"), rounding="ROUND_DOWN"))
    except (InvalidOperation, ValueError):
        return None
