"""When a holder is warned, and what a span of days comes to."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain.supervision import (
    DEFAULT_RULE,
    Done,
    EntryKind,
    Rule,
    Tally,
    WarningLevel,
    levels_due,
    month_number,
    month_of_number,
    percentile,
    total,
)

SHARE, DAYS = WarningLevel.SHARE, WarningLevel.DAYS


@pytest.mark.parametrize(
    ("used", "limit", "rule", "due"),
    [
        (5, 10, DEFAULT_RULE, ()),
        (6, 10, DEFAULT_RULE, (SHARE,)),
        (9, 10, DEFAULT_RULE, (SHARE, DAYS)),
        (10, 10, DEFAULT_RULE, (SHARE, DAYS)),
        (11, 10, DEFAULT_RULE, ()),
        (0, 1, DEFAULT_RULE, ()),
        (7, 10, Rule(None, 3), (DAYS,)),
        (9, 10, Rule(None, None), ()),
        (5, 10, Rule(50, None), (SHARE,)),
    ],
)
def test_a_holder_is_warned_from_the_share_and_from_the_days_on_and_not_past_the_limit(
    used: int, limit: int, rule: Rule, due: tuple[WarningLevel, ...]
) -> None:
    assert levels_due(used=used, limit=limit, rule=rule) == due


@given(used=st.integers(0, 40), limit=st.integers(1, 30), days=st.integers(1, 60), percent=st.integers(1, 79))
def test_once_due_a_warning_stays_due_until_the_limit(used: int, limit: int, days: int, percent: int) -> None:
    rule = Rule(percent, days)
    if used < limit and levels_due(used=used, limit=limit, rule=rule):
        assert set(levels_due(used=used, limit=limit, rule=rule)) <= set(
            levels_due(used=used + 1, limit=limit, rule=rule)
        )


@pytest.mark.parametrize(("percent", "expected"), [(50, 3), (90, 9), (100, 9), (1, 1)])
def test_a_percentile_is_the_nearest_rank(percent: int, expected: int) -> None:
    assert percentile([9, 1, 3, 2, 5], percent) == expected


@given(st.lists(st.integers(0, 100), min_size=1), st.integers(1, 100))
def test_a_percentile_is_one_of_the_values_that_enough_do_not_pass(values: list[int], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)


def test_figures_of_nothing_are_unknown_and_not_nought() -> None:
    empty = Tally()
    assert (empty.mean, empty.median, empty.p90, empty.in_time_share, empty.cards_per_hundred) == (None,) * 5


def test_a_tally_counts_cards_for_each_hundred_cases_and_shares_in_time() -> None:
    tally = Tally(done=[Done(2, 5), Done(5, 5), Done(9, 5)], running=1)
    for kind in (EntryKind.YELLOW, EntryKind.RED, EntryKind.WARNING, EntryKind.QUALITY):
        tally.add(kind)
    assert tally.cards_per_hundred == Decimal("50.0")
    assert tally.in_time_share == Decimal("66.7")
    assert (tally.mean, tally.promise, tally.median, tally.p90) == (Decimal("5.3"), Decimal("5.0"), 5, 9)
    assert (tally.yellow, tally.red, tally.others) == (1, 1, 1)


def test_all_together_is_the_sum_of_its_parts() -> None:
    first, second = Tally(done=[Done(1, 2)], running=2, struck=1), Tally(done=[Done(3, 2)])
    first.add(EntryKind.RED)
    second.add(EntryKind.RED)
    whole = total([first, second])
    assert (len(whole.done), whole.running, whole.struck, whole.red) == (2, 2, 1, 2)


def test_a_month_has_a_number_and_back() -> None:
    assert month_of_number(month_number(date(2026, 3, 1))) == date(2026, 3, 1)
    for number in (202613, 100001, 0, 10**18):
        with pytest.raises(ValueError, match="month"):
            month_of_number(number)
