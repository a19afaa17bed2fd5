from hypothesis import given
from hypothesis import strategies as st

from matching.backends import bits
from matching.backends.answers import answer, count

small_sets = st.sets(st.integers(0, 99))


@given(small_sets)
def test_a_set_of_numbers_comes_back_as_it_went_in(numbers: set[int]) -> None:
    assert bits.members(bits.of(numbers, 100)) == sorted(numbers)


@given(st.lists(st.integers(0, 30), max_size=60))
def test_odd_counts_stay_and_even_counts_cancel(numbers: list[int]) -> None:
    assert bits.members(bits.of_odd(numbers, 31)) == sorted(n for n in set(numbers) if numbers.count(n) % 2)


@given(small_sets)
def test_names_are_those_of_the_chosen_numbers_last_first(numbers: set[int]) -> None:
    names = bits.Names([f"P{number}" for number in range(100)])
    assert names(bits.of(numbers, 100)) == tuple(f"P{number}" for number in sorted(numbers, reverse=True))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6).map(lambda widths: sorted(widths, reverse=True)), st.data())
def test_planes_are_joined_into_the_first(widths: list[int], data: st.DataObject) -> None:
    chosen = data.draw(
        st.sets(st.sampled_from([(plane, n) for plane, width in enumerate(widths) for n in range(width)]))
    )
    laid_out = bits.of((sum(widths[:plane]) + number for plane, number in chosen), sum(widths))
    assert bits.members(bits.folder(widths)(laid_out)) == sorted({number for _, number in chosen})


@given(
    st.lists(st.lists(small_sets, min_size=1, max_size=3), max_size=8),
    st.integers(1, 5),
)
def test_counters_tell_how_often_each_member_failed(columns: list[list[set[int]]], depth: int) -> None:
    counters = [0] * depth
    for slots in columns:
        count(counters, answer([bits.of(numbers, 100) for numbers in slots]))
    times = {n: sum(n in numbers for slots in columns for numbers in slots) for n in range(100)}
    for index, counter in enumerate(counters):
        assert bits.members(counter) == [n for n in range(100) if times[n] > index]
