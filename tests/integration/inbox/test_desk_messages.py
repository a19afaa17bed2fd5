"""What people of the district are told of their own work: it waits for them, once, and not when it is done already."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from disbursement.domain.errors import Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Absence, ChangeKind, Delivery, DeliveryState
from disbursement.services.application import ratings
from disbursement.services.budget import changes
from disbursement.services.month import batches
from disbursement.services.payment import gateways, payees, sealing
from disbursement.services.payment.gateway_settings import GatewaySettings, save_gateway
from disbursement.services.review import absences, interests, reviews
from disbursement.services.supervision import clocks, warnings
from disbursement.treasury.channels import Refusal, Unsure
from portal.accounts.models import User
from portal.inbox.models import Notification
from tests.factories import disbursement as people
from tests.factories import matching as make
from tests.factories import money
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Path) -> None:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"


def told(*actors: Any) -> list[str]:
    rows = Notification.objects.filter(user_id__in=[actor.user_id for actor in actors]).order_by("pk")
    return [row.title.partition("：")[0] for row in rows]


def test_each_step_of_a_review_tells_who_takes_it_up(deliver):
    case = people.case().submitted()
    deliver()
    assert told(case.acceptor) == ["新申报待受理"]
    case.asked().supplied()
    deliver()
    assert told(case.acceptor) == ["新申报待受理", "补正已提交，待受理"]
    reviews.accept(application_id=case.id, actor=case.acceptor, now=case.now)
    deliver()
    assert told(case.reviewer) == ["已受理的申报待审核"]
    reviews.start_review(application_id=case.id, actor=case.reviewer, now=case.later().now)
    reviews.recommend_approval(application_id=case.id, text="建议通过", actor=case.reviewer, now=case.later().now)
    deliver()
    assert told(case.second) == told(case.other) == ["初审建议通过，待复审"]
    reviews.send_back(application_id=case.id, text="请核对发票", actor=case.second, now=case.later().now)
    deliver()
    assert told(case.reviewer)[-1] == "复审退回，请重新审核"
    last = Notification.objects.filter(user_id=case.reviewer.user_id).latest("pk")
    assert "请核对发票" in last.body
    assert last.link == reverse("desk:application", args=[case.id])
    assert case.enterprise.name in last.title
    assert told(people.staff(Role.REVIEWER, make.department("other", "其他"))) == []


def test_an_appeal_goes_to_a_second_reviewer_who_took_no_part(deliver):
    case = people.case().appealed()
    deliver()
    assert "企业申请复核，由另一名复审人办理" in told(case.other)
    assert told(case.second) == []
    assert "发票与项目有关" in Notification.objects.filter(user_id=case.other.user_id).latest("pk").body


def test_departments_that_are_asked_are_told_by_when(deliver):
    case = people.case()
    fgj = make.department("fgj", "发改局")
    asked, stranger = people.staff(Role.REVIEWER, fgj), people.staff(Role.REVIEWER, make.department("jxj", "经信局"))
    case.asked_departments(fgj)
    deliver()
    assert told(asked) == ["请在 3 个工作日内出具会审意见"]
    assert "是否属于鼓励类项目" in Notification.objects.get(user_id=asked.user_id).body
    assert told(stranger) == []


def test_who_reviews_for_the_whole_district_is_asked_for_no_departments_opinion(deliver):
    case = people.case()
    fgj = make.department("fgj", "发改局")
    own, everywhere = people.staff(Role.REVIEWER, fgj), people.staff(Role.REVIEWER)
    case.asked_departments(fgj)
    deliver()
    assert told(own) == ["请在 3 个工作日内出具会审意见"]
    assert told(everywhere) == []
    soon = at(case.now.date() + timedelta(days=2), 0, 50)
    warnings.warn(now=soon)
    late = at(case.now.date() + timedelta(days=6), 0, 30)
    clocks.charge_cards(now=late)
    deliver(now=late)
    assert set(told(own)[1:]) == {"时限提醒", "到期提醒", "黄牌", "红牌"}
    assert told(everywhere) == []


def test_work_that_is_done_before_anybody_is_told_is_not_told(deliver):
    case = people.case().approved()
    deliver()
    assert told(case.acceptor, case.reviewer, case.second) == []


def test_whoever_keeps_away_hears_nothing_and_a_deputy_hears_in_the_place_of_who_is_away(deliver):
    case = people.case()
    department = case.version.item.department
    concerned, deputy = people.staff(Role.ACCEPTOR, department), people.staff(Role.ACCEPTOR, department)
    interests.declare(enterprise_id=case.enterprise.pk, reason="亲属任职", actor=concerned, now=case.now)
    Absence.objects.create(
        person_id=case.acceptor.user_id,
        deputy_id=deputy.user_id,
        starts_on=at(people.START).date(),
        ends_on=at(people.START).date().replace(month=12),
        reason="出差",
        declared_by_id=case.acceptor.user_id,
        declared_at=at(people.START),
    )
    case.submitted()
    deliver(now=case.now)
    assert told(concerned) == told(case.acceptor) == []
    assert told(deputy) == ["新申报待受理"]


def test_a_low_rating_is_told_to_its_department_with_the_day(deliver):
    payable = money.payable()
    money.paid(money.cut()[0], money.Finance())
    department = payable.application.item.department
    mine, other = people.staff(Role.REVIEWER, department), people.staff(Role.REVIEWER, make.department("x", "外单位"))
    ratings.rate(
        application_id=payable.application_id,
        level=2,
        comment="太慢",
        actor=people.agent(payable.enterprise),
        now=at("2026-03-26"),
    )
    deliver()
    assert told(mine) == ["收到差评，请于 2026-04-10 前答复"]
    assert told(other) == []


def test_a_batch_tells_each_signer_in_turn_and_its_maker_when_it_comes_back(deliver):
    office = money.Finance()
    money.payables(2)
    [batch] = money.cut()
    deliver(now=money.CUT)
    assert told(office.maker) == ["2026年3月已截止，1 个批次待经办"]
    made = batches.make(batch_id=batch.pk, actor=office.maker, now=money.CUT)
    deliver(now=money.CUT)
    assert told(office.checker) == [f"批次 {batch.number} 待财务复核签署"]
    batches.send_back(batch_id=batch.pk, actor=office.checker, now=money.CUT, reason="科目不符")
    deliver(now=money.CUT)
    assert told(office.maker)[-1] == f"批次 {batch.number} 被退回，请核对后重新提交"
    assert "科目不符" in Notification.objects.filter(user_id=office.maker.user_id).latest("pk").body
    made = batches.make(batch_id=batch.pk, actor=office.maker, now=money.CUT)
    batches.verify(batch_id=batch.pk, actor=office.checker, now=money.CUT, seen_sha256=made.file_sha256)
    deliver(now=money.CUT)
    assert told(office.approver) == told(office.second_approver) == [f"批次 {batch.number} 待财务审批签署"]
    batches.approve(batch_id=batch.pk, actor=office.approver, now=money.CUT, seen_sha256=made.file_sha256)
    deliver(now=money.CUT)
    assert told(office.maker)[-1] == f"批次 {batch.number} 签署齐全，待封存并发送"


def test_who_signs_for_finance_may_be_away_and_the_deputy_of_the_same_role_is_told(deliver):
    office, deputy = money.Finance(), people.staff(Role.FINANCE_CHECKER)
    client = Client()
    client.force_login(User.objects.get(pk=office.checker.user_id))
    page = reverse("desk:absences")
    assert "不归个人" in client.get(page).content.decode()
    asked = {"person": office.checker, "reason": "年休假", "actor": office.checker, "now": money.CUT}
    days = {"starts_on": money.CUT.date(), "ends_on": money.CUT.date()}
    with pytest.raises(Invalid, match="没有“财务复核”职责"):
        absences.declare_absence(deputy=office.maker, **asked, **days)
    absences.declare_absence(deputy=deputy, **asked, **days)
    money.payable()
    [batch] = money.cut()
    batches.make(batch_id=batch.pk, actor=office.maker, now=money.CUT)
    deliver(now=money.CUT)
    assert told(office.checker) == []
    assert told(deputy) == [f"批次 {batch.number} 待财务复核签署"]


def test_a_batch_that_takes_two_approvers_asks_only_the_one_who_has_not_signed(deliver, settings):
    settings.HUIDA_SECOND_APPROVER_FROM = 100_000
    office = money.Finance()
    money.payables(2)
    [batch] = money.cut()
    made = batches.make(batch_id=batch.pk, actor=office.maker, now=money.CUT)
    batches.verify(batch_id=batch.pk, actor=office.checker, now=money.CUT, seen_sha256=made.file_sha256)
    deliver(now=money.CUT)
    batches.approve(batch_id=batch.pk, actor=office.approver, now=money.CUT, seen_sha256=made.file_sha256)
    deliver(now=money.CUT)
    assert len(told(office.approver)) == 1
    assert len(told(office.second_approver)) == 2


class Failing:
    """A bank that does not take the file."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def hand_over(self, parcel: Any, *, tried: bool) -> None:
        raise self.error

    def arrivals(self, **options: Any) -> Any:
        return iter(())


