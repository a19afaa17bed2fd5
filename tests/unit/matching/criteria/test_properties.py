"""What holds for every tree and every enterprise."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from matching.criteria import (
    Verdict,
    canonical_json,
    compile_tree,
    criteria_text,
    evaluate,
    explain,
    leaves,
    parse_criteria,
    parse_facts,
)
from matching.criteria.explain import Outcome
from tests.oracle.criteria import judge as oracle

from . import strategies
from .samples import VOCABULARY, VOCABULARY_JSON

Json = Any
# A shared machine is slow at times, and some rules hold only of some trees.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
CASES = (strategies.trees, strategies.facts, strategies.as_ofs)


def decide(criteria: Json, facts: Json, as_of: date) -> Json:
    """The evaluation in the keys of a match line."""
    found = evaluate(parse_criteria(criteria, VOCABULARY), parse_facts(facts, VOCABULARY), as_of)
    line = {"verdict": str(found.verdict), "unmet": list(found.unmet), "unknown": list(found.unknown)}
    return line | ({"form_only": True} if found.form_only else {})


def verdict(criteria: Json, facts: Json, as_of: date) -> str:
    return str(decide(criteria, facts, as_of)["verdict"])


@patient
@given(*CASES)
def test_a_second_naive_reading_of_the_language_agrees(criteria: Json, facts: Json, as_of: date) -> None:
    assert decide(criteria, facts, as_of) == oracle(criteria, facts, VOCABULARY_JSON, as_of)


@pytest.mark.slow
@patient
@given(*CASES)
def test_a_double_negation_says_the_same(criteria: Json, facts: Json, as_of: date) -> None:
    assume(criteria != {"all": []})
    assert verdict({"not": {"not": criteria}}, facts, as_of) == verdict(criteria, facts, as_of)


@pytest.mark.slow
@patient
@given(*CASES)
def test_without_soft_leaves_a_negation_turns_the_verdict_round(criteria: Json, facts: Json, as_of: date) -> None:
    assume(criteria != {"all": []} and '"soft"' not in canonical_json(criteria))
    opposite = {"eligible": "ineligible", "ineligible": "eligible", "undetermined": "undetermined"}
    assert verdict({"not": criteria}, facts, as_of) == opposite[verdict(criteria, facts, as_of)]


@pytest.mark.slow
@patient
@given(strategies.trees, strategies.trees, strategies.facts, strategies.as_ofs)
def test_if_is_then_or_not_if(condition: Json, then: Json, facts: Json, as_of: date) -> None:
    assume({"all": []} not in (condition, then))
    same = {"any": [then, {"not": condition}]}
    assert verdict({"if": condition, "then": then}, facts, as_of) == verdict(same, facts, as_of)


@pytest.mark.slow
@patient
@given(*CASES, st.data())
def test_learning_an_unknown_fact_never_turns_a_decided_verdict(
    criteria: Json, facts: Json, as_of: date, data: st.DataObject
) -> None:
    before = verdict(criteria, facts, as_of)
    assume(before != "undetermined")
    absent = sorted(key for key in VOCABULARY.facts if key not in facts)
    assume(absent)
    key = data.draw(st.sampled_from(absent))
    assert verdict(criteria, {**facts, key: data.draw(strategies.fact_value(key))}, as_of) == before


@patient
@given(*CASES)
def test_the_reasons_fit_the_verdict(criteria: Json, facts: Json, as_of: date) -> None:
    tree = parse_criteria(criteria, VOCABULARY)
    found = evaluate(tree, parse_facts(facts, VOCABULARY), as_of)
    order = [leaf.id for leaf in leaves(tree)]
    assert bool(found.unmet) == (found.verdict is Verdict.INELIGIBLE)
    assert found.unmet or bool(found.unknown) == (found.verdict is Verdict.UNDETERMINED)
    for ids in (found.unmet, found.unknown, found.way):
        assert list(ids) == sorted(ids, key=order.index)
        assert len(set(ids)) == len(ids)
    assert not set(found.unmet) & set(found.unknown)
    assert not found.form_only or found.verdict is Verdict.UNDETERMINED


@patient
@given(*CASES)
def test_a_tree_made_ready_once_judges_every_enterprise_as_anew(criteria: Json, facts: Json, as_of: date) -> None:
    tree, known = parse_criteria(criteria, VOCABULARY), parse_facts(facts, VOCABULARY)
    compiled = compile_tree(tree)
    assert [compiled.evaluate(known, as_of) for _ in range(2)] == [evaluate(tree, known, as_of)] * 2


@patient
@given(*CASES)
def test_every_pair_can_be_explained_and_its_explanation_agrees(criteria: Json, facts: Json, as_of: date) -> None:
    tree, known = parse_criteria(criteria, VOCABULARY), parse_facts(facts, VOCABULARY)
    told, found = explain(tree, known, as_of, VOCABULARY), evaluate(tree, known, as_of)
    assert (told.verdict, told.unmet, told.unknown) == (found.verdict, found.unmet, found.unknown)
    assert all(told.leaf(leaf_id).outcome is Outcome.UNMET for leaf_id in told.unmet)
    assert all(told.leaf(leaf_id).outcome is Outcome.UNKNOWN for leaf_id in told.unknown)
    assert all(leaf.requirement and leaf.comparison for leaf in told.leaves)
    canonical_json(told.to_json())


@patient
@given(strategies.trees)
def test_every_tree_can_be_read_as_text_with_a_line_for_each_leaf(criteria: Json) -> None:
    tree = parse_criteria(criteria, VOCABULARY)
    assert len(criteria_text(tree, VOCABULARY).splitlines()) >= len(list(leaves(tree)))
