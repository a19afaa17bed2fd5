import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.credit_code import BadCreditCode, parse_credit_code
from tests.factories.matching import credit_code_of

GOOD = "91110000600037341L"


def test_a_valid_credit_code_is_taken_in_capitals_and_without_spaces():
    assert parse_credit_code(" 9111 0000 6000 3734 1l ") == GOOD


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("9111000060003734", "18 位，现为 16 位"),
        ("91110000600037342L", "校验位不对"),
        ("911100006000373410", "第 18 位应为 L"),
        ("9111000060003734IL", "不用字母"),
        ("91A10000600037341L", "第 3 至 8 位应为数字"),
        ("９1110000600037341L", "不允许的字符"),
    ],
)
def test_a_wrong_credit_code_is_refused_with_what_is_wrong(code, says):
    with pytest.raises(BadCreditCode, match=says):
        parse_credit_code(code)


@given(st.integers(0, 999_999), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_mistyped_character_is_always_found(number, place, typed):
    good = credit_code_of(number)
    wrong = good[:place] + typed + good[place + 1 :]
    if wrong == good:
        assert parse_credit_code(wrong) == good
    else:
        with pytest.raises(BadCreditCode):
            parse_credit_code(wrong)
