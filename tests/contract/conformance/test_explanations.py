"""The cheapest way to qualify: `unmet`, `unknown`, their order and ids, `form_only`, `--near`."""

import itertools
from typing import Any

import pytest

from .world import EVERYONE, enterprise, policy, row, run


def told(criteria: Any, facts: dict[str, Any]) -> tuple[list[str], list[str]]:
    r = row(criteria, facts)
    return r["unmet"], r["unknown"]


# Leaves with ids that say how they come out: t… true, u… unknown, f… false.
def t(n: int = 1) -> dict[str, Any]:
    return {"fact": "staff", "gte": 0, "id": f"t{n}"}


def u(n: int = 1) -> dict[str, Any]:
    return {"fact": "insured", "gte": n, "id": f"u{n}"}


def f(n: int = 1) -> dict[str, Any]:
    return {"fact": "staff", "lt": 0, "id": f"f{n}"}


FACTS = {"staff": 1}


@pytest.mark.parametrize(
    ("criteria", "unmet", "unknown"),
    [
        (t(), [], []),
        (u(), [], ["u1"]),
        (f(), ["f1"], []),
        # `all` adds its members
        ({"all": [f(1), t(), u(1), f(2), u(2)]}, ["f1", "f2"], ["u1", "u2"]),
        # `any` takes the least; pairs compare left to right
        ({"any": [f(1), {"all": [u(1), u(2)]}]}, [], ["u1", "u2"]),
        ({"any": [{"all": [u(1), u(2)]}, f(1)]}, [], ["u1", "u2"]),
        ({"any": [{"all": [f(1), u(1)]}, f(2)]}, ["f2"], []),
        ({"any": [{"all": [f(1), f(2)]}, {"all": [f(3), u(1), u(2), u(3)]}]}, ["f3"], ["u1", "u2", "u3"]),
        ({"any": [u(1), t()]}, [], []),
        ({"any": [{"all": [u(1), u(2)]}, u(3)]}, [], ["u3"]),
        # ties go to the earlier member
        ({"any": [f(1), f(2)]}, ["f1"], []),
        ({"any": [u(2), u(1)]}, [], ["u2"]),
        ({"any": [{"all": [f(1), t()]}, f(2)]}, ["f1"], []),
        # `at_least` k adds the k least
        ({"at_least": 2, "of": [f(1), f(2), f(3)]}, ["f1", "f2"], []),
        ({"at_least": 2, "of": [f(1), u(1), f(2)]}, ["f1"], ["u1"]),
        ({"at_least": 2, "of": [f(1), u(1), t()]}, [], ["u1"]),
        ({"at_least": 2, "of": [{"all": [f(1), u(1)]}, f(2), f(3)]}, ["f2", "f3"], []),
        ({"at_least": 2, "of": [{"all": [f(1), u(1)]}, f(2), {"all": [u(2), u(3)]}]}, ["f2"], ["u2", "u3"]),
        ({"at_least": 3, "of": [f(1), u(1), t(), f(2)]}, ["f1"], ["u1"]),
        # `then` before `if`
        ({"if": {"not": f(1)}, "then": f(2)}, ["f2"], []),
        ({"if": t(1), "then": f(2)}, ["f2"], []),
        ({"if": {"any": [t(1), t(2)]}, "then": f(1)}, ["f1"], []),
        ({"if": u(1), "then": f(1)}, [], ["u1"]),
        ({"if": u(1), "then": u(2)}, [], ["u2"]),
        ({"not": {"if": f(1), "then": t(1)}}, ["t1", "f1"], []),
        ({"not": {"if": u(1), "then": u(2)}}, [], ["u2", "u1"]),
        ({"if": {"all": [t(1), t(2)]}, "then": {"all": [f(1), f(2)]}}, ["t1"], []),
        # `not` is pushed to the leaves first
        ({"not": t()}, ["t1"], []),
        ({"not": {"all": [t(1), t(2)]}}, ["t1"], []),
        ({"not": {"any": [t(1), f(1), u(1), t(2)]}}, ["t1", "t2"], ["u1"]),
        ({"not": {"all": [t(1), u(1)]}}, [], ["u1"]),
        ({"not": {"at_least": 2, "of": [t(1), t(2), t(3)]}}, ["t1", "t2"], []),
        ({"not": {"at_least": 1, "of": [t(1), f(2), u(1)]}}, ["t1"], ["u1"]),
        ({"not": {"at_least": 3, "of": [t(1), t(2), t(3)]}}, ["t1"], []),
        ({"not": {"not": {"any": [f(1), f(2)]}}}, ["f1"], []),
        # a soft leaf costs nothing
        ({"any": [f(1), {"all": [{**f(2), "soft": True}, u(1)]}]}, [], ["u1"]),
    ],
)
def test_unmet_and_unknown_are_those_of_the_cheapest_way(criteria: Any, unmet: list[str], unknown: list[str]):
    """cost of a leaf is (0, 0) if true, (0, 1) if unknown, (1, 0) if false; `all` adds its members,
    `any` takes the least,
    `at_least` k adds the k least; pairs compare left to right, ties go to the earlier member. From it come `unmet` and
    `unknown`, both in tree order (`then` before `if`)."""
    assert told(criteria, FACTS) == (unmet, unknown)


