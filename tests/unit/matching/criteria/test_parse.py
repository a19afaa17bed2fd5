"""Criteria from JSON: shapes, ids, and every mistake at its place."""

from typing import Any

import pytest

from matching.criteria import (
    All,
    AtLeast,
    CodeLeaf,
    IfThen,
    InvalidInput,
    Not,
    RecordsLeaf,
    YearlyLeaf,
    leaves,
    parse_criteria,
)

from .samples import VOCABULARY, mistakes, tree

LISTED = {"fact": "listed", "is": True}
STAFF = {"fact": "staff", "gte": 10}


def nested(depth: int) -> Any:
    found: Any = LISTED
    for _ in range(depth - 1):
        found = {"not": found}
    return found


def test_groups_are_read() -> None:
    assert isinstance(tree({"all": [LISTED]}), All)
    assert tree({"all": []}) == All(())
    found = tree({"at_least": 2, "of": [LISTED, STAFF]})
    assert isinstance(found, AtLeast)
    assert (found.needed, len(found.members)) == (2, 2)
    assert isinstance(tree({"not": LISTED}), Not)
    assert isinstance(tree({"if": LISTED, "then": STAFF}), IfThen)


def test_a_leafs_id_is_its_path_unless_named() -> None:
    criteria = {
        "all": [
            LISTED,
            {"any": [LISTED, {**LISTED, "id": "named"}]},
            {"at_least": 1, "of": [LISTED, LISTED]},
            {"not": {"if": LISTED, "then": {"not": LISTED}}},
        ]
    }
    expected = ["all.0", "all.1.any.0", "named", "all.2.of.0", "all.2.of.1", "all.3.not.then.not", "all.3.not.if"]
    found = list(leaves(tree(criteria)))
    assert [leaf.id for leaf in found] == expected
    assert found[2].path == "all.1.any.1"


def test_the_id_of_a_tree_that_is_one_leaf_is_root() -> None:
    assert [leaf.id for leaf in leaves(tree(LISTED))] == ["root"]
    assert [leaf.id for leaf in leaves(tree({"not": LISTED}))] == ["not"]


def test_a_leaf_keeps_its_words() -> None:
    leaf = next(
        leaves(tree({**LISTED, "text": "上市企业", "advice": "先上市", "evidence": ["m1", "m2"], "soft": True}))
    )
    assert (leaf.text, leaf.advice, leaf.evidence, leaf.soft) == ("上市企业", "先上市", ("m1", "m2"), True)


def test_a_leaf_knows_the_codes_that_its_codes_cover() -> None:
    leaf = tree({"fact": "region", "in": ["5101"]})
    assert isinstance(leaf, CodeLeaf)
    assert leaf.accepted == {"5101", "510105", "510107"}
    records = tree({"fact": "patents", "all_of": ["patent", "utility"]})
    assert isinstance(records, RecordsLeaf)
    assert records.covered == (frozenset({"patent", "invention", "utility"}), frozenset({"utility"}))


def test_a_yearly_leaf_has_its_defaults() -> None:
    leaf = tree({"fact": "revenue", "gte": 1})
    assert isinstance(leaf, YearlyLeaf)
    assert (leaf.year, leaf.years, leaf.over, leaf.growth, leaf.percent_of) == ("last", 1, None, False, None)


def test_a_tree_may_be_thirty_two_deep_and_no_deeper() -> None:
    assert mistakes(nested(32)) == {}
    assert list(mistakes(nested(33))) == ["criteria" + ".not" * 32]


def test_a_tree_of_any_depth_is_refused_without_a_crash() -> None:
    assert len(mistakes(nested(5000))) == 1


