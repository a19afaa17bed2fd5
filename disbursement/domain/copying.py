"""What of an earlier application can be said again: answer by answer, with the reason where it cannot. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from matching.criteria import FactType, Scope
from matching.forms import FieldType, Form, FormField, answer_faults


class Outcome(StrEnum):
    """What becomes of one earlier answer."""

    NEW = "new"  # the draft has no answer yet
    OTHER = "other"  # the draft says something else already: only replaced where that is asked for
    SAME = "same"
    LEFT = "left"  # not taken over, for a reason


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of the earlier application. `reason`: why it is left, or what is still missing in it."""

    key: str
    label: str
    value: Any
    outcome: Outcome
    reason: str = ""

    @property
    def can_be_copied(self) -> bool:
        return self.outcome in (Outcome.NEW, Outcome.OTHER)


def plan(
    *,
    earlier: Mapping[str, Any],
    earlier_form: Form,
    form: Form,
    present: Mapping[str, Any],
    said_on: date,
    as_of: date,
) -> list[Row]:
    """Each answer of an earlier application, in its order, and what becomes of it in this form.

    `present` are the draft's answers, `said_on` the day of the earlier submission, `as_of` today (Asia/Shanghai).
    Invoices and contracts are never taken over: they were paid for once.
    """
    rows = []
    for old in earlier_form.fields:
        if old.type is FieldType.FILE:
            continue
        value = earlier.get(old.fact if old.derived and old.fact else old.key)
        if value in (None, ""):
            continue
        reason = _why_not(old=old, value=value, form=form, earlier_form=earlier_form, said_on=said_on, as_of=as_of)
        if reason:
            rows.append(Row(old.key, old.label, value, Outcome.LEFT, reason))
            continue
        new = form.get(old.key)
        assert new is not None
        there = present.get(old.key)
        outcome = Outcome.NEW if there in (None, "") else Outcome.SAME if there == value else Outcome.OTHER
        rows.append(Row(old.key, new.label, value, outcome, _what_is_missing(new, value, form, as_of)))
    return rows


def _why_not(*, old: FormField, value: Any, form: Form, earlier_form: Form, said_on: date, as_of: date) -> str:
    if old.type is FieldType.INVOICES:
        return "发票只能享受一次，请填写本次的发票。"
    if old.derived is not None:
        return "清单合计计入金额，不沿用以往的清单，请填写本次的。"
    new = form.get(old.key)
    if new is None:
        return "这次申报不再填写这一项。"
    definition = form.vocabulary.facts.get(old.key)
    if new.type is not old.type or not _reads_alike(old.key, form, earlier_form):
        return "这一项的填法已经改变，请重新填写。"
    if definition is not None and definition.scope is Scope.ENTERPRISE:
        return "这是企业自身的信息，以企业画像现在的内容为准。"
    if definition is not None and definition.fresh_for is not None:
        earliest = definition.fresh_for.before(as_of)
        if earliest is not None and said_on < earliest:
            return f"填写于 {said_on}，已超过{definition.fresh_for}的有效期，请重新填写。"
    faults = answer_faults(form, {old.key: value}, as_of=as_of)
    return f"不符合现在的要求：{faults[0].message}" if faults else ""


def _reads_alike(key: str, form: Form, earlier_form: Form) -> bool:
    """Whether an answer is still of the same type and unit; its label or source may be another."""
    now, then = form.vocabulary.facts.get(key), earlier_form.vocabulary.facts.get(key)
    if now is None or then is None:
        return now is then
    return (now.type, now.unit) == (then.type, then.unit)


def _what_is_missing(new: FormField, value: Any, form: Form, as_of: date) -> str:
    definition = form.vocabulary.facts.get(new.key)
    last = str(as_of.year - 1)
    if definition is not None and definition.type is FactType.YEARLY and isinstance(value, Mapping):
        return "" if last in value else f"缺 {last} 年的数字，请补填。"
    return ""
