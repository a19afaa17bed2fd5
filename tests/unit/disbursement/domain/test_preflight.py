"""A month's preflight as plain data: kept and read again, compared, and who could sign."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain import money, shortage
from disbursement.domain.preflight import (
    MOST_LISTED,
    Actual,
    Issue,
    LineOutlook,
    Outlook,
    Severity,
    Unpaid,
    can_sign,
    differences,
    sorted_issues,
)
from disbursement.domain.shortage import Claim

MONTH = date(2026, 3, 1)
YUAN = Decimal("100.00")


def outlook() -> Outlook:
    line = LineOutlook(1, "innovation", "创新 2026", count=2, total=Decimal("300.00"), held_count=1, held_total=YUAN)
    issue = Issue("hold.account", Severity.UNPAID, "应付款项", "收款账户没有核对", "请核对。", ("accounts", None))
    issue.add(Unpaid(7, "2026-000001", "甲公司", YUAN, "收款账户尚未核对"))
    note = Issue("fonts", Severity.NOTE, "文书字体", "没有字体", "请安装。")
    return Outlook(MONTH, date(2026, 3, 18), date(2026, 3, 20), [line], sorted_issues([note, issue]))


def test_what_is_kept_is_read_again_to_the_last_cent() -> None:
    found = outlook()
    again = Outlook.from_json(json.loads(json.dumps(found.to_json())))
    assert again == found
    assert (again.unpaid_count, again.unpaid_total) == (1, YUAN)
    assert [severity for severity, _ in again.by_severity] == [Severity.UNPAID, Severity.NOTE]


def test_of_many_payables_the_first_are_listed_and_all_are_counted() -> None:
    issue = Issue("x", Severity.UNPAID, "", "", "")
    for pk in range(MOST_LISTED + 3):
        issue.add(Unpaid(pk, "", "", YUAN))
    assert (issue.count, len(issue.listed), issue.more, issue.total) == (503, 500, 3, 503 * YUAN)


def test_a_cut_off_that_did_as_foreseen_differs_in_nothing() -> None:
    same = Actual("创新 2026", 2, Decimal("300.00"), 1, YUAN)
    assert differences(outlook(), {1: same}) == []
    other = Actual("创新 2026", 3, Decimal("400.00"), 0, money.ZERO)
    told = differences(outlook(), {1: other, 2: same})
    assert len(told) == 3
    assert "预检支付2笔、300.00元，截止后3笔、400.00元" in told[0]


@pytest.mark.parametrize(
    ("makers", "checkers", "approvers", "needed", "said"),
    [
        ({1}, {2}, {3}, 1, None),
        ({1}, {2}, {3, 4}, 2, None),
        (set(), {2}, {3}, 1, "没有可签署的财务经办"),
        ({1}, set(), {3}, 1, "没有可签署的财务复核"),
        ({1}, {2}, {3}, 2, "须2人审批，可签署的财务审批只有1人"),
        ({1}, {1}, {3}, 1, "不同的人"),
        ({1}, {2}, {1, 2}, 1, "不同的人"),
    ],
)
def test_a_batch_is_signed_only_by_different_people(
    makers: set[int], checkers: set[int], approvers: set[int], needed: int, said: str | None
) -> None:
    found = can_sign(makers=makers, checkers=checkers, approvers=approvers, needed=needed)
    assert found is None if said is None else said in str(found)


@given(
    amounts=st.lists(st.integers(1, 10**6), min_size=1, max_size=20),
    free=st.integers(0, 10**7),
    later=st.integers(0, 10**7),
)
def test_no_line_gives_more_than_it_has_and_every_claim_has_its_answer(
    amounts: list[int], free: int, later: int
) -> None:
    claims = [Claim(pk, "a", 2025, cents * money.CENT) for pk, cents in enumerate(amounts)]
    has = {("a", 2025): free * money.CENT, ("a", 2026): later * money.CENT}
    firm = shortage.first_come(claims, free=(left := dict(has)), month=MONTH)
    assert sorted([*firm.short, *(pk for ids in firm.served.values() for pk in ids)]) == list(range(len(claims)))
    for key, ids in firm.served.items():
        assert has[key] - left[key] == money.total(claims[pk].amount for pk in ids) <= has[key]
    shared = shortage.pro_rata(claims, free=has, month=MONTH)
    for key, shares in shared.served.items():
        assert money.total(share.amount for share in shares) <= has[key]
        assert all(0 < share.amount <= share.entitled for share in shares)
    assert sorted([*shared.short, *(s.pk for each in shared.served.values() for s in each)]) == list(range(len(claims)))


def of_year(shared: shortage.Shared, year: int) -> Decimal:
    """What the claims of a year got in all; those of 2025 have ids from 2025 on, and so on."""
    shares = [share for each in shared.served.values() for share in each]
    return money.total(share.amount for share in shares if share.pk // 1000 == year)


def test_a_cent_that_the_old_year_has_left_settles_no_claim_that_the_new_year_can_pay() -> None:
    claim = Claim(1, "a", 2025, Decimal("100000.00"))
    free = {("a", 2025): money.CENT, ("a", 2026): Decimal("1000000.00")}
    shared = shortage.pro_rata([claim], free=free, month=MONTH)
    assert shared.served == {("a", 2026): [shortage.Share(1, claim.amount, claim.amount)]}


@given(
    old=st.lists(st.integers(1, 10**6), min_size=1, max_size=5),
    free=st.integers(0, 10**7),
    later=st.integers(0, 10**7),
)
def test_the_claims_of_a_year_get_what_the_best_single_line_gives(old: list[int], free: int, later: int) -> None:
    claims = [Claim(2025000 + number, "a", 2025, cents * money.CENT) for number, cents in enumerate(old)]
    has = {("a", 2025): free * money.CENT, ("a", 2026): later * money.CENT}
    shared = shortage.pro_rata(claims, free=has, month=MONTH)
    assert of_year(shared, 2025) == min(sum(old), max(free, later)) * money.CENT


@given(
    asked=st.lists(st.tuples(st.sampled_from([2024, 2025, 2026]), st.integers(1, 10**6)), min_size=1, max_size=9),
    has=st.lists(st.integers(0, 10**6), min_size=3, max_size=3),
)
def test_who_goes_to_the_new_years_line_is_no_worse_off_there_whoever_else_does(
    asked: list[tuple[int, int]], has: list[int]
) -> None:
    claims = [Claim(year * 1000 + no, "a", year, cents * money.CENT) for no, (year, cents) in enumerate(asked)]
    free = {("a", 2024 + place): cents * money.CENT for place, cents in enumerate(has)}
    shared = shortage.pro_rata(claims, free=free, month=MONTH)
    for year in (2024, 2025):
        wanted = money.total(claim.amount for claim in claims if claim.year == year)
        # A share is rounded by less than a cent.
        assert of_year(shared, year) >= min(wanted, free["a", year]) - len(claims) * money.CENT
    at_home = {year: money.total(c.amount for c in claims if c.year == year) for year in (2024, 2025, 2026)}
    assert money.total(of_year(shared, year) for year in at_home) >= money.total(
        min(wanted, free["a", year]) for year, wanted in at_home.items()
    )


def test_nobody_goes_for_a_little_more_at_the_cost_of_the_new_years_own_claims() -> None:
    claims = [Claim(year * 1000, "a", year, Decimal(1_000_000)) for year in (2025, 2026)]
    free = {("a", 2025): Decimal(500_000), ("a", 2026): Decimal(1_020_000)}
    shared = shortage.pro_rata(claims, free=free, month=MONTH)
    assert (of_year(shared, 2025), of_year(shared, 2026)) == (500_000, 1_000_000)
