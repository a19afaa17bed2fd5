"""The form of an item on the screen: its fields as Django fields, and what was typed as states of a draft."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from disbursement.domain.merging import State
from disbursement.selectors.forms import Rules, form_fields
from matching.criteria import FactDefinition, FactType, InvalidInput, Scope, Vocabulary, parse_facts, render_criteria
from matching.forms import FieldType, FormField, answer_faults
from matching.services.declarations import Known, may_declare
from portal.enterprise.asked import asked_of
from portal.enterprise.tables import TableField
from portal.facts.fields import PREFIX, fact_field, initial_of, json_of

_LONGEST_RAW = 6000
_LINE = 120


class SheetForm(forms.Form):
    """Every field that is typed here, none of them required: a draft may be left half done.

    `states` fill it in; `known` are the facts on file of the enterprise, with their sources; `helps` are the words
    that explain a field now, by key; `only` leaves the other fields out. What an authority states is shown and cannot
    be changed.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        rules: Rules,
        states: Mapping[str, State],
        known: Mapping[str, Known],
        as_of: date,
        helps: Mapping[str, str] | None = None,
        only: Collection[str] | None = None,
    ) -> None:
        self.rules, self.known, self.as_of = rules, known, as_of
        self.asked = {
            one.key: one for one in rules.form.fields if one.is_answered_here and (only is None or one.key in only)
        }
        self.states = {key: states.get(key) for key in self.asked}
        vocabulary = rules.form.vocabulary
        options = asked_of(rules, as_of=as_of)
        initial = {f"{PREFIX}{key}": self._initial(one) for key, one in self.asked.items()}
        super().__init__(data, initial=initial)
        for key, one in self.asked.items():
            said = (helps or {}).get(key, one.help)
            made = _field(one, vocabulary, as_of=as_of, options=options.get(key, {}), said=said)
            made.disabled = self.is_locked(key)
            described = [f"id_{PREFIX}{key}_helptext"] if made.help_text else []
            made.widget.attrs["aria-describedby"] = " ".join([*described, f"note-{key}"])
            if "raw" in (self.states[key] or {}):
                made.widget.attrs["aria-invalid"] = "true"
            self.fields[f"{PREFIX}{key}"] = made

    def definition(self, key: str) -> FactDefinition | None:
        return self.rules.form.vocabulary.facts.get(key)

    def is_locked(self, key: str) -> bool:
        """Whether an authority says it, so that the enterprise cannot."""
        definition = self.definition(key)
        if definition is None or definition.scope is not Scope.ENTERPRISE:
            return False
        known = self.known.get(key)
        return not may_declare(definition=definition, source=known.source if known else None)

    def typed_states(self, *, whole: bool) -> dict[str, State]:
        """What was sent, as states. `whole`: the page sent all its fields, so one without a box ticked is empty."""
        self.is_valid()
        states: dict[str, State] = {}
        good: dict[str, Any] = {}
        for key in self.asked:
            name = f"{PREFIX}{key}"
            widget = self.fields[name].widget
            if self.is_locked(key) or (not whole and widget.value_omitted_from_data(self.data, self.files, name)):
                continue
            if name in self.errors:
                states[key] = {"raw": self._raw(name), "messages": [str(told) for told in self.errors[name]]}
                continue
            value = self._value(key)
            states[key] = None if value is None else {"value": value}
            if value is not None:
                good[key] = value
        faults: dict[str, list[Any]] = {}
        for fault in answer_faults(self.rules.form, good, as_of=self.as_of):
            faults.setdefault(fault.key, []).append(fault)
        for key, found in faults.items():
            states[key] = {"raw": self._raw(f"{PREFIX}{key}"), "messages": [fault.message for fault in found]}
            if self.asked[key].type is FieldType.TABLE:
                bad = {fault.row for fault in found}
                rows = [row for number, row in enumerate(good[key], start=1) if number not in bad]
                states[key] = {**(states[key] or {}), **({"value": rows} if rows and None not in bad else {})}
        return {key: storable(state) for key, state in states.items()}

    def _value(self, key: str) -> Any:
        cleaned = self.cleaned_data.get(f"{PREFIX}{key}")
        definition, known = self.definition(key), self.known.get(key)
        if cleaned in (None, "", []) and not (definition and definition.type is FactType.RECORDS and cleaned == []):
            return None
        if self.asked[key].type is FieldType.CHOICES:
            return list(cleaned) or None
        if definition is None:
            return cleaned
        earlier = (self.states.get(key) or {}).get("value", known.value if known else None)
        value = json_of(definition, cleaned, earlier)
        if known is not None and definition.scope is Scope.ENTERPRISE and self._says_the_same(key, value, known.value):
            return None  # it is on file: nothing to declare
        return value

    def _says_the_same(self, key: str, one: Any, other: Any) -> bool:
        try:
            typed = [parse_facts({key: value}, self.rules.form.vocabulary).values[key] for value in (one, other)]
        except InvalidInput:
            return False
        return typed[0] == typed[1]

    def _raw(self, name: str) -> Any:
        return self.fields[name].widget.value_from_datadict(self.data, self.files, name)

    def _initial(self, one: FormField) -> Any:
        state = self.states.get(one.key)
        definition = self.definition(one.key)
        if state is not None and "raw" in state:
            raw = state["raw"]
            if definition is not None and definition.type is FactType.YEARLY and isinstance(raw, list):
                years = sorted(_years(one, self.rules, self.as_of), reverse=True)
                return {str(year): text for year, text in zip(years, raw, strict=False)}
            return raw
        known = self.known.get(one.key)
        value = state["value"] if state else (known.value if known and self._is_own(definition) else None)
        return value if definition is None or one.type is FieldType.CHOICES else initial_of(definition, value)

    def _is_own(self, definition: FactDefinition | None) -> bool:
        return definition is not None and definition.scope is Scope.ENTERPRISE


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One question as the page shows it. `source`: where the value on file comes from; `told`: what is wrong;
    `needed_where`: the conditions under which it must be answered, in words; `decides`: the conditions or the amount
    look at it, so that nothing can be handed in without it."""

    one: FormField
    bound: Any = None
    source: Known | None = None
    locked: bool = False
    differs: bool = False
    told: list[str] = field(default_factory=list)
    needed_where: tuple[str, ...] = ()
    decides: bool = False

    @property
    def key(self) -> str:
        return self.one.key

    @property
    def optional(self) -> str:
        """The word beside the label where it need not be answered in any case."""
        if self.one.when is not None:
            # A single condition is said; a tree of them would not fit beside a label.
            if len(self.needed_where) == 1:
                return _("（%(condition)s时必填）") % {"condition": self.needed_where[0]}
            return _("（满足条件时必填）")
        return "" if self.one.required or self.decides else _("（选填）")


def rows_of_sheet(form: SheetForm) -> list[SheetRow]:
    """The form's questions in their order; files and the invoice table stand among them at their place."""
    rows = []
    waited_for = {definition.key for definition in form_fields(rules=form.rules)}
    for one in form.rules.form.fields:
        decides = not waited_for.isdisjoint({one.key, one.fact})
        if not one.is_answered_here:
            rows.append(SheetRow(one, decides=decides))
            continue
        state = form.states.get(one.key)
        definition = form.definition(one.key)
        known = form.known.get(one.key) if form._is_own(definition) else None
        rows.append(
            SheetRow(
                one,
                bound=form[f"{PREFIX}{one.key}"],
                source=known,
                locked=form.is_locked(one.key),
                differs=known is not None and state is not None and not form.is_locked(one.key),
                told=list((state or {}).get("messages", [])) if state and "raw" in state else [],
                needed_where=()
                if one.when is None
                else tuple(line.text for line in render_criteria(one.when, form.rules.form.vocabulary)),
                decides=decides,
            )
        )
    return rows


