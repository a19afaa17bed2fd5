"""Budget lines: changed by two people, frozen, forecast, warned of, and closed at the end of their year."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from disbursement.audit.findings import Scope
from disbursement.audit.service import findings
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Invalid
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    AccountKind,
    BudgetChange,
    CarryOver,
    ChangeKind,
    Document,
    DocumentKind,
    LedgerTransfer,
    YearEnd,
)
from disbursement.selectors.forecast import forecasts
from disbursement.services import notices
from disbursement.services.budget import alerts as budget_alerts
from disbursement.services.budget import changes as budget
from disbursement.services.budget import year_end
from matching.registry.models import BudgetLine, OutboxMessage
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
NOW = money.APPROVED


@pytest.fixture
def finance() -> money.Finance:
    return money.Finance()


def propose(finance: money.Finance, kind: ChangeKind, line: BudgetLine, **options: Any) -> BudgetChange:
    told = {"paper_number": "青财预〔2026〕8号", "reason": "项目增加", "actor": finance.maker, "now": NOW}
    return budget.propose(kind=kind, line_id=line.pk, **{**told, **options})


def done(finance: money.Finance, kind: ChangeKind, line: BudgetLine, **options: Any) -> BudgetChange:
    made = propose(finance, kind, line, **options)
    return budget.decide(change_id=made.pk, approve=True, actor=finance.approver, now=NOW)


def test_an_adjustment_takes_two_people_and_a_paper_and_reaches_the_ledger(finance: money.Finance) -> None:
    line = people.budget_line(ceiling="500000")
    change = propose(finance, ChangeKind.ADJUST, line, amount=Decimal(-200000))
    with pytest.raises(Denied):
        budget.decide(change_id=change.pk, approve=True, actor=finance.checker, now=NOW)
    budget.decide(change_id=change.pk, approve=True, actor=finance.approver, now=NOW)
    line.refresh_from_db()
    assert line.ceiling == 300000
    assert balances(line=line)[AccountKind.APPROPRIATED] == 300000
    assert LedgerTransfer.objects.get(kind="reduce").memo == "调整额度 青财预〔2026〕8号"
    with pytest.raises(Invalid, match="已经决定"):
        budget.decide(change_id=change.pk, approve=True, actor=finance.second_approver, now=NOW)
    own = propose(finance, ChangeKind.ADJUST, line, amount=Decimal(1), actor=finance.approver)
    with pytest.raises(Conflict, match="另一名"):
        budget.decide(change_id=own.pk, approve=True, actor=finance.approver, now=NOW)
    with pytest.raises(Invalid, match="不批准的原因"):
        budget.decide(change_id=own.pk, approve=False, actor=finance.second_approver, now=NOW)
    with pytest.raises(Invalid) as told:
        propose(finance, ChangeKind.ADJUST, line, amount=Decimal(1), paper_number="", reason=" ")
    assert [fault.place for fault in told.value.faults] == ["paper_number", "reason"]


def test_nothing_that_is_reserved_is_moved_away(finance: money.Finance) -> None:
    award = money.granted("100000")
    line, other = award.payables.get().budget_line, people.budget_line(code="talent", ceiling="1000")
    assert line is not None
    with pytest.raises(Invalid, match=r"最多可调出9,900,000.00元"):
        propose(finance, ChangeKind.TRANSFER, line, amount=Decimal("9900000.01"), to_line_id=other.pk)
    done(finance, ChangeKind.TRANSFER, line, amount=Decimal(9900000), to_line_id=other.pk)
    line.refresh_from_db()
    other.refresh_from_db()
    assert (line.ceiling, other.ceiling) == (100000, 9901000)
    assert ledger_findings(line=line) == ledger_findings(line=other) == []
    with pytest.raises(Invalid, match="同一年度"):
        propose(finance, ChangeKind.TRANSFER, other, amount=Decimal(1), to_line_id=people.budget_line(year=2027).pk)


def test_a_frozen_line_reserves_nothing_until_it_is_unfrozen(finance: money.Finance) -> None:
    line = people.budget_line()
    done(finance, ChangeKind.FREEZE, line)
    with pytest.raises(Invalid, match="已冻结"):
        money.granted("1000")
    waiting = money.granted("1000", item=money.version("1000", shortfall="defer")).payables.get()
    assert waiting.state == "awaiting"
    with pytest.raises(Invalid, match="已按"):
        propose(finance, ChangeKind.FREEZE, line)
    source, taker = line.ledger_accounts.get(kind="appropriated"), line.ledger_accounts.get(kind="reserved")
    with pytest.raises(IntegrityError, match="frozen line"), transaction.atomic():
        LedgerTransfer.objects.create(
            debit=source, credit=taker, amount=1, kind="reserve", key="x", payable=waiting, posted_at=NOW
        )
    done(finance, ChangeKind.UNFREEZE, line)
    assert money.granted("1000").amount == 1000


def test_the_forecast_counts_what_is_paid_bound_later_and_expected(finance: money.Finance) -> None:
    line = people.budget_line(ceiling="400000")
    paid = money.payable("100000")
    [batch] = money.cut()
    money.paid(batch, finance)
    money.granted("90000", item=money.version("90000", instalments=["50", "50"]), now=at("2026-03-25"))
    money.application(item=money.version("200000"))
    [found] = forecasts(lines=[line], as_of=date(2026, 3, 26))
    told = found.forecast
    assert paid.pk
    assert (told.sum_of("paid"), told.sum_of("reserved"), told.sum_of("expected")) == (100000, 45000, 200000)
    assert (told.bound, told.total, found.applications) == (145000, 345000, 1)
    assert found.alerts == []
    next_year = people.budget_line(year=2027, ceiling="1")
    assert forecasts(lines=[next_year], as_of=date(2026, 3, 26))[0].forecast.sum_of("later") == 45000


def test_a_warning_is_told_once(finance: money.Finance) -> None:
    people.budget_line(ceiling="110000")
    money.granted("100000")
    assert budget_alerts.warn(now=NOW) == 1
    assert budget_alerts.warn(now=at("2026-03-11")) == 1
    message = OutboxMessage.objects.get(topic="budget.alert")
    assert "占额度 90%" in message.payload["text"]


def test_a_year_is_closed_once_the_bank_has_answered_and_then_takes_nothing(finance: money.Finance) -> None:
    line = people.budget_line(ceiling="500000")
    paid, held = money.payables(2, "100000.00")
    [batch] = money.cut()
    money.sent(batch, finance)
    later = money.payable("50000.00", item=money.version("50000"), now=at("2026-12-10"))
    december = at("2026-12-30")
    approver = finance.approver
    with pytest.raises(Invalid) as told:
        year_end.close(line_id=line.pk, actor=approver, now=at("2026-11-30"), paper_number="青财〔2026〕99号")
    assert any("12月1日起" in fault.message for fault in told.value.faults)
    assert any("尚未对账" in fault.message for fault in told.value.faults)
    assert not YearEnd.objects.exists()
    money.receive(money.answer(batch, bounced=[2]))
    with pytest.raises(Denied):
        year_end.close(line_id=line.pk, actor=finance.maker, now=december, paper_number="青财〔2026〕99号")
    before = year_end.preflight(line=line, today=december.date())
    assert before.blockers == []
    assert {(group.state.value, group.count) for group in before.carried} == {("bounced", 1), ("reserved", 1)}
    [outcome] = [
        o
        for o in year_end.close_year(year=2026, actor=approver, now=december, paper_number="青财〔2026〕99号")
        if o.line.pk == line.pk
    ]
    closed = outcome.closed
    assert closed is not None
    assert (closed.paid, closed.carried, closed.carried_count, closed.released) == (100000, 150000, 2, 250000)
    again = year_end.close(line_id=line.pk, actor=approver, now=december, paper_number="青财〔2027〕1号")
    assert again.pk == closed.pk
    new = BudgetLine.objects.get(code=line.code, year=2027)
    assert (new.ceiling, balances(line=new)[AccountKind.RESERVED]) == (150000, 150000)
    assert ledger_findings(line=line) == ledger_findings(line=new) == []
    held.refresh_from_db()
    assert (held.state, held.budget_line) == ("bounced", new)
    assert CarryOver.objects.count() == 2
    # nothing is posted to it any more: not by a service, not by the bank's late answer, not by hand
    with pytest.raises(Invalid, match="已关账"):
        budget.propose(
            kind=ChangeKind.ADJUST,
            line_id=line.pk,
            actor=finance.maker,
            now=december,
            paper_number="x",
            reason="y",
            amount=Decimal(1),
        )
    report = money.receive(money.answer(batch, bounced=[1], only=[1]), name="late.csv", now=at("2027-01-05"))
    assert report.exceptions == 0
    paid.refresh_from_db()
    # It is owed again, by the year that came after.
    assert (paid.state, paid.budget_line) == ("bounced", new)
    assert balances(line=line)[AccountKind.PAID] == 100000
    with pytest.raises(IntegrityError, match="year is closed"), transaction.atomic():
        LedgerTransfer.objects.create(
            debit=line.ledger_accounts.get(kind="paid"),
            credit=line.ledger_accounts.get(kind="appropriated"),
            amount=1,
            kind="refund",
            key="x",
            payable=paid,
            posted_at=december,
        )
    money.cut(month=date(2027, 1, 1), now=at("2027-01-20", 17))
    later.refresh_from_db()
    assert (later.state, later.budget_line) == ("scheduled", new)
    notices.issue(kind=DocumentKind.YEAR, subject_id=2026, now=december)
    assert Document.objects.get(kind="year").title == "年度兑现决算报告"
    wrong = findings(scope=Scope(), counts=Counter(), only=["payables", "ledger", "structure"])
    assert [str(finding) for finding in wrong] == []


def test_a_closing_that_waited_stands_behind_what_was_posted_meanwhile(finance: money.Finance) -> None:
    line = people.budget_line(year=2025, code="old", ceiling="500000")
    money.payable("10000.00", item=money.version("10000", line="old"), now=at("2025-12-14"))
    closed = year_end.close(
        line_id=line.pk, actor=finance.approver, now=at("2025-12-05"), paper_number="青财〔2025〕9号"
    )
    posted = LedgerTransfer.objects.filter(debit__budget_line=line)
    assert posted.filter(posted_at__gt=at("2025-12-05")).exists()
    assert not posted.filter(posted_at__gt=closed.closed_at).exists()
