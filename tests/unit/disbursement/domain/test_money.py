"""Exact money."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain import money

AMOUNTS = st.decimals(0, 10**10, places=2)


@pytest.mark.parametrize("bad", [1.5, True, None, "1.005", "NaN", "Infinity", "abc", "1e15", Decimal("0.001")])
def test_what_is_no_exact_amount_is_refused(bad: object) -> None:
    with pytest.raises(money.NotMoney):
        money.money(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(("given_", "expected"), [("1", "1.00"), (5, "5.00"), ("1.5", "1.50"), ("-0", "0.00")])
def test_an_amount_has_two_places(given_: str | int, expected: str) -> None:
    assert str(money.money(given_)) == expected


@given(AMOUNTS, st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=30).filter(any))
def test_shares_add_up_and_none_is_a_cent_from_its_quota(amount: Decimal, weights: list[Decimal]) -> None:
    shares = money.split(amount, weights)
    assert sum(shares) == amount
    everything = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * everything - amount * weight) < money.CENT * everything


@given(AMOUNTS, st.lists(AMOUNTS.filter(bool), min_size=1, max_size=30))
def test_pro_rata_gives_no_claim_more_than_it_asks_and_all_there_is(available: Decimal, claims: list[Decimal]) -> None:
    shares = money.pro_rata(available, claims)
    assert sum(shares) == min(available, sum(claims))
    assert all(0 <= share <= claim for share, claim in zip(shares, claims, strict=True))


def test_left_over_cents_go_to_the_largest_remainders_then_to_the_earlier() -> None:
    assert money.split(Decimal("100.00"), [Decimal(1)] * 3) == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert money.split(Decimal("0.01"), [Decimal(1), Decimal(2)]) == [Decimal("0.00"), Decimal("0.01")]


@pytest.mark.parametrize("weights", [[], [Decimal(0)], [Decimal(1), Decimal(-1)]])
def test_weights_that_share_nothing_out_are_refused(weights: list[Decimal]) -> None:
    with pytest.raises(ValueError):
        money.split(Decimal(1), weights)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("10.50", "壹拾元伍角整"),
        ("1000000.01", "壹佰万元零壹分"),
        ("120340056", "壹亿贰仟零叁拾肆万零伍拾陆元整"),
        ("100010", "壹拾万零壹拾元整"),
        ("-3", "负叁元整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
    ],
)
def test_an_amount_in_capital_numerals(amount: str, words: str) -> None:
    assert money.in_words(Decimal(amount)) == words
