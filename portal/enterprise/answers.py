"""The answers of an application in words, in the order in which they were asked: for every page that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from disbursement.domain.merging import State
from disbursement.models import Application
from disbursement.selectors.forms import Rules
from matching.criteria import Scope
from matching.criteria.values import with_unit
from matching.forms import Column, FieldType, FormField
from matching.services.declarations import Known, known_facts
from portal.facts.display import fact_lines
from portal.facts.fields import PREFIX


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and its answer. `source` tells where an answer on file comes from."""

    key: str
    label: str
    lines: list[str]
    source: Known | None = None
    declared: bool = False

    @property
    def anchor(self) -> str:
        return f"id_{PREFIX}{self.key}"


def answers_of(*, application: Application, rules: Rules, day: date) -> list[Answer]:
    """Every question but files, answered or not; what was not typed but is on file on `day` comes with its source."""
    facts = rules.form.vocabulary.facts
    own = [one.key for one in rules.form.fields if one.key in facts and facts[one.key].scope is Scope.ENTERPRISE]
    known = known_facts(enterprise=application.enterprise, keys=own, day=day) if own else {}
    found = []
    for one in rules.form.fields:
        if one.type is FieldType.FILE:
            continue
        value = application.form.get(one.key)
        source = known.get(one.key)
        if value is None and source is not None:
            found.append(Answer(one.key, one.label, value_lines(one, source.value, rules), source))
        else:
            found.append(
                Answer(one.key, one.label, value_lines(one, value, rules), None, value is not None and one.key in own)
            )
    return found


def answer_lines(*, application: Application, rules: Rules, day: date) -> list[tuple[str, list[str]]]:
    """As `answers_of`, as (label, lines) alone."""
    return [(answer.label, answer.lines) for answer in answers_of(application=application, rules=rules, day=day)]


def state_lines(one: FormField, state: State, rules: Rules) -> list[str]:
    """A state of a draft in words: what counts, else what was typed."""
    if not state:
        return [_("（空）")]
    if "value" in state and "raw" not in state:
        return value_lines(one, state["value"], rules)
    raw = state.get("raw")
    return [str(raw)] if isinstance(raw, str) else [_("（填写未完成）")]


def value_lines(one: FormField, value: Any, rules: Rules) -> list[str]:
    """A value in words."""
    if value in (None, ""):
        return [_("未填写")]
    match one.type:
        case FieldType.TEXT:
            return str(value).splitlines() or [""]
        case FieldType.CHOICES:
            return ["、".join(one.options.get(str(code), str(code)) for code in value)]
        case FieldType.TABLE:
            return [
                _("第 %(n)s 行：%(cells)s") % {"n": number, "cells": "，".join(_cells(one.columns, row))}
                for number, row in enumerate(value, start=1)
                if isinstance(row, Mapping)
            ]
    return fact_lines(one.key, value, rules.form.vocabulary)


def _cells(columns: tuple[Column, ...], row: Mapping[str, Any]) -> list[str]:
    return [f"{column.label} {_cell(column, row[column.key])}" for column in columns if row.get(column.key)]


def _cell(column: Column, value: Any) -> str:
    if column.type is FieldType.CHOICE:
        return column.options.get(str(value), str(value))
    if column.type in (FieldType.NUMBER, FieldType.MONEY):
        try:
            return with_unit(Decimal(str(value)), "元" if column.type is FieldType.MONEY else column.unit)
        except InvalidOperation:
            return str(value)
    return str(value)
