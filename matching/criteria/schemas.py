"""JSON Schemas (draft 2020-12) of the files that the criteria language reads and writes: docs/schemas/.

``python -m matching.criteria.schemas [FOLDER]`` writes them. A schema knows the shapes; what hangs on the vocabulary or
on two places at once (codes, types of facts, repeated ids, the depth of a tree, empty ranges) only the parser judges.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .ast import Held, Over
from .evaluate import Verdict
from .parse_leaf import (
    BOUND_KEYS,
    COMMON_KEYS,
    DATE_KEYS,
    NOT_NUMBERS,
    OPERATOR_KEYS,
    QUANTIFIER_KEYS,
    RELATIVE_YEARS,
)
from .values import MOST_DIGITS
from .vocabulary import FactType, Hierarchy, Scope

Schema = dict[str, Any]

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_LARGEST = 10**MOST_DIGITS - 1
# From the first digit that is not 0, no more than fifteen.
_NUMBER_TEXT = rf"^(?!-?[0.]*[1-9]\.?(?:[0-9]\.?){{{MOST_DIGITS}}})-?[0-9]+(\.[0-9]+)?$"
_DAY = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_PERIOD = {"type": "string", "pattern": "^P(?=[0-9])([0-9]+Y)?([0-9]+M)?([0-9]+D)?$"}
_WORD = {"type": "string", "minLength": 1}
_CODES = {"type": "array", "items": _WORD, "minItems": 1}


def _value(name: str) -> Schema:
    return {"$ref": f"values.schema.json#/$defs/{name}"}


def _file(name: str) -> Schema:
    return {"$ref": f"{name}.schema.json"}


def _object(properties: Schema, required: Iterable[str] = (), rules: Schema | None = None) -> Schema:
    """An object of just these keys, and what else holds between them."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **(rules or {}),
    }


def _never_both(pairs: Iterable[tuple[str, str]]) -> list[Schema]:
    return [{"not": {"required": list(pair)}} for pair in pairs]


def _some_of(keys: Iterable[str]) -> Schema:
    return {"anyOf": [{"required": [key]} for key in keys]}


def _one_of(keys: Iterable[str]) -> Schema:
    return {"oneOf": [{"required": [key]} for key in keys]}


_BOUNDED = {
    "allOf": [
        _some_of(BOUND_KEYS),
        *_never_both([("gte", "gt"), ("lte", "lt")]),
        *_never_both([("eq", key) for key in BOUND_KEYS if key != "eq"]),
    ]
}
_DATED = _some_of(DATE_KEYS)


def values() -> Schema:
    number = {"oneOf": [{"type": "integer", "minimum": -_LARGEST, "maximum": _LARGEST}, _text(_NUMBER_TEXT)]}
    non_negative = {"allOf": [_value("number"), {"not": {"type": "string", "pattern": "^-.*[1-9]"}}, {"minimum": 0}]}
    record = {
        "type": "object",
        "properties": {"code": _WORD, "on": _value("date"), "until": _value("date"), "amount": _value("non_negative")},
        "required": ["code"],
        "additionalProperties": _value("number"),
    }
    return {
        "title": "Values that the other schemas share",
        "$defs": {
            "number": number,
            "non_negative": non_negative,
            "date": _DAY,
            "period": _PERIOD,
            "bounds": _object({key: _value("number") for key in BOUND_KEYS}, rules=_BOUNDED),
            "date_bounds": _object({key: _date_operator(key) for key in DATE_KEYS}, rules=_DATED),
            "record": {"oneOf": [_WORD, record]},
        },
    }


def _text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def _date_operator(key: str) -> Schema:
    return _value("period" if key in ("within_last", "at_least_ago") else "date")


