"""A fact's JSON value in Chinese words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from matching.criteria import FactDefinition, FactType, Vocabulary
from matching.criteria.values import with_unit

RECORD_FIELDS = {"rank": "名次", "amount": "金额", "count": "数量", "quantity": "数量", "level": "级别"}


def fact_lines(key: str, value: Any, vocabulary: Vocabulary) -> list[str]:
    """A value as one line or several; an unknown one says so. Values of a lost fact are shown as they are."""
    definition = vocabulary.facts.get(key)
    if value is None:
        return [_("未知")]
    if definition is None:
        return [str(value)]
    match definition.type:
        case FactType.CODE:
            return [vocabulary.code_list(key).label(str(value))]
        case FactType.NUMBER:
            return [_number(value, definition.unit)]
        case FactType.YEARLY if isinstance(value, Mapping):
            return [f"{year} 年：{_number(value[year], definition.unit)}" for year in sorted(value, reverse=True)]
        case FactType.BOOLEAN:
            return [_("是") if value else _("否")]
        case FactType.RECORDS if isinstance(value, list):
            return [_record(item, definition, vocabulary) for item in value] or [_("没有")]
        case _:
            return [str(value)]


def fact_text(key: str, value: Any, vocabulary: Vocabulary) -> str:
    return "；".join(fact_lines(key, value, vocabulary))


def _number(value: Any, unit: str) -> str:
    try:
        return with_unit(Decimal(str(value)), unit)
    except InvalidOperation:
        return str(value)


def _record(item: Any, definition: FactDefinition, vocabulary: Vocabulary) -> str:
    if not isinstance(item, Mapping):
        return vocabulary.code_list(definition.key).label(str(item))
    label = vocabulary.code_list(definition.key).label(str(item.get("code", "")))
    details = []
    on, until = item.get("on"), item.get("until")
    if on and until:
        details.append(_("%(on)s 至 %(until)s") % {"on": on, "until": until})
    elif on:
        details.append(_("%(on)s 取得") % {"on": on})
    elif until:
        details.append(_("有效至 %(until)s") % {"until": until})
    for name, number in item.items():
        if name not in ("code", "on", "until"):
            unit = "元" if name == "amount" else ""
            details.append(f"{RECORD_FIELDS.get(name, name)} {_number(number, definition.unit or unit)}")
    return f"{label}（{'，'.join(details)}）" if details else label
