"""The published JSON Schemas: the same as the code makes them, and as strict as a schema can be."""

from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from matching.criteria.parse_leaf import COMMON_KEYS, OPERATOR_KEYS
from matching.criteria.schemas import FOLDER, schemas, texts, write
from matching.criteria.vocabulary import FactType

from . import strategies
from .samples import VOCABULARY_JSON

MADE = schemas()
REGISTRY: Any = Registry().with_resources([(name, Resource.from_contents(body)) for name, body in MADE.items()])
LEAF = {"fact": "listed", "is": True}
STAFF = {"fact": "staff", "gte": 1}


def accepts(name: str, data: Any) -> bool:
    return bool(Draft202012Validator(MADE[f"{name}.schema.json"], registry=REGISTRY).is_valid(data))


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_committed_file_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == texts()[name], "run: make schemas"


@pytest.mark.parametrize("name", sorted(MADE))
def test_each_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(MADE[name])


def test_writing_makes_every_file(tmp_path: Any) -> None:
    write(tmp_path / "schemas")
    assert {path.name for path in (tmp_path / "schemas").iterdir()} == set(MADE)


@pytest.mark.parametrize("kind", list(FactType))
def test_a_leafs_schema_has_the_keys_that_the_parser_takes(kind: FactType) -> None:
    properties = MADE["criteria.schema.json"]["$defs"][f"{kind}_leaf"]["properties"]
    assert set(properties) == {*COMMON_KEYS, *OPERATOR_KEYS[kind]}


@settings(deadline=None)
@given(strategies.trees)
def test_criteria_that_the_parser_takes_pass(criteria: Any) -> None:
    assert accepts("criteria", criteria)


@settings(deadline=None)
@given(strategies.facts)
def test_facts_that_the_parser_takes_pass(facts: Any) -> None:
    assert accepts("facts", facts)
    assert accepts("enterprise-line", {"id": "e1", "facts": facts})


def test_the_sample_vocabulary_passes() -> None:
    assert accepts("vocabulary", VOCABULARY_JSON)


@pytest.mark.parametrize(
    "criteria",
    [
        {},
        {"any": []},
        {"all": [{"all": []}]},
        {"at_least": 0, "of": [LEAF]},
        {"at_least": 1},
        {"if": LEAF},
        {"not": [LEAF]},
        {**LEAF, "weight": 1},
        {"all": [LEAF], "text": "x"},
        {"fact": "listed"},
        {"fact": "region", "in": []},
        {"fact": "region", "in": ["a"], "not_in": ["b"]},
        {"fact": "staff", "gte": 1, "gt": 1},
        {"fact": "staff", "eq": 1, "lte": 1},
        {"fact": "staff", "gte": 1.5},
        {"fact": "staff", "gte": "1e3"},
        {"fact": "staff", "gte": "1234567890123456"},
        {"fact": "staff", "gte": 1234567890123456},
        {"fact": "revenue", "gte": 1, "years": 0},
        {"fact": "revenue", "gte": 1, "years": 2},
        {"fact": "revenue", "gte": 1, "growth": True, "over": "sum"},
        {"fact": "revenue", "gte": 1, "growth": True, "percent_of": "rd"},
        {"fact": "revenue", "gte": 1, "year": 2024},
        {"fact": "founded", "within_last": "3Y"},
        {"fact": "founded", "within_last": "P"},
        {"fact": "q", "any_of": ["a"], "none_of": ["b"]},
        {"fact": "q", "all_of": ["a"], "count": {"gte": 1}},
        {"fact": "q", "any_of": ["a"], "count": {}},
        {"fact": "q", "any_of": ["a"], "obtained": {}},
        {"fact": "q", "any_of": ["a"], "where": {"on": {"gte": 1}}},
    ],
)
def test_criteria_of_a_wrong_shape_fail(criteria: Any) -> None:
    assert not accepts("criteria", criteria)


