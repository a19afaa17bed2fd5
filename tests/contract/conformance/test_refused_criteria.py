"""Criteria that are refused, where it is said to be, and that nothing is written."""

import json
from typing import Any

import pytest

from .world import (
    accept,
    check_refused,
    lines,
    policy,
    refuse,
    run,
)

OK: dict[str, Any] = {"fact": "staff", "gte": 1}


@pytest.mark.parametrize(
    ("criteria", "path"),
    [
        ({"any": []}, "criteria.any"),
        ({"at_least": 1, "of": []}, None),
        ({"not": {"all": []}}, "criteria.not.all"),
        ({"all": [{"all": []}]}, "criteria.all.0.all"),
        ({"any": [OK, {"all": []}]}, "criteria.any.1.all"),
        ({"if": {"all": []}, "then": OK}, "criteria.if.all"),
        ({"if": OK, "then": {"any": []}}, "criteria.then.any"),
    ],
)
def test_an_empty_group_is_an_error_but_for_the_open_one(criteria: Any, path: str | None):
    """`{"all": []}` alone is "open to every enterprise". Any other empty group is an error."""
    refuse(criteria, path)


@pytest.mark.parametrize("k", [0, 3, -1, "1", True, 1.0, None, [1]])
def test_at_least_lies_between_1_and_its_members(k: Any):
    """`at_least` outside 1…members."""
    refuse({"at_least": k, "of": [OK, OK]}, "criteria.at_least")


def test_at_least_may_be_1_and_all_of_its_members():
    """`at_least` outside 1…members."""
    accept({"at_least": 1, "of": [OK, OK]})
    accept({"at_least": 2, "of": [OK, OK]})


@pytest.mark.parametrize(
    "criteria",
    [
        None,
        [],
        "x",
        1,
        True,
        {},
        [OK],
        {"all": OK},
        {"all": None},
        {"any": "x"},
        {"not": []},
        {"not": None},
        {"all": [None]},
        {"all": [[]]},
        {"all": ["x"]},
        {"if": OK},
        {"then": OK},
        {"at_least": 1},
        {"of": [OK]},
        {"gte": 1},
        {"id": "x"},
    ],
)
def test_what_is_no_group_and_no_leaf_is_an_error(criteria: Any):
    """A tree of groups and leaves."""
    refuse(criteria)


@pytest.mark.parametrize(
    ("criteria", "where"),
    [
        ({"all": [OK], "any": [OK]}, "criteria"),
        ({"all": [OK], "id": "x"}, "criteria"),
        ({"not": OK, "soft": True}, "criteria"),
        ({"if": OK, "then": OK, "else": OK}, "criteria"),
        ({"at_least": 1, "of": [OK], "all": [OK]}, "criteria"),
        ({"all": [{**OK, "txet": "x"}]}, "criteria.all.0"),
        ({**OK, "in": ["5101"]}, "criteria"),
        ({"fact": "rev", "gte": 1, "yaer": "last"}, "criteria"),
        ({"fact": "quals", "any_of": ["ht"], "obtained": {"withinlast": "P1Y"}}, "criteria.obtained"),
        ({"fact": "quals", "any_of": ["ht"], "count": {"gte": 1, "min": 1}}, "criteria.count"),
        ({"fact": "quals", "any_of": ["ht"], "amount": {"gte": 1, "min": 1}}, "criteria.amount"),
        ({"fact": "quals", "any_of": ["ht"], "where": {"rank": {"gte": 1, "min": 1}}}, "criteria.where.rank"),
    ],
)
def test_unknown_keys_are_errors_at_every_level_of_the_criteria(criteria: Any, where: str):
    """Errors: unknown or doubled keys."""
    message = refuse(criteria)
    assert any(line.startswith(f"P.jsonl:1: {where}") for line in message.splitlines()), message


def test_ids_may_not_repeat_in_a_tree():
    """repeated leaf ids in a tree."""
    refuse({"all": [{**OK, "id": "a"}, {**OK, "id": "a"}]}, "criteria.all.1.id")
    refuse({"all": [{**OK, "id": "all.1"}, OK]})
    refuse({"all": [OK, {**OK, "id": "all.0"}]})
    refuse({"any": [{**OK, "id": "a"}, {"not": {"all": [{**OK, "id": "a"}]}}]})
    accept({"all": [{**OK, "id": "all.1"}, {**OK, "id": "all.0"}]})


