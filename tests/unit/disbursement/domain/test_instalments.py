"""Paying back in instalments: divided to the cent, the earliest paid first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain import calendar, money
from disbursement.domain.instalments import (
    MOST_ENTRIES,
    PLAN,
    Due,
    PlanAction,
    PlanState,
    divide,
    faults_of,
    next_due,
    overdue,
    standing,
)
from disbursement.domain.workflow import Role

SHIPPED = calendar.shipped()
TODAY = date(2026, 3, 2)
THREE = [Due(1, date(2026, 4, 1), Decimal("40.00")), Due(2, date(2026, 5, 6), Decimal("40.00"))]
THREE.append(Due(3, date(2026, 6, 1), Decimal("20.00")))


@given(
    cents=st.integers(min_value=MOST_ENTRIES, max_value=10**12),
    count=st.integers(min_value=1, max_value=MOST_ENTRIES),
    first=st.dates(min_value=date(2026, 1, 1), max_value=date(2027, 12, 31)),
)
def test_parts_add_up_to_the_cent_differ_by_one_at_most_and_fall_on_working_days(
    cents: int, count: int, first: date
) -> None:
    total = cents * money.CENT
    parts = divide(total, count, first=first, calendar=SHIPPED)
    assert money.total(part.amount for part in parts) == total
    assert max(part.amount for part in parts) - min(part.amount for part in parts) <= money.CENT
    assert all(SHIPPED.is_working_day(part.due_on) for part in parts)
    assert sorted({part.due_on for part in parts}) == [part.due_on for part in parts]


@given(received=st.integers(min_value=0, max_value=20_000), day=st.dates(date(2026, 3, 1), date(2026, 7, 1)))
def test_what_came_in_pays_the_earliest_first_and_never_more_than_is_due(received: int, day: date) -> None:
    found = standing(THREE, received=received * money.CENT, as_of=day)
    assert money.total(each.paid for each in found) == min(received * money.CENT, Decimal("100.00"))
    unpaid = [each for each in found if each.rest]
    assert all(each.paid == 0 for each in unpaid[1:])
    assert overdue(found) == money.total(each.rest for each in found if each.due.due_on < day)


def test_the_next_instalment_is_the_first_that_lacks_something() -> None:
    found = standing(THREE, received=Decimal("40.01"), as_of=TODAY)
    following = next_due(found)
    assert following is not None
    assert (following.due.number, following.rest) == (2, Decimal("39.99"))
    assert next_due(standing(THREE, received=Decimal("100.00"), as_of=TODAY)) is None


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([THREE[0]], "2至24期"),
        ([THREE[0], Due(2, date(2026, 5, 6), Decimal("59.99"))], "合计99.99元"),
        ([THREE[0], Due(2, date(2026, 4, 1), Decimal("60.00"))], "依次递增"),
        ([Due(1, TODAY, Decimal("40.00")), Due(2, date(2026, 5, 6), Decimal("60.00"))], "晚于今天"),
        ([THREE[0], Due(2, date(2030, 5, 6), Decimal("60.00"))], "三年"),
        ([Due(1, date(2026, 4, 1), Decimal("-1.00")), Due(2, date(2026, 5, 6), Decimal("101.00"))], "大于零"),
    ],
)
def test_a_plan_that_cannot_be_says_why(entries: list[Due], said: str) -> None:
    assert said in "".join(faults_of(entries, total=Decimal("100.00"), today=TODAY))
    assert faults_of(THREE, total=Decimal("100.00"), today=TODAY) == []


def test_only_an_approver_puts_a_plan_in_force_and_only_one_that_was_proposed() -> None:
    rows = [row for row in PLAN if row.target is PlanState.IN_FORCE]
    assert [(row.source, row.action, row.roles) for row in rows] == [
        (PlanState.PROPOSED, PlanAction.APPROVE, frozenset({Role.FINANCE_APPROVER}))
    ]
    assert PLAN.is_final(PlanState.FULFILLED)
    assert PLAN.is_final(PlanState.REFUSED)
