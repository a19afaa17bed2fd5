"""Months, cut-off days, approval tiers, instalments, history."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain import cycle
from disbursement.domain.calendar import shipped
from disbursement.domain.caps import Cap
from disbursement.domain.payables import Earlier, apply_history, instalments

CALENDAR = shipped()


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        ("2026-03-01", "2026-03-20"),
        ("2026-06-01", "2026-06-18"),  # the 20th lies in 端午节
        ("2026-09-01", "2026-09-20"),  # a Sunday, but worked
        ("2026-12-01", "2026-12-18"),  # a Sunday
    ],
)
def test_the_cut_off_moves_back_to_a_working_day(month: str, expected: str) -> None:
    assert cycle.cutoff_date(date.fromisoformat(month), calendar=CALENDAR) == date.fromisoformat(expected)


def test_a_cut_off_with_no_working_day_before_it_moves_on_and_stays_in_its_month() -> None:
    assert cycle.cutoff_date(date(2026, 10, 1), calendar=CALENDAR, day=1) == date(2026, 10, 8)


def test_the_cut_off_day_is_one_that_each_month_has() -> None:
    with pytest.raises(ValueError, match="1日至28日"):
        cycle.cutoff_date(date(2026, 1, 1), calendar=CALENDAR, day=31)


def test_an_approval_up_to_the_cut_off_is_paid_in_its_month_and_later_in_the_next() -> None:
    assert cycle.pay_month(date(2026, 12, 18), calendar=CALENDAR) == date(2026, 12, 1)
    assert cycle.pay_month(date(2026, 12, 19), calendar=CALENDAR) == date(2027, 1, 1)


@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(1, 28))
def test_the_pay_month_is_this_one_or_the_next(day: date, cutoff: int) -> None:
    month = cycle.pay_month(day, calendar=CALENDAR, day=cutoff)
    assert month in (cycle.month_of(day), cycle.next_month(cycle.month_of(day)))


@pytest.mark.parametrize(("total", "needed"), [("0.01", 1), ("4999999.99", 1), ("5000000.00", 2)])
def test_a_large_total_needs_more_approvers(total: str, needed: int) -> None:
    assert cycle.approvals_needed(Decimal(total)) == needed


def test_instalments_fall_due_a_year_apart_and_empty_ones_are_left_out() -> None:
    parts = instalments([Decimal("40"), Decimal("0"), Decimal("60")], first_month=date(2026, 12, 1))
    assert [(p.number, p.month, p.amount) for p in parts] == [
        (1, date(2026, 12, 1), Decimal("40.00")),
        (3, date(2028, 12, 1), Decimal("60.00")),
    ]


def granted(computed: str, cap: str | None = None, exclusive: tuple[str, ...] = (), *earlier: Earlier) -> Decimal:
    return apply_history(
        Decimal(computed),
        item="me",
        year=2026,
        cap_per_year=None if cap is None else Decimal(cap),
        exclusive_with=exclusive,
        earlier=earlier,
    ).amount


def test_of_exclusive_items_the_enterprise_ends_with_the_highest() -> None:
    other = Earlier("other", "其他事项", Decimal("30000"))
    assert granted("100000", None, ("other",), other) == 70000
    assert granted("20000", None, ("other",), other) == 0
    assert granted("100000", None, (), other) == 100000


def test_a_yearly_cap_counts_what_was_granted_in_the_year() -> None:
    mine = Earlier("me", "本事项", Decimal("80000"))
    assert granted("50000", "100000", (), mine) == 20000
    assert granted("50000", "60000", (), mine) == 0


def test_each_reduction_shows_its_working() -> None:
    result = apply_history(
        Decimal("100000"),
        item="me",
        year=2026,
        cap_per_year=Decimal("50000"),
        exclusive_with=["other"],
        earlier=[Earlier("other", "其他事项", Decimal("30000"))],
    )
    assert result.amount == 20000
    assert ["年度上限" in result.working[0], "就高不重复" in result.working[1]] == [True, True]


def test_the_highest_is_what_an_items_own_cap_leaves_of_it() -> None:
    other = Earlier("other", "其他事项", Decimal("60000"))
    assert granted("150000", "100000", ("other",), other) == 40000
    assert granted("50000", "100000", ("other",), other) == 0
    mine = Earlier("me", "本事项", Decimal("40000"))
    assert granted("150000", "100000", ("other",), Earlier("other", "其他事项", Decimal("30000")), mine) == 30000


_TERMS = st.tuples(st.integers(1, 200), st.none() | st.integers(0, 200), st.none() | st.integers(0, 200))


@given(st.tuples(_TERMS, _TERMS))
def test_in_either_order_two_exclusive_items_with_caps_of_their_own_end_with_the_higher(
    terms: tuple[tuple[int, int | None, int | None], tuple[int, int | None, int | None]],
) -> None:
    """Each: what its rules give, its own yearly cap, and a declared cap over it alone."""
    each = [min(part for part in one if part is not None) for one in terms]
    for order in ((0, 1), (1, 0)):
        earlier: list[Earlier] = []
        for number in order:
            computed, own, declared = terms[number]
            code = str(number)
            caps = (
                []
                if declared is None
                else [Cap("per_year", "上限", Decimal(declared), Decimal(0), 1, frozenset({code}))]
            )
            amount = apply_history(
                Decimal(computed),
                item=code,
                year=2026,
                cap_per_year=None if own is None else Decimal(own),
                exclusive_with=[str(1 - number)],
                earlier=earlier,
                caps=caps,
            ).amount
            earlier.append(Earlier(code, code, amount))
        assert sum(one.amount for one in earlier) == max(each)
