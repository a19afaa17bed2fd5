"""What forms of several pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy

# Digits with what is written between them, and an extension: 028-8100 0000 转 8.
PHONE = RegexValidator(
    r"\A[+(（]?[0-9][0-9 ()（）\-—]{5,24}[0-9]\s*((转|分机)\s*[0-9]{1,6})?\Z",
    gettext_lazy("请填写能打通的电话，如 13800000000 或 028-81000000。"),
)


class DateInput(forms.DateInput):
    """The browser's own date picker; its value is always YYYY-MM-DD."""

    input_type = "date"

    def __init__(self, attrs: dict[str, str] | None = None) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Some files at once; cleaned to a list."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(FilesField, self).clean(one, initial) for one in given]


_CHOOSE = gettext_lazy("请选择")


class RowChoice(forms.ModelChoiceField):
    """A choice among rows whose first line says what to do."""

    def __init__(self, *, empty_label: Any = _CHOOSE, **kwargs: Any) -> None:
        super().__init__(empty_label=empty_label, **kwargs)


def typed(data: Mapping[str, Any], name: str, *, most: int) -> str:
    """What was typed into a field that belongs to no form: trimmed, cut, without what no database takes."""
    return str(data.get(name) or "").replace("\0", "").strip()[:most]


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Lay a service's refusal onto the form: on its fields where it names them, else above them all."""
    if hasattr(error, "error_dict"):
        for name, problems in error.error_dict.items():
            form.add_error(name if name in form.fields else None, problems)
    else:
        form.add_error(None, error)


__all__ = ["PHONE", "DateInput", "FilesField", "FilesInput", "RowChoice", "add_errors", "typed"]
