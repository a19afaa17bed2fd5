"""The quick reader of facts gives what the parser gives, and the parser's errors where it is not sure."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.criteria import InvalidInput, facts, parse_facts
from matching.criteria.facts import parse_facts_slowly
from tests.rounds import examples
from tests.unit.matching.criteria import strategies
from tests.unit.matching.criteria.samples import VOCABULARY

Json = Any

DIGITS = "0123456789"
odd_text = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        [
            *("", " 1", "1 ", "+1", "1.", ".5", "1e3", "１２", "-0", "-0.0", "00012", "1_0", "NaN", "Infinity", "٣"),
            *("2024-02-30", "2024-2-3", "20240203", "2024-W01-1", "0000-01-01", "2024-01-01T00:00", "2024-01-0１"),
            *("999999999999999", "9999999999999999", "0.00000000000001", "000000000000000001", "1234567.12345678"),
        ]
    ),
    st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,4})?", fullmatch=True),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.floats(allow_nan=False), odd_text, st.decimals()
)
codes = st.sampled_from([code for listed in VOCABULARY.code_lists.values() for code in listed.codes])
dates = st.dates().map(str)
numbers = st.integers(-5, 10**15 + 5).map(str)
values = st.one_of(
    scalars,
    codes,
    dates,
    numbers,
    st.dictionaries(
        st.one_of(st.sampled_from(["2024", "2025", "0000", "24", "２０２４"]), odd_text), scalars | numbers
    ),
    st.lists(
        st.one_of(
            codes,
            scalars,
            st.dictionaries(
                st.sampled_from(["code", "on", "until", "amount", "rank", "", "备注"]),
                codes | dates | numbers | scalars,
            ),
            st.fixed_dictionaries(
                {"code": codes}, optional={"on": dates, "until": dates, "amount": numbers, "rank": numbers}
            ),
        ),
        max_size=4,
    ),
    st.tuples(codes),
)
bad = st.one_of(
    st.dictionaries(st.sampled_from([*VOCABULARY.facts, "no_such_fact"]), values, max_size=5), values, st.none()
)


def told(read: Any, data: Json) -> Any:
    try:
        return read(data, VOCABULARY)
    except InvalidInput as error:
        return error.problems


@pytest.mark.slow
@settings(max_examples=examples(500))
@given(st.one_of(bad, strategies.facts))
def test_facts_and_mistakes_are_those_of_the_parser(data: Json) -> None:
    quick, slow = told(parse_facts, data), told(parse_facts_slowly, data)
    assert quick == slow
    if isinstance(slow, facts.Facts):
        assert list(quick.values) == list(slow.values)
        assert repr(quick) == repr(slow)  # equal numbers in the same writing, too


@given(strategies.facts)
def test_good_facts_never_wait_for_the_parser(data: Json) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "parse_facts_slowly", None)
        assert parse_facts(data, VOCABULARY) is not None


def test_a_number_of_sixteen_digits_is_refused_and_one_of_fifteen_is_not() -> None:
    key = next(key for key, fact in VOCABULARY.facts.items() if fact.type == "number")
    assert parse_facts({key: 10**15 - 1}, VOCABULARY).number(key) == Decimal(10**15 - 1)
    assert parse_facts({key: "-0.12345678901234"}, VOCABULARY).number(key) == Decimal("-0.12345678901234")
    with pytest.raises(InvalidInput, match="15"):
        parse_facts({key: 10**15}, VOCABULARY)
