"""The best lawful combination: what it takes, what it leaves out and why, and that nothing lawful pays more."""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from disbursement.domain.combination import (
    Bar,
    Cap,
    Combination,
    Option,
    Paper,
    Problem,
    best,
    left_out,
    payments,
    unlawful,
)

KEYS = "abcdefgh"


def option(key: str, amount: int | str, **uses: int) -> Option:
    return Option(key, f"事项{key}", Decimal(amount), {paper: Decimal(used) for paper, used in uses.items()})


def members(keys: str) -> frozenset[str]:
    return frozenset(keys)


def by_hand(problem: Problem, must: frozenset[str] = frozenset()) -> Combination | None:
    """Every subset, tried: the greatest total, then the one with the earlier options."""
    keys = [o.key for o in problem.options]
    found: list[tuple[Decimal, list[bool], Combination]] = []
    for size in range(len(keys) + 1):
        for subset in combinations(keys, size):
            paid = payments(problem, subset)
            # An option that is paid nothing is not taken: the subset without it stands for both.
            if len(paid) == size and not unlawful(problem, subset) and must <= set(subset):
                combination = Combination(paid)
                found.append((combination.total, [key in subset for key in keys], combination))
    return max(found, key=lambda each: each[:2])[2] if found else None


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    count = draw(st.integers(1, 8))
    keys = KEYS[:count]
    some = st.frozensets(st.sampled_from(keys), min_size=1)
    figure = st.integers(0, 40).map(Decimal)
    papers = [Paper(f"p{i}", f"发票p{i}", draw(figure)) for i in range(draw(st.integers(0, 2)))]
    options = [
        Option(
            key,
            key,
            draw(st.integers(1, 30).map(Decimal)),
            {p.key: draw(figure) for p in papers if draw(st.booleans())},
        )
        for key in keys
    ]
    bars = [Bar(f"不重复{i}", draw(some)) for i in range(draw(st.integers(0, 3)))]
    outside = st.dictionaries(st.sampled_from(keys), figure)
    caps = [Cap(f"上限{i}", draw(some), draw(figure), draw(outside)) for i in range(draw(st.integers(0, 3)))]
    return Problem(options, bars, caps, papers)


@settings(max_examples=300, deadline=None)
@given(problems())
def test_nothing_lawful_pays_more_than_what_the_search_finds(problem: Problem) -> None:
    assert best(problem) == by_hand(problem)


@settings(max_examples=150, deadline=None)
@given(problems(), st.data())
def test_with_an_option_that_must_be_in_it_is_still_the_best(problem: Problem, data: st.DataObject) -> None:
    must = frozenset({data.draw(st.sampled_from([o.key for o in problem.options]))})
    assert best(problem, must=must) == by_hand(problem, must)


@settings(max_examples=100, deadline=None)
@given(problems())
def test_what_is_left_out_costs_what_it_says(problem: Problem) -> None:
    chosen = best(problem)
    assert chosen is not None
    for out in left_out(problem, chosen):
        with_it = by_hand(problem, frozenset({out.option.key}))
        assert out.reasons
        assert (out.instead is None) == (with_it is None)
        assert out.cost == chosen.total - (Decimal(0) if with_it is None else with_it.total)
        assert out.cost >= 0


@settings(max_examples=100, deadline=None)
@given(problems(), st.integers(0, 12))
def test_a_search_that_was_stopped_is_lawful_and_does_not_claim_to_be_proven_when_it_is_not(
    problem: Problem, steps: int
) -> None:
    found, whole = best(problem, most_steps=steps), best(problem)
    assert found is not None
    assert whole is not None
    assert not unlawful(problem, found.paid)
    assert found.paid == payments(problem, found.paid)
    if found.proven:
        assert found.total == whole.total


def test_of_two_that_exclude_each_other_the_dearer_is_taken_and_the_other_is_told_its_cost() -> None:
    problem = Problem([option("a", 30), option("b", 50), option("c", 5)], [Bar("就高不重复", members("ab"))])
    chosen = best(problem)
    assert chosen is not None
    assert chosen.paid == {"b": 50, "c": 5}
    [out] = left_out(problem, chosen)
    assert (out.option.key, out.cost, out.gives_up) == ("a", 20, ["b"])
    assert out.reasons == ["就高不重复：已选“事项b”50.00元，只能享受一项"]


def test_two_smaller_ones_may_be_better_than_the_one_that_excludes_both() -> None:
    problem = Problem(
        [option("big", 80), option("left", 45), option("right", 45)],
        [Bar("甲", frozenset({"big", "left"})), Bar("乙", frozenset({"big", "right"}))],
    )
    chosen = best(problem)
    assert chosen is not None
    assert list(chosen.paid) == ["left", "right"]


def test_an_invoice_lends_its_amount_once_and_in_parts() -> None:
    paper = Paper("i", "发票26510001", Decimal(100))
    shared = Problem([option("a", 30, i=60), option("b", 20, i=40)], papers=[paper])
    assert best(shared) == Combination({"a": Decimal(30), "b": Decimal(20)})
    twice = Problem([option("a", 30, i=60), option("b", 20, i=41)], papers=[paper])
    chosen = best(twice)
    assert chosen is not None
    assert list(chosen.paid) == ["a"]
    assert "发票26510001可用100.00元" in left_out(twice, chosen)[0].reasons[0]
    assert unlawful(twice, ["a", "b"]) == ["发票26510001可用100.00元，“事项a”、“事项b”共使用101.00元，不能重复使用。"]


def test_a_cap_pays_the_last_one_what_is_left() -> None:
    problem = Problem([option("a", 30), option("b", 50)], caps=[Cap("企业全年上限", members("ab"), Decimal("70.50"))])
    chosen = best(problem)
    assert chosen is not None
    assert chosen.paid == {"a": Decimal(30), "b": Decimal("40.50")}


def test_what_a_rival_was_paid_outside_a_cap_leaves_less_of_it_and_is_told() -> None:
    rivals = {"a": Decimal(20), "b": Decimal(20)}
    problem = Problem([option("a", 80), option("b", 40)], caps=[Cap("产业扶持", members("ab"), Decimal(100), rivals)])
    chosen = best(problem)
    assert chosen is not None
    assert chosen.paid == {"a": Decimal(80)}
    [out] = left_out(problem, chosen)
    assert (out.cost, out.gives_up) == (40, ["a"])
    assert out.reasons == ["产业扶持：余额100.00元，连同互斥事项已获的20.00元已用完"]


def test_of_equal_combinations_the_one_applied_for_first_wins() -> None:
    problem = Problem([option(key, 10) for key in "cab"], [Bar("就高不重复", members("abc"))])
    assert best(problem) == Combination({"c": Decimal(10)})


def test_forty_options_in_a_ring_of_exclusions_are_proven_quickly() -> None:
    keys = [f"k{i:02d}" for i in range(40)]
    options = [Option(key, key, Decimal(100 + i * 7 % 13)) for i, key in enumerate(keys)]
    bars = [Bar("邻", frozenset({keys[i], keys[(i + 1) % 40]})) for i in range(40)]
    found = best(Problem(options, bars, [Cap("全年", frozenset(keys), Decimal(1500))]))
    assert found is not None
    assert found.proven
    assert found.total == 1500
    outside = dict.fromkeys(keys, Decimal(300))
    found = best(Problem(options, bars, [Cap("全年", frozenset(keys), Decimal(1500), outside)]))
    assert found is not None
    assert found.proven
    assert found.total == 1200
