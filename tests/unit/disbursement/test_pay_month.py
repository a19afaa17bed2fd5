"""The forecast of the pay month as it is kept: each change once, with its reason, told when the month moves."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from disbursement.models import Payable, PayForecast
from disbursement.services.application import applications
from disbursement.services.payment import payments
from disbursement.services.review import publicity
from disbursement.services.supervision import pay_month
from matching.registry import outbox
from portal.inbox.models import Notification
from tests.factories import money
from tests.factories.disbursement import Case, at, case

pytestmark = pytest.mark.django_db
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


def rows(made: Case, instalment: int = 0) -> list[tuple[int, date | None, date | None, str]]:
    found = PayForecast.objects.filter(application_id=made.id, instalment=instalment)
    return list(found.values_list("seq", "month", "previous", "cause"))


def told(made: Case) -> list[str]:
    outbox.deliver(now=made.now)
    found = Notification.objects.filter(enterprise=made.enterprise, dedupe_key__startswith="forecast:")
    return list(found.order_by("pk").values_list("body", flat=True))


def test_a_submission_begins_the_forecast_and_a_draft_has_none() -> None:
    made = case().drafted()
    applications.withdraw(application_id=made.id, actor=made.agent, now=made.now)
    assert rows(made) == []
    submitted = case().submitted()
    assert rows(submitted) == [(1, MARCH, None, "on_time")]
    assert told(submitted) == []


def test_a_correction_moves_the_month_says_why_and_moves_it_back_once_it_is_in() -> None:
    made = case().submitted().asked()
    assert rows(made)[-1] == (2, APRIL, MARCH, "correction")
    assert "原预计2026年3月。已要求补正材料" in told(made)[0]
    made.supplied()
    assert rows(made)[-1] == (3, MARCH, APRIL, "correction")
    assert PayForecast.objects.filter(application_id=made.id).latest("seq").basis == "on_time"
    assert told(made)[1].startswith("原预计2026年4月。补正材料已收到。")


def test_a_move_that_was_taken_back_before_it_was_told_is_not_told() -> None:
    made = case().submitted().asked().supplied()
    assert len(rows(made)) == 3
    assert told(made) == ["原预计2026年4月。补正材料已收到。按承诺时限推算。"]


def test_steps_within_their_limits_leave_one_row() -> None:
    made = case().second_review()
    assert len(rows(made)) == 1


def test_an_item_that_pays_nothing_has_no_forecast() -> None:
    assert rows(case(award=None).submitted()) == []


def test_the_night_moves_what_days_have_moved_and_the_second_night_nothing() -> None:
    made = case().in_review()
    late = at("2026-03-30", 1)
    assert pay_month.keep_up(now=late) == 1
    assert pay_month.keep_up(now=late) == 0
    assert rows(made)[-1] == (2, APRIL, MARCH, "overdue")


def test_approval_hands_over_to_the_instalments_and_goes_on_from_the_forecast() -> None:
    made = case(publicity_days=5).submitted()
    assert rows(made) == [(1, APRIL, None, "on_time")]
    approved = case().approved()
    assert rows(approved, 1) == [(1, MARCH, MARCH, "approved")]
    assert len(rows(approved)) == 1


def test_an_end_without_money_ends_the_forecast_and_an_appeal_begins_it_again() -> None:
    made = case().appealed()
    assert [(month, cause) for _seq, month, _before, cause in rows(made)] == [
        (MARCH, "on_time"),
        (None, "ended"),
        (APRIL, "appeal"),
    ]
    assert told(made) == []


def test_a_held_instalment_is_forecast_for_the_first_month_that_it_can_still_make() -> None:
    made = case().approved()
    payable = Payable.objects.get(application_id=made.id)
    finance = money.Finance()
    payments.hold(payable_id=payable.pk, actor=finance.maker, now=made.now, reason="核对发票")
    assert rows(made, 1)[-1] == (2, MARCH, MARCH, "held")
    after = at("2026-03-25")
    assert pay_month.keep_up(now=after) == 1
    assert rows(made, 1)[-1] == (3, APRIL, MARCH, "held")
    made.now = after
    assert len(told(made)) == 1
    assert "第 1 期改在2026年4月兑现" in Notification.objects.get(dedupe_key__startswith="forecast:").title
    payments.release(payable_id=payable.pk, actor=finance.checker, now=after)
    assert rows(made, 1)[-1] == (4, APRIL, APRIL, "slipped")


def test_a_bounced_payment_is_forecast_for_the_next_month() -> None:
    made = case().approved()
    for batch in money.cut():
        money.paid(batch, money.Finance(), bounced=[1])
    assert rows(made, 1)[-1][1:] == (APRIL, MARCH, "bounced")


def test_a_publicity_objection_moves_the_month_with_its_reason() -> None:
    made = case().publicised()
    found = made.application.publicities.get()
    day = at(found.starts_on)
    objection = publicity.object_to(publicity_id=found.pk, name="李四", contact="1", text="不实", now=day)
    made.now = at(found.ends_on + timedelta(days=12))
    publicity.answer_objection(
        objection_id=objection.pk, sustained=True, answer="成立", actor=made.second, now=made.now
    )
    assert rows(made)[-1][1] == APRIL
