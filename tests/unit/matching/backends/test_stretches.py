from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from matching.backends import bits
from matching.backends.stretches import Ranged, Stretches
from matching.criteria.bounds import Bounds

numbers = st.integers(-4, 4).map(Decimal)
ranges = st.one_of(
    st.none(),
    st.builds(Bounds, st.none() | numbers, st.booleans(), st.none() | numbers, st.booleans()),
)
tests = st.lists(st.tuples(ranges, st.booleans()), min_size=1, max_size=12)


def failing(found: list[Ranged], value: Decimal) -> list[int]:
    return [n for n, range_, negated in found if (range_ is not None and range_.admits(value)) is negated]


@given(tests, st.decimals(-5, 5, places=1))
def test_a_value_fails_the_ranges_that_do_not_admit_it(found: list[tuple[Bounds | None, bool]], value: Decimal) -> None:
    numbered = [(n, range_, negated) for n, (range_, negated) in enumerate(found)]
    fails, unknown, more = Stretches([numbered], len(numbered)).at(value)
    assert bits.members(fails) == failing(numbered, value)
    assert (unknown, more) == (0, ())


@given(tests, numbers, st.integers(1, 7).map(Decimal))
def test_a_ratio_is_compared_exactly(
    found: list[tuple[Bounds | None, bool]], numerator: Decimal, denominator: Decimal
) -> None:
    numbered = [(n, range_, negated) for n, (range_, negated) in enumerate(found)]
    fails, _, _ = Stretches([numbered], len(numbered)).at_ratio(numerator, denominator)
    by_hand = [
        n
        for n, range_, negated in numbered
        if (range_ is not None and not range_.holds_nothing and range_.admits_ratio(numerator, denominator)) is negated
    ]
    assert bits.members(fails) == by_hand


def test_a_third_is_neither_above_nor_below_by_rounding() -> None:
    third = Bounds(Decimal("0.333333333333333"), True)
    stretches = Stretches([[(0, third, False)]], 1)
    assert stretches.at_ratio(Decimal(1), Decimal(3)) == (0, 0, ())
    assert stretches.at_ratio(Decimal("0.333333333333333"), Decimal(1)) == (1, 0, ())


def test_two_slots_of_a_clause_are_counted_twice() -> None:
    low, high = Bounds(Decimal(5)), Bounds(Decimal(10))
    stretches = Stretches([[(0, low, False), (1, low, False)], [(0, high, False)]], 2)
    assert stretches.at(Decimal(3)) == (0b11, 0, (0b01,))
    assert stretches.at(Decimal(7)) == (0b01, 0, ())
    assert stretches.at(Decimal(10)) == (0, 0, ())
