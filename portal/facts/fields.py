"""Form fields for facts: what a person types becomes the JSON of the criteria language
(docs/schemas/), and back.

An empty field is a fact that stays unknown. Numbers may be typed with separators, in full width, or in 万 and 亿.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template import loader
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from matching.criteria import Collector, FactDefinition, FactType, Vocabulary
from matching.criteria.facts import parse_fact
from portal.facts.display import RECORD_FIELDS
from portal.forms import DateInput

PREFIX = "fact-"
SPARE_ROWS = 3
MOST_ROWS = 60
_SCALES = {"万": 4, "亿": 8}
_TYPED = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)(万|亿)?")


def read_typed_number(text: str) -> str:
    """Decimal text from what a person typed (“１,８２０.５万” is "18205000"). Raises ValidationError."""
    plain = re.sub(r"[\s,，元￥¥]", "", unicodedata.normalize("NFKC", text))
    match = _TYPED.fullmatch(plain)
    if match is None:
        raise ValidationError(_("请填写数字，例如 1820000 或 182万。"), code="number")
    digits, scale = match.groups()
    number = Decimal(digits).scaleb(_SCALES.get(scale, 0)) if scale else Decimal(digits)
    shown = f"{number:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


class NumberField(forms.CharField):
    """Exact decimal text; a float never touches it."""

    def __init__(self, *, unit: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(max_length=40, **kwargs)
        self.unit = unit

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return read_typed_number(text) if text else None


class _OwnTemplate:
    """Renders from the portal's templates, whatever engine other forms use."""

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        return mark_safe(loader.render_to_string(template_name, context))


class YearlyWidget(_OwnTemplate, forms.MultiWidget):
    """One box for each year, newest first."""

    template_name = "facts/yearly.html"

    def __init__(self, years: Sequence[int], unit: str) -> None:
        self.years, self.unit = list(years), unit
        super().__init__({str(year): forms.TextInput(attrs={"inputmode": "decimal"}) for year in years})

    def decompress(self, value: Any) -> list[Any]:
        known = value if isinstance(value, Mapping) else {}
        return [known.get(str(year)) for year in self.years]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for year, part in zip(self.years, context["widget"]["subwidgets"], strict=True):
            part["label"] = f"{year} 年"
        context["widget"]["unit"] = self.unit
        return context


class YearlyField(forms.MultiValueField):
    use_fieldset = True

    def __init__(self, *, years: Sequence[int], unit: str = "", **kwargs: Any) -> None:
        self.years = list(years)
        parts = [NumberField(required=False, label=f"{year} 年") for year in years]
        widget = YearlyWidget(years, unit)
        widget.use_fieldset = True
        super().__init__(parts, require_all_fields=False, widget=widget, **kwargs)

    def compress(self, data_list: list[Any]) -> Any:
        known = {str(year): text for year, text in zip(self.years, data_list, strict=False) if text}
        return known or None


class RecordsWidget(_OwnTemplate, forms.Widget):
    """Rows of a code and its dates and numbers, some of them spare; and a box that says there are none."""

    template_name = "facts/records.html"
    use_fieldset = True

    def __init__(self, choices: Sequence[tuple[str, str]], numbers: Sequence[str]) -> None:
        super().__init__()
        self.choices, self.numbers = list(choices), list(numbers)

    @property
    def columns(self) -> list[str]:
        return ["code", "on", "until", *self.numbers]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = [row if isinstance(row, Mapping) else {"code": row} for row in value or []] if value else []
        columns = self.columns
        shown = [*rows, *({} for _spare in range(SPARE_ROWS))][:MOST_ROWS]
        context["widget"].update(
            none=value == [],
            choices=self.choices,
            rows=[
                [{"column": column, "label": self.label(column), "value": row.get(column, "")} for column in columns]
                for row in shown
            ],
            columns=[{"column": column, "label": self.label(column)} for column in columns],
        )
        return context

    @staticmethod
    def label(column: str) -> str:
        fixed = {"code": _("名称"), "on": _("取得日期"), "until": _("有效期至")}
        return str(fixed.get(column) or RECORD_FIELDS.get(column, column))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        rows = []
        for index in range(MOST_ROWS):
            row = {
                column: str(data.get(f"{name}-{index}-{column}") or "").strip()
                for column in self.columns
                if data.get(f"{name}-{index}-{column}")
            }
            if any(row.values()):
                rows.append({key: text for key, text in row.items() if text})
        if rows:
            return rows
        return [] if data.get(f"{name}-none") else None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str | None, index: str | None = None) -> str:
        return ""


class RecordsField(forms.Field):
    empty_values = [None]

    def __init__(self, *, choices: Sequence[tuple[str, str]], numbers: Sequence[str], **kwargs: Any) -> None:
        self.numbers = list(numbers)
        super().__init__(widget=RecordsWidget(choices, numbers), **kwargs)

    def to_python(self, value: Any) -> Any:
        if not value:
            return value
        rows = []
        for position, row in enumerate(value, start=1):
            cleaned = dict(row)
            if "code" not in row:
                raise ValidationError(_("第 %(n)s 行没有选择名称。"), params={"n": position}, code="code")
            for name in self.numbers:
                if name in row:
                    cleaned[name] = read_typed_number(row[name])
            rows.append(cleaned)
        return rows


