"""The day on which a default is found: nothing that is coming slips out between the instalment and the whole debt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from disbursement.models import Clawback, HoldKind, Payable
from disbursement.services.payment import payments
from disbursement.services.recovery import plans, recoveries
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
MAY, DAY = date(2026, 5, 1), date(2026, 5, 20)


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def defaulted(finance: money.Finance) -> tuple[Clawback, Payable]:
    """A plan over 100,000 元 of which the first instalment did not come, its default found this very morning; and
    30,000 元 that are coming.
    """
    owing = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    demand = payments.claw_back(
        payable_id=owing.pk, actor=finance.approver, now=at("2026-04-01"), reason="迁出本区", due_on=date(2026, 4, 30)
    )
    april = at("2026-04-08")
    plan = plans.propose(
        clawback_id=demand.pk,
        entries=[(date(2026, 5, 15), Decimal("40000.00")), (date(2026, 6, 15), Decimal("60000.00"))],
        actor=finance.maker,
        now=april,
        reason="同意分期",
    )
    plans.approve(plan_id=plan.pk, actor=finance.second_approver, now=april)
    item = money.version("30000", code="later")
    coming = money.payable("30000.00", enterprise=owing.enterprise, item=item, now=april)
    plans.default(plan_id=plan.pk, actor=finance.second_approver, now=at(DAY, 9), reason="第一期未退")
    return demand, coming


def test_all_that_is_left_is_overdue_from_the_day_on_which_the_default_was_found(finance: money.Finance) -> None:
    demand, _coming = defaulted(finance)
    for day, overdue in ((date(2026, 5, 19), 0), (DAY, 100_000), (date(2026, 5, 21), 100_000)):
        assert recoveries.standing_of(demand=demand, as_of=day).overdue == overdue


def test_what_is_coming_is_set_off_on_the_day_of_the_default(finance: money.Finance) -> None:
    demand, coming = defaulted(finance)
    recoveries.set_off(
        clawback_id=demand.pk,
        payable_id=coming.pk,
        actor=finance.second_approver,
        now=at(DAY, 11),
        reason="逾期未退，依约抵扣",
    )
    coming.refresh_from_db()
    assert coming.state == "settled"
    assert recoveries.received_of(demand=demand) == 30_000


def test_the_cut_off_of_that_day_holds_what_is_coming(finance: money.Finance) -> None:
    _demand, coming = defaulted(finance)
    assert money.cut(month=MAY, now=at(DAY, 17)) == []
    coming.refresh_from_db()
    assert (coming.state, coming.hold_kind) == ("held", HoldKind.RECOVERY)