def test_an_eligible_pair_has_nothing_unmet_or_unknown():
    """`unmet` (leaves that are false on that way) and `unknown`."""
    assert row({"any": [f(1), u(1), t(1)]}, FACTS) == {
        "policy": "p",
        "enterprise": "e",
        "verdict": "eligible",
        "unmet": [],
        "unknown": [],
    }


X = {"fact": "staff", "lt": 0}


@pytest.mark.parametrize(
    ("criteria", "ids"),
    [
        (X, ["root"]),
        ({"all": [X]}, ["all.0"]),
        ({"all": [EVERYONE | {"all": [X]}, {"any": [X]}]}, ["all.0.all.0", "all.1.any.0"]),
        ({"all": [X, X, {"at_least": 2, "of": [X, X]}]}, ["all.0", "all.1", "all.2.of.0", "all.2.of.1"]),
        ({"all": [X, X, X, {"not": {"not": X}}]}, ["all.0", "all.1", "all.2", "all.3.not.not"]),
        ({"all": [{"if": {"fact": "staff", "gte": 0}, "then": X}]}, ["all.0.then"]),
        ({"not": {"if": X, "then": {"fact": "staff", "gte": 0}}}, ["not.then", "not.if"]),
        ({"not": {"fact": "staff", "gte": 0}}, ["not"]),
        ({"any": [{"all": [{**X, "id": "一"}, X]}]}, ["一", "any.0.all.1"]),
        ({**X, "id": "whole"}, ["whole"]),
    ],
)
def test_a_leaf_without_an_id_goes_by_its_path(criteria: Any, ids: list[str]):
    """optional `"id"` (default: its path, as `all.1.any.0`, `all.2.of.1`, `all.3.not`; `root` where
    the leaf is the
    whole)."""
    assert row(criteria, FACTS)["unmet"] == ids


def test_ids_come_in_tree_order_and_not_in_the_order_of_their_text():
    """both in tree order."""
    many = [{"fact": "staff", "lt": -n} for n in range(12)]
    assert row({"all": many}, FACTS)["unmet"] == [f"all.{n}" for n in range(12)]


LOAN = {"fact": "loan", "gte": 1}
STAFF = {"fact": "staff", "gte": 1}


@pytest.mark.parametrize(
    ("criteria", "facts", "form_only"),
    [
        (LOAN, {}, True),
        (STAFF, {}, False),
        ({"all": [LOAN, STAFF]}, {}, False),
        ({"all": [LOAN, STAFF]}, {"staff": 1}, True),
        ({"all": [LOAN, {"fact": "investment", "gte": 1}]}, {}, True),
        # each leaf *in its unknown*: another way may lack what it likes
        ({"any": [LOAN, STAFF]}, {}, True),
        ({"any": [STAFF, LOAN]}, {}, False),
        ({"any": [{"all": [STAFF, {"fact": "insured", "gte": 1}]}, LOAN]}, {}, True),
        # lacks a fact, and only such facts, of its `fact` and `percent_of`
        ({"fact": "loan", "gte": 1, "percent_of": "investment"}, {}, True),
        ({"fact": "loan", "gte": 1, "percent_of": "investment"}, {"loan": 1}, True),
        ({"fact": "loan", "gte": 1, "percent_of": "investment"}, {"investment": 1}, True),
        ({"fact": "loan", "gte": 1, "percent_of": "staff"}, {}, False),
        ({"fact": "loan", "gte": 1, "percent_of": "staff"}, {"staff": 1}, True),
        ({"fact": "loan", "gte": 1, "percent_of": "staff"}, {"loan": 1}, False),
        ({"fact": "staff", "gte": 1, "percent_of": "loan"}, {"staff": 1}, True),
        ({"fact": "staff", "gte": 1, "percent_of": "loan"}, {}, False),
        # unknown, yet no fact is absent
        ({"fact": "loan", "gte": 1, "percent_of": "investment"}, {"loan": 1, "investment": 0}, False),
        ({"fact": "project", "gte": 1}, {"project": {"2020": "1"}}, False),
        ({"fact": "project", "gte": 1}, {}, True),
        ({"all": [LOAN, {"fact": "project", "gte": 1}]}, {"project": {"2020": "1"}}, False),
        ({"all": [LOAN, {"fact": "rev", "gte": 1}]}, {"rev": {"2020": "1"}}, False),
        ({"fact": "project", "gte": 1, "percent_of": "rev"}, {"rev": {"2020": "1"}}, True),
        # a leaf that is negated or soft
        ({"not": LOAN}, {}, True),
        ({"all": [LOAN, {**STAFF, "soft": True}]}, {}, True),
    ],
)
def test_form_only_says_that_the_form_alone_is_missing(criteria: Any, facts: dict[str, Any], form_only: bool):
    """Where a pair is undetermined, and each leaf in its `unknown` lacks a fact and lacks only such
    facts (of its `fact` and
    `percent_of`), it has `"form_only": true`."""
    r = row(criteria, facts)
    assert r["verdict"] == "undetermined"
    assert r.get("form_only") is (True if form_only else None)


