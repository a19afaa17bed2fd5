"""Every mistake of a policy file is found, with its place; the published schema agrees with the reader."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.conf import settings

from cms.importers.lines import read_policy_lines
from matching.vocabulary import load_default

ITEM: dict[str, Any] = {
    "code": "kj-one",
    "name": "一号",
    "department": "kjj",
    "type": "recognition",
    "criteria": {"fact": "registered_region", "in": ["510105"], "evidence": ["licence"]},
    "award": {"rules": [{"fixed": "200000"}]},
    "budget_line": "kj",
    "materials": [{"code": "licence", "name": "营业执照", "source": "library"}],
    "steps": [{"name": "受理", "by": "窗口", "days": 1}],
    "limits": {"statutory": 20, "promised": 10},
    "delivery": "window",
    "window": {"from": "2026-01-01", "until": "2026-12-31"},
    "ceiling": "3000000.00",
    "publicity_days": 5,
    "contact": {"phone": "028-1"},
    "readings": [{"id": "kj-one-jd", "title": "解读", "body": [{"paragraph": "段"}]}],
}
DOCUMENT = {"kind": "document", "number": "一号", "name": "措施", "issuer": "区政府", "issued_on": "2026-01-05"}
READING = {"kind": "reading", "id": "jd", "title": "解读", "item": "kj-one", "body": [{"heading": "一"}]}
DEPARTMENT = {"kind": "department", "code": "kjj", "name": "科技局"}
BUDGET = {
    "kind": "budget_line",
    "code": "kj",
    "year": 2026,
    "name": "专项",
    "department": "kjj",
    "ceiling": "100.00",
}


def read(*lines: Any) -> list[str]:
    raw = [line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() for line in lines]
    found = read_policy_lines(raw, file="P.jsonl", vocabulary=load_default())
    return [str(problem) for problem in found.problems]


def without(line: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in keys}


def test_sound_lines_of_every_kind_have_no_problem() -> None:
    assert read(DEPARTMENT, BUDGET, DOCUMENT, ITEM, READING) == []


BAD: dict[str, tuple[Any, str]] = {
    "not JSON": (b"{", "$: "),
    "a doubled key": (b'{"code": "a", "code": "b"}', "code: "),
    "a list": ([1], "$: "),
    "an unknown kind": ({"kind": "policy"}, "kind: "),
    "an unknown key": ({**ITEM, "colour": "red"}, "colour: "),
    "no criteria": (without(ITEM, "criteria"), "$: "),
    "a code in capitals": ({**ITEM, "code": "KJ"}, "code: "),
    "a code that is too long": ({**ITEM, "code": "a" * 61}, "code: "),
    "a code with a line break": ({**ITEM, "code": "a\n"}, "code: "),
    "an empty name": ({**ITEM, "name": ""}, "name: "),
    "a name that is too long": ({**ITEM, "name": "名" * 201}, "name: "),
    "a control character": ({**ITEM, "name": "名\u0000"}, "name: "),
    "an unknown type": ({**ITEM, "type": "colour"}, "type: "),
    "an unknown fact": ({**ITEM, "criteria": {"fact": "x", "is": True}}, "criteria"),
    "evidence that is no material": ({**ITEM, "materials": []}, "criteria.root.evidence: "),
    "a bad award": ({**ITEM, "award": {"rules": []}}, "award.rules: "),
    "an award without a budget line": (without(ITEM, "budget_line"), "$: "),
    "an item exclusive with itself": (
        {**ITEM, "award": {"rules": [{"fixed": "1"}], "exclusive_with": ["kj-one"]}},
        "award.exclusive_with: ",
    ),
    "a material twice": ({**ITEM, "materials": ITEM["materials"] * 2}, "materials.1.code: "),
    "a material of unknown source": (
        {**ITEM, "materials": [{**ITEM["materials"][0], "source": "mail"}]},
        "materials.0.source: ",
    ),
    "a step without name": ({**ITEM, "steps": [{"by": "窗口"}]}, "steps.0: "),
    "days as text": ({**ITEM, "steps": [{"name": "受理", "days": "1"}]}, "steps.0.days: "),
    "a promise longer than the law": (
        {**ITEM, "limits": {"statutory": 5, "promised": 6}},
        "limits.promised: ",
    ),
    "a promise to accept that is longer than the law": (
        {**ITEM, "limits": {"statutory": 20, "acceptance": {"statutory": 2, "promised": 3}}},
        "limits.acceptance.promised: ",
    ),
    "an acceptance within no day": (
        {**ITEM, "limits": {"acceptance": {"promised": 0}}},
        "limits.acceptance.promised: ",
    ),
    "a limit of no step": ({**ITEM, "limits": {"payment": {"promised": 5}}}, "limits.payment: "),
    "an unknown delivery": ({**ITEM, "delivery": "slow"}, "delivery: "),
    "a limited window without an end": ({**ITEM, "window": {}}, "window: "),
    "a window that ends before it begins": (
        {**ITEM, "window": {"from": "2026-02-01", "until": "2026-01-01"}},
        "window.until: ",
    ),
    "a day that does not exist": ({**ITEM, "expires_on": "2026-02-30"}, "expires_on: "),
    "a ceiling as a float": (b'{"code": "a", "ceiling": 1.5}', "ceiling: "),
    "a ceiling with three places": ({**ITEM, "ceiling": "1.005"}, "ceiling: "),
    "a negative ceiling": ({**ITEM, "ceiling": "-1"}, "ceiling: "),
    "sixty-one days of publicity": ({**ITEM, "publicity_days": 61}, "publicity_days: "),
    "a reading with an empty body": (
        {**ITEM, "readings": [{"id": "x", "title": "t", "body": []}]},
        "readings.0.body: ",
    ),
    "a reading of two things": ({**READING, "document": "一号"}, "$: "),
    "a question without answer": ({**READING, "body": [{"question": "?"}]}, "body.0: "),
    "a part of a body that is nothing known": ({**READING, "body": [{"video": "x"}]}, "body.0: "),
    "a document that expires before it is in force": (
        {**DOCUMENT, "effective_on": "2026-03-01", "expires_on": "2026-02-01"},
        "expires_on: ",
    ),
    "a budget of a year as text": ({**BUDGET, "year": "2026"}, "year: "),
    "null": ({**ITEM, "window": None}, "window: "),
}


@pytest.mark.parametrize("mistake", BAD)
def test_each_mistake_is_told_with_its_place(mistake: str) -> None:
    line, place = BAD[mistake]
    told = read(DEPARTMENT, line)
    assert told
    assert any(text.startswith(f"P.jsonl:2: {place}") for text in told), told


def test_all_mistakes_of_a_line_are_told_at_once() -> None:
    told = read({**ITEM, "name": "", "type": "x", "award": {"rules": []}, "fees": 3})
    assert len(told) >= 4


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ((ITEM, ITEM), "code: "),
        ((BUDGET, BUDGET), "code: "),
        ((DOCUMENT, DOCUMENT), "number: "),
        ((ITEM, {**READING, "id": "kj-one-jd"}), "id: "),
    ],
)
def test_what_stands_twice_is_told_at_the_later_line(lines: tuple[Any, ...], place: str) -> None:
    told = read(*lines)
    assert told
    assert all(text.startswith("P.jsonl:2: ") for text in told)
    assert any(f": {place}" in text for text in told)


def test_the_same_budget_code_in_another_year_is_another_line() -> None:
    assert read(BUDGET, {**BUDGET, "year": 2027}) == []


SCHEMA = json.loads((Path(settings.BASE_DIR) / "docs/schemas/policy-item.schema.json").read_text(encoding="utf-8"))


def schema_accepts(line: Any) -> bool:
    # The criteria and the award have schemas of their own, checked with the language.
    schema = json.loads(json.dumps(SCHEMA))
    properties = schema["$defs"]["item"]["properties"]
    properties["criteria"] = {"type": "object"}
    properties["award"] = {"anyOf": [{"type": "null"}, {"type": "object"}]}
    return jsonschema.Draft202012Validator(schema).is_valid(line)


@pytest.mark.parametrize(
    "line", [DEPARTMENT, BUDGET, DOCUMENT, ITEM, READING], ids=lambda line: line.get("kind", "item")
)
def test_the_schema_accepts_what_the_reader_accepts(line: dict[str, Any]) -> None:
    assert schema_accepts(line)


SEEN_BY_THE_LANGUAGE_OR_ACROSS_FIELDS = {
    "a doubled key", "not JSON", "a control character", "an unknown type", "an unknown fact", "a bad award",
    "evidence that is no material", "an award without a budget line", "an item exclusive with itself",
    "a material twice", "a promise longer than the law",
    "a promise to accept that is longer than the law", "a limited window without an end", "a code with a line break",
    "a window that ends before it begins", "a day that does not exist", "a ceiling as a float",
    "a document that expires before it is in force",
}  # fmt: skip


@pytest.mark.parametrize("mistake", sorted(set(BAD) - SEEN_BY_THE_LANGUAGE_OR_ACROSS_FIELDS))
def test_the_schema_refuses_what_the_reader_refuses(mistake: str) -> None:
    assert not schema_accepts(BAD[mistake][0])


def test_the_example_of_the_documentation_is_sound() -> None:
    text = (Path(settings.BASE_DIR) / "docs/import-formats.md").read_text(encoding="utf-8")
    example = text.split("### Example")[1].split("```json\n")[1].split("```")[0]
    lines = [json.loads(line) for line in example.splitlines()]
    assert read(*lines) == []
    assert all(schema_accepts(line) for line in lines)
