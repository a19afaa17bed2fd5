"""One suite for every matcher backend: what it answers is what the plain evaluator says, pair by pair."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.backends import BACKENDS, Listed, Match, MatcherBackend, UnknownBackend, create_backend
from matching.criteria import Facts, Verdict, evaluate, parse_criteria, parse_facts
from tests.rounds import examples
from tests.unit.matching.criteria import strategies
from tests.unit.matching.criteria.samples import VOCABULARY

Json = Any
AS_OF = date(2026, 11, 22)

MARKS = {"elasticsearch": (pytest.mark.elasticsearch, pytest.mark.slow)}
pytestmark = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=MARKS.get(name, ())) for name in sorted(BACKENDS)]
)
# Examples for a backend that takes some tens of milliseconds to put policies, where the embedded one takes one.
FEWER = {"elasticsearch": 4}


@pytest.fixture(autouse=True)
def no_defects(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What a backend proposed and the evaluator did not confirm is logged as a defect."""
    with caplog.at_level(logging.ERROR):
        yield
    assert "defect" not in caplog.text


# Many alternatives in several places: more clauses than a backend takes, so that the tree itself must decide.
tangled = st.lists(
    st.lists(strategies.leaves(), min_size=4, max_size=6).map(lambda members: {"any": members}), min_size=3, max_size=4
).map(lambda groups: {"all": groups})
# Several leaves on the same fact in one clause.
crowded = st.lists(
    st.one_of(strategies.number_leaf(), strategies.yearly_leaf(), strategies.records_leaf()), min_size=2, max_size=6
).flatmap(
    lambda members: st.sampled_from(
        [{"all": members}, {"at_least": len(members) // 2 + 1, "of": members}, {"all": members * 2}]
    )
)
criteria = st.one_of(strategies.trees, strategies.trees, strategies.trees, crowded, tangled)


def listed(policies: Sequence[Json]) -> list[Listed]:
    return [Listed(f"P{number}", parse_criteria(tree, VOCABULARY)) for number, tree in enumerate(policies)]


def by_the_evaluator(policies: Sequence[Listed], facts: Facts, as_of: date, near: int) -> list[Match]:
    found = []
    for policy in sorted(policies, key=lambda policy: policy.id):
        told = evaluate(policy.criteria, facts, as_of)
        if len(told.unmet) <= near:
            found.append(Match(policy.id, told.verdict, told.unmet, told.unknown, told.form_only))
    return found


def check(backend: MatcherBackend, policies: Sequence[Listed], facts: Facts, as_of: date, near: int) -> None:
    expected = by_the_evaluator(policies, facts, as_of, near)
    assert backend.match(facts, as_of=as_of, near=near) == expected
    by_verdict = {
        verdict: sorted(match.policy for match in expected if match.verdict is verdict) for verdict in Verdict
    }
    sifted = backend.sift(facts, as_of=as_of, near=near)
    assert sorted(sifted.eligible) == by_verdict[Verdict.ELIGIBLE]
    assert sorted(sifted.undetermined) == by_verdict[Verdict.UNDETERMINED]
    assert sorted(sifted.near) == by_verdict[Verdict.INELIGIBLE]
    assert sorted(backend.eligible(facts, as_of=as_of)) == by_verdict[Verdict.ELIGIBLE]


@pytest.mark.slow
def test_a_backend_says_of_every_pair_what_the_evaluator_says(name: str) -> None:
    @settings(max_examples=examples(400 // FEWER.get(name, 1)), deadline=None)
    @given(
        policies=st.lists(criteria, min_size=1, max_size=8),
        profiles=st.lists(strategies.facts, min_size=1, max_size=3),
        as_of=strategies.as_ofs,
        near=st.sampled_from([0, 1, 1, 2, 3, 20]),
    )
    def agree(policies: list[Json], profiles: list[Json], as_of: date, near: int) -> None:
        held = listed(policies)
        known = [(f"E{number}", parse_facts(profile, VOCABULARY)) for number, profile in enumerate(profiles)]
        with closing(create_backend(name)) as backend:
            backend.put(held)
            for _, facts in known:
                check(backend, held, facts, as_of, near)
            together = list(backend.match_many(known, as_of=as_of, near=near))
        assert together == [(one, by_the_evaluator(held, facts, as_of, near)) for one, facts in known]

    agree()


def test_a_policy_finds_the_profiles_that_the_evaluator_finds(name: str) -> None:
    @settings(max_examples=examples(100 // FEWER.get(name, 1)), deadline=None)
    @given(
        tree=criteria,
        profiles=st.lists(strategies.facts, min_size=1, max_size=4),
        as_of=strategies.as_ofs,
        near=st.sampled_from([0, 1, 2]),
    )
    def agree(tree: Json, profiles: list[Json], as_of: date, near: int) -> None:
        [policy] = listed([tree])
        known = [(f"E{number}", parse_facts(profile, VOCABULARY)) for number, profile in enumerate(profiles)]
        found = list(create_backend(name).match_policy(policy, known, as_of=as_of, near=near))
        assert found == [
            (enterprise, match)
            for enterprise, facts in known
            for match in by_the_evaluator([policy], facts, as_of, near)
        ]

    agree()


@pytest.mark.slow
def test_policies_put_again_replace_and_removed_ones_are_gone(name: str) -> None:
    @settings(max_examples=examples(100 // FEWER.get(name, 1)), deadline=None)
    @given(
        first=st.lists(criteria, min_size=1, max_size=5),
        changed=st.dictionaries(st.integers(0, 6), criteria, max_size=3),
        gone=st.sets(st.integers(0, 6), max_size=3),
        profile=strategies.facts,
    )
    def agree(first: list[Json], changed: dict[int, Json], gone: set[int], profile: Json) -> None:
        facts = parse_facts(profile, VOCABULARY)
        held = {policy.id: policy for policy in listed(first)}
        backend = stack.enter_context(closing(create_backend(name)))
        backend.put(held.values())
        check(backend, list(held.values()), facts, AS_OF, 1)
        again = {
            f"P{number}": Listed(f"P{number}", parse_criteria(tree, VOCABULARY)) for number, tree in changed.items()
        }
        backend.put(again.values())
        held |= again
        backend.remove([f"P{number}" for number in gone])
        held = {policy: item for policy, item in held.items() if policy not in {f"P{number}" for number in gone}}
        check(backend, list(held.values()), facts, AS_OF, 1)

    with ExitStack() as stack:
        agree()


def test_a_backend_answers_for_every_day_it_is_asked(name: str) -> None:
    facts = parse_facts({"founded": "2024-06-01"}, VOCABULARY)
    days = [date(2024, 5, 31), date(2024, 6, 1), date(2025, 6, 1), date(2025, 6, 2), date(2026, 1, 1), date(2024, 6, 1)]
    with closing(create_backend(name)) as backend:
        backend.put(listed([{"fact": "founded", "within_last": "P1Y"}]))
        assert [len(backend.match(facts, as_of=day)) for day in days] == [0, 1, 1, 0, 0, 1]


def test_an_empty_backend_finds_nothing(name: str) -> None:
    backend = create_backend(name)
    facts = parse_facts({}, VOCABULARY)
    assert backend.match(facts, as_of=AS_OF, near=3) == []
    assert backend.eligible(facts, as_of=AS_OF) == ()


def test_a_backend_that_nobody_registered_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnknownBackend, match=f"percolator.*{name}"):
        create_backend("percolator")
