"""What may be answered: each answer against its field, and what is still missing. Pure; `as_of` is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from matching.criteria import Collector, FactType, InvalidInput, Verdict, evaluate, parse_facts
from matching.criteria.values import read_date, read_number, with_unit

from .fields import Column, FieldType, Form, FormField


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one answer. `column` and `row` (from 1) where it is in a table."""

    key: str
    message: str
    row: int | None = None
    column: str | None = None


def answer_faults(form: Form, answers: Mapping[str, Any], *, as_of: date) -> list[Fault]:
    """What is wrong with the answers that are there, in the form's order; `as_of` a day in Asia/Shanghai."""
    faults: list[Fault] = []
    for one in form.fields:
        if one.is_answered_here and answers.get(one.key) not in (None, ""):
            faults += _faults_of(one, answers[one.key], form, as_of)
    return faults


def answered_facts(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that are facts to a condition: the vocabulary's and the form's own. Unreadable ones are unknown."""
    facts: dict[str, Any] = {}
    for key, value in answers.items():
        if key in form.vocabulary.facts and value not in (None, ""):
            try:
                parse_facts({key: value}, form.vocabulary)
            except InvalidInput:
                continue
            facts[key] = value
    return facts


def is_required(one: FormField, form: Form, facts: Mapping[str, Any], *, as_of: date) -> bool:
    """Whether the field must be answered on these facts (as JSON); where its condition is unknown, not yet."""
    if not one.required or one.when is None:
        return one.required
    known = parse_facts({key: facts[key] for key in facts if key in form.vocabulary.facts}, form.vocabulary)
    return evaluate(one.when, known, as_of).verdict is Verdict.ELIGIBLE


def table_total(one: FormField, rows: Any) -> Decimal | None:
    """The sum of the table's `total` column; None where there are no rows or none can be summed."""
    if one.total is None or not isinstance(rows, list) or not rows:
        return None
    found = Decimal(0)
    for row in rows:
        number = read_number(row.get(one.total), "", Collector()) if isinstance(row, Mapping) else None
        if number is None:
            return None
        found += number
    return found


def _faults_of(one: FormField, value: Any, form: Form, as_of: date) -> list[Fault]:
    match one.type:
        case FieldType.TEXT:
            messages = _text(one, value)
        case FieldType.TABLE:
            return _table(one, value, as_of)
        case _:
            messages = _fact(one, value, form, as_of)
    return [Fault(one.key, message) for message in messages]


def _text(one: FormField, value: Any) -> list[str]:
    if not isinstance(value, str):
        return [f"{one.label}：应填写文字。"]
    if len(value) > one.longest:
        return [f"{one.label}：最多 {one.longest} 个字，现有 {len(value)} 个。"]
    return []


def _fact(one: FormField, value: Any, form: Form, as_of: date) -> list[str]:
    try:
        typed = parse_facts({one.key: value}, form.vocabulary, "").values[one.key]
    except InvalidInput as error:
        return [f"{one.label}：{problem.message}" for problem in error.problems]
    definition = form.vocabulary.facts[one.key]
    match definition.type:
        case FactType.NUMBER:
            assert isinstance(typed, Decimal)
            # Text typed for a money field is 元 to the cent, never less.
            if one.type is FieldType.MONEY and typed != typed.quantize(Decimal("0.01")):
                return [f"{one.label}：金额最多两位小数。"]
            return _bounded(one, typed, definition.unit)
        case FactType.DATE:
            assert isinstance(typed, date)
            return _dated(one, typed, as_of)
        case FactType.RECORDS if one.type is FieldType.CHOICES:
            codes = list(value)
            if len(set(map(str, codes))) != len(codes):
                return [f"{one.label}：有选项重复。"]
            return _counted(one, len(codes), "项")
    return []


def _bounded(one: FormField, number: Decimal, unit: str) -> list[str]:
    if one.lower is not None and number < one.lower:
        return [f"{one.label}：不能小于 {with_unit(one.lower, unit)}。"]
    if one.upper is not None and number > one.upper:
        return [f"{one.label}：不能大于 {with_unit(one.upper, unit)}。"]
    return []


def _dated(one: FormField, day: date, as_of: date) -> list[str]:
    if one.earliest is not None and day < one.earliest:
        return [f"{one.label}：不能早于 {one.earliest}。"]
    if one.latest is not None and day > one.latest:
        return [f"{one.label}：不能晚于 {one.latest}。"]
    if one.past and day > as_of:
        return [f"{one.label}：不能晚于今天（{as_of}）。"]
    return []


def _counted(one: FormField, count: int, measure: str) -> list[str]:
    if one.lower is not None and count < one.lower:
        return [f"{one.label}：至少 {one.lower} {measure}，现有 {count} {measure}。"]
    if one.upper is not None and count > one.upper:
        return [f"{one.label}：最多 {one.upper} {measure}，现有 {count} {measure}。"]
    return []


def _table(one: FormField, value: Any, as_of: date) -> list[Fault]:
    if not isinstance(value, list) or any(not isinstance(row, Mapping) for row in value):
        return [Fault(one.key, f"{one.label}：应逐行填写。")]
    faults = [Fault(one.key, message) for message in _counted(one, len(value), "行")]
    known = {column.key for column in one.columns}
    for number, row in enumerate(value, start=1):
        faults += [
            Fault(one.key, f"{one.label}第 {number} 行：没有“{key}”这一列。", number) for key in row if key not in known
        ]
        for column in one.columns:
            told = _cell(column, row.get(column.key), as_of)
            if told:
                message = f"{one.label}第 {number} 行：{told}"
                faults.append(Fault(one.key, message, number, column.key))
    return faults


def _cell(column: Column, value: Any, as_of: date) -> str:
    if value in (None, ""):
        return f"请填写“{column.label}”。" if column.required else ""
    problems = Collector()
    match column.type:
        case FieldType.NUMBER | FieldType.MONEY:
            number = read_number(value, "", problems, column.label)
            if number is not None and column.type is FieldType.MONEY:
                if number != number.quantize(Decimal("0.01")):
                    return f"“{column.label}”最多两位小数。"
                if number < 0:
                    return f"“{column.label}”不能小于 0。"
        case FieldType.DATE:
            read_date(value, "", problems, column.label)
        case FieldType.CHOICE:
            if value not in column.options:
                return f"“{column.label}”请从选项中选择。"
        case _:
            if not isinstance(value, str):
                return f"“{column.label}”应填写文字。"
            if len(value) > 500:
                return f"“{column.label}”最多 500 个字。"
    return problems.problems[0].message if problems.problems else ""


def unknown_keys(form: Form, answers: Mapping[str, Any], *, also: Collection[str] = ()) -> list[str]:
    """Answers to what the form does not ask; `also` are keys that something else asks for."""
    return [key for key in answers if key not in form.keys and key not in also]