def vocabulary() -> Schema:
    definition = _object(
        {
            "key": {"type": "string", "minLength": 1, "pattern": "^[^@]+$"},
            "label": _WORD,
            "type": {"enum": list(FactType)},
            "codes": _WORD,
            "unit": {"type": "string"},
            "source": {"type": "string"},
            "fresh_for": _value("period"),
            "scope": {"enum": list(Scope)},
        },
        ("key", "label", "type"),
        rules={
            "if": {"properties": {"type": {"enum": [FactType.CODE, FactType.RECORDS]}}},
            "then": {"required": ["codes"]},
            "else": {"not": {"required": ["codes"]}},
        },
    )
    code_list = _object(
        {
            "hierarchy": {"enum": list(Hierarchy)},
            "codes": {"type": "object", "additionalProperties": _WORD, "minProperties": 1},
            "parents": {"type": "object", "additionalProperties": _WORD},
        },
        ("codes",),
        rules={
            "if": {"properties": {"hierarchy": {"const": Hierarchy.PARENTS}}, "required": ["hierarchy"]},
            "then": {"required": ["parents"]},
            "else": {"not": {"required": ["parents"]}},
        },
    )
    lists = {"type": "object", "additionalProperties": code_list}
    facts_found = {"type": "array", "items": definition}
    return {
        "title": "A vocabulary: facts and code lists",
        **_object({"code_lists": lists, "facts": facts_found}, ("facts",)),
    }


def facts() -> Schema:
    yearly = {"type": "object", "additionalProperties": _value("number"), "propertyNames": _text("^[0-9]{4}$")}
    kinds = [
        {"type": "string", "minLength": 1, "description": "code, date, or a number as decimal text"},
        {"type": "integer", "minimum": -_LARGEST, "maximum": _LARGEST},
        {"type": "boolean"},
        {**yearly, "description": "yearly"},
        {"type": "array", "items": _value("record"), "description": "records"},
    ]
    return {
        "title": "Facts of one enterprise; an absent one is unknown",
        "type": "object",
        "additionalProperties": {"anyOf": kinds},
    }


_OPERATORS: Schema = {
    **{key: _value("number") for key in BOUND_KEYS},
    **{key: _date_operator(key) for key in DATE_KEYS},
    **dict.fromkeys(("in", "not_in", *QUANTIFIER_KEYS), _CODES),
    "percent_of": _WORD,
    "year": {"anyOf": [{"enum": list(RELATIVE_YEARS)}, _text("^[0-9]{4}$")]},
    "years": {"type": "integer", "minimum": 1},
    "over": {"enum": list(Over)},
    "growth": {"type": "boolean"},
    "is": {"type": "boolean"},
    "held": {"enum": list(Held)},
    "obtained": _value("date_bounds"),
    "first": {"type": "boolean"},
    "count": _value("bounds"),
    "amount": _value("bounds"),
    "where": {
        "type": "object",
        "additionalProperties": _value("bounds"),
        "minProperties": 1,
        "propertyNames": {"not": {"enum": list(NOT_NUMBERS)}},
    },
}
_COMMON: Schema = {
    "fact": _WORD,
    "id": _WORD,
    "text": {"type": "string"},
    "evidence": {"type": "array", "items": _WORD},
    "advice": {"type": "string"},
    "soft": {"type": "boolean"},
}
_RULES: dict[FactType, Schema] = {
    FactType.CODE: _one_of(("in", "not_in")),
    FactType.NUMBER: _BOUNDED,
    FactType.YEARLY: {
        "allOf": [
            *_BOUNDED["allOf"],
            {
                "if": {"properties": {"years": {"minimum": 2}}, "required": ["years"]},
                "then": {"required": ["over"]},
            },
            {
                "if": {"properties": {"growth": {"const": True}}, "required": ["growth"]},
                "then": {"properties": {"over": {"const": Over.EACH}}, "not": {"required": ["percent_of"]}},
            },
        ]
    },
    FactType.DATE: _DATED,
    FactType.BOOLEAN: {"required": ["fact", "is"]},
    FactType.RECORDS: {
        **_one_of(QUANTIFIER_KEYS),
        "dependentRequired": {"count": ["any_of"], "amount": ["any_of"]},
    },
}


def _leaf(kind: FactType) -> Schema:
    properties = {key: _COMMON[key] for key in COMMON_KEYS} | {key: _OPERATORS[key] for key in OPERATOR_KEYS[kind]}
    return {"title": f"A condition on a {kind} fact", **_object(properties, ("fact",)), **_RULES[kind]}