@pytest.mark.parametrize(
    ("criteria", "path"),
    [
        (None, ""),
        ([], ""),
        ("x", ""),
        ({}, ""),
        ({"any": []}, ".any"),
        ({"at_least": 1, "of": []}, ".of"),
        ({"all": [{"all": []}]}, ".all.0.all"),
        ({"not": {"all": []}}, ".not.all"),
        ({"all": LISTED}, ".all"),
        ({"all": [LISTED], "any": [LISTED]}, ""),
        ({"all": [LISTED], "text": "x"}, ".text"),
        ({"all": [None]}, ".all.0"),
        ({"some": [LISTED]}, ""),
        ({"at_least": 0, "of": [LISTED]}, ".at_least"),
        ({"at_least": 2, "of": [LISTED]}, ".at_least"),
        ({"at_least": -1, "of": [LISTED]}, ".at_least"),
        ({"at_least": True, "of": [LISTED]}, ".at_least"),
        ({"at_least": "x", "of": [LISTED]}, ".at_least"),
        ({"at_least": 1}, ""),
        ({"of": [LISTED]}, ""),
        ({"if": LISTED}, ""),
        ({"then": LISTED}, ""),
        ({"not": [LISTED]}, ".not"),
        ({"not": LISTED, "any": [LISTED]}, ""),
        ({"fact": "nope", "is": True}, ".fact"),
        ({"fact": None, "is": True}, ".fact"),
        ({**LISTED, "all": []}, ".all"),
        ({**LISTED, "weight": 1}, ".weight"),
        ({**LISTED, "id": ""}, ".id"),
        ({**LISTED, "id": 7}, ".id"),
        ({**LISTED, "text": 7}, ".text"),
        ({**LISTED, "advice": None}, ".advice"),
        ({**LISTED, "evidence": "m1"}, ".evidence"),
        ({**LISTED, "evidence": [1]}, ".evidence.0"),
        ({**LISTED, "soft": "yes"}, ".soft"),
        ({"fact": "listed"}, ""),
        ({"fact": "listed", "is": "true"}, ".is"),
        ({"fact": "listed", "is": 1}, ".is"),
        ({"fact": "listed", "gte": 1, "is": True}, ".gte"),
        ({"fact": "region"}, ""),
        ({"fact": "region", "in": []}, ".in"),
        ({"fact": "region", "not_in": []}, ".not_in"),
        ({"fact": "region", "in": "5101"}, ".in"),
        ({"fact": "region", "in": ["5101", "9999"]}, ".in.1"),
        ({"fact": "region", "in": [5101]}, ".in.0"),
        ({"fact": "region", "in": ["5101"], "not_in": ["510105"]}, ""),
        ({"fact": "staff"}, ""),
        ({"fact": "staff", "gte": 1, "gt": 1}, ""),
        ({"fact": "staff", "lte": 1, "lt": 1}, ""),
        ({"fact": "staff", "eq": 1, "lte": 2}, ""),
        ({"fact": "staff", "gte": 2, "lte": 1}, ""),
        ({"fact": "staff", "gt": 1, "lte": "1.0"}, ""),
        ({"fact": "staff", "gte": 1, "lt": 1}, ""),
        ({"fact": "staff", "gte": 1.5}, ".gte"),
        ({"fact": "staff", "gte": None}, ".gte"),
        ({"fact": "staff", "gte": "1234567890123456"}, ".gte"),
        ({"fact": "staff", "gte": 1, "year": "last"}, ".year"),
        ({"fact": "staff", "gte": 1, "percent_of": "nope"}, ".percent_of"),
        ({"fact": "staff", "gte": 1, "percent_of": "revenue"}, ".percent_of"),
        ({"fact": "revenue", "gte": 1, "percent_of": "staff"}, ".percent_of"),
        ({"fact": "revenue", "gte": 1, "percent_of": "rd", "growth": True}, ".percent_of"),
        ({"fact": "revenue", "gte": 1, "year": "next"}, ".year"),
        ({"fact": "revenue", "gte": 1, "year": 2024}, ".year"),
        ({"fact": "revenue", "gte": 1, "year": "24"}, ".year"),
        ({"fact": "revenue", "gte": 1, "years": 0}, ".years"),
        ({"fact": "revenue", "gte": 1, "years": -3, "over": "sum"}, ".years"),
        ({"fact": "revenue", "gte": 1, "years": True}, ".years"),
        ({"fact": "revenue", "gte": 1, "years": 2}, ""),
        ({"fact": "revenue", "gte": 1, "years": 2, "over": "max"}, ".over"),
        ({"fact": "revenue", "gte": 1, "years": 2, "over": "sum", "growth": True}, ".over"),
        ({"fact": "revenue", "gte": 1, "over": "mean", "growth": True}, ".over"),
        ({"fact": "revenue", "gte": 1, "growth": "yes"}, ".growth"),
        ({"fact": "founded"}, ""),
        ({"fact": "founded", "on_or_after": "2024-13-01"}, ".on_or_after"),
        ({"fact": "founded", "on_or_after": "2024-01-02", "on_or_before": "2024-01-01"}, ""),
        ({"fact": "founded", "within_last": "3Y"}, ".within_last"),
        ({"fact": "founded", "within_last": "P1Y", "at_least_ago": "P2Y"}, ""),
        ({"fact": "founded", "within_last": "P1M", "at_least_ago": "P32D"}, ""),
        ({"fact": "founded", "gte": "2024-01-01"}, ".gte"),
        ({"fact": "qualifications"}, ""),
        ({"fact": "qualifications", "any_of": []}, ".any_of"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "none_of": ["srdi"]}, ""),
        ({"fact": "qualifications", "any_of": ["nope"]}, ".any_of.0"),
        ({"fact": "qualifications", "all_of": ["high_tech"], "count": {"gte": 1}}, ".count"),
        ({"fact": "qualifications", "none_of": ["high_tech"], "amount": {"gte": 1}}, ".amount"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "count": 3}, ".count"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "count": {}}, ".count"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "count": {"min": 1}}, ".count.min"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "count": {"gt": 3, "lt": 3}}, ".count"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "held": "always"}, ".held"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "first": 1}, ".first"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "obtained": {}}, ".obtained"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "obtained": "P3Y"}, ".obtained"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "obtained": {"gte": 1}}, ".obtained.gte"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "where": {}}, ".where"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "where": {"on": {"gte": 1}}}, ".where.on"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "where": {"rank": 3}}, ".where.rank"),
        ({"fact": "qualifications", "any_of": ["high_tech"], "where": {"rank": {"eq": 1, "gte": 1}}}, ".where.rank"),
    ],
)
def test_a_mistake_is_found_at_its_place(criteria: Any, path: str) -> None:
    assert f"criteria{path}" in mistakes(criteria)


