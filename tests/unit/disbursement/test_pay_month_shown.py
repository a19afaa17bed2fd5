"""In which month the money comes, and why that moved."""

from __future__ import annotations

from datetime import date

import pytest

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Cycle, Payable
from disbursement.selectors.applications import lines, with_clocks
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.pay_month import PayMonth, pay_month
from disbursement.services.payment.transitions import slip
from tests.factories import money
from tests.factories.disbursement import Case, case, case_in

pytestmark = pytest.mark.django_db
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def promised(made: Case, day: date) -> PayMonth:
    return pay_month(application=made.fresh(), as_of=day, calendar=working_calendar())


def test_before_approval_it_is_a_forecast_from_the_promised_limits() -> None:
    made = case().submitted()
    # 2 working days to accept and 10 to review from Monday 2 March end on the 18th, before the cut-off on the 20th.
    found = promised(made, date(2026, 3, 2))
    assert (found.month, found.firm) == (MARCH, False)
    assert promised(made, date(2026, 3, 6)).month == APRIL


def test_publicity_takes_its_days() -> None:
    made = case(publicity_days=5).submitted()
    assert promised(made, date(2026, 3, 2)).month == APRIL


def test_a_pause_and_an_overrun_are_told_as_the_reason() -> None:
    assert "要求补正" in promised(case().submitted().asked(), date(2026, 3, 3)).reason
    assert "已超过承诺时限" in promised(case().submitted(), date(2026, 3, 31)).reason


def test_approval_makes_it_a_promise() -> None:
    made = case().approved()
    found = promised(made, date(2026, 3, 2))
    assert (found.month, found.promised, found.firm, found.slipped) == (MARCH, MARCH, True, False)


def test_a_month_that_slips_says_why() -> None:
    made = case().approved()
    slip(payables=list(Payable.objects.filter(application_id=made.id)), month=APRIL, reason="预算不足")
    found = promised(made, date(2026, 3, 25))
    assert (found.month, found.promised, found.slipped) == (APRIL, MARCH, True)
    assert "预算不足" in found.reason


def test_once_paid_nothing_is_promised_any_more() -> None:
    made = case().approved()
    for batch in money.cut():
        money.paid(batch, money.Finance())
    assert promised(made, date(2026, 3, 30)) == PayMonth(None, MARCH, firm=True, reason="已全部兑现。")


@pytest.mark.parametrize(
    "state", [ApplicationState.REJECTED, ApplicationState.NOT_ACCEPTED, ApplicationState.WITHDRAWN]
)
def test_what_has_ended_otherwise_is_never_paid(state: ApplicationState) -> None:
    assert promised(case_in(state), date(2026, 3, 3)).month is None


def test_a_cut_off_that_a_cycle_was_opened_with_counts_on_every_page() -> None:
    made = case().submitted()
    Cycle.objects.create(month=MARCH, cut_off_on=date(2026, 3, 10), state="open", opened_at=made.now)
    assert promised(made, date(2026, 3, 2)).month == APRIL
    [line] = lines(applications=list(with_clocks(Application.objects.all())), as_of=date(2026, 3, 2))
    assert line.pay_month.month == APRIL
