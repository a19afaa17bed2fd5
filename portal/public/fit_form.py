"""The questions of “does this fit my enterprise?”: made from the facts that an item's rules look at. Nothing is stored.

What is left empty, or answered 不清楚, stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from matching.criteria import (
    Collector,
    FactDefinition,
    FactType,
    Held,
    Leaf,
    Node,
    Quantifier,
    RecordsLeaf,
    Vocabulary,
    YearlyLeaf,
    leaves,
)
from matching.criteria.award import Award
from matching.criteria.facts import parse_fact
from portal.facts.display import RECORD_FIELDS
from portal.facts.fields import NumberField, code_choices, fact_field
from portal.forms import DateInput

MOST_YEARS = 10
MOST_RECORDS = 200
FEW = 2  # up to so many codes have their dates unfolded at once
UNKNOWN, SOME, NONE = "unknown", "some", "none"
HAVE = [(SOME, gettext_lazy("有（请在下面勾选）")), (NONE, gettext_lazy("都没有")), (UNKNOWN, gettext_lazy("不清楚"))]


@dataclass(slots=True)
class Need:
    """What the rules look at in one fact: years of a yearly one; codes, dates and numbers of a records one."""

    years: set[int] = field(default_factory=set)
    codes: dict[str, None] = field(default_factory=dict)
    numbers: dict[str, None] = field(default_factory=dict)
    on: bool = False
    until: bool = False
    quantity: bool = False
    amount: bool = False


def needs_of(*, tree: Node, award: Award | None, as_of: date) -> dict[str, Need]:
    """By fact key, in reading order: criteria first, then the award."""
    needs: dict[str, Need] = {}
    for leaf in _leaves(tree, award):
        need = needs.setdefault(leaf.fact, Need())
        other = getattr(leaf, "percent_of", None)
        if other is not None:
            needs.setdefault(other, Need())
        if isinstance(leaf, YearlyLeaf):
            final = leaf.final_year(as_of.year)
            first = final - min(leaf.years, MOST_YEARS) + 1 - (1 if leaf.growth else 0)
            for key in (leaf.fact, other):
                if key is not None:
                    needs[key].years.update(range(first, final + 1))
        elif isinstance(leaf, RecordsLeaf):
            _need_of_records(need, leaf)
    for rule in award.rules if award else ():
        for base in (rule.of, rule.cap_fact):
            if base is None:
                continue
            need = needs.setdefault(base.fact, Need())
            year = base.calendar_year(as_of)
            if year is not None:
                need.years.add(year)
    return needs


def _need_of_records(need: Need, leaf: RecordsLeaf) -> None:
    need.codes.update(dict.fromkeys(leaf.codes))
    need.numbers.update(dict.fromkeys(name for name, _bounds in leaf.where if name != "amount"))
    need.on |= leaf.obtained is not None or leaf.first
    need.until |= leaf.held is Held.NOW and leaf.quantifier is not Quantifier.NONE_OF
    need.quantity |= leaf.count is not None
    need.amount |= leaf.amount is not None or any(name == "amount" for name, _bounds in leaf.where)


def _leaves(tree: Node, award: Award | None) -> Iterator[Leaf]:
    yield from leaves(tree)
    if award is not None:
        for when in (*(rule.when for rule in award.rules), *(bonus.when for bonus in award.bonus_points)):
            if when.tree is not None:
                yield from leaves(when.tree)


class FitForm(forms.Form):
    """One question for each fact. `facts` is the JSON of the answers after `is_valid()`."""

    def __init__(self, data: Any = None, *, needs: Mapping[str, Need], vocabulary: Vocabulary, as_of: date) -> None:
        super().__init__(data)
        self.vocabulary = vocabulary
        self.as_of = as_of
        self.needs = {key: need for key, need in needs.items() if key in vocabulary.facts}
        self.facts: dict[str, Any] = {}
        self.names: dict[str, list[str]] = {}
        for number, (key, need) in enumerate(self.needs.items()):
            before = set(self.fields)
            self._add(f"q{number}", vocabulary.facts[key], need)
            self.names[key] = [name for name in self.fields if name not in before]

    def _add(self, name: str, definition: FactDefinition, need: Need) -> None:
        match definition.type:
            case FactType.CODE:
                choices = [("", _("不清楚")), *code_choices(definition, self.vocabulary)]
                self.fields[name] = forms.ChoiceField(label=definition.label, choices=choices, required=False)
            case FactType.BOOLEAN:
                choices = [("true", _("是")), ("false", _("否")), (UNKNOWN, _("不清楚"))]
                self.fields[name] = forms.ChoiceField(
                    label=definition.label,
                    choices=choices,
                    required=False,
                    initial=UNKNOWN,
                    widget=forms.RadioSelect,
                )
            case FactType.YEARLY:
                for year in sorted(need.years, reverse=True)[:MOST_YEARS]:
                    self.fields[f"{name}_{year}"] = _number(_("%(year)s 年") % {"year": year}, definition.unit)
            case FactType.RECORDS:
                self._add_records(name, definition, need)
            case _:
                self.fields[name] = fact_field(definition, self.vocabulary, as_of=self.as_of)

    def _add_records(self, name: str, definition: FactDefinition, need: Need) -> None:
        codes = self.vocabulary.code_list(definition.key)
        self.fields[name] = forms.ChoiceField(
            label=definition.label, choices=HAVE, required=False, initial=UNKNOWN, widget=forms.RadioSelect
        )
        for position, code in enumerate(need.codes):
            part = f"{name}_{position}"
            self.fields[part] = forms.BooleanField(label=codes.label(code), required=False)
            if need.quantity:
                self.fields[f"{part}_quantity"] = forms.IntegerField(
                    label=_("数量"), required=False, min_value=1, max_value=MOST_RECORDS
                )
            if need.on:
                self.fields[f"{part}_on"] = forms.DateField(
                    label=_("取得（发生）日期"), required=False, widget=DateInput()
                )
            if need.until:
                self.fields[f"{part}_until"] = forms.DateField(
                    label=_("有效期至（长期有效不填）"), required=False, widget=DateInput()
                )
            if need.amount:
                self.fields[f"{part}_amount"] = _number(_("合计金额"), definition.unit or "元")
            for extra in need.numbers:
                self.fields[f"{part}_{extra}"] = _number(str(RECORD_FIELDS.get(extra, extra)), "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for number, (key, need) in enumerate(self.needs.items()):
            name, definition = f"q{number}", self.vocabulary.facts[key]
            if any(part in self.errors for part in self.names[key]):
                continue
            value = self._value(name, definition, need, cleaned)
            if value is None:
                continue
            problems = Collector()
            parse_fact(value, definition, self.vocabulary, "", problems)
            for problem in problems.problems:
                self.add_error(self.names[key][0], problem.message)
            if not problems.problems:
                self.facts[key] = value
        return cleaned

    def _value(self, name: str, definition: FactDefinition, need: Need, cleaned: Mapping[str, Any]) -> Any:
        match definition.type:
            case FactType.CODE:
                return cleaned.get(name) or None
            case FactType.BOOLEAN:
                return {"true": True, "false": False}.get(cleaned.get(name, ""))
            case FactType.YEARLY:
                years = {str(year): cleaned.get(f"{name}_{year}") for year in need.years}
                return {year: text for year, text in sorted(years.items()) if text} or None
            case FactType.DATE:
                day = cleaned.get(name)
                return day.isoformat() if day else None
            case FactType.RECORDS:
                return self._records(name, need, cleaned)
            case _:
                return cleaned.get(name) or None

    def _records(self, name: str, need: Need, cleaned: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        answer = cleaned.get(name) or UNKNOWN
        held = [(position, code) for position, code in enumerate(need.codes) if cleaned.get(f"{name}_{position}")]
        if held and answer == NONE:
            self.add_error(name, _("选了“都没有”，又勾选了具体项目，请改正其中一处。"))
            return None
        if not held:
            if answer == SOME:
                self.add_error(name, _("请勾选具体是哪些；说不准就选“不清楚”。"))
            return [] if answer == NONE else None
        found = []
        for position, code in held:
            part = f"{name}_{position}"
            found += self._records_of(part, code, need, cleaned)
        return found

    def _records_of(self, part: str, code: str, need: Need, cleaned: Mapping[str, Any]) -> list[dict[str, Any]]:
        record: dict[str, Any] = {"code": code}
        for key in ("on", "until"):
            if cleaned.get(f"{part}_{key}"):
                record[key] = cleaned[f"{part}_{key}"].isoformat()
        if "on" in record and "until" in record and record["until"] < record["on"]:
            self.add_error(f"{part}_until", _("有效期至不能早于取得日期。"))
        for extra in need.numbers:
            if cleaned.get(f"{part}_{extra}"):
                record[extra] = cleaned[f"{part}_{extra}"]
        # A sum told once stands on the first record; the others add nothing to it.
        amount = cleaned.get(f"{part}_amount")
        quantity = cleaned.get(f"{part}_quantity") or 1
        first = {**record, "amount": amount} if amount else record
        others = {**record, "amount": "0"} if amount else record
        return [first, *(dict(others) for _more in range(quantity - 1))]

    def questions(self) -> list[dict[str, Any]]:
        """What the template shows: each fact with its bound fields, those of records by code."""
        found = []
        for number, key in enumerate(self.needs):
            name, definition = f"q{number}", self.vocabulary.facts[key]
            own = [self[part] for part in self.names[key]]
            entry: dict[str, Any] = {
                "label": definition.label,
                "kind": str(definition.type),
                "fields": own,
                "id": f"id_{name}",
                "errors": [error for bound in own for error in bound.errors],
                "hint": _hint(definition),
            }
            if definition.type is FactType.RECORDS:
                entry["fields"] = own[:1]
                codes = len(self.needs[key].codes)
                entry["records"] = [self._record(name, key, position, few=codes <= FEW) for position in range(codes)]
            found.append(entry)
        return found

    def _record(self, name: str, key: str, position: int, *, few: bool) -> dict[str, Any]:
        box = self[f"{name}_{position}"]
        parts = [self[part] for part in self.names[key] if part.startswith(f"{name}_{position}_")]
        shown = few or bool(box.value()) or any(part.errors for part in parts)
        return {"box": box, "parts": parts, "open": shown}


def _hint(definition: FactDefinition) -> str:
    if definition.type in (FactType.NUMBER, FactType.YEARLY) and definition.unit == "元":
        return _("单位：元。可写作 182万。不清楚就空着。")
    if definition.type in (FactType.NUMBER, FactType.YEARLY):
        return (_("单位：%(unit)s。") % {"unit": definition.unit} if definition.unit else "") + _("不清楚就空着。")
    return _("不清楚就空着。") if definition.type is FactType.DATE else ""


def _number(label: str, unit: str) -> forms.Field:
    return NumberField(label=f"{label}（{unit}）" if unit else label, unit=unit, required=False)