def sealed(office: money.Finance) -> Any:
    money.payables(2)
    [batch] = money.cut()
    money.signed(batch, office)
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    return batch


@pytest.mark.parametrize(
    ("error", "words"),
    [(Refusal("户名有误"), "银行拒收批次"), (Unsure("银行没有应答"), "不能确定银行是否收到批次")],
)
def test_a_file_that_did_not_reach_the_bank_is_told_and_stands_on_the_first_page(deliver, error, words):
    office = money.Finance()
    batch = sealed(office)
    deliver(now=money.CUT)
    Notification.objects.all().delete()
    for _ in range(2):
        with pytest.raises(Exception, match=str(error)):
            gateways.hand_over(batch_id=batch.pk, now=money.CUT, channel=Failing(error))
        deliver(now=money.CUT)
    titles = told(office.approver)
    assert all(title.startswith(words) for title in titles)
    # Somebody asked for the second refusal; what is not sure is asked again by the machine, and told once a day.
    assert len(titles) == (2 if isinstance(error, Refusal) else 1)
    client = Client()
    client.force_login(User.objects.get(pk=office.checker.user_id))
    home = client.get(reverse("desk:home")).text
    assert "已封存未送达银行" in home
    assert f"{DeliveryState(Delivery.objects.get().state).label} 1" in home
    shown = client.get(reverse("desk:batches_waiting") + "?show=sealed").text
    assert batch.number in shown
    assert str(error) in shown