def code_choices(definition: FactDefinition, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Codes of the fact's list, the covered ones indented under those that cover them."""
    listed = vocabulary.code_list(definition.key)
    found = []
    for code in listed.codes:
        depth = len(listed.ancestors(code)) - 1
        found.append((code, "　" * max(depth, 0) + listed.label(code)))
    return found


def fact_field(
    definition: FactDefinition,
    vocabulary: Vocabulary,
    *,
    as_of: date,
    years: Iterable[int] = (),
    numbers: Iterable[str] = (),
    required: bool = False,
    help_text: str = "",
) -> forms.Field:
    """The field that asks for one fact. `years` are those a yearly fact is wanted for (default: the last four),
    `numbers` the number fields that a record should have."""
    unit = (
        _("单位：%(unit)s。可写作 182万。") % {"unit": definition.unit}
        if definition.unit == "元"
        else (_("单位：%(unit)s") % {"unit": definition.unit} if definition.unit else "")
    )
    common: dict[str, Any] = {
        "label": definition.label,
        "required": required,
        "help_text": " ".join(str(part) for part in (help_text, unit) if part),
    }
    match definition.type:
        case FactType.CODE:
            choices = [("", str(_("请选择"))), *code_choices(definition, vocabulary)]
            return forms.TypedChoiceField(choices=choices, empty_value=None, **common)
        case FactType.NUMBER:
            return NumberField(unit=definition.unit, **common)
        case FactType.YEARLY:
            wanted = sorted(set(years) or set(range(as_of.year - 3, as_of.year + 1)), reverse=True)
            return YearlyField(years=wanted, unit=definition.unit, **common)
        case FactType.DATE:
            return forms.DateField(widget=DateInput(), input_formats=["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d"], **common)
        case FactType.BOOLEAN:
            return forms.TypedChoiceField(
                choices=[("true", _("是")), ("false", _("否"))],
                coerce=lambda value: value == "true",
                empty_value=None,
                widget=forms.RadioSelect,
                **common,
            )
        case FactType.RECORDS:
            wanted_numbers = sorted({"amount", *numbers} if definition.unit else set(numbers))
            return RecordsField(
                choices=[("", str(_("请选择"))), *code_choices(definition, vocabulary)],
                numbers=wanted_numbers,
                **common,
            )


def initial_of(definition: FactDefinition, value: Any) -> Any:
    """A JSON value as the field of its fact takes it."""
    if definition.type is FactType.BOOLEAN and value is not None:
        return "true" if value else "false"
    return value


def json_of(definition: FactDefinition, cleaned: Any, earlier: Any = None) -> Any:
    """A cleaned value as JSON; years that the form did not ask for are kept from the `earlier` value."""
    if isinstance(cleaned, date):
        return cleaned.isoformat()
    if definition.type is FactType.YEARLY and isinstance(cleaned, Mapping) and isinstance(earlier, Mapping):
        return {**earlier, **cleaned}
    return cleaned


class FactsForm(forms.Form):
    """A form of facts. `cleaned_facts` is the JSON object of those that were filled in."""

    vocabulary: Vocabulary
    definitions: dict[str, FactDefinition]

    def __init__(
        self,
        data: Any = None,
        *,
        vocabulary: Vocabulary,
        wanted: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, Any],
        as_of: date,
    ) -> None:
        """`wanted` maps fact keys to {"years", "numbers", "required", "help_text"}, each optional; `values` prefill."""
        self.vocabulary, self.values = vocabulary, dict(values)
        self.definitions = {key: vocabulary.facts[key] for key in wanted if key in vocabulary.facts}
        initial = {f"{PREFIX}{key}": initial_of(d, values.get(key)) for key, d in self.definitions.items()}
        super().__init__(data, initial=initial)
        for key, definition in self.definitions.items():
            self.fields[f"{PREFIX}{key}"] = fact_field(definition, vocabulary, as_of=as_of, **wanted[key])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for key, definition in self.definitions.items():
            name = f"{PREFIX}{key}"
            value = json_of(definition, cleaned.get(name), self.values.get(key))
            if name not in cleaned or value is None:
                continue
            problems = Collector()
            parse_fact(value, definition, self.vocabulary, "", problems)
            for problem in problems.problems:
                place = f"{problem.path}：" if problem.path else ""
                self.add_error(name, f"{place}{problem.message}")
        return cleaned

    @property
    def cleaned_facts(self) -> dict[str, Any]:
        """Facts that were filled in, as JSON."""
        found = {}
        for key, definition in self.definitions.items():
            value = json_of(definition, self.cleaned_data.get(f"{PREFIX}{key}"), self.values.get(key))
            if value is not None:
                found[key] = value
        return found
