"""Two people at the same moment, on PostgreSQL: one waits for the other, and finds things as they stand then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from disbursement.domain.errors import Invalid
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import BudgetChange, ChangeKind, CutOffDay, Cycle, Payable, YearEnd
from disbursement.services.budget import changes, year_end
from disbursement.services.month import cut_off_days, cycles
from disbursement.services.payment import payments
from disbursement.services.recovery import recoveries
from matching.registry.models import BudgetLine
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
PAPER = "青财〔2026〕99号"
# Of the locks, not of the activity: a transaction sees that as it was when it first looked.
WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
    " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
)


@contextmanager
def meanwhile(deed: Callable[[], object]) -> Iterator[list[object]]:
    """Inside a transaction of one's own: `deed` runs in another and comes to wait for it. What it returned or raised
    is in the list after the block, which commits.
    """
    said: list[object] = []

    def run() -> None:
        try:
            said.append(deed())
        except Exception as error:
            said.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        yield said
        thread.start()
        until_one_waits(said)
    thread.join(timeout=60)
    assert not thread.is_alive()


def until_one_waits(said: list[object]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and not said:
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
    assert said, "nobody came to wait"


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def paid(finance: money.Finance, count: int = 1) -> list[Payable]:
    with transaction.atomic():
        payables = money.payables(count)
        [batch] = money.cut()
    money.paid(batch, finance)
    return payables


def close(year: int, finance: money.Finance) -> YearEnd:
    line = BudgetLine.objects.get(code=money.line().code, year=year)
    return year_end.close(line_id=line.pk, actor=finance.approver, now=at(f"{year}-12-28"), paper_number=PAPER)


def test_a_payment_that_is_carried_over_the_years_end_while_one_waits_for_it_is_found_on_its_new_line(
    finance: money.Finance,
) -> None:
    with transaction.atomic():
        [payable] = money.payables(1)

    def hold() -> Payable:
        return payments.hold(payable_id=payable.pk, actor=finance.checker, now=at("2026-12-29"), reason="待查")

    with meanwhile(hold) as said:
        close(2026, finance)
    [held] = said
    assert isinstance(held, Payable), held
    assert held.budget_line is not None
    assert (held.state, held.budget_line.year) == ("held", 2027)


def test_a_demand_waits_for_the_closing_of_the_year_that_would_take_it_over_and_goes_to_the_next(
    finance: money.Finance,
) -> None:
    first, second = paid(finance, 2)
    close(2026, finance)
    new_year = at("2027-12-28", 12)

    def demand(payable: Payable) -> object:
        return payments.claw_back(
            payable_id=payable.pk, actor=finance.approver, now=new_year, reason="迁出", due_on=date(2028, 3, 1)
        )

    demand(first)  # 2027's line stands now
    with meanwhile(lambda: demand(second)) as said:
        close(2027, finance)
    [made] = said
    assert not isinstance(made, Exception), made
    second.refresh_from_db()
    assert second.budget_line is not None
    assert second.budget_line.year == 2028
    for line in BudgetLine.objects.all():
        assert ledger_findings(line=line) == []


def test_who_closes_a_year_holds_its_line_only_once_its_payments_are_his(finance: money.Finance) -> None:
    """Else a return of the bank's, that holds a payment and wants the line, and he would wait for each other."""
    [payable] = paid(finance)
    line = money.line()
    said: list[object] = []

    def run() -> None:
        said.append(close(2026, finance))
        connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        Payable.objects.select_for_update().get(pk=payable.pk)
        thread.start()
        until_one_waits(said)
        assert BudgetLine.objects.select_for_update(nowait=True).get(pk=line.pk) == line
    thread.join(timeout=60)
    assert isinstance(said[0], YearEnd)


def test_a_month_that_is_opened_while_its_cut_off_day_is_set_opens_with_that_day(finance: money.Finance) -> None:
    month, day = date(2026, 5, 1), date(2026, 5, 27)
    with meanwhile(lambda: cycles.open_cycle(month=month, now=at("2026-04-30"))) as said:
        cut_off_days.set_day(month=month, day=day, reason="系统升级", actor=finance.checker, now=at("2026-04-30"))
    assert not isinstance(said[0], Exception), said
    assert Cycle.objects.get(month=month).cut_off_on == day


def test_two_who_set_the_day_of_a_month_that_is_not_open_take_turns(finance: money.Finance) -> None:
    month = date(2026, 5, 1)

    def set_day(day: int, who: Any) -> CutOffDay:
        return cut_off_days.set_day(
            month=month, day=date(2026, 5, day), reason="系统升级", actor=who, now=at("2026-04-30")
        )

    with meanwhile(lambda: set_day(26, finance.approver)) as said:
        set_day(27, finance.checker)
    assert isinstance(said[0], CutOffDay)
    assert said[0].former == date(2026, 5, 27)


def test_of_two_who_record_the_same_entry_one_is_told_that_it_is_known(finance: money.Finance) -> None:
    payables = paid(finance, 2)
    demands = [
        payments.claw_back(
            payable_id=payable.pk, actor=finance.approver, now=at("2026-04-01"), reason="迁出", due_on=date(2026, 4, 30)
        )
        for payable in payables
    ]

    def record(number: int) -> object:
        return recoveries.record(
            clawback_id=demands[number].pk,
            amount=Decimal("5.00"),
            received_on=date(2026, 4, 8),
            reference="CR1",
            actor=finance.checker,
            now=at("2026-04-08"),
        )

    with meanwhile(lambda: record(1)) as said:
        record(0)
    assert isinstance(said[0], Invalid)
    assert "不能重复登记" in str(said[0])


def test_who_decides_on_a_budget_waits_for_who_reserves_on_it_and_both_succeed(finance: money.Finance) -> None:
    """Who reserves holds the accounts, and names the line at his commit: neither may wait for the other for ever."""
    with transaction.atomic():
        line = money.line()
        change = changes.propose(
            kind=ChangeKind.ADJUST,
            line_id=line.pk,
            actor=finance.maker,
            now=at("2026-03-02"),
            paper_number=PAPER,
            reason="追加",
            amount=Decimal("500.00"),
        )

    def decide() -> BudgetChange:
        return changes.decide(change_id=change.pk, approve=True, actor=finance.approver, now=at("2026-03-10"))

    with meanwhile(decide) as said:
        payable = money.payable()
    [decided] = said
    assert isinstance(decided, BudgetChange), decided
    payable.refresh_from_db()
    assert (payable.state, payable.budget_line) == ("reserved", line)
    assert BudgetLine.objects.get(pk=line.pk).ceiling == line.ceiling + 500
    assert ledger_findings(line=line) == []


def test_who_closes_a_year_waits_for_who_reserves_in_it_and_says_that_something_came(finance: money.Finance) -> None:
    with transaction.atomic():
        line = money.line()

    def end() -> YearEnd:
        return year_end.close(line_id=line.pk, actor=finance.approver, now=at("2026-12-28"), paper_number=PAPER)

    with meanwhile(end) as said:
        payable = money.payable()
    [refused] = said
    assert isinstance(refused, Invalid), refused
    assert "刚刚转入" in str(refused)
    payable.refresh_from_db()
    assert payable.budget_line == line
    assert end().carried == payable.amount
