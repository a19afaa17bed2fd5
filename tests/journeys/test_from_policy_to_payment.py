"""A policy's money reaches an enterprise: every step by hand, in a browser, by the person whose step it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Browser

from disbursement.domain.cycle import cutoff_date
from disbursement.models import Application, Payable
from disbursement.selectors.calendar import working_calendar
from matching.models import Enterprise
from portal.accounts.models import Membership, RoleAssignment, StaffRole, User
from tests.factories import disbursement as people
from tests.factories import matching as base
from tests.factories import money, papers
from tests.factories.disbursement import PDF, at
from tests.journeys.conftest import PASSWORD, Clock, Person
from tests.rounds import first_round_only

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True), first_round_only]


def with_password(username: str, full_name: str) -> User:
    return User.objects.create_user(username=username, full_name=full_name, password=PASSWORD)


def official(role: StaffRole, name: str) -> User:
    user = with_password(role.value, name)
    RoleAssignment.objects.create(user=user, role=role)
    return user


@pytest.fixture
def enter(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Person]]:
    present: list[Person] = []

    def come_in(user: User | None, **options: Any) -> Person:
        person = Person(chromium, live_server.url, user, **options)
        present.append(person)
        return person

    yield come_in
    for person in present:
        person.close()


def returned(sealed: bytes, *, result: str, reason: str = "") -> bytes:
    """The bank's answer to a sealed file of one line."""
    rows = [row for row in csv.reader(io.StringIO(sealed.decode("utf-8-sig"))) if row]
    line = next(cell for row in rows for cell in row if len(cell) == 16 and cell[9:10] == "-")
    amount = str(Payable.objects.get().amount)
    return money.write_csv([[line, money.account_paid(line), amount, result, "2026-03-24", "B0001", reason]])


