"""Ranks keep the order of exact numbers beside everything that can be written down."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st

from matching.backends.elastic.columns import Ratio
from matching.backends.elastic.profiles.figures import figures_asked, read, written
from matching.backends.elastic.profiles.rank import admitted, are_sure, is_sure, rank, rank_of_fact, refused
from matching.criteria.bounds import Bounds
from tests.rounds import examples
from tests.unit.matching.criteria.samples import tree


def number(digits: int, places: int) -> Decimal:
    return Decimal(digits).scaleb(-places)


written_down = st.builds(number, st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 30))
positive = st.builds(number, st.integers(1, 10**15 - 1), st.integers(0, 30))
long_sums = st.builds(number, st.integers(-(10**19), 10**19), st.integers(0, 30))


def exactly(value: Decimal | Ratio) -> Fraction:
    return Fraction(value.part) / Fraction(value.whole) if isinstance(value, Ratio) else Fraction(value)


def sign(difference: Fraction | float) -> int:
    return (difference > 0) - (difference < 0)


def stands_as(value: Decimal | Ratio, bound: Decimal) -> None:
    assert sign(rank(value) - rank(bound)) == sign(exactly(value) - Fraction(bound))


@settings(max_examples=examples(500))
@given(written_down, written_down)
def test_numbers_of_fifteen_digits_compare_as_themselves(value: Decimal, bound: Decimal) -> None:
    stands_as(value, bound)
    assert rank_of_fact(value) == rank(value)


@settings(max_examples=examples(500))
@given(long_sums, written_down)
def test_longer_sums_compare_with_every_bound(value: Decimal, bound: Decimal) -> None:
    stands_as(value, bound)
    stands_as(value, +Decimal(f"{value:.14e}"))


@settings(max_examples=examples(500))
@given(written_down, positive)
@example(Decimal("99999999999999.9"), Decimal("999999999999999"))
@example(Decimal(1), Decimal(3))
@example(Decimal("299999999999999"), Decimal("99999999999999.7"))
def test_quotients_compare_with_the_bounds_nearest_to_them(part: Decimal, whole: Decimal) -> None:
    value = Ratio(part, whole)
    near = Decimal(f"{float(exactly(value)):.14e}")
    step = Decimal(1).scaleb(near.adjusted() - 14)
    for bound in (near, near + step, near - step):
        stands_as(value, bound)


def test_the_ends_of_what_doubles_reach_are_told_as_not_sure() -> None:
    for text in ("1e-300", "-1e-300", "1e301", "-1e301", "1e400", "1e-400"):
        assert not is_sure(rank(Decimal(text)))
    assert rank(Decimal("1e400")) > rank(Decimal("1e300")) > rank(Decimal("1e-400")) > rank(Decimal(0))
    far = Bounds(lower=Decimal("1e305"), lower_strict=True)
    assert not are_sure(far)
    [[most]] = [list(admitted(far) or {})]
    assert most == "gte", "what may be inside takes in its neighbours"
    assert [list(range_) for range_ in refused(far) or []] == [["lte"]]


def test_figures_are_written_and_read_again() -> None:
    asked = figures_asked(
        tree(
            {
                "all": [
                    {"fact": "rd", "percent_of": "revenue", "gte": "3"},
                    {"fact": "revenue", "growth": True, "gte": "10"},
                    {"fact": "revenue", "years": 3, "over": "mean", "gte": "10"},
                    {"fact": "rd_staff", "percent_of": "staff", "gte": "10"},
                    {"fact": "revenue", "gte": 1},
                    {"fact": "loan", "percent_of": "investment", "gte": "10", "soft": True},
                ]
            }
        )
    )
    assert len(asked) == 4, "what a fact says by itself, and what decides nothing, is no figure"
    assert read(written(asked)) == asked