def test_a_leaf_id_may_stand_only_once_in_a_tree() -> None:
    found = mistakes({"all": [{**LISTED, "id": "x"}, {**STAFF, "id": "x"}]})
    assert list(found) == ["criteria.all.1.id"]
    # A name may not be the path of another leaf either.
    assert list(mistakes({"all": [{**LISTED, "id": "all.1"}, STAFF]})) == ["criteria.all.1"]


def test_every_mistake_is_told_at_once_each_with_what_is_allowed() -> None:
    found = mistakes(
        {
            "at_least": 9,
            "of": [
                {"fact": "region", "in": ["x", "y"], "soft": 1},
                {"any": []},
                {"fact": "revenue", "years": 0, "over": "max"},
                {"fact": "nope", "text": 3},
            ],
        }
    )
    assert set(found) == {
        "criteria.at_least",
        "criteria.of.0.in.0",
        "criteria.of.0.in.1",
        "criteria.of.0.soft",
        "criteria.of.1.any",
        "criteria.of.2",
        "criteria.of.2.years",
        "criteria.of.2.over",
        "criteria.of.3.fact",
        "criteria.of.3.text",
    }


def test_places_begin_with_the_path_that_is_given() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_criteria({"any": []}, VOCABULARY, "award.rules.0.when")
    assert caught.value.problems[0].path == "award.rules.0.when.any"


@pytest.mark.parametrize(
    "criteria",
    [
        {"fact": "staff", "gte": 1, "lte": 1},
        {"fact": "staff", "eq": "0"},
        {"fact": "revenue", "gt": "-5", "growth": True, "over": "each", "years": 3},
        {"fact": "revenue", "gte": 1, "years": 1, "over": "sum"},
        {"fact": "founded", "on_or_after": "2020-01-01", "within_last": "P3Y", "at_least_ago": "P1Y"},
        {"fact": "founded", "within_last": "P1M", "at_least_ago": "P30D"},
        {
            "fact": "qualifications",
            "any_of": ["srdi"],
            "count": {"gte": 1},
            "amount": {"lt": "5"},
            "where": {"amount": {"gt": 0}},
        },
    ],
)
def test_what_the_contract_allows_is_taken(criteria: Any) -> None:
    assert mistakes(criteria) == {}
