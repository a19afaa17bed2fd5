"""From an event to a message: what it says, to whom, and once."""

from datetime import date

import pytest

from disbursement.services.payment import payees, payments
from matching.registry import outbox
from portal.inbox import selectors, services
from portal.inbox.models import Notification, NotificationKind
from tests.factories import disbursement as people
from tests.factories import matching as make
from tests.factories import money
from tests.integration.inbox.conftest import member

pytestmark = pytest.mark.django_db


def titles(enterprise, kind=None):
    rows = Notification.objects.filter(enterprise=enterprise).order_by("id")
    return [row.title for row in (rows.filter(kind=kind) if kind else rows)]


def test_a_push_says_why_the_item_fits_and_where_to_go(firm, deliver):
    make.published(
        {"fact": "registered_region", "in": ["510105"]}, code="rent", name="房租补贴", window={"until": "2026-12-31"}
    )
    deliver()
    told = Notification.objects.get(enterprise=firm)
    assert told.title == "《房租补贴》符合贵企业"
    assert told.body.startswith("《房租补贴》符合贵企业：")
    assert "青羊区" in told.body
    assert "政策新发布或有调整" in told.body
    assert "受理截止：2026-12-31" in told.body
    assert told.link == "/enterprise/opportunities/rent/"
    assert told.item.code == "rent"
    assert told.department.code == "kjj"


def test_a_changed_item_says_that_it_changed_and_still_fits(firm, deliver):
    make.published(code="rent", name="房租补贴")
    deliver()
    make.published({"fact": "registered_region", "in": ["510105"]}, code="rent")
    deliver()
    assert titles(firm) == ["《房租补贴》符合贵企业", "《房租补贴》已调整，贵企业仍然符合"]


def test_an_item_that_waits_for_the_form_says_what_is_to_be_filled_in(firm, deliver):
    make.published({"fact": "project_investment", "gte": "1000000"}, name="技改补贴")
    deliver()
    told = Notification.objects.get(enterprise=firm)
    assert told.title == "《技改补贴》符合贵企业，填报项目信息后即可申报"
    assert "申报时还需填报：项目总投资" in told.body


def test_a_changed_profile_and_the_passing_of_days_give_their_own_reasons(deliver):
    make.published({"fact": "insured_staff", "gte": 10})
    deliver()
    firm = make.enterprise(insured_staff=12)
    deliver()
    assert "贵企业的信息有更新" in Notification.objects.get(enterprise=firm).body


def test_an_event_that_is_handled_twice_tells_once(firm, deliver):
    make.published()
    deliver()
    outbox.OutboxMessage.objects.update(delivered_at=None)
    deliver()
    assert Notification.objects.count() == 1


def test_an_application_is_accompanied_from_receipt_to_money(deliver):
    case = people.case()
    case.submitted().asked().supplied()
    people.reviews.accept(application_id=case.id, actor=case.acceptor, now=case.later().now)
    people.reviews.start_review(application_id=case.id, actor=case.reviewer, now=case.later().now)
    people.reviews.recommend_approval(application_id=case.id, text="通过", actor=case.reviewer, now=case.later().now)
    people.decisions.approve(application_id=case.id, actor=case.second, now=case.later().now)
    deliver()
    assert titles(case.enterprise, NotificationKind.APPLICATION) == [
        "已收到《研发投入补贴》的申报",
        "《研发投入补贴》的申报需要补正",
        "《研发投入补贴》的申报已受理",
        "《研发投入补贴》的申报审核通过",
    ]
    asked, approved = Notification.objects.filter(title__regex="补正|通过").order_by("id")
    assert "缺少盖章页" in asked.body
    assert "核定金额 150,000.00 元" in approved.body
    assert "2026年3月" in approved.body
    assert approved.link == f"/enterprise/applications/{case.id}/"


def test_a_refusal_gives_its_reasons_and_what_can_be_done(deliver):
    case = people.case().rejected()
    deliver()
    told = Notification.objects.filter(enterprise=case.enterprise, title__contains="审核不通过").get()
    assert "原因：发票与项目无关。" in told.body
    assert "可在60日内申请复核" in told.body


def test_money_that_came_and_money_that_came_back_are_told(deliver):
    money.payables(2)
    (batch,) = money.cut()
    money.paid(batch, money.Finance(), bounced=[2])
    deliver()
    told = list(Notification.objects.filter(kind=NotificationKind.PAYMENT).order_by("title"))
    assert [row.title for row in told] == [
        "《研发投入补贴》第 1 期 100,000.00 元 已到账",
        "《研发投入补贴》第 1 期 100,000.00 元 被银行退回",
    ]
    assert "账号户名不符" in told[1].body
    assert told[1].link.endswith("/mend/")


