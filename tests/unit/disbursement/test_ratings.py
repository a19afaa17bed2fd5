"""Five levels, once, after the money or the end; the lowest two must be answered."""

from __future__ import annotations

from datetime import date

import pytest

from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import ApplicationState, Role
from disbursement.models import Rating, Rectification
from disbursement.selectors.desk import rectifications
from disbursement.services.application import ratings
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import Case, agent, applicant, at, case, case_in, staff

pytestmark = pytest.mark.django_db
NOW = at("2026-03-30")


@pytest.fixture
def made() -> Case:
    """A paid application."""
    found = case().approved()
    finance = money.Finance()
    for batch in money.cut():
        money.paid(batch, finance)
    return found


def rate(made: Case, level: int) -> Rating:
    return ratings.rate(application_id=made.id, level=level, actor=made.agent, now=NOW, comment="还行")


@pytest.mark.parametrize("level", [3, 4, 5])
def test_a_fair_rating_asks_nothing_of_anyone(made: Case, level: int) -> None:
    assert rate(made, level).rectify_by is None
    assert not Rectification.objects.exists()


@pytest.mark.parametrize("level", [1, 2])
def test_a_low_rating_opens_a_rectification_due_in_ten_working_days(made: Case, level: int) -> None:
    rating = rate(made, level)
    # 5 April 2026 is 清明节: one of the ten days is a holiday.
    assert rating.rectify_by == rating.rectification.due_on == date(2026, 4, 14)
    assert rating.rectification.department == made.version.item.department


def test_it_is_answered_once_by_the_department_and_nobody_else(made: Case) -> None:
    opened = rate(made, 1).rectification
    for actor in (made.agent, staff(Role.REVIEWER, base.department("rsj", "人社局")), money.Finance().maker):
        with pytest.raises(Denied):
            ratings.answer(rectification_id=opened.pk, reply="已整改", actor=actor, now=NOW)
    with pytest.raises(Invalid, match="请写明"):
        ratings.answer(rectification_id=opened.pk, reply=" ", actor=made.reviewer, now=NOW)
    assert rectifications(actor=made.reviewer) == [opened]
    ratings.answer(rectification_id=opened.pk, reply="已整改", actor=made.reviewer, now=NOW)
    assert rectifications(actor=made.reviewer) == []
    with pytest.raises(Invalid, match="已经答复"):
        ratings.answer(rectification_id=opened.pk, reply="再答", actor=made.reviewer, now=NOW)


def test_an_application_is_rated_once(made: Case) -> None:
    assert ratings.may_rate(application=made.fresh(), actor=made.agent)
    rate(made, 5)
    assert not ratings.may_rate(application=made.fresh(), actor=made.agent)
    with pytest.raises(Invalid, match="已经评价"):
        rate(made, 1)


def test_nobody_rates_before_the_money_or_for_another_enterprise(made: Case) -> None:
    unpaid = case().submitted()
    with pytest.raises(Invalid, match="到账"):
        rate(unpaid, 5)
    with pytest.raises(Denied):
        ratings.rate(application_id=made.id, level=5, actor=agent(applicant()), now=NOW)
    with pytest.raises(Invalid, match="五级"):
        rate(made, 6)


@pytest.mark.parametrize(
    "state",
    [
        ApplicationState.NOT_ACCEPTED,
        ApplicationState.REJECTED,
        ApplicationState.REJECTION_UPHELD,
        ApplicationState.CLOSED,
    ],
)
def test_who_was_refused_or_saw_the_case_end_without_money_rates_it_too(state: ApplicationState) -> None:
    ended = case_in(state)
    assert ratings.may_rate(application=ended.fresh(), actor=ended.agent)
    assert not ratings.may_rate(application=ended.fresh(), actor=agent(applicant()))
    assert rate(ended, 1).rectification.department == ended.version.item.department
    assert not ratings.may_rate(application=ended.fresh(), actor=ended.agent)


@pytest.mark.parametrize("state", [ApplicationState.APPEAL, ApplicationState.WITHDRAWN, ApplicationState.APPROVED])
def test_nobody_rates_what_is_not_decided_or_was_taken_back(state: ApplicationState) -> None:
    made = case_in(state)
    assert not ratings.may_rate(application=made.fresh(), actor=made.agent)
    with pytest.raises(Invalid, match="办理有了结果"):
        rate(made, 5)