def test_an_enterprise_applies_mends_is_paid_and_rates(enter: Callable[..., Person], clock: Clock) -> None:
    clock.now = at("2026-03-02", 9)
    with transaction.atomic():
        people.budget_line()
    people.item(code="rd-support")
    enterprise: Enterprise = base.enterprise(
        "青羊精工有限公司", now=clock.now, registered_region="510105", credit_records=[]
    )
    legal = with_password("legal", "周总")
    Membership.objects.create(user=legal, enterprise=enterprise, kind="legal", granted_at=clock.now)
    staff = {
        role: official(role, name)
        for role, name in (
            (StaffRole.ACCEPTOR, "陈受理"),
            (StaffRole.REVIEWER, "李初审"),
            (StaffRole.SECOND_REVIEWER, "王复审"),
            (StaffRole.FINANCE_MAKER, "赵经办"),
            (StaffRole.FINANCE_CHECKER, "钱复核"),
            (StaffRole.FINANCE_APPROVER, "孙审批"),
        )
    }

    # The enterprise sees what fits, and applies.
    boss = enter(legal)
    boss.sees("青羊精工有限公司")
    boss.open("/enterprise/opportunities/rd-support/")
    boss.sees("填表后可定")
    boss.press("开始申报")
    boss.fill("第 1 张开票方", "成都电子测试所")
    boss.fill("第 1 张发票号码", "26510000000000000001")
    boss.fill("第 1 张开票日期", "2026-02-10")
    boss.fill("第 1 张金额", "200,000")
    boss.press("再加一行")
    boss.sees("200,000.00 元")
    boss.fill("第 2 张开票方", "成都电子测试所")
    boss.fill("第 2 张发票号码", "26510000000000000002")
    boss.fill("第 2 张开票日期", "2026-02-11")
    boss.fill("第 2 张金额", "100000.00")
    boss.fill("联系电话", "028-86600000")
    boss.press("保存并继续")
    boss.upload("上传“发票清单”", "发票.pdf", PDF)
    boss.press("上传")
    boss.sees("已上传“发票.pdf”")
    boss.follow("继续：核对并提交")
    boss.sees("150,000.00 元")
    boss.press("确认提交")
    boss.sees("已提交")

    # Its account is registered, and checked by finance.
    boss.open("/enterprise/account/")
    boss.fill("开户银行", "成都银行青羊支行")
    boss.fill("账号", "6222 0000 0000 0001")
    boss.press("提交核对")
    boss.sees("等待财务核对")
    checker = enter(staff[StaffRole.FINANCE_CHECKER])
    checker.open("/desk/accounts/")
    checker.press("核对通过", exact=False)
    checker.sees("账户已启用")

    # Acceptance asks for one correction; the enterprise supplies it.
    acceptor = enter(staff[StaffRole.ACCEPTOR])
    acceptor.open("/desk/applications/")
    acceptor.follow("青羊精工有限公司")
    acceptor.follow("要求补正")
    acceptor.page.get_by_role("checkbox").first.check()
    acceptor.unfold("问题和要求")
    acceptor.fill("存在的问题", "缺少盖章页")
    acceptor.fill("补正要求", "请盖章后重新上传")
    acceptor.press("要求补正")
    acceptor.sees("补正通知已发出")
    boss.open("/enterprise/")
    boss.follow("去补正")
    boss.sees("缺少盖章页")
    boss.press("提交补正")
    boss.sees("请重新上传“发票清单”")
    clock.now = at("2026-03-03", 9)
    boss.upload("上传“发票清单”", "发票-盖章.pdf", papers.pdf(mark="again"))
    boss.press("上传")
    boss.press("提交补正")
    boss.sees("补正已提交")
    acceptor.open("/desk/applications/")
    acceptor.follow("青羊精工有限公司")
    acceptor.press("受理")
    acceptor.sees("已受理")

    # First and second review; the enterprise sees the month of its money.
    reviewer = enter(staff[StaffRole.REVIEWER])
    reviewer.open("/desk/applications/")
    reviewer.follow("青羊精工有限公司")
    reviewer.press("开始审核")
    reviewer.fill("审核意见", "发票与项目一致，条件满足。")
    reviewer.press("建议通过")
    reviewer.sees("已提交复审")
    second = enter(staff[StaffRole.SECOND_REVIEWER])
    second.open("/desk/applications/")
    second.follow("青羊精工有限公司")
    second.sees("2026年3月兑现")
    second.press("审核通过")
    second.sees("预算已预留")
    application = Application.objects.get()
    boss.open(f"/enterprise/applications/{application.pk}/")
    boss.sees("2026年3月")
    assert b"%PDF" in boss.download("受理通知书")[:8]

    # The month: cut-off, three signatures, seal, send; the bank returns the payment.
    clock.now = at(cutoff_date(at("2026-03-01").date(), calendar=working_calendar()), 17)
    maker = enter(staff[StaffRole.FINANCE_MAKER])
    approver = enter(staff[StaffRole.FINANCE_APPROVER])
    maker.open("/desk/cycles/")
    maker.press("开启本月周期")
    sealed = pay_month(maker, checker, approver)
    maker.open("/desk/returns/")
    maker.upload("回单文件", "march.csv", returned(sealed, result="退票", reason="账号户名不符"))
    clock.now = at("2026-03-25", 10)
    maker.press("上传并入账")
    maker.sees("入账 1 笔")

    # The enterprise mends its account, a second person checks it, and the next month pays.
    boss.open("/enterprise/")
    boss.follow("更正账户")
    boss.sees("账号户名不符")
    boss.fill("开户银行", "成都银行青羊支行")
    boss.fill("账号", "6222000000000099")
    boss.press("提交核对")
    checker.open("/desk/accounts/")
    checker.press("核对通过", exact=False)
    clock.now = at(cutoff_date(at("2026-04-01").date(), calendar=working_calendar()), 17)
    maker.open("/desk/cycles/")
    maker.press("开启本月周期")
    sealed = pay_month(maker, checker, approver)
    assert b"6222000000000099" in sealed
    maker.open("/desk/returns/")
    maker.upload("回单文件", "april.csv", returned(sealed, result="成功"))
    clock.now = at("2026-04-22", 10)
    maker.press("上传并入账")
    maker.sees("入账 1 笔")
    maker.open("/desk/cycles/")
    maker.follow("2026年4月")
    maker.page.locator("main table a").first.click()
    maker.sees("一致")

    # Paid: the enterprise sees it and rates; a low rating must be answered.
    boss.open("/enterprise/")
    boss.follow("去评价")
    boss.sees("已结清")
    boss.page.get_by_label("不满意", exact=True).check()
    boss.fill("想说的话", "退票耽误了一个月")
    boss.press("提交评价")
    boss.sees("谢谢您的评价")
    reviewer.open("/desk/rectifications/")
    reviewer.follow("青羊精工有限公司")
    reviewer.fill("整改答复", "已在登记账户时增加核对提示。")
    reviewer.press("提交答复")
    boss.open(f"/enterprise/applications/{application.pk}/")
    boss.sees("已在登记账户时增加核对提示。")
    application.refresh_from_db()
    assert application.state == "closed"


def pay_month(maker: Person, checker: Person, approver: Person) -> bytes:
    """Cut off, sign three times, seal; the sealed file as finance downloads it."""
    maker.press("执行截止，生成批次")
    maker.sees("1 个批次待经办")
    maker.page.locator("main table a").first.click()
    url = maker.page.url.removeprefix(maker.base)
    maker.press("经办提交")
    checker.open(url)
    checker.press("复核通过")
    checker.sees("待审批")
    approver.open(url)
    approver.press("审批通过")
    approver.sees("待封存")
    maker.open(url)
    maker.press("封存并发送")
    maker.sees("已发送")
    return maker.download("下载封存文件")
