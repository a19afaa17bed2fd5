"""Typed facts at the pace of a night: what is well written is read at once, all else is left to the parser.

A run over all enterprises reads millions of values, nearly all of them good. A reader knows one fact's definition
beforehand and either gives exactly what ``parse_fact`` would give, or raises ``Unsure`` without a word; then the whole
profile is read again by the parser, which says what is wrong and where. So there is one place for rules and messages,
and a test holds the two together, on good and on bad input.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from .values import MOST_DIGITS, ZERO
from .vocabulary import FactDefinition, FactType, Vocabulary

Reader = Callable[[Any], Any]

_is_number = re.compile(r"-?[0-9]+(?:\.[0-9]+)?").fullmatch
_is_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_TOO_MANY_DIGITS = 10**MOST_DIGITS
_YEARS = {f"{year:04d}": year for year in range(10_000)}
# Dates come from some decades of days, so that nearly each has been read before.
_DATES_KEPT = 40_000


class Unsure(Exception):
    """Not plainly good: the parser shall say."""


def readers_of(vocabulary: Vocabulary, record: Callable[..., Any]) -> dict[str, Reader]:
    """A reader for each fact, by key; ``record`` makes a record of (code, on, until, amount, numbers)."""
    return {
        key: _reader(definition, vocabulary, record)
        for key, definition in vocabulary.facts.items()
        if definition.codes is None or definition.codes in vocabulary.code_lists
    }


def _reader(definition: FactDefinition, vocabulary: Vocabulary, record: Callable[..., Any]) -> Reader:
    match definition.type:
        case FactType.CODE:
            return _code(vocabulary.code_list(definition.key).codes)
        case FactType.NUMBER:
            return number
        case FactType.YEARLY:
            return yearly
        case FactType.DATE:
            return day
        case FactType.BOOLEAN:
            return boolean
        case FactType.RECORDS:
            return _records(vocabulary.code_list(definition.key).codes, record)


def _code(codes: Mapping[str, str]) -> Reader:
    listed = frozenset(codes)

    def code(value: Any) -> str:
        if type(value) is str and value in listed:
            return value
        raise Unsure

    return code


def number(value: Any) -> Decimal:
    if type(value) is str:
        # Short enough to hold no more digits than are allowed, whatever they are; longer ones are for the parser.
        if len(value) <= MOST_DIGITS and _is_number(value):
            return Decimal(value)
    elif type(value) is int and -_TOO_MANY_DIGITS < value < _TOO_MANY_DIGITS:
        return Decimal(value)
    raise Unsure


def yearly(value: Any) -> dict[int, Decimal]:
    if not isinstance(value, dict):
        raise Unsure
    try:
        return {_YEARS[year]: number(amount) for year, amount in value.items()}
    except (KeyError, TypeError):
        raise Unsure from None


@lru_cache(maxsize=_DATES_KEPT)
def _day(text: str) -> date:
    if _is_date(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise Unsure


def day(value: Any) -> date:
    if type(value) is str:
        return _day(value)
    raise Unsure


def boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise Unsure


def _records(codes: Mapping[str, str], record: Callable[..., Any]) -> Reader:
    listed = frozenset(codes)

    def one(item: Any) -> Any:
        if type(item) is str:
            if item in listed:
                return record(item)
            raise Unsure
        if not isinstance(item, dict):
            raise Unsure
        code = on = until = amount = None
        numbers: dict[str, Decimal] = {}
        for name, value in item.items():
            if name == "code":
                if type(value) is not str or value not in listed:
                    raise Unsure
                code = value
            elif name == "on":
                on = day(value)
            elif name == "until":
                until = day(value)
            elif name == "amount":
                amount = number(value)
                if amount < ZERO:
                    raise Unsure
            elif type(name) is str:
                numbers[name] = number(value)
            else:
                raise Unsure
        if code is None or (on is not None and until is not None and until < on):
            raise Unsure
        return record(code, on, until, amount, numbers)

    def records(value: Any) -> tuple[Any, ...]:
        if isinstance(value, list):
            return tuple([one(item) for item in value])
        raise Unsure

    return records