def test_a_file_to_be_taken_to_the_bank_by_hand_is_told(deliver):
    office = money.Finance()
    wanted = GatewaySettings(code="hand", name="人工", kind="by_hand", is_default=True)
    save_gateway(wanted=wanted, actor=office.approver, now=money.CUT)
    batch = sealed(office)
    sealing.send(batch_id=batch.pk, now=money.CUT)
    sealing.send(batch_id=batch.pk, now=money.CUT)
    deliver(now=money.CUT)
    assert told(office.maker)[-1] == f"批次 {batch.number} 的付款文件待人工交银行"
    assert told(office.maker).count(f"批次 {batch.number} 的付款文件待人工交银行") == 1


def test_a_signed_batch_that_is_not_at_the_bank_is_told_each_day_until_it_is(deliver):
    office = money.Finance()
    money.payables(1)
    [batch] = money.cut()
    money.signed(batch, office)
    assert gateways.remind_of_unsent(now=money.CUT) == 0
    for day in ("2026-03-21", "2026-03-21", "2026-03-22"):
        assert gateways.remind_of_unsent(now=at(day, 6)) == 1
    deliver(now=at("2026-03-22", 6))
    assert told(office.checker).count(f"批次 {batch.number} 签署齐全，仍未封存发送") == 2
    sealing.seal(batch_id=batch.pk, now=money.CUT)
    assert gateways.remind_of_unsent(now=at("2026-03-23", 6)) == 1
    deliver(now=at("2026-03-23", 6))
    assert told(office.checker)[-1] == f"批次 {batch.number} 已封存，仍未送达银行"
    sealing.send(batch_id=batch.pk, now=at("2026-03-23"))
    assert gateways.remind_of_unsent(now=at("2026-03-24", 6)) == 0


def test_an_account_to_check_is_told_to_those_who_check_and_do_not_keep_away(deliver):
    firm, office, other = people.applicant(), money.Finance(), people.staff(Role.FINANCE_CHECKER)
    interests.declare(enterprise_id=firm.pk, reason="亲属任职", actor=other, now=at("2026-03-01"))
    payees.propose_account(
        enterprise_id=firm.pk,
        account_name=firm.name,
        bank_name="成都银行",
        account_number="6222000012345678",
        actor=people.agent(firm),
        now=at("2026-03-02"),
    )
    deliver()
    assert told(office.checker) == ["收款账户待核对"]
    assert told(office.maker, other) == []


def test_a_change_of_a_budget_is_told_to_the_approvers_save_its_proposer(deliver):
    line, approver, proposer = (
        people.budget_line(),
        people.staff(Role.FINANCE_APPROVER),
        people.staff(Role.FINANCE_APPROVER),
    )
    changes.propose(
        kind=ChangeKind.ADJUST,
        line_id=line.pk,
        actor=proposer,
        now=at("2026-03-02"),
        paper_number="青财〔2026〕1号",
        reason="追加",
        amount=Decimal("500000"),
    )
    deliver()
    assert told(approver) == ["调整额度待批准"]
    assert told(proposer) == []
    client = Client()
    client.force_login(User.objects.get(pk=approver.user_id))
    assert "待批准的预算调整" in client.get(reverse("desk:home")).text
