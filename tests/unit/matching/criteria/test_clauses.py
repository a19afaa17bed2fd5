"""Clauses say what the tree says."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from matching.criteria import evaluate, parse_criteria, parse_facts
from matching.criteria.clauses import MOST_CLAUSES, ClauseCompiler, Clauses, CodeColumn, Test, YearlyColumn
from matching.criteria.judge import judge_of
from tests.rounds import examples

from . import strategies
from .samples import VOCABULARY

Test.__test__ = False  # type: ignore[attr-defined]  # not one of pytest's

Json = Any


def compiled(criteria: Json) -> Clauses:
    return ClauseCompiler().compile(parse_criteria(criteria, VOCABULARY))


def staff(least: int, **more: Any) -> Json:
    return {"fact": "staff", "gte": least, **more}


@pytest.mark.slow
@settings(max_examples=examples(300), deadline=None)
@given(strategies.trees, strategies.facts, strategies.as_ofs)
def test_the_cheapest_clause_costs_what_the_cheapest_way_costs(criteria: Json, facts: Json, as_of: date) -> None:
    tree, known = parse_criteria(criteria, VOCABULARY), parse_facts(facts, VOCABULARY)
    clauses = ClauseCompiler().compile(tree)
    costs = []
    for clause in clauses.clauses:
        truths = [judge_of(test.leaf)(known, as_of) for test in clause.tests]
        unmet = sum(truth is test.negated for truth, test in zip(truths, clause.tests, strict=True))
        costs.append((unmet, truths.count(None)))
    found = evaluate(tree, known, as_of)
    if clauses.exact:
        assert min(costs) == (len(found.unmet), len(found.unknown))
    else:
        assert len(clauses.clauses) == 1
        assert costs[0][0] <= len(found.unmet)


def test_an_alternative_makes_a_clause_for_each_member() -> None:
    clauses = compiled({"all": [staff(1), {"any": [staff(2), {"fact": "listed", "is": True}]}]})
    assert [len(clause.tests) for clause in clauses.clauses] == [2, 2]
    assert clauses.exact


def test_two_of_three_make_three_clauses() -> None:
    clauses = compiled({"at_least": 2, "of": [staff(1), staff(2), staff(3)]})
    assert [len(clause.tests) for clause in clauses.clauses] == [2, 2, 2]


def test_up_to_64_clauses_are_exact_and_beyond_there_is_one_with_what_every_way_needs() -> None:
    def alternatives(*counts: int) -> Json:
        groups = [{"any": [staff(10 * place + n) for n in range(count)]} for place, count in enumerate(counts, 1)]
        return {"all": [{"fact": "listed", "is": True}, *groups]}

    at_the_cap = compiled(alternatives(4, 4, 4))
    assert (len(at_the_cap.clauses), at_the_cap.exact) == (MOST_CLAUSES, True)
    beyond = compiled(alternatives(5, 13))
    assert not beyond.exact
    [clause] = beyond.clauses
    assert [test.leaf.fact for test in clause.tests] == ["listed"]


def test_a_tree_of_astronomically_many_ways_is_compiled_at_once() -> None:
    members = [{"any": [staff(10 * group + n) for n in range(1, 9)]} for group in range(60)]
    assert not compiled({"at_least": 30, "of": members}).exact


def test_soft_leaves_are_left_out_and_count_as_met() -> None:
    assert compiled({"all": [staff(1, soft=True)]}).clauses[0].tests == ()
    two_of_three = compiled({"at_least": 2, "of": [staff(1, soft=True), staff(2), staff(3)]})
    assert [len(clause.tests) for clause in two_of_three.clauses] == [1, 1]
    assert compiled({"not": staff(1, soft=True)}).clauses[0].tests == ()


def test_a_clause_that_asks_for_more_than_another_is_dropped() -> None:
    clauses = compiled({"any": [staff(1), {"all": [staff(1, id="again"), staff(2)]}]})
    assert [len(clause.tests) for clause in clauses.clauses] == [1]


def test_a_leaf_that_stands_twice_in_a_clause_is_kept_twice() -> None:
    [clause] = compiled({"all": [staff(1), staff(1, id="again")]}).clauses
    first, second = clause.tests
    assert first is second
    assert [(key, slot) for key, slot, _ in clause.placed(lambda test: test.column)] == [
        (first.column, 0),
        (first.column, 1),
    ]


def test_opposites_are_one_leaf_with_two_signs() -> None:
    pairs = [
        ({"fact": "region", "in": ["5101"]}, {"fact": "region", "not_in": ["5101"]}),
        ({"fact": "listed", "is": True}, {"fact": "listed", "is": False}),
        ({"fact": "patents", "any_of": ["patent"]}, {"fact": "patents", "none_of": ["patent"]}),
    ]
    for positive, negative in pairs:
        compiler = ClauseCompiler()
        trees = [parse_criteria(tree, VOCABULARY) for tree in (positive, negative, {"not": positive})]
        [a], [b], [c] = (compiler.compile(tree).clauses for tree in trees)
        assert a.tests[0].leaf == b.tests[0].leaf
        assert (a.tests[0].negated, b.tests[0].negated) == (False, True)
        assert b.tests[0] is c.tests[0]


def test_equal_leaves_of_different_policies_are_one_test_whatever_their_words() -> None:
    compiler = ClauseCompiler()
    plain = parse_criteria(staff(5), VOCABULARY)
    worded = parse_criteria({"all": [staff(5, text="不少于五人", advice="多雇人", evidence=["名册"])]}, VOCABULARY)
    assert compiler.compile(plain).clauses[0].tests[0] is compiler.compile(worded).clauses[0].tests[0]


def test_columns_say_which_value_is_looked_at() -> None:
    columns = [compiled(leaf).clauses[0].tests[0].column for leaf in (
        {"fact": "region", "in": ["51"]},
        {"fact": "revenue", "gte": 1},
        {"fact": "revenue", "gte": 1, "year": "2024", "years": 1, "over": "mean"},
        {"fact": "patents", "any_of": ["patent"], "count": {"gte": 2}},
    )]  # fmt: skip
    assert columns[0] == CodeColumn("region")
    assert isinstance(columns[1], YearlyColumn)
    assert isinstance(columns[2], YearlyColumn)
    assert (columns[1].year, columns[2].year, columns[1].over, columns[2].over) == ("last", 2024, "each", "each")
    assert columns[3] is None
