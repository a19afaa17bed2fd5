"""A range field of doubles never lets through too little, and not too much either where a number has 15 digits."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from matching.backends.elastic.numbers import Place, place, ranges
from matching.criteria.bounds import Bounds
from matching.criteria.values import times

digits = st.integers(-(10**15) + 1, 10**15 - 1)
fifteen = st.builds(lambda number, places: Decimal(number).scaleb(-places), digits, st.integers(0, 25))
tiny = st.builds(lambda number, places: Decimal(number).scaleb(-places), digits, st.integers(280, 400))
decimals = st.one_of(fifteen, fifteen, tiny, st.sampled_from([Decimal(0), Decimal("-0.0"), Decimal("0.1")]))


@st.composite
def near_by(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    """Two numbers of at most 15 digits, mostly equal or neighbours in their last digit."""
    number, places, step = draw(digits), draw(st.integers(0, 25)), draw(st.sampled_from([-1, 0, 1]))
    assume(abs(number + step) < 10**15)
    return Decimal(number).scaleb(-places), Decimal(number + step).scaleb(-places)


bounds = st.builds(
    lambda ends, one, other, sides: Bounds(
        min(ends) if sides != "upper" else None,
        one if sides != "upper" else False,
        max(ends) if sides != "lower" else None,
        other if sides != "lower" else False,
    ),
    st.tuples(decimals, decimals),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["lower", "upper", "both"]),
)


def lets_through(bounds: Bounds, negated: bool, at: Place) -> bool:
    """As the server: whether one of the ranges meets the place."""
    inf = float("inf")
    return any(one.get("gte", -inf) <= at.high and at.low <= one.get("lte", inf) for one in ranges(bounds, negated)[0])


def test_ranges_hold_something() -> None:
    @given(bounds, st.booleans())
    def hold(found: Bounds, negated: bool) -> None:
        for one in ranges(found, negated)[0]:
            assert one
            assert one.get("gte", float("-inf")) <= one.get("lte", float("inf"))

    hold()


@given(bounds, decimals, st.booleans())
def test_no_number_is_kept_out_that_a_test_admits(found: Bounds, value: Decimal, negated: bool) -> None:
    if found.admits(value) is not negated:
        assert lets_through(found, negated, place(value))


@given(near_by(), st.booleans(), st.booleans(), st.booleans())
def test_fifteen_digits_are_told_apart_to_the_last(
    pair: tuple[Decimal, Decimal], lower: bool, strict: bool, negated: bool
) -> None:
    value, end = pair
    found = Bounds(lower=end, lower_strict=strict) if lower else Bounds(upper=end, upper_strict=strict)
    at = place(value)
    assert at.exact
    assert lets_through(found, negated, at) is (found.admits(value) is not negated)


@given(bounds, decimals, decimals, st.booleans())
def test_no_ratio_is_kept_out_that_a_test_admits(found: Bounds, part: Decimal, whole: Decimal, negated: bool) -> None:
    assume(whole > 0)
    at = place(Fraction(part) / Fraction(whole))
    if found.admits_ratio(part, whole) is not negated:
        assert lets_through(found, negated, at)


@given(near_by(), st.sampled_from([3, 7, 12]), st.booleans(), st.booleans())
def test_no_ratio_at_its_very_bound_is_kept_out(
    pair: tuple[Decimal, Decimal], years: int, strict: bool, negated: bool
) -> None:
    value, end = pair
    found = Bounds(lower=end, lower_strict=strict)
    at = place(Fraction(times(value, Decimal(years))) / years)
    if found.admits(value) is not negated:
        assert lets_through(found, negated, at)


def test_a_sum_of_more_digits_than_a_double_has_is_near_not_exact() -> None:
    at = place(Decimal("1999999999999998.1234567"))
    assert not at.exact
    assert at.low < at.high
    assert place(Fraction(1, 2)).exact
    assert not place(Fraction(1, 3)).exact


def test_a_range_that_holds_nothing_lets_nothing_through_and_all_where_negated() -> None:
    nothing = Bounds(Decimal(1), True, Decimal(1), True)
    for value in (Decimal(-5), Decimal(1), Decimal(10) ** 14):
        assert not lets_through(nothing, False, place(value))
        assert lets_through(nothing, True, place(value))