def _years(one: FormField, rules: Rules, as_of: date) -> list[int]:
    wanted = asked_of(rules, as_of=as_of).get(one.key, {}).get("years")
    return list(wanted or range(as_of.year - 3, as_of.year + 1))


def _field(
    one: FormField, vocabulary: Vocabulary, *, as_of: date, options: Mapping[str, Any], said: str
) -> forms.Field:
    common: dict[str, Any] = {"label": one.label, "required": False, "help_text": said}
    match one.type:
        case FieldType.TEXT:
            widget = forms.TextInput() if one.longest <= _LINE else forms.Textarea(attrs={"rows": 4})
            return forms.CharField(widget=widget, **common)
        case FieldType.CHOICES:
            return forms.MultipleChoiceField(
                choices=list(one.options.items()), widget=forms.CheckboxSelectMultiple, **common
            )
        case FieldType.TABLE:
            return TableField(one=one, **common)
    definition = vocabulary.facts[one.key]
    hint = "".join(part if part.endswith("。") else f"{part}。" for part in (options.get("help_text"), said) if part)
    made = fact_field(
        definition,
        vocabulary,
        as_of=as_of,
        years=options.get("years", ()),
        numbers=options.get("numbers", ()),
        help_text=hint,
    )
    made.label = one.label
    if one.type is FieldType.CHOICE and len(one.options) <= 5:
        made.widget = forms.RadioSelect(choices=list(one.options.items()))
    return made


def storable(value: Any) -> Any:
    """What was typed, without what no database takes, and not without end."""
    if isinstance(value, str):
        return value.replace("\0", "")[:_LONGEST_RAW]
    if isinstance(value, Mapping):
        return {str(key): storable(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [storable(member) for member in value]
    return value