@pytest.mark.parametrize("number", ["0", "-0.5", "000123", "0.000000000000000001", "123456789012345", "1.00", 7])
def test_numbers_pass(number: Any) -> None:
    assert accepts("criteria", {"fact": "staff", "gte": number})


@pytest.mark.parametrize(
    ("name", "data", "sound"),
    [
        ("facts", {"region": None}, False),
        ("facts", {"revenue": {"25": "1"}}, False),
        ("facts", {"staff": 1.5}, False),
        ("facts", {"q": [{"on": "2024-01-01"}]}, False),
        ("facts", {"q": [{"code": "a", "amount": "-1"}]}, False),
        ("facts", {"q": [{"code": "a", "rank": "-1"}]}, True),
        ("vocabulary", {"facts": [{"key": "a", "label": "甲", "type": "code"}]}, False),
        ("vocabulary", {"facts": [{"key": "a", "label": "甲", "type": "number", "codes": "x"}]}, False),
        ("vocabulary", {"code_lists": {"x": {"hierarchy": "parents", "codes": {"a": "甲"}}}, "facts": []}, False),
        ("vocabulary", {"code_lists": {"x": {"codes": {}}}, "facts": []}, False),
        ("policy-line", {"id": "p", "criteria": {"all": []}, "window": {"from": "2026-01-01"}}, True),
        ("policy-line", {"id": "p", "criteria": LEAF, "award": {"rules": [{"fixed": "1"}]}}, True),
        ("policy-line", {"id": "p"}, False),
        ("policy-line", {"id": 1, "criteria": LEAF}, False),
        ("policy-line", {"id": "p", "criteria": LEAF, "window": {"to": "2026-01-01"}}, False),
        ("enterprise-line", {"id": "e"}, False),
        ("match-line", {"policy": "p", "enterprise": "e", "verdict": "eligible", "unmet": [], "unknown": []}, True),
        ("match-line", {"policy": "p", "enterprise": "e", "verdict": "maybe", "unmet": [], "unknown": []}, False),
        ("estimate-line", {"policy": "p", "enterprise": "e", "low": "1.00", "high": None}, True),
        ("estimate-line", {"policy": "p", "enterprise": "e", "low": "1.0", "high": "2.00"}, False),
    ],
)
def test_other_files_pass_or_fail_by_their_shape(name: str, data: Any, sound: bool) -> None:
    assert accepts(name, data) is sound


@pytest.mark.parametrize(
    ("award", "sound"),
    [
        ({"rules": []}, False),
        ({"rules": [{}]}, False),
        ({"rules": [{"fixed": "1", "rate": "2"}]}, False),
        ({"rules": [{"fixed": "1", "of": "x"}]}, False),
        ({"rules": [{"rate": "50"}]}, False),
        ({"rules": [{"rate": "50", "of": "revenue@next"}]}, False),
        ({"rules": [{"rate": "-1", "of": "revenue@last"}]}, False),
        ({"rules": [{"fixed": "1"}], "choose": "lowest"}, False),
        (
            {
                "rules": [
                    {"when": STAFF, "fixed": "200000"},
                    {"rate": "50", "of": "invoice_total", "cap": "1000000", "cap_fact": "contribution@last"},
                    {"of": "output_increase", "brackets": [{"upto": "60000000", "rate": "1"}, {"rate": "1.2"}]},
                    {"each": "1000", "of": "hired_people", "quantity_cap": "200"},
                ],
                "choose": "highest",
                "bonus_points": [{"when": LEAF, "points": "5"}],
                "rate_limit": "20",
                "cap_total": "5000000",
                "rounding": "yuan",
                "cap_per_year": "2000000",
                "instalments": ["40", "30", "30"],
                "exclusive_with": ["x"],
                "shortfall": "first_come",
            },
            True,
        ),
    ],
)
def test_awards_pass_or_fail_by_their_shape(award: Any, sound: bool) -> None:
    assert accepts("award", award) is sound