def criteria() -> Schema:
    node = {"$ref": "#/$defs/node"}
    members = {"type": "array", "items": node, "minItems": 1}
    groups = [
        _object({"all": members}, ("all",)),
        _object({"any": members}, ("any",)),
        _object({"at_least": {"type": "integer", "minimum": 1}, "of": members}, ("at_least", "of")),
        _object({"not": node}, ("not",)),
        _object({"if": node, "then": node}, ("if", "then")),
    ]
    open_to_all = {
        "title": "Open to every enterprise",
        **_object({"all": {"type": "array", "maxItems": 0}}, ("all",)),
    }
    return {
        "title": "Criteria: who a policy item is for",
        "anyOf": [open_to_all, node],
        "$defs": {
            "node": {"anyOf": [*groups, *({"$ref": f"#/$defs/{kind}_leaf"} for kind in FactType)]},
            **{f"{kind}_leaf": _leaf(kind) for kind in FactType},
        },
    }


def award() -> Schema:
    amount, base = _value("non_negative"), _text("^[^@]+(@(last|this|before_last|[0-9]{4}))?$")
    bracket = _object({"upto": amount, "rate": amount}, ("rate",))
    rule = _object(
        {
            "when": _file("criteria"),
            "fixed": amount,
            "rate": amount,
            "brackets": {"type": "array", "items": bracket, "minItems": 1},
            "each": amount,
            "of": base,
            "quantity_cap": amount,
            "cap": amount,
            "cap_fact": base,
        },
        rules={
            **_one_of(("fixed", "rate", "brackets", "each")),
            "if": {"required": ["fixed"]},
            "then": {"not": {"required": ["of"]}},
            "else": {"required": ["of"]},
            "dependentRequired": {"quantity_cap": ["each"]},
        },
    )
    bonus = _object({"when": _file("criteria"), "points": amount}, ("points",))
    return {
        "title": "Award: what an item pays",
        **_object(
            {
                "rules": {"type": "array", "items": rule, "minItems": 1},
                "choose": {"enum": ["first", "highest", "sum"]},
                "bonus_points": {"type": "array", "items": bonus},
                "rate_limit": amount,
                "cap_total": amount,
                "rounding": {"enum": ["cent", "yuan"]},
                "cap_per_year": amount,
                "instalments": {"type": "array", "items": amount, "minItems": 1},
                "exclusive_with": {"type": "array", "items": _WORD},
                "shortfall": {"enum": ["first_come", "pro_rata", "defer"]},
            },
            ("rules",),
        ),
    }


def policy_line() -> Schema:
    window = _object({"from": _value("date"), "until": _value("date")})
    properties = {"id": _WORD, "criteria": _file("criteria"), "window": window, "award": _file("award")}
    return {"title": "A line of P.jsonl", **_object(properties, ("id", "criteria"))}


def enterprise_line() -> Schema:
    return {"title": "A line of E.jsonl", **_object({"id": _WORD, "facts": _file("facts")}, ("id", "facts"))}


def match_line() -> Schema:
    ids = {"type": "array", "items": _WORD}
    properties = {
        "policy": _WORD,
        "enterprise": _WORD,
        "verdict": {"enum": list(Verdict)},
        "unmet": ids,
        "unknown": ids,
        "form_only": {"const": True},
    }
    return {
        "title": "A line of M.jsonl",
        **_object(properties, ("policy", "enterprise", "verdict", "unmet", "unknown")),
    }


def estimate_line() -> Schema:
    money = _text(r"^[0-9]+\.[0-9]{2}$")
    properties = {
        "policy": _WORD,
        "enterprise": _WORD,
        "low": money,
        "high": {"anyOf": [money, {"type": "null"}]},
    }
    return {
        "title": "A line that estimate writes; high is null where nothing bounds it",
        **_object(properties, ("policy", "enterprise", "low", "high")),
    }


def schemas() -> dict[str, Schema]:
    """Every schema by file name."""
    made = {
        "values": values(),
        "vocabulary": vocabulary(),
        "facts": facts(),
        "criteria": criteria(),
        "award": award(),
        "policy-line": policy_line(),
        "enterprise-line": enterprise_line(),
        "match-line": match_line(),
        "estimate-line": estimate_line(),
    }
    return {
        f"{name}.schema.json": {"$schema": DIALECT, "$id": f"{name}.schema.json", **body} for name, body in made.items()
    }


def texts() -> dict[str, str]:
    """What stands in each file."""
    return {name: json.dumps(body, ensure_ascii=False, indent=2) + "\n" for name, body in schemas().items()}


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
