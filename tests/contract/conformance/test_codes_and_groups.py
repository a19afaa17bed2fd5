"""Code facts, code hierarchies, groups, `soft` and `not`: the verdicts that follow by hand from
the criteria language (docs/schemas/)."""

import itertools
from typing import Any

import pytest

from .world import EVERYONE, F, T, U, judge, judge_many, row

A = {"fact": "flag", "is": True}
B = {"fact": "flag2", "is": True}
C = {"fact": "flag3", "is": True}
VALUES: dict[str, bool | None] = {T: True, U: None, F: False}


def given(*verdicts: str) -> dict[str, Any]:
    """Facts that make A, B, C come out as asked."""
    return {key: VALUES[v] for key, v in zip(("flag", "flag2", "flag3"), verdicts, strict=False) if v != U}


def test_a_code_is_in_the_codes_named_and_their_descendants_and_never_in_those_below_it():
    """A code covers itself and its descendants: by prefix (`5101` covers `510105`), or through `parents`."""
    judge_many(
        [
            ({"fact": "region", "in": ["510105"]}, {"region": "510105"}, T),
            ({"fact": "region", "in": ["5101"]}, {"region": "510105"}, T),
            ({"fact": "region", "in": ["51010"]}, {"region": "510106"}, T),
            ({"fact": "region", "in": ["510105"]}, {"region": "5101"}, F),
            ({"fact": "region", "in": ["5102"]}, {"region": "510105"}, F),
            ({"fact": "region", "in": ["5102", "5101"]}, {"region": "510105"}, T),
            ({"fact": "region", "in": ["5101"]}, {}, U),
            ({"fact": "size", "in": ["sme"]}, {"size": "tiny"}, T),
            ({"fact": "size", "in": ["sme"]}, {"size": "sme"}, T),
            ({"fact": "size", "in": ["small_micro"]}, {"size": "tiny"}, T),
            ({"fact": "size", "in": ["small_micro"]}, {"size": "medium"}, F),
            ({"fact": "size", "in": ["micro"]}, {"size": "small_micro"}, F),
            ({"fact": "size", "in": ["sme"]}, {"size": "large"}, F),
            ({"fact": "size", "in": ["small"]}, {"size": "small_micro"}, F),
            ({"fact": "grade", "in": ["A"]}, {"grade": "AA"}, F),
            ({"fact": "grade", "in": ["A"]}, {"grade": "A"}, T),
        ]
    )


def test_not_in_is_true_where_no_code_named_covers_the_fact_and_unknown_where_it_is_absent():
    """`in: [codes]` or `not_in: [codes]`, one of them. A leaf over an absent fact is unknown."""
    judge_many(
        [
            ({"fact": "region", "not_in": ["5101"]}, {"region": "510105"}, F),
            ({"fact": "region", "not_in": ["5101"]}, {"region": "5102"}, T),
            ({"fact": "region", "not_in": ["510105"]}, {"region": "5101"}, T),
            ({"fact": "size", "not_in": ["micro", "large"]}, {"size": "tiny"}, F),
            ({"fact": "grade", "not_in": ["A"]}, {"grade": "AA"}, T),
            ({"fact": "region", "not_in": ["5101"]}, {}, U),
        ]
    )


def test_codes_of_records_cover_their_descendants_too():
    """A code covers itself and its descendants."""
    judge_many(
        [
            ({"fact": "honours", "any_of": ["n"]}, {"honours": ["n1"]}, T),
            ({"fact": "honours", "any_of": ["n1"]}, {"honours": ["n"]}, F),
            ({"fact": "honours", "all_of": ["n", "p"]}, {"honours": ["n2", "p"]}, T),
            ({"fact": "honours", "all_of": ["n", "n1"]}, {"honours": ["n1"]}, T),
            ({"fact": "honours", "none_of": ["n"]}, {"honours": ["n2"]}, F),
            ({"fact": "honours", "none_of": ["n1"]}, {"honours": ["n2", "n"]}, T),
        ]
    )


def test_a_boolean_is_compared_with_true_or_false():
    """`boolean`: `is: true` or `false`."""
    judge_many(
        [
            (A, {"flag": True}, T),
            (A, {"flag": False}, F),
            (A, {}, U),
            ({"fact": "flag", "is": False}, {"flag": False}, T),
            ({"fact": "flag", "is": False}, {"flag": True}, F),
            ({"fact": "flag", "is": False}, {}, U),
        ]
    )


def test_an_empty_all_is_open_to_every_enterprise():
    """`{"all": []}` alone is "open to every enterprise"."""
    assert judge(EVERYONE) == T


def minimum(values: Any) -> str:
    return min(values, key=[F, U, T].index)


def maximum(values: Any) -> str:
    return max(values, key=[F, U, T].index)


NOT = {T: F, U: U, F: T}
TWO = [((a, b), given(a, b)) for a, b in itertools.product((T, U, F), repeat=2)]
THREE = [((a, b, c), given(a, b, c)) for a, b, c in itertools.product((T, U, F), repeat=3)]


def at_least(k: int, values: tuple[str, ...]) -> str:
    return sorted(values, key=[T, U, F].index)[k - 1]


def test_all_and_any_follow_kleene_for_every_combination():
    """`all`: every member is; `any`: one member is. Three values, Kleene's logic: true, false, unknown."""
    judge_many([({"all": [A, B]}, facts, minimum(values)) for values, facts in TWO])
    judge_many([({"any": [A, B]}, facts, maximum(values)) for values, facts in TWO])