@pytest.mark.parametrize(
    "more",
    [
        {"id": 1},
        {"id": ""},
        {"id": None},
        {"text": 1},
        {"advice": []},
        {"evidence": "licence"},
        {"evidence": [1]},
        {"soft": "yes"},
        {"soft": None},
        {"soft": 1},
    ],
)
def test_what_stands_beside_the_operators_has_its_type(more: dict[str, Any]):
    """optional `"id"`, `"text"`, `"evidence"` (material codes), `"advice"` and `"soft": true`."""
    refuse({**OK, **more})


def nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = OK
    for _ in range(depth - 1):
        tree = {"not": tree}
    return tree


def test_a_tree_may_be_32_deep_and_no_deeper():
    """trees deeper than 32 (a lone leaf has depth 1)."""
    accept(nested(32))
    refuse(nested(33))
    refuse(nested(200))
    wide: dict[str, Any] = OK
    for _ in range(31):
        wide = {"if": OK, "then": {"all": [wide]}} if _ % 2 else {"any": [wide]}
    refuse(wide)


def test_a_tree_of_absurd_depth_is_refused_like_any_other():
    """trees deeper than 32; 2 with every error found."""
    text = '{"id": "p", "criteria": ' + '{"not": ' * 20000 + json.dumps(OK) + "}" * 20001
    check_refused(run(text.encode(), []), "P.jsonl:1: ")
    check_refused(run(b"[" * 100000, []), "P.jsonl:1: ")
    check_refused(run([], ('{"id": "e", "facts": ' + '{"a": ' * 20000 + "1" + "}" * 20001).encode()), "E.jsonl:1: ")
    check_refused(run(b"[" * 100000 + b"\n" + lines([policy({})]), []), "P.jsonl:2: ")


def quals(**more: Any) -> dict[str, Any]:
    return {"fact": "quals", "any_of": ["ht"], **more}


