"""The month's own pages: preflight, cut-off days, money asked back, exceptions; for finance, enterprises, everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from disbursement.models import (
    CalendarYear,
    ClawbackPlan,
    ClawbackReceipt,
    CutOffDay,
    CyclePreflight,
    ExceptionNote,
    Payable,
    RepaymentAccount,
    ReturnLine,
    SpecialDay,
)
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.cut_off import cut_off_day
from disbursement.services.month import cycles
from disbursement.services.payment import payments
from disbursement.services.recovery import plans, recoveries
from matching.days import day_of
from matching.models import Enterprise
from matching.registry import outbox
from portal.accounts.models import Membership, StaffRole
from portal.inbox.models import Notification
from tests.factories import disbursement as people
from tests.factories import money

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Path) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    def made(role: str = "", enterprise: Enterprise | None = None) -> Client:
        user = people.user()
        if role:
            user.role_assignments.create(role=role)
        if enterprise is not None:
            Membership.objects.create(user=user, enterprise=enterprise, kind="agent", granted_at=timezone.now())
        client = Client()
        client.force_login(user)
        return client

    return made


def next_month() -> date:
    return (day_of(timezone.now()).replace(day=1) + timedelta(days=40)).replace(day=1)


def demanded() -> tuple[Payable, Any]:
    """A paid payable that is asked back by the end of next month."""
    finance = money.Finance()
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, finance)
    demand = payments.claw_back(
        payable_id=payable.pk,
        actor=finance.approver,
        now=timezone.now(),
        reason="迁出本区",
        due_on=day_of(timezone.now()) + timedelta(days=30),
    )
    return Payable.objects.select_related("enterprise").get(pk=payable.pk), demand


def test_finance_looks_at_the_month_and_keeps_what_was_seen(sign_in: Callable[..., Client]) -> None:
    payable = money.payable()
    cycle, _ = cycles.open_cycle(month=money.MONTH, now=money.APPROVED)
    maker, supervisor = sign_in(StaffRole.FINANCE_MAKER), sign_in(StaffRole.SUPERVISOR)
    page, run = (reverse(f"desk:{name}", args=[cycle.pk]) for name in ("cycle_preflight", "cycle_preflight_run"))
    assert "还没有预检" in maker.get(page).text
    assert supervisor.post(run).status_code == 403
    assert maker.post(run).status_code == 302
    shown = supervisor.get(page).text
    assert "没有可签署的财务复核" in shown
    assert "预计支付" in shown
    assert CyclePreflight.objects.get().made_by is not None
    paper = supervisor.get(reverse("desk:cycle_preflight_pdf", args=[cycle.pk]))
    assert paper.content[:5] == b"%PDF-"
    assert payable.pk


def test_a_cut_off_day_is_set_on_its_page_and_stands_for_everybody(sign_in: Callable[..., Client]) -> None:
    month = next_month()
    default = cut_off_day(month=month)
    page = f"{reverse('desk:cut_off_calendar')}?year={month.year}"
    told = {"month": f"{month:%Y-%m}", "day": default.isoformat(), "reason": "系统升级"}
    assert sign_in(StaffRole.FINANCE_MAKER).post(page, told).status_code == 200  # shown, not done
    checker = sign_in(StaffRole.FINANCE_CHECKER)
    assert "无需调整" in checker.post(page, told).text
    day = working_calendar().previous_working_day(default - timedelta(days=1))
    assert checker.post(page, {**told, "day": day.isoformat()}).status_code == 302
    assert CutOffDay.objects.get().day == day
    public = Client().get(reverse("public:payday", args=[month.year]))
    assert "系统升级" in public.text
    assert "今天提交，什么时候到账" in public.text
    calendar = Calendar.from_ical(Client().get(reverse("public:payday_ics", args=[month.year])).content)
    events = {str(event["uid"]): event for event in calendar.walk("VEVENT")}
    assert len(events) == 24
    moved = next(event for uid, event in events.items() if uid.startswith(f"{month:%Y-%m}-cut-off"))
    assert moved.decoded("dtstart") == day
    assert "系统升级" in str(moved["description"])
    assert Client().get("/payday/1999/").status_code == 404


def test_a_cut_off_on_a_worked_saturday_is_named_so_and_the_calendar_is_found_by_everybody() -> None:
    year = CalendarYear.objects.create(year=2027, is_official=True, source="通知")
    SpecialDay.objects.create(year=year, day=date(2027, 3, 20), is_working=True, name="清明节调休")
    page = Client().get(reverse("public:payday", args=[2027])).text
    assert page.count("调休上班") == 1
    navigation = Client().get(reverse("publicity:list")).text.partition("</nav>")[0]
    assert f'href="{reverse("public:payday_now")}"' in navigation
    content = Client().get(reverse("public:payday_ics", args=[2027])).content
    events = {str(event["uid"]).partition("@")[0]: event for event in Calendar.from_ical(content).walk("VEVENT")}
    assert "当日调休上班" in str(events["2027-03-cut-off"]["description"])
    assert "含当日" in str(events["2027-04-cut-off"]["description"])
    assert "以银行到账为准" in str(events["2027-04-pay"]["description"])


def test_the_enterprise_asks_finance_proposes_and_approves_and_the_money_is_recorded(
    sign_in: Callable[..., Client],
) -> None:
    payable, demand = demanded()
    ours = sign_in(enterprise=payable.enterprise)
    mine = reverse("enterprise:clawback", args=[demand.pk])
    first_page = ours.get(reverse("enterprise:overview")).text
    assert mine in first_page
    assert demand.number in first_page
    assert "申请分期退回" in ours.get(mine).text
    assert sign_in(enterprise=people.applicant()).get(mine).status_code == 404
    assert ours.post(mine, {"wished": "3", "reason": ""}).status_code == 422
    assert ours.post(mine, {"wished": "3", "reason": "回款推迟"}).status_code == 302
    maker, approver = sign_in(StaffRole.FINANCE_MAKER), sign_in(StaffRole.FINANCE_APPROVER)
    checker = sign_in(StaffRole.FINANCE_CHECKER)

    def act(client: Client, deed: str, **data: str) -> int:
        address = reverse("desk:clawback_act", args=[demand.pk, deed])
        return client.post(address, {f"{deed}-{name}": value for name, value in data.items()}).status_code

    first = (day_of(timezone.now()) + timedelta(days=30)).isoformat()
    assert act(maker, "propose", entries="明天 一半", reason="同意") == 422
    assert act(maker, "propose", count="3", first=first, reason="经营困难，同意") == 302
    assert act(maker, "approve", note="") == 422
    # Only the plan that was on the page, and no other proposed since.
    assert act(approver, "approve", note="同意", plan_id="0") == 422
    assert 'name="approve-plan_id"' in approver.get(reverse("desk:clawback", args=[demand.pk])).text
    assert act(approver, "approve", note="同意") == 302
    plan = ClawbackPlan.objects.get()
    assert [str(entry.amount) for entry in plan.entries.all()] == ["33333.34", "33333.33", "33333.33"]
    today = day_of(timezone.now()).isoformat()
    assert act(checker, "record", amount="40000.00", received_on=today, reference="CR1") == 302
    assert act(checker, "record", amount="40000.00", received_on=today, reference="CR1") == 422
    page = checker.get(reverse("desk:clawback", args=[demand.pk])).text
    assert "60,000.00" in page
    assert demand.number in checker.get(reverse("desk:clawbacks")).text
    assert "60,000.00" in ours.get(mine).text
    assert ClawbackReceipt.objects.count() == 1


def test_the_account_to_pay_back_to_is_set_by_two_people_and_the_enterprise_reads_it(
    sign_in: Callable[..., Client],
) -> None:
    payable, demand = demanded()
    ours = sign_in(enterprise=payable.enterprise)
    mine, page = reverse("enterprise:clawback", args=[demand.pk]), reverse("desk:repayment_account")
    before = ours.get(mine).text
    assert "请先向承办部门询问" in before
    assert "第 1 期" in before
    assert "退回期限" in before
    maker, approver = sign_in(StaffRole.FINANCE_MAKER), sign_in(StaffRole.FINANCE_APPROVER)
    told = {
        "account_name": "青羊区财政局",
        "bank_name": "成都银行",
        "account_number": "12",
        "contact": "国库科",
        "phone": "028-86000000",
        "reason": "财政专户开户批复",
    }
    assert maker.post(page, told).status_code == 422
    assert maker.post(page, {**told, "account_number": "6222 0000 1111 2222"}).status_code == 302
    decide = reverse("desk:repayment_decide", args=[RepaymentAccount.objects.get().pk])
    assert maker.post(decide, {"approve": "1"}).status_code == 403
    assert "须由提出人以外" in maker.get(page).text
    assert "6222000011112222" not in ours.get(mine).text
    assert f'{page}">待批准的退款账户' in approver.get(reverse("desk:home")).text
    assert 'name="approve"' in approver.get(page).text
    assert approver.post(decide, {"approve": "1"}).status_code == 302
    shown = ours.get(mine).text
    assert "6222000011112222" in shown
    assert "028-86000000" in shown
    assert page in maker.get(reverse("desk:clawbacks")).text


def test_with_a_plan_in_force_the_days_of_the_plan_are_what_counts(sign_in: Callable[..., Client]) -> None:
    payable, demand = demanded()
    now = timezone.now()
    plan = plans.propose(
        clawback_id=demand.pk,
        entries=[(day_of(now) + timedelta(days=days), Decimal("50000.00")) for days in (40, 70)],
        actor=people.staff(StaffRole.FINANCE_MAKER),
        now=now,
        reason="同意",
    )
    plans.approve(plan_id=plan.pk, actor=people.staff(StaffRole.FINANCE_APPROVER), now=now)
    page = sign_in(enterprise=payable.enterprise).get(reverse("enterprise:clawback", args=[demand.pk])).text
    assert "按分期计划" in page
    assert "已不适用" in page
    assert "第 2 期" in page


def test_money_that_came_back_is_recorded_with_its_number_at_the_bank(sign_in: Callable[..., Client]) -> None:
    payable, demand = demanded()
    checker = sign_in(StaffRole.FINANCE_CHECKER)
    recover = reverse("desk:payable_act", args=[payable.pk, "recover"])
    today = day_of(timezone.now()).isoformat()
    assert checker.post(recover, {"recover-received_on": today}).status_code == 422
    told = {"recover-received_on": today, "recover-reference": "抵扣-1"}
    refused = checker.post(recover, told)
    assert (refused.status_code, "不是银行流水号" in refused.text) == (422, True)
    assert checker.post(recover, {**told, "recover-reference": "CR1"}).status_code == 302
    assert ClawbackReceipt.objects.get().reference == "CR1"
    assert demand.pk


def test_an_exception_has_an_owner_and_ends_with_a_remedy(sign_in: Callable[..., Client]) -> None:
    payable, demand = demanded()
    money.receive(money.return_file({"209901001-000001": ("500.00", "退款")}), name="credit.csv", now=timezone.now())
    line = ReturnLine.objects.get(status="exception")
    checker = sign_in(StaffRole.FINANCE_CHECKER)
    page = reverse("desk:exceptions")
    checker.post(reverse("desk:exception_note", args=[line.pk]), {"text": "已向银行查询", "mine": "1"})
    note = ExceptionNote.objects.get()
    assert note.owner == note.written_by
    shown = checker.get(page).text
    assert "已向银行查询" in shown
    assert "0 个工作日" in shown
    resolve = reverse("desk:exception_resolve", args=[line.pk])
    told = {"remedy": "recovery", "text": "企业退款误入回单", "clawback_number": "ZH-2020-000009"}
    assert "没有编号" in checker.post(resolve, told, follow=True).text
    checker.post(resolve, {**told, "clawback_number": demand.number})
    line.refresh_from_db()
    assert line.resolved_at is not None
    assert line.resolution.startswith("追回款到账")
    receipt = ClawbackReceipt.objects.get()
    assert (receipt.return_line_id, receipt.amount) == (line.pk, Decimal("500.00"))
    assert recoveries.received_of(demand=demand) == 500
    assert payable.pk


def test_everybody_concerned_is_told(sign_in: Callable[..., Client]) -> None:
    payable, demand = demanded()
    sign_in(StaffRole.FINANCE_CHECKER)
    recoveries.record(
        clawback_id=demand.pk,
        amount=Decimal("1.00"),
        received_on=day_of(timezone.now()),
        reference="CR1",
        actor=people.staff(StaffRole.FINANCE_CHECKER),
        now=timezone.now(),
    )
    outbox.deliver(now=timezone.now())
    titles = Notification.objects.filter(enterprise=payable.enterprise).values_list("title", flat=True)
    assert any("已收到退回款项" in title for title in titles)
