"""The pure forecast of the pay month: every reason it may have, and the last day that keeps it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disbursement.domain import calendar
from disbursement.domain.clocks import Clock, Pause
from disbursement.domain.pay_month import (
    Cause,
    Cuts,
    Owed,
    Situation,
    Waiting,
    forecast,
    forecast_owed,
    supply_by,
)
from disbursement.domain.states import ApplicationState as S
from disbursement.domain.states import PayableState as P

CALENDAR = calendar.shipped()
CUTS = Cuts(CALENDAR)
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
MONDAY = date(2026, 3, 2)


def review(*, used: int = 0, limit: int = 10, day: date = MONDAY) -> Clock:
    start = day
    while CALENDAR.working_days_between(start, day) < used:
        start -= timedelta(days=1)
    return Clock(start, limit)


def test_a_review_that_takes_its_promised_days_is_paid_in_the_month_whose_cut_off_it_does_not_miss() -> None:
    found = forecast(Situation(S.IN_REVIEW, review(), "审核"), as_of=MONDAY, cuts=CUTS)
    assert (found.month, found.firm, found.lead.cause) == (MARCH, False, Cause.ON_TIME)
    late = forecast(Situation(S.IN_REVIEW, review(), "审核", ahead=5), as_of=MONDAY, cuts=CUTS)
    assert late.month == APRIL


def test_a_correction_counts_with_the_last_day_that_the_enterprise_was_given() -> None:
    clock = Clock(MONDAY, 10, (Pause(date(2026, 3, 3)),))
    waiting = Waiting(Cause.CORRECTION, date(2026, 3, 17))
    found = forecast(Situation(S.REVIEW_CORRECTION, clock, "审核", waiting=waiting), as_of=date(2026, 3, 3), cuts=CUTS)
    assert (found.month, found.lead.cause) == (APRIL, Cause.CORRECTION)
    assert "最迟3月17日" in found.text


def test_handing_in_by_the_day_named_keeps_the_month_and_a_day_later_loses_it() -> None:
    clock = Clock(MONDAY, 10, (Pause(date(2026, 3, 3)),))
    situation = Situation(S.REVIEW_CORRECTION, clock, "审核", waiting=Waiting(Cause.CORRECTION, date(2026, 3, 17)))
    day = supply_by(situation, as_of=date(2026, 3, 3), cuts=CUTS)
    assert day is not None
    rest = 9  # one of ten working days was used before the pause
    assert CUTS.month_for(CALENDAR.add_working_days(day, rest)) == MARCH
    assert CUTS.month_for(CALENDAR.add_working_days(day + timedelta(days=1), rest)) == APRIL


def test_where_every_day_gives_the_same_month_no_day_is_named() -> None:
    clock = Clock(MONDAY, 2, (Pause(MONDAY),))
    situation = Situation(S.CORRECTION, clock, "受理", waiting=Waiting(Cause.CORRECTION, date(2026, 3, 5)))
    assert supply_by(situation, as_of=MONDAY, cuts=CUTS) is None


def test_a_step_past_its_promise_says_by_how_many_working_days() -> None:
    found = forecast(Situation(S.IN_REVIEW, review(used=12), "审核"), as_of=MONDAY, cuts=CUTS)
    assert found.lead.text == "审核已超过承诺时限 2 个工作日。"


def test_departments_past_their_day_are_told_beside_the_waiting() -> None:
    waiting = Waiting(Cause.JOINT, date(2026, 2, 20))
    found = forecast(Situation(S.JOINT_REVIEW, review(), "审核", waiting=waiting), as_of=MONDAY, cuts=CUTS)
    assert [why.cause for why in found.causes] == [Cause.JOINT, Cause.OVERDUE]


def test_a_publicity_is_decided_the_working_day_after_its_last() -> None:
    found = forecast(Situation(S.PUBLICITY, publicity_until=date(2026, 3, 19)), as_of=MONDAY, cuts=CUTS)
    assert (found.month, found.lead.cause) == (MARCH, Cause.PUBLICITY)
    after = forecast(Situation(S.PUBLICITY, publicity_until=date(2026, 3, 20)), as_of=MONDAY, cuts=CUTS)
    assert after.month == APRIL
    long_over = forecast(Situation(S.PUBLICITY, publicity_until=MONDAY), as_of=date(2026, 3, 10), cuts=CUTS)
    assert long_over.lead.cause is Cause.OBJECTION


@pytest.mark.parametrize("state", [S.REJECTED, S.WITHDRAWN, S.NOT_ACCEPTED, S.REVOKED])
def test_what_has_ended_comes_in_no_month(state: S) -> None:
    found = forecast(Situation(state), as_of=MONDAY, cuts=CUTS)
    assert (found.month, found.lead.cause) == (None, Cause.ENDED)


def test_a_month_that_was_cut_off_by_hand_is_over_and_says_so() -> None:
    friday = date(2026, 3, 20)
    cuts = Cuts(CALENDAR, days={MARCH: friday}, done=frozenset({MARCH}))
    found = forecast(Situation(S.SECOND_REVIEW, review(used=10, day=friday), "审核"), as_of=friday, cuts=cuts)
    assert (found.month, [why.cause for why in found.causes][-1]) == (APRIL, Cause.CUT_OFF)


def test_a_published_cut_off_day_counts_and_not_the_calendars() -> None:
    cuts = Cuts(CALENDAR, days={MARCH: date(2026, 3, 10)})
    assert forecast(Situation(S.IN_REVIEW, review(), "审核"), as_of=MONDAY, cuts=cuts).month == APRIL


@pytest.mark.parametrize(
    ("state", "reason", "month", "cause"),
    [
        (P.RESERVED, "", MARCH, Cause.APPROVED),
        (P.SEALED, "", MARCH, Cause.APPROVED),
        (P.RESERVED, "顺延至2026年3月兑现：暂缓已解除", MARCH, Cause.SLIPPED),
        (P.AWAITING, "顺延至2026年3月兑现：预算不足，待安排预算", MARCH, Cause.BUDGET),
        (P.AWAITING, "", MARCH, Cause.BUDGET),
        (P.HELD, "信用核查", APRIL, Cause.HELD),
        (P.BOUNCED, "", APRIL, Cause.BOUNCED),
        (P.MENDED, "", APRIL, Cause.MENDED),
        (P.SETTLED, "", None, Cause.PAID),
        (P.CANCELLED, "", None, Cause.ENDED),
    ],
)
def test_an_instalment_after_the_cut_off_of_its_month(state: P, reason: str, month: date | None, cause: Cause) -> None:
    found = forecast_owed(Owed(state, MARCH, reason), as_of=date(2026, 3, 25), cuts=CUTS)
    assert (found.month, found.lead.cause) == (month, cause)
    assert found.firm


def test_a_bounced_payment_names_the_day_by_which_a_mended_account_is_paid_that_month() -> None:
    found = forecast_owed(Owed(P.BOUNCED, MARCH), as_of=date(2026, 3, 25), cuts=CUTS)
    assert f"{CUTS.cut_off(APRIL).month}月{CUTS.cut_off(APRIL).day}日前" in found.text


@given(
    used=st.integers(0, 30),
    limit=st.integers(1, 30),
    ahead=st.integers(0, 20),
    later=st.integers(1, 40),
)
def test_more_days_ahead_never_bring_the_money_earlier(used: int, limit: int, ahead: int, later: int) -> None:
    clock = review(used=used, limit=limit)
    near = forecast(Situation(S.IN_REVIEW, clock, "审核", ahead=ahead), as_of=MONDAY, cuts=CUTS)
    far = forecast(Situation(S.IN_REVIEW, clock, "审核", ahead=ahead + later), as_of=MONDAY, cuts=CUTS)
    assert near.month is not None
    assert far.month is not None
    assert MARCH <= near.month <= far.month