BAD_LEAVES: list[tuple[dict[str, Any], str | None]] = [
    ({"fact": "nope", "gte": 1}, "criteria.fact"),
    ({"fact": None, "gte": 1}, "criteria.fact"),
    ({"fact": 1, "gte": 1}, "criteria.fact"),
    ({"fact": [], "gte": 1}, "criteria.fact"),
    ({"fact": "staff"}, None),
    # operators of another type
    ({"fact": "staff", "in": ["5101"]}, None),
    ({"fact": "staff", "is": True}, None),
    ({"fact": "staff", "gte": 1, "year": "last"}, None),
    ({"fact": "staff", "gte": 1, "years": 1}, None),
    ({"fact": "staff", "gte": 1, "growth": True}, None),
    ({"fact": "region", "gte": 1}, None),
    ({"fact": "region", "any_of": ["5101"]}, None),
    ({"fact": "born", "gte": "2020-01-01"}, None),
    ({"fact": "flag", "eq": 1}, None),
    ({"fact": "quals", "in": ["ht"]}, None),
    ({"fact": "rev", "is": True}, None),
    # code
    ({"fact": "region", "in": ["5101"], "not_in": ["5102"]}, None),
    ({"fact": "region", "in": []}, "criteria.in"),
    ({"fact": "region", "not_in": []}, "criteria.not_in"),
    ({"fact": "region", "in": "5101"}, "criteria.in"),
    ({"fact": "region", "in": None}, "criteria.in"),
    ({"fact": "region", "in": ["9999"]}, "criteria.in.0"),
    ({"fact": "region", "in": ["5101", "ht"]}, "criteria.in.1"),
    ({"fact": "region", "in": [5101]}, "criteria.in.0"),
    ({"fact": "region", "in": [["5101"]]}, "criteria.in.0"),
    ({"fact": "region", "in": ["5101", None]}, "criteria.in.1"),
    ({"fact": "region", "in": {"5101": 1}}, "criteria.in"),
    # number
    ({"fact": "staff", "gte": 1, "gt": 1}, None),
    ({"fact": "staff", "lte": 1, "lt": 1}, None),
    ({"fact": "staff", "eq": 1, "gte": 1}, None),
    ({"fact": "staff", "eq": 1, "lt": 5}, None),
    # ranges that hold nothing
    ({"fact": "staff", "gte": 2, "lte": 1}, None),
    ({"fact": "staff", "gt": 1, "lte": 1}, None),
    ({"fact": "staff", "gte": 1, "lt": "1.0"}, None),
    ({"fact": "staff", "gt": 1, "lt": 1}, None),
    ({"fact": "rev", "gte": 2, "lt": 1}, None),
    (quals(count={"gte": 3, "lte": 2}), None),
    (quals(amount={"gt": 3, "lt": 3}), None),
    (quals(where={"rank": {"gte": 3, "lte": 2}}), None),
    ({"fact": "born", "on_or_after": "2020-01-02", "on_or_before": "2020-01-01"}, None),
    (quals(obtained={"on_or_after": "2020-01-02", "on_or_before": "2020-01-01"}), None),
    # yearly
    ({"fact": "rev", "gte": 1, "year": "next"}, "criteria.year"),
    ({"fact": "rev", "gte": 1, "year": 2024}, "criteria.year"),
    ({"fact": "rev", "gte": 1, "year": "24"}, "criteria.year"),
    ({"fact": "rev", "gte": 1, "year": "02024"}, "criteria.year"),
    ({"fact": "rev", "gte": 1, "year": "٢٠٢٤"}, "criteria.year"),
    ({"fact": "rev", "gte": 1, "year": "2024\n"}, "criteria.year"),
    ({"fact": "rev", "gte": 1, "year": None}, "criteria.year"),
    ({"fact": "rev", "gte": 1, "years": 0}, "criteria.years"),
    ({"fact": "rev", "gte": 1, "years": -1, "over": "sum"}, "criteria.years"),
    ({"fact": "rev", "gte": 1, "years": "2", "over": "sum"}, "criteria.years"),
    ({"fact": "rev", "gte": 1, "years": True}, "criteria.years"),
    ({"fact": "rev", "gte": 1, "years": 2.0, "over": "sum"}, "criteria.years"),
    ({"fact": "rev", "gte": 1, "years": 2}, None),
    ({"fact": "rev", "gte": 1, "years": 2, "growth": True}, None),
    ({"fact": "rev", "gte": 1, "years": 2, "over": "max"}, "criteria.over"),
    ({"fact": "rev", "gte": 1, "years": 2, "over": None}, "criteria.over"),
    ({"fact": "rev", "gte": 1, "years": 2, "over": "sum", "growth": True}, None),
    ({"fact": "rev", "gte": 1, "years": 2, "over": "mean", "growth": True}, None),
    ({"fact": "rev", "gte": 1, "over": "mean", "growth": True}, None),
    ({"fact": "rev", "gte": 1, "growth": "yes"}, "criteria.growth"),
    ({"fact": "rev", "year": "last"}, None),
    # percent_of
    ({"fact": "staff", "gte": 1, "percent_of": "nope"}, "criteria.percent_of"),
    ({"fact": "staff", "gte": 1, "percent_of": "rev"}, "criteria.percent_of"),
    ({"fact": "rev", "gte": 1, "percent_of": "staff"}, "criteria.percent_of"),
    ({"fact": "staff", "gte": 1, "percent_of": "region"}, "criteria.percent_of"),
    ({"fact": "staff", "gte": 1, "percent_of": None}, "criteria.percent_of"),
    ({"fact": "staff", "gte": 1, "percent_of": ["insured"]}, "criteria.percent_of"),
    ({"fact": "rd", "gte": 1, "percent_of": "rev", "growth": True}, None),
    ({"fact": "born", "on_or_after": "2020-01-01", "percent_of": "staff"}, None),
    ({"fact": "rd", "gte": 1, "percent_of": "rev", "years": 2}, None),
    # date
    ({"fact": "born"}, None),
    ({"fact": "born", "on_or_after": "2020-1-1"}, "criteria.on_or_after"),
    ({"fact": "born", "on_or_after": "20200101"}, "criteria.on_or_after"),
    ({"fact": "born", "on_or_before": "2021-02-29"}, "criteria.on_or_before"),
    ({"fact": "born", "on_or_before": None}, "criteria.on_or_before"),
    ({"fact": "born", "within_last": "P"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "P1W"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "PT1H"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "P1Y1"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "P1D1Y"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "P-1Y"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "-P1Y"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "P1.5Y"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "p1y"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "P١Y"}, "criteria.within_last"),
    ({"fact": "born", "within_last": "P1Y\n"}, "criteria.within_last"),
    ({"fact": "born", "within_last": ""}, "criteria.within_last"),
    ({"fact": "born", "within_last": 3}, "criteria.within_last"),
    ({"fact": "born", "at_least_ago": "3Y"}, "criteria.at_least_ago"),
    ({"fact": "born", "at_least_ago": None}, "criteria.at_least_ago"),
    # boolean
    ({"fact": "flag"}, None),
    ({"fact": "flag", "is": "true"}, "criteria.is"),
    ({"fact": "flag", "is": 1}, "criteria.is"),
    ({"fact": "flag", "is": None}, "criteria.is"),
    # records
    ({"fact": "quals"}, None),
    ({"fact": "quals", "held": "now"}, None),
    ({"fact": "quals", "any_of": ["ht"], "none_of": ["gz"]}, None),
    ({"fact": "quals", "any_of": ["ht"], "all_of": ["gz"]}, None),
    ({"fact": "quals", "any_of": []}, "criteria.any_of"),
    ({"fact": "quals", "all_of": []}, "criteria.all_of"),
    ({"fact": "quals", "none_of": []}, "criteria.none_of"),
    ({"fact": "quals", "any_of": ["A"]}, "criteria.any_of.0"),
    (quals(held="always"), "criteria.held"),
    (quals(held=None), "criteria.held"),
    (quals(first="yes"), "criteria.first"),
    (quals(first=1), "criteria.first"),
    (quals(obtained={}), None),
    (quals(obtained="P1Y"), "criteria.obtained"),
    (quals(obtained={"on_or_after": "x"}), "criteria.obtained.on_or_after"),
    (quals(count={}), None),
    (quals(count=3), "criteria.count"),
    (quals(count={"gte": "x"}), "criteria.count.gte"),
    (quals(count={"eq": 1, "gte": 1}), None),
    (quals(amount={}), None),
    (quals(amount="100"), "criteria.amount"),
    (quals(amount={"gte": 1.5}), "criteria.amount.gte"),
    (quals(where=[]), "criteria.where"),
    (quals(where={"rank": 3}), "criteria.where.rank"),
    (quals(where={"rank": {}}), None),
    (quals(where={"rank": {"gte": "x"}}), "criteria.where.rank.gte"),
    (quals(where={"on": {"gte": 1}}), None),
    (quals(where={"code": {"gte": 1}}), None),
    ({"fact": "quals", "all_of": ["ht"], "count": {"gte": 1}}, None),
    ({"fact": "quals", "none_of": ["ht"], "count": {"gte": 1}}, None),
    ({"fact": "quals", "all_of": ["ht"], "amount": {"gte": 1}}, None),
    ({"fact": "quals", "none_of": ["ht"], "amount": {"gte": 1}}, None),
]


