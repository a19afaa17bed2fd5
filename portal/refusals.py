"""Turns what a service refuses into what a person reads: beside the field, above the form, or as a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from disbursement.domain.errors import REFUSALS, Invalid

T = TypeVar("T")


def words_of(error: Exception) -> list[str]:
    """The sentences of a refusal."""
    if isinstance(error, Invalid):
        return [fault.message for fault in error.faults]
    return [str(error)]


def attempt(request: HttpRequest, deed: Callable[[], T], *, done: str = "") -> T | None:
    """Do it and say so, or say why not. None where it was refused."""
    try:
        result = deed()
    except REFUSALS as refusal:
        for sentence in words_of(refusal):
            messages.error(request, sentence)
        return None
    if done:
        messages.success(request, done)
    return result


def carry_out(request: HttpRequest, form: forms.BaseForm, deed: Callable[..., T], *, done: str) -> T | None:
    """Do `deed` with what a valid form says, by its fields' names, and say that it is done.

    None where the form is not valid, or the deed was refused: then the form bears the reasons, to be shown again.
    """
    if not form.is_valid():
        return None
    try:
        result = deed(**form.cleaned_data)
    except REFUSALS as refusal:
        lay_on(form, refusal)
        return None
    messages.success(request, done)
    return result


def lay_on(form: forms.BaseForm, refusal: Exception, places: Mapping[str, str] | None = None) -> None:
    """Put a refusal on the form: each fault on the field of its place, the rest above them all.

    `places` maps a fault's place to a field's name; by default a place is a field's name.
    """
    if not isinstance(refusal, Invalid):
        form.add_error(None, ValidationError(str(refusal)))
        return
    for fault in refusal.faults:
        name = (places or {}).get(fault.place, fault.place)
        form.add_error(name if name in form.fields else None, ValidationError(fault.message))