def test_a_payable_held_twice_is_told_twice_and_its_release_in_between(deliver):
    payable = money.payable()
    office = money.Finance()
    for day in (11, 12):
        when = people.at(date(2026, 3, day))
        payments.hold(payable_id=payable.pk, actor=office.maker, now=when, reason="请核对")
        payments.release(
            payable_id=payable.pk, actor=office.checker, now=people.at(date(2026, 3, day), 12), note="已核对"
        )
    deliver()
    assert titles(payable.enterprise, NotificationKind.PAYMENT) == [
        "《研发投入补贴》第 1 期暂缓兑现",
        "《研发投入补贴》第 1 期已解除暂缓",
        "《研发投入补贴》第 1 期暂缓兑现",
        "《研发投入补贴》第 1 期已解除暂缓",
    ]


def test_a_reason_that_ends_in_a_full_stop_is_not_given_two(deliver):
    payments.hold(
        payable_id=money.payable().pk, actor=money.Finance().maker, now=people.at(date(2026, 3, 11)), reason="请核对。"
    )
    deliver()
    assert Notification.objects.get(title__contains="暂缓").body == "原因：请核对。问题解决后列入下一批。"


def test_a_checked_account_is_told(deliver):
    firm = people.applicant()
    account = payees.propose_account(
        enterprise_id=firm.pk,
        account_name=firm.name,
        bank_name="成都银行",
        account_number="6222000012345678",
        actor=people.agent(firm),
        now=people.at("2026-03-02"),
    )
    payees.check_account(
        account_id=account.pk, actor=money.Finance().checker, now=people.at("2026-03-03"), accept=False, note="户名不符"
    )
    deliver()
    told = Notification.objects.get(enterprise=firm, kind=NotificationKind.PAYMENT)
    assert told.title == "尾号 5678 的收款账户核对未通过"
    assert "户名不符" in told.body


def test_each_person_of_an_enterprise_reads_for_themselves(firm, person, deliver):
    other = member(firm)
    make.published()
    deliver()
    ids = [firm.pk]
    assert services.mark_read(user=person, enterprise_ids=ids, now=make.NOW) == 1
    assert services.mark_read(user=person, enterprise_ids=ids, now=make.NOW) == 0
    assert [row.is_read for row in selectors.listing(user=person, enterprise_ids=ids)] == [True]
    assert [row.is_read for row in selectors.listing(user=other, enterprise_ids=ids)] == [False]


def test_nobody_marks_what_they_may_not_see(firm, deliver):
    other = make.enterprise()
    stranger = member(other)
    make.published({"fact": "registered_region", "in": ["510105"]})
    deliver()
    ids = [other.pk]
    assert not selectors.listing(user=stranger, enterprise_ids=ids).exists()
    told = Notification.objects.get()
    assert services.mark_read(user=stranger, enterprise_ids=ids, notification_ids=[told.pk], now=make.NOW) == 0


@pytest.mark.parametrize("what", ["kind", "department", "item"])
def test_what_is_muted_is_kept_apart_and_comes_back_when_unmuted(firm, person, deliver, what):
    version = make.published(code="rent")
    make.published(code="other", owner=make.department("jxj", "经信局"))
    personal = services.Message("k", NotificationKind.SERVICE, "给您", user_id=person.pk)
    services.tell(messages=[personal], now=make.NOW)
    deliver()
    about = {"kind": "policy"} if what == "kind" else {}
    if what == "department":
        about = {"department": version.item.department}
    if what == "item":
        about = {"item": version.item}

    def shown(**options):
        rows = selectors.listing(user=person, enterprise_ids=[firm.pk], **options)
        return {row.item.code if row.item else "personal" for row in rows}

    everything = {"rent", "other", "personal"}
    silent = {"rent", "other"} if what == "kind" else {"rent"}
    services.mute(user=person, now=make.NOW, **about)
    services.mute(user=person, now=make.NOW, **about)
    assert shown() == everything - silent
    assert shown(muted=True) == silent
    assert shown(unread_only=True) == everything - silent
    services.unmute(user=person, **about)
    assert shown() == everything


def test_listing_costs_the_same_for_one_message_and_for_many(firm, person, deliver, django_assert_num_queries):
    for _ in range(12):
        make.published()
    deliver()
    with django_assert_num_queries(2):
        rows = list(selectors.listing(user=person, enterprise_ids=[firm.pk]))
        assert len({(row.enterprise.name, row.item.name, row.department.name, row.is_read) for row in rows}) == 12
