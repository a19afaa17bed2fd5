"""A table in a form: typed rows of declared columns, with spare ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template import loader
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from matching.forms import Column, FieldType, FormField
from portal.facts.fields import read_typed_number

SPARE_ROWS = 2
MOST_ROWS = 200
_LONGEST = 600
_NUMBERS = (FieldType.NUMBER, FieldType.MONEY)


class TableWidget(forms.Widget):
    """Rows of the columns; fields are named `<name>-<row from 0>-<column>`."""

    template_name = "enterprise/_table.html"
    use_fieldset = True

    def __init__(self, columns: Sequence[Column], label: str) -> None:
        super().__init__()
        self.columns, self.label, self.spare = list(columns), label, SPARE_ROWS

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = [row for row in value or [] if isinstance(row, Mapping)]
        shown = [*rows, *({} for _spare in range(self.spare))][:MOST_ROWS]
        context["widget"].update(
            label=self.label,
            columns=self.columns,
            more=f"more-{name}",
            rows=[[{"column": column, "value": row.get(column.key, "")} for column in self.columns] for row in shown],
        )
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        rows = []
        for number in range(MOST_ROWS):
            row = {
                column.key: text
                for column in self.columns
                if (text := str(data.get(f"{name}-{number}-{column.key}") or "").replace("\0", "").strip()[:_LONGEST])
            }
            if row:
                rows.append(row)
        return rows or None

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return not any(key.startswith(f"{name}-") for key in data)

    def id_for_label(self, id_: str | None, index: str | None = None) -> str:
        return ""

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        return mark_safe(loader.render_to_string(template_name, context))


class TableField(forms.Field):
    """The rows as a form keeps them; numbers may be typed with separators or in 万."""

    def __init__(self, *, one: FormField, **kwargs: Any) -> None:
        super().__init__(widget=TableWidget(one.columns, one.label), **kwargs)
        self.columns = one.columns

    def to_python(self, value: Any) -> Any:
        if not value:
            return None
        rows = []
        for number, row in enumerate(value, start=1):
            cleaned = dict(row)
            for column in self.columns:
                if column.type in _NUMBERS and column.key in row:
                    try:
                        cleaned[column.key] = read_typed_number(row[column.key])
                    except ValidationError as error:
                        said = _("第 %(n)s 行“%(label)s”：%(why)s")
                        raise ValidationError(
                            said, params={"n": number, "label": column.label, "why": error.messages[0]}, code="number"
                        ) from error
            rows.append(cleaned)
        return rows
