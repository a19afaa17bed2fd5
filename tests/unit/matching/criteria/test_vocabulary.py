"""The vocabulary: code lists, their hierarchies, fact definitions."""

import copy
from typing import Any

import pytest

from matching.criteria import FactType, InvalidInput, Period, Scope, parse_vocabulary

from .samples import VOCABULARY, VOCABULARY_JSON


def mistakes(data: Any) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        parse_vocabulary(data)
    return {problem.path: problem.message for problem in caught.value.problems}


def with_fact(**changes: Any) -> Any:
    fact = {"key": "x", "label": "甲", "type": "number"} | changes
    return {"code_lists": VOCABULARY_JSON["code_lists"], "facts": [{k: v for k, v in fact.items() if v is not None}]}


def with_list(**body: Any) -> Any:
    return {"code_lists": {"x": body}, "facts": []}


def test_a_code_covers_itself_and_its_descendants_by_prefix() -> None:
    region = VOCABULARY.code_lists["region"]
    assert region.descendants("5101") == {"5101", "510105", "510107"}
    assert region.covers("51", "510105")
    assert region.covers("510105", "510105")
    assert not region.covers("510105", "5101")
    assert not region.covers("5101", "5107")


def test_a_code_covers_its_descendants_through_parents() -> None:
    size = VOCABULARY.code_lists["size"]
    assert size.descendants("sme") == {"sme", "micro", "small", "medium"}
    assert size.descendants("large") == {"large"}


def test_parents_are_followed_to_the_top() -> None:
    codes = {"a": "甲", "b": "乙", "c": "丙"}
    made = parse_vocabulary(with_list(hierarchy="parents", codes=codes, parents={"c": "b", "b": "a"}))
    assert made.code_lists["x"].descendants("a") == {"a", "b", "c"}
    assert made.code_lists["x"].ancestors("c") == ("c", "b", "a")


def test_without_a_hierarchy_a_code_covers_only_itself_even_where_it_is_a_prefix() -> None:
    made = parse_vocabulary(with_list(hierarchy="none", codes={"a": "甲", "ab": "乙"}))
    assert made.code_lists["x"].descendants("a") == {"a"}


def test_definitions_are_typed() -> None:
    region = VOCABULARY.facts["region"]
    assert (region.type, region.codes, region.fresh_for) == (FactType.CODE, "region", Period(12, 0))
    assert VOCABULARY.facts["investment"].scope is Scope.APPLICATION
    assert VOCABULARY.facts["revenue"].scope is Scope.ENTERPRISE


def test_the_digest_addresses_the_content_whatever_the_order_of_keys() -> None:
    turned = dict(reversed(list(copy.deepcopy(VOCABULARY_JSON).items())))
    assert parse_vocabulary(turned).digest == VOCABULARY.digest
    turned["facts"][0]["label"] = "别的"
    assert parse_vocabulary(turned).digest != VOCABULARY.digest
    assert len(VOCABULARY.digest) == 64


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([], ""),
        ({}, ""),
        ({"facts": {}}, "facts"),
        ({"facts": [], "more": 1}, "more"),
        ({"facts": [], "code_lists": []}, "code_lists"),
        ({"facts": [[]]}, "facts.0"),
        (with_fact(kind="x"), "facts.0.kind"),
        (with_fact(key=None), "facts.0"),
        (with_fact(label=None), "facts.0"),
        (with_fact(label=""), "facts.0.label"),
        (with_fact(type=None), "facts.0"),
        (with_fact(type="float"), "facts.0.type"),
        (with_fact(key="a@b"), "facts.0.key"),
        (with_fact(type="code"), "facts.0"),
        (with_fact(type="records"), "facts.0"),
        (with_fact(type="code", codes="nowhere"), "facts.0.codes"),
        (with_fact(codes="region"), "facts.0.codes"),
        (with_fact(type="boolean", unit="元"), "facts.0.unit"),
        (with_fact(unit=1), "facts.0.unit"),
        (with_fact(fresh_for="1年"), "facts.0.fresh_for"),
        (with_fact(scope="form"), "facts.0.scope"),
        (with_list(hierarchy="none"), "code_lists.x"),
        (with_list(hierarchy="none", codes={}), "code_lists.x.codes"),
        (with_list(hierarchy="tree", codes={"a": "甲"}), "code_lists.x.hierarchy"),
        (with_list(hierarchy="none", codes={"a": 1}), "code_lists.x.codes.a"),
        (with_list(hierarchy="none", codes={"a": "甲"}, more=1), "code_lists.x.more"),
        (with_list(hierarchy="parents", codes={"a": "甲"}), "code_lists.x"),
        (with_list(hierarchy="none", codes={"a": "甲"}, parents={}), "code_lists.x.parents"),
        (with_list(hierarchy="parents", codes={"a": "甲"}, parents={"b": "a"}), "code_lists.x.parents.b"),
        (with_list(hierarchy="parents", codes={"a": "甲"}, parents={"a": "b"}), "code_lists.x.parents.a"),
        (with_list(hierarchy="parents", codes={"a": "甲"}, parents={"a": "a"}), "code_lists.x.parents.a"),
        (
            with_list(hierarchy="parents", codes={"a": "甲", "b": "乙"}, parents={"a": "b", "b": "a"}),
            "code_lists.x.parents.a",
        ),
    ],
)
def test_a_mistake_in_a_vocabulary_is_found_at_its_place(data: Any, path: str) -> None:
    assert list(mistakes(data)) == [path]


def test_a_key_defined_twice_is_wrong_the_second_time() -> None:
    fact = {"key": "x", "label": "甲", "type": "number"}
    assert list(mistakes({"facts": [fact, fact]})) == ["facts.1.key"]


def test_every_mistake_is_told_at_once() -> None:
    data = {"code_lists": {"a": {"codes": {}}, "b": 1}, "facts": [{"key": "k"}, {"key": "x", "type": "y", "z": 1}]}
    assert len(mistakes(data)) >= 6


def test_a_list_that_is_wrong_in_itself_is_not_called_missing_as_well() -> None:
    data = {"code_lists": {"a": {"codes": {}}}, "facts": [{"key": "k", "label": "甲", "type": "code", "codes": "a"}]}
    assert list(mistakes(data)) == ["code_lists.a.codes"]


def test_a_code_list_says_by_default_that_it_has_no_hierarchy() -> None:
    made = parse_vocabulary(with_list(codes={"a": "甲", "ab": "乙"}))
    assert made.code_lists["x"].descendants("a") == {"a"}


def test_a_vocabulary_without_code_lists_is_sound() -> None:
    assert parse_vocabulary({"facts": [{"key": "x", "label": "甲", "type": "number"}]}).facts["x"].unit == ""