@pytest.mark.parametrize("k", [1, 2, 3])
def test_at_least_follows_kleene_for_every_combination(k: int):
    """`{"at_least": 2, "of": [...]}`: two members are."""
    judge_many([({"at_least": k, "of": [A, B, C]}, facts, at_least(k, values)) for values, facts in THREE])


def test_if_is_then_true_or_if_false_for_every_combination():
    """`{"if": X, "then": Y}`: Y is true or X is false."""
    judge_many([({"if": A, "then": B}, facts, maximum((NOT[values[0]], values[1]))) for values, facts in TWO])


@pytest.mark.parametrize("k", [1, 2, 3])
def test_not_over_each_group_turns_true_and_false_and_leaves_unknown(k: int):
    """`{"not": X}`: X is false."""
    judge_many([({"not": A}, facts, NOT[values[0]]) for values, facts in TWO])
    judge_many([({"not": {"not": A}}, facts, values[0]) for values, facts in TWO])
    judge_many([({"not": {"all": [A, B]}}, facts, NOT[minimum(values)]) for values, facts in TWO])
    judge_many([({"not": {"any": [A, B]}}, facts, NOT[maximum(values)]) for values, facts in TWO])
    judge_many([({"not": {"if": A, "then": B}}, facts, minimum((values[0], NOT[values[1]]))) for values, facts in TWO])
    judge_many(
        [({"not": {"at_least": k, "of": [A, B, C]}}, facts, NOT[at_least(k, values)]) for values, facts in THREE]
    )


def test_not_turns_every_kind_of_leaf():
    """A negated leaf is true where the leaf is false."""
    leaves: list[tuple[Any, Any, str]] = [
        ({"fact": "region", "in": ["5101"]}, {"region": "510105"}, T),
        ({"fact": "region", "not_in": ["5101"]}, {"region": "510105"}, F),
        ({"fact": "staff", "gte": 10, "lt": 20}, {"staff": 20}, F),
        ({"fact": "staff", "eq": 10}, {"staff": 10}, T),
        ({"fact": "rev", "gte": 10, "years": 2, "over": "each"}, {"rev": {"2025": 9}}, F),
        ({"fact": "rev", "gte": 10, "years": 2, "over": "each"}, {"rev": {"2025": 10}}, U),
        ({"fact": "staff", "gte": 10, "percent_of": "insured"}, {"staff": 1, "insured": 0}, U),
        ({"fact": "born", "within_last": "P1Y"}, {"born": "2026-01-01"}, T),
        ({"fact": "quals", "any_of": ["ht"]}, {"quals": []}, F),
        ({"fact": "quals", "none_of": ["ht"]}, {"quals": ["ht"]}, F),
        ({"fact": "quals", "all_of": ["ht", "gz"]}, {"quals": ["ht"]}, F),
        ({"fact": "quals", "any_of": ["ht"], "count": {"gte": 2}}, {"quals": ["ht", "ht"]}, T),
        ({"fact": "quals", "any_of": ["ht"], "amount": {"gte": 2}}, {"quals": ["ht"]}, U),
    ]
    judge_many([({"not": leaf}, facts, NOT[verdict]) for leaf, facts, verdict in leaves])


S = {"fact": "flag", "is": True, "soft": True}
SOFT = [
    (S, T),
    ({"not": S}, T),
    ({"not": {"not": S}}, T),
    ({"all": [S, B]}, T),
    ({"any": [S, C]}, T),
    ({"not": {"all": [S, B]}}, T),  # any(soft, not B)
    ({"not": {"any": [S, B]}}, F),  # all(soft, not B)
    ({"not": {"any": [S, C]}}, T),
    ({"if": S, "then": C}, T),  # any(C, soft)
    ({"if": B, "then": S}, T),
    ({"not": {"if": S, "then": C}}, T),  # all(soft, not C)
    ({"not": {"if": S, "then": B}}, F),
    ({"not": {"if": B, "then": S}}, T),
    ({"not": {"if": C, "then": S}}, F),
    ({"at_least": 2, "of": [S, B, C]}, T),
    ({"at_least": 3, "of": [S, B, C]}, F),
    ({"not": {"at_least": 2, "of": [S, B, C]}}, T),  # two of (soft, not B, not C)
    ({"not": {"at_least": 1, "of": [S, B, C]}}, F),
    ({"not": {"at_least": 3, "of": [S, B, C]}}, T),
    ({"not": {"at_least": 2, "of": [S, B]}}, T),
]


@pytest.mark.parametrize("flag", [True, None, False])
def test_a_soft_leaf_is_true_whatever_its_fact_or_sign(flag: bool | None):
    """`soft` applies after `not` has been pushed down to the leaves, and the leaf is then true
    whatever its fact or sign;
    so a `not` of it is true, and an `if` over it makes its group true."""
    facts = {"flag2": True, "flag3": False} | ({} if flag is None else {"flag": flag})
    judge_many([(criteria, facts, verdict) for criteria, verdict in SOFT])


def test_a_soft_leaf_stands_neither_in_unmet_nor_in_unknown():
    """`"soft": true` (原则上: shown and warned of, never decides)."""
    both = {"all": [{**S, "id": "s"}, {**C, "id": "c"}]}
    assert row(both, {"flag": False, "flag3": False})["unmet"] == ["c"]
    assert row(both, {"flag3": False})["unknown"] == []


def test_what_a_leaf_says_beside_its_operators_does_not_decide():
    """optional `"id"`, `"text"`, `"evidence"`, `"advice"`."""
    leaf = {**A, "id": "x", "text": "第一条", "evidence": ["licence"], "advice": "去登记"}
    judge_many([(leaf, {"flag": True}, T), (leaf, {"flag": False}, F), ({**A, "soft": False}, {"flag": False}, F)])