@pytest.mark.parametrize(("leaf", "path"), BAD_LEAVES, ids=[json.dumps(x, ensure_ascii=True) for x, _ in BAD_LEAVES])
def test_a_leaf_takes_the_operators_of_its_type_and_no_others(leaf: dict[str, Any], path: str | None):
    """the table of operators; codes that are not on their list, empty code lists, `years` < 1, ranges
    that hold nothing."""
    refuse(leaf, path)


GOOD_LEAVES: list[dict[str, Any]] = [
    {"fact": "rev", "gte": 1, "years": 1, "over": "sum"},
    {"fact": "rev", "gte": 1, "years": 40, "over": "each", "growth": True, "year": "2024"},
    {"fact": "staff", "gt": 1, "lt": "1.1"},
    {"fact": "staff", "gte": 1, "lte": 1},
    {"fact": "born", "within_last": "P1Y2M3D", "on_or_after": "2020-01-01"},
    {"fact": "born", "on_or_after": "2020-01-01", "on_or_before": "2020-01-01"},
    {"fact": "born", "within_last": "P0D"},
    quals(
        held="ever",
        first=True,
        obtained={"within_last": "P1Y"},
        count={"gte": 1},
        amount={"gte": "1"},
        where={"rank": {"lte": 3}, "amount": {"gt": 0}},
    ),
    {
        "fact": "quals",
        "all_of": ["ht"],
        "held": "now",
        "where": {"rank": {"eq": 1}},
        "obtained": {"at_least_ago": "P1D"},
    },
    {"fact": "quals", "none_of": ["ht"], "held": "ever", "first": True},
    {"fact": "rd", "gte": 1, "percent_of": "rev", "years": 2, "over": "mean"},
]


@pytest.mark.parametrize("leaf", GOOD_LEAVES, ids=[json.dumps(x) for x in GOOD_LEAVES])
def test_what_the_table_of_operators_allows_is_accepted(leaf: dict[str, Any]):
    """the table of operators."""
    accept(leaf)
