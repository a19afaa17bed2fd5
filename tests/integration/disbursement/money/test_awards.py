"""From a judgement to payables: caps, exclusions, instalments, invoices, and a budget that does not suffice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from disbursement.domain.errors import Invalid
from disbursement.domain.invoices import Invoice
from disbursement.ledger.posting import balances
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import AccountKind, Award, ClaimedInvoice, LedgerTransfer, Payable, PayeeAccount
from disbursement.services.award import awards
from matching.registry.models import OutboxMessage
from tests.factories import disbursement as people
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db


def small_line(ceiling: str, code: str = "small", year: int = 2026) -> Any:
    return people.budget_line(code=code, year=year, ceiling=ceiling)


def states() -> list[str]:
    return list(Payable.objects.order_by("id").values_list("state", flat=True))


def test_instalments_reserve_their_own_years_budget_and_wait_where_it_does_not_stand_yet() -> None:
    award = money.granted("100000.00", item=money.version("100000", instalments=["40", "30", "30"]))
    assert [(p.number, p.amount, p.pay_month.year, p.state) for p in award.payables.order_by("number")] == [
        (1, Decimal("40000.00"), 2026, "reserved"),
        (2, Decimal("30000.00"), 2027, "awaiting"),
        (3, Decimal("30000.00"), 2028, "awaiting"),
    ]
    people.budget_line(year=2027)
    money.cut(month=date(2027, 3, 1), now=at("2027-03-19"))
    assert award.payables.get(number=2).state == "scheduled"
    assert award.payables.get(number=3).state == "awaiting"


def test_a_proposal_says_what_a_grant_would_do_and_changes_nothing() -> None:
    people.budget_line()
    application = money.application(item=money.version("50000"))
    proposal = awards.propose(
        application=application, judgement=application.judgements.latest("id"), now=money.APPROVED
    )
    assert (proposal.amount, proposal.problems, proposal.pay_month) == (Decimal("50000.00"), [], money.MONTH)
    assert not Award.objects.exists()


def test_the_yearly_cap_counts_what_was_granted_before_and_not_what_was_cancelled() -> None:
    enterprise = people.applicant()
    item = money.version("80000", cap_per_year="100000")
    first = money.granted(enterprise=enterprise, item=item)
    second = money.granted(enterprise=enterprise, item=item)
    assert (first.amount, second.amount, second.computed) == (80000, 20000, 80000)
    assert "年度上限" in second.working[-1]
    with pytest.raises(Invalid, match="0元"):
        money.granted(enterprise=enterprise, item=item)
    awards.cancel_payables(
        payables=list(first.payables.all()),
        role=people.Role.SECOND_REVIEWER,
        actor=people.staff("second_reviewer"),
        now=money.APPROVED,
        reason="撤销",
    )
    assert money.granted(enterprise=enterprise, item=item).amount == 80000


def test_exclusive_items_pay_only_the_difference_whichever_of_them_names_the_other() -> None:
    enterprise = people.applicant()
    low = money.version("30000", code="low")
    high = money.version("100000", code="high", exclusive_with=["low"])
    assert money.granted(enterprise=enterprise, item=low).amount == 30000
    assert money.granted(enterprise=enterprise, item=high).amount == 70000

    other = people.applicant()
    assert money.granted(enterprise=other, item=high).amount == 100000
    with pytest.raises(Invalid, match="0元"):
        money.granted(enterprise=other, item=low)


def test_an_invoice_is_used_once() -> None:
    invoice = Invoice("某电子所", "25510001", Decimal("100000.00"))
    money.granted(invoices=[invoice])
    with pytest.raises(Invalid, match="25510001"):
        money.granted(invoices=[invoice])
    assert ClaimedInvoice.objects.count() == 1
    assert Award.objects.count() == 1


def test_a_revoked_award_gives_back_budget_and_invoices() -> None:
    invoice = Invoice("某电子所", "25510001", Decimal("100000.00"))
    award = money.granted(invoices=[invoice])
    second = people.staff("second_reviewer")
    awards.revoke(application=award.application, actor=second, now=money.APPROVED, reason="材料不实")
    assert states() == ["cancelled"]
    assert balances(line=money.line())[AccountKind.APPROPRIATED] == money.line().ceiling
    assert money.granted(invoices=[invoice]).amount == 100000


def test_without_an_account_nothing_is_granted() -> None:
    enterprise = people.applicant()
    PayeeAccount.objects.filter(enterprise=enterprise).update(state="retired")
    with pytest.raises(Invalid, match="收款账户"):
        money.granted(enterprise=enterprise)


def test_first_come_items_stop_when_the_line_is_empty() -> None:
    small_line("150000")
    item = money.version("100000", line="small")
    money.granted(item=item)
    with pytest.raises(Invalid, match="不足"):
        money.granted(item=item)
    assert states() == ["reserved"]
    assert Award.objects.count() == 1


def test_deferred_items_wait_and_go_when_there_is_money_again() -> None:
    line = small_line("150000")
    item = money.version("100000", line="small", shortfall="defer")
    money.granted(item=item)
    waiting = money.granted(item=item).payables.get()
    assert waiting.state == "awaiting"
    money.cut()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.pay_month) == ("awaiting", date(2026, 4, 1))
    assert "预算不足" in waiting.slip_reason
    assert OutboxMessage.objects.filter(topic="payable.slipped").exists()
    type(line).objects.filter(pk=line.pk).update(ceiling=Decimal("200000"))
    money.cut(month=date(2026, 4, 1), now=at("2026-04-20"))
    waiting.refresh_from_db()
    assert waiting.state == "scheduled"


def test_pro_rata_items_share_what_there_is_to_the_cent() -> None:
    line = small_line("100000")
    item = money.version("40000.01", line="small", shortfall="pro_rata")
    for _ in range(3):
        money.granted("40000.01", item=item)
    assert states() == ["awaiting"] * 3
    [batch] = money.cut()
    assert [str(p.amount) for p in Payable.objects.order_by("id")] == ["33333.34", "33333.33", "33333.33"]
    assert (batch.total, balances(line=line)[AccountKind.APPROPRIATED]) == (Decimal("100000.00"), 0)
    assert ledger_findings(line=line) == []


def test_pro_rata_items_get_all_where_there_is_enough() -> None:
    small_line("100000")
    money.granted("40000", item=money.version("40000", line="small", shortfall="pro_rata"))
    money.cut()
    assert Payable.objects.get().amount == 40000


def test_the_items_own_ceiling_holds_beside_the_lines() -> None:
    people.budget_line()
    item = people.item(
        budget_line="innovation",
        ceiling="150000",
        award={"rules": [{"fixed": "100000"}]},
        criteria={"all": []},
        materials=[],
    )
    money.granted(item=item)
    with pytest.raises(Invalid, match="资金总额"):
        money.granted(item=item)


def test_a_ceiling_is_lowered_no_further_than_what_is_reserved() -> None:
    line = small_line("300000")
    money.granted(item=money.version("100000", line="small"))
    lines = type(line).objects.filter(pk=line.pk)
    with pytest.raises(IntegrityError, match="keeps what is reserved"), transaction.atomic():
        lines.update(ceiling=Decimal("99999.99"))
    lines.update(ceiling=Decimal("100000"))
    with pytest.raises(Invalid, match="不足"):
        money.granted(item=money.version("1", line="small"))
    with transaction.atomic():
        from disbursement.ledger.posting import sync_ceiling

        assert sync_ceiling(line=line, now=money.CUT) == 0
    assert balances(line=line)[AccountKind.RESERVED] == 100000
    assert LedgerTransfer.objects.filter(kind="reduce").get().amount == 200000
    assert ledger_findings(line=line) == []