def test_form_only_is_the_last_key_and_stands_only_in_undetermined_pairs():
    """(and `"form_only": true` where it is so). Where a pair is undetermined."""
    criteria = {"all": [LOAN, {"fact": "staff", "gte": 2}]}
    done = run(
        [policy(criteria)],
        [enterprise({"staff": 1}, "a"), enterprise({"staff": 2}, "b"), enterprise({"staff": 2, "loan": 1}, "c")],
        near=1,
    )
    assert done.out == (
        b'{"policy": "p", "enterprise": "a", "verdict": "ineligible", "unmet": ["all.1"], "unknown": ["all.0"]}\n'
        b'{"policy": "p", "enterprise": "b", "verdict": "undetermined", "unmet": [], '
        b'"unknown": ["all.0"], "form_only": true}\n'
        b'{"policy": "p", "enterprise": "c", "verdict": "eligible", "unmet": [], "unknown": []}\n'
    )


def test_near_lists_ineligible_pairs_with_at_most_so_many_unmet():
    """(with `--near N`) ineligible with at most N unmet. A near miss is an ineligible pair with one
    unmet leaf (or as many
    as asked)."""
    policies = [policy({"all": [f(n) for n in range(1, k + 1)] + [u(9)]}, id=f"p{k}") for k in range(1, 4)]
    for near, expected in ((None, []), (0, []), (1, ["p1"]), (2, ["p1", "p2"]), (3, ["p1", "p2", "p3"])):
        options = {} if near is None else {"near": near}
        assert [r["policy"] for r in run(policies, [enterprise(FACTS)], **options).rows] == expected


def test_near_counts_the_unmet_of_the_cheapest_way_alone():
    """`unmet` (leaves that are false on that way)."""
    criteria = {"any": [{"all": [f(1), f(2), f(3)]}, {"all": [f(4), u(1), u(2)]}]}
    (only,) = run([policy(criteria)], [enterprise(FACTS)], near=1).rows
    assert (only["unmet"], only["unknown"]) == (["f4"], ["u1", "u2"])


def test_every_small_any_of_alls_takes_the_least_pair():
    """pairs compare left to right, ties go to the earlier member."""
    kinds = {"t": t, "u": u, "f": f}
    shapes = ["".join(s) for s in itertools.product("tuf", repeat=2)]
    policies, expected = [], {}
    for a, b in itertools.product(shapes, repeat=2):
        left = [{**kinds[k](1), "id": f"l{i}{k}"} for i, k in enumerate(a)]
        right = [{**kinds[k](1), "id": f"r{i}{k}"} for i, k in enumerate(b)]
        cost = {s: (s.count("f"), s.count("u")) for s in (a, b)}
        way = left if cost[a] <= cost[b] else right
        ids = [str(leaf["id"]) for leaf in way]
        expected[a + b] = ([i for i in ids if i.endswith("f")], [i for i in ids if i.endswith("u")])
        policies.append(policy({"any": [{"all": left}, {"all": right}]}, id=a + b))
    got = {r["policy"]: (r["unmet"], r["unknown"]) for r in run(policies, [enterprise(FACTS)], near=9).rows}
    assert got == expected
