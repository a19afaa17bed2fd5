"""Filters of the portal's templates."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import template

from disbursement.domain.cycle import month_label
from disbursement.domain.workflow import (
    BatchAction,
    BatchState,
    CycleAction,
    CycleState,
    PayableAction,
    PayableState,
)

register = template.Library()


@register.filter
def yuan(value: Any) -> str:
    """An amount in 元, to the cent, with separators: `1,234,567.80 元`; empty for nothing."""
    if value in (None, ""):
        return ""
    try:
        return f"{Decimal(str(value)):,.2f} 元"
    except InvalidOperation:
        return str(value)


@register.filter
def month(value: Any) -> str:
    """`2026年12月`; empty for nothing."""
    return month_label(value) if value else ""


_WORDS = {
    member.value: member.label
    for words in (BatchState, CycleState, PayableState, CycleAction, BatchAction, PayableAction)
    for member in words
}


@register.filter
def word(code: str) -> str:
    """The Chinese word for a state or an action of payables, batches and cycles; the code where there is none."""
    return _WORDS.get(code, code)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key) if hasattr(mapping, "get") else None
