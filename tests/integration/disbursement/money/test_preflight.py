"""The month's preflight says what the cut-off then does, writes nothing, and names what is in the way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from disbursement.domain.errors import Invalid
from disbursement.domain.preflight import Outlook, Severity
from disbursement.models import AccountState, CutOffDay, Cycle, CyclePreflight, Payable, PayeeAccount
from disbursement.selectors.cut_off import cut_off_day, months_of
from disbursement.services.award import awards
from disbursement.services.month import cut_off_days, cycles, preflight
from disbursement.services.payment import payments
from disbursement.services.review import interests
from matching.registry.models import BudgetLine, OutboxMessage
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db
DAY = at("2026-03-18")


def look(finance: money.Finance | None = None, **more: Any) -> Outlook:
    finance = finance or money.Finance()
    staff = [finance.maker, finance.checker, finance.approver, finance.second_approver]
    return preflight.look(month=money.MONTH, now=more.pop("now", DAY), staff=lambda: staff, **more)


def codes(found: Outlook, severity: Severity) -> list[str]:
    return [issue.code.split(".")[0] for issue in found.of(severity)]


def test_the_cut_off_does_what_its_preflight_said() -> None:
    _paid, unchecked, held, _other = money.payables(4)
    PayeeAccount.objects.filter(enterprise=unchecked.enterprise).update(state=AccountState.RETIRED)
    finance = money.Finance()
    payments.hold(payable_id=held.pk, actor=finance.maker, now=DAY, reason="待核实")
    short = money.payables(2, "150000.00", item=money.version("150000", code="shared", shortfall="pro_rata"))
    BudgetLine.objects.filter(code="innovation", year=2026).update(ceiling=Decimal("600000.00"))
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=at("2026-03-02"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = look(finance)
    assert [q["sql"] for q in queries if not q["sql"].lstrip().startswith(("SELECT", "DECLARE"))] == []
    [line] = found.lines
    assert (line.count, line.held_count, line.newly_reserved, line.reduced) == (4, 1, 2, 2)
    assert found.unpaid_count == 2
    assert {issue.code: issue.listed[0].payable for issue in found.of(Severity.UNPAID)} == {
        "hold.account": unchecked.pk,
        "hold.person": held.pk,
    }
    [reduced] = [issue for issue in found.issues if issue.code.startswith("reduced")]
    assert {row.payable: row.amount for row in reduced.listed} == {p.pk: Decimal("100000.00") for p in short}
    preflight.keep(cycle=cycle, outlook=found, now=DAY)
    money.cut()
    cycle.refresh_from_db()
    assert preflight.compare(cycle=cycle) == []
    assert Payable.objects.get(pk=short[0].pk).amount == 100000


def test_what_changed_between_preflight_and_cut_off_is_told() -> None:
    first, _second = money.payables(2)
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=at("2026-03-02"))
    preflight.keep(cycle=cycle, outlook=look(), now=DAY)
    payments.hold(payable_id=first.pk, actor=money.Finance().maker, now=at("2026-03-19"), reason="待核实")
    money.cut()
    cycle.refresh_from_db()
    [told] = preflight.compare(cycle=cycle) or []
    assert "预检支付2笔、200,000.00元，截止后1笔、100,000.00元" in told


def test_whoever_may_not_sign_is_missed() -> None:
    payable = money.payable()
    finance = money.Finance()
    assert "signers" not in codes(look(finance), Severity.STOPS)
    interests.declare(enterprise_id=payable.enterprise_id, reason="配偶任职", actor=finance.checker, now=DAY)
    [issue] = [issue for issue in look(finance).issues if issue.code.startswith("signers")]
    assert "没有可签署的财务复核（1人须回避）" in issue.problem


def test_a_folder_that_takes_nothing_stops_the_month(settings: Any, tmp_path: Path) -> None:
    money.payable()
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "file" / "inside"
    (tmp_path / "file").write_text("no folder")
    assert "gateway" in codes(look(), Severity.STOPS)


def test_a_short_budget_is_told_by_its_rule() -> None:
    money.payable("100000.00")
    BudgetLine.objects.filter(code="innovation", year=2026).update(ceiling=Decimal("500000.00"))
    waiting = money.payable("450000.00", item=money.version("450000", code="big", shortfall="defer"))
    assert waiting.state == "awaiting"
    found = look()
    [issue] = found.of(Severity.UNPAID)
    assert (issue.code, issue.count, issue.listed[0].payable) == ("short.defer", 1, waiting.pk)
    assert (found.count, found.lines[0].free) == (1, 400000)


def test_it_is_kept_by_itself_before_the_cut_off_and_finance_is_told() -> None:
    payable = money.payable()
    PayeeAccount.objects.filter(enterprise=payable.enterprise).update(state=AccountState.RETIRED)
    cycles.open_cycle(month=money.MONTH, now=at("2026-03-02"))
    assert preflight.keep_daily(now=at("2026-03-03", 6), staff=list) == []
    [kept] = preflight.keep_daily(now=at("2026-03-17", 6), staff=list)
    assert preflight.keep_daily(now=at("2026-03-17", 7), staff=list) == []
    assert kept.unpaid == 1
    assert OutboxMessage.objects.filter(topic="cycle.preflight").count() == 1
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE disbursement_cyclepreflight SET unpaid = 0")


def test_the_command_prints_it_and_writes_a_paper(tmp_path: Path) -> None:
    payable = money.payable()
    out = StringIO()
    call_command("cycle", "preflight", "--as-of", "2026-03-18", "--pdf", str(tmp_path / "p.pdf"), stdout=out)
    assert "预计支付1笔、100,000.00元" in out.getvalue()
    assert "没有可签署的财务经办" in out.getvalue()
    assert (tmp_path / "p.pdf").read_bytes()[:5] == b"%PDF-"
    assert not CyclePreflight.objects.exists()
    assert payable.pk


def test_a_months_cut_off_day_is_set_by_finance_with_a_reason_and_everything_follows() -> None:
    finance = money.Finance()
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=at("2026-03-02"))
    set_day: dict[str, Any] = {"month": money.MONTH, "actor": finance.checker, "now": at("2026-03-02")}
    with pytest.raises(Invalid, match="不是工作日"):
        cut_off_days.set_day(day=date(2026, 3, 28), reason="系统升级", **set_day)
    with pytest.raises(Invalid, match="原因"):
        cut_off_days.set_day(day=date(2026, 3, 25), reason=" ", **set_day)
    made = cut_off_days.set_day(day=date(2026, 3, 25), reason="季末对账", **set_day)
    cycle.refresh_from_db()
    assert (made.former, cycle.cut_off_on) == (date(2026, 3, 20), date(2026, 3, 25))
    assert awards.promised_month(day=date(2026, 3, 24)) == money.MONTH
    april = date(2026, 4, 1)
    cut_off_days.set_day(month=april, day=date(2026, 4, 10), reason="假期前办结", actor=finance.approver, now=DAY)
    assert cut_off_day(month=april) == date(2026, 4, 10)
    assert cycles.open_cycle(month=april, now=at("2026-04-01"))[0].cut_off_on == date(2026, 4, 10)
    assert [row.month.month for row in months_of(year=2026) if row.is_moved] == [3, 4]
    assert OutboxMessage.objects.filter(topic="cycle.cut_off_moved").count() == 2
    with pytest.raises(IntegrityError, match="only by a decision"), transaction.atomic():
        Cycle.objects.filter(pk=cycle.pk).update(cut_off_on=date(2026, 3, 30))
    assert CutOffDay.objects.count() == 2
