"""Paying to an account again that was not at fault, the paper that proves an account, and what waits for money owed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from disbursement.domain.conflicts import Conflict
from disbursement.domain.cycle import next_month
from disbursement.domain.errors import Denied, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Clawback, HoldKind, Payable, PayeeAccount, Reissue
from disbursement.services.month import cycles, preflight
from disbursement.services.payment import payees, payments, reissues
from matching.registry import outbox
from portal.accounts.models import Membership, MembershipKind, User
from portal.inbox.models import Notification
from tests.factories import disbursement as people
from tests.factories import money, papers
from tests.factories.disbursement import at

pytestmark = pytest.mark.django_db

NOW = at("2026-03-25")
APRIL = date(2026, 4, 1)
APRIL_CUT = at("2026-04-20", 17)


@pytest.fixture
def office() -> money.Finance:
    return money.Finance()


def bounced(office: money.Finance) -> Payable:
    payable = money.payable()
    [batch] = money.cut()
    money.paid(batch, office, bounced=[1])
    payable.refresh_from_db()
    assert payable.state == "bounced"
    return payable


def signed_in(actor: object) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))  # type: ignore[attr-defined]
    return client


class TestReissue:
    def test_what_bounced_by_the_banks_fault_goes_with_the_next_batch_to_the_same_account(
        self, office: money.Finance
    ) -> None:
        payable = bounced(office)
        before = payable.account_number
        asked = reissues.propose(payable_id=payable.pk, reason="代理行系统故障", actor=office.maker, now=NOW)
        reissues.decide(reissue_id=asked.pk, approve=True, actor=office.approver, now=NOW)
        payable.refresh_from_db()
        assert (payable.state, payable.account_number) == ("reserved", before)
        assert payable.pay_month == APRIL
        [batch] = money.cut(month=APRIL, now=APRIL_CUT)
        money.sent(batch, office, now=APRIL_CUT)
        money.receive(money.answer(batch, on=date(2026, 4, 22)), name="april.csv")
        payable.refresh_from_db()
        assert payable.state == "settled"
        outbox.deliver(now=NOW)
        told = Notification.objects.filter(enterprise=payable.enterprise, title__contains="按原账户重新支付").get()
        assert "不需要更正账户" in told.body

    def test_it_takes_two_people_each_in_their_role(self, office: money.Finance) -> None:
        payable = bounced(office)
        with pytest.raises(Denied):
            reissues.propose(payable_id=payable.pk, reason="故障", actor=people.staff(Role.REVIEWER), now=NOW)
        with pytest.raises(Invalid, match="依据"):
            reissues.propose(payable_id=payable.pk, reason=" ", actor=office.maker, now=NOW)
        asked = reissues.propose(payable_id=payable.pk, reason="故障", actor=office.maker, now=NOW)
        with pytest.raises(Invalid, match="已提出过"):
            reissues.propose(payable_id=payable.pk, reason="故障", actor=office.checker, now=NOW)
        with pytest.raises(Denied):
            reissues.decide(reissue_id=asked.pk, approve=True, actor=office.checker, now=NOW)
        person = User.objects.get(pk=office.maker.user_id or 0)
        person.role_assignments.create(role="finance_approver")
        both = type(office.maker).of(user_id=person.pk, roles=[Role.FINANCE_MAKER, Role.FINANCE_APPROVER])
        with pytest.raises(Conflict, match="另一名"):
            reissues.decide(reissue_id=asked.pk, approve=True, actor=both, now=NOW)
        with pytest.raises(Invalid, match="不同意的原因"):
            reissues.decide(reissue_id=asked.pk, approve=False, actor=office.approver, now=NOW)
        reissues.decide(reissue_id=asked.pk, approve=False, actor=office.approver, now=NOW, note="户名确有误")
        payable.refresh_from_db()
        assert payable.state == "bounced"
        reissues.propose(payable_id=payable.pk, reason="银行来函说明", actor=office.maker, now=NOW)

    def test_not_where_the_bank_contradicts_itself_or_the_account_is_another(self, office: money.Finance) -> None:
        payable = bounced(office)
        attempt = payable.attempts.get()
        type(attempt).objects.filter(pk=attempt.pk).update(contradicted=True)
        with pytest.raises(Invalid, match="前后矛盾"):
            reissues.propose(payable_id=payable.pk, reason="故障", actor=office.maker, now=NOW)
        type(attempt).objects.filter(pk=attempt.pk).update(contradicted=False)
        asked = reissues.propose(payable_id=payable.pk, reason="故障", actor=office.maker, now=NOW)
        PayeeAccount.objects.filter(enterprise=payable.enterprise, state="checked").update(state="retired")
        with pytest.raises(Invalid, match="不是退票的账户"):
            reissues.decide(reissue_id=asked.pk, approve=True, actor=office.approver, now=NOW)

    def test_the_database_wants_the_two_people_as_well(self, office: money.Finance) -> None:
        payable = bounced(office)
        asked = reissues.propose(payable_id=payable.pk, reason="故障", actor=office.maker, now=NOW)

        def refused(sql: str, *values: Any) -> bool:
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(sql, values)
            except IntegrityError:
                return True
            return False

        logged = (
            "INSERT INTO disbursement_statechange (payable_id, action, source, target, role, person_id, note, made_at)"
            " VALUES (%s, 'reissue', 'bounced', 'reserved', 'finance_approver', %s, '', %s)"
        )
        assert refused(logged, payable.pk, office.approver.user_id, NOW)
        decided = "UPDATE disbursement_reissue SET approved = %s, decided_by_id = %s, decided_at = %s WHERE id = %s"
        assert refused(decided, True, office.maker.user_id, NOW, asked.pk)
        assert refused("UPDATE disbursement_reissue SET reason = 'x' WHERE id = %s", asked.pk)
        reissues.decide(reissue_id=asked.pk, approve=False, actor=office.approver, now=NOW, note="不同意")
        assert refused(decided, True, office.approver.user_id, NOW, asked.pk)

    def test_the_pages_lead_from_the_bounce_to_the_decision(self, office: money.Finance) -> None:
        payable = bounced(office)
        page = reverse("desk:payable", args=[payable.pk])
        maker, approver = signed_in(office.maker), signed_in(office.approver)
        assert "提交审批" in maker.get(page).text
        assert "提交审批" not in approver.get(page).text
        maker.post(reverse("desk:reissue_propose", args=[payable.pk]), {"reason": "代理行系统故障"})
        asked = Reissue.objects.get()
        assert "等待另一名财务审批人员决定" in maker.get(page).text
        assert "代理行系统故障" in approver.get(page).text
        outbox.deliver(now=timezone.now())
        assert Notification.objects.filter(
            user_id=office.approver.user_id or 0, title__contains="按原账户重新支付"
        ).exists()
        decide = reverse("desk:reissue_decide", args=[payable.pk, asked.pk])
        assert maker.post(decide, {"approve": "yes"}).status_code == 403
        assert approver.post(decide, {"approve": "yes"}).status_code == 302
        payable.refresh_from_db()
        assert payable.state == "reserved"

    def test_an_enterprise_is_reminded_every_ten_days_unless_finance_pays_again(self, office: money.Finance) -> None:
        payable = bounced(office)
        first = at(money.PAID_ON)
        assert reissues.remind_of_bounces(now=first + timedelta(days=9)) == 0
        for days in (10, 11, 20):
            assert reissues.remind_of_bounces(now=first + timedelta(days=days)) == 1
        outbox.deliver(now=first + timedelta(days=20))
        told = Notification.objects.filter(enterprise=payable.enterprise, title__contains="仍在等您更正收款账户")
        assert told.count() == 2
        assert told[0].link == reverse("enterprise:mend", args=[payable.pk])
        reissues.propose(payable_id=payable.pk, reason="故障", actor=office.maker, now=NOW)
        assert reissues.remind_of_bounces(now=first + timedelta(days=30)) == 0


class TestProof:
    def test_the_paper_of_an_account_reaches_who_checks_it_and_the_legal_representative_hears(
        self, office: money.Finance
    ) -> None:
        firm = people.applicant()
        leader, agent = people.user("法人"), people.user("经办")
        for user, kind in ((leader, MembershipKind.LEGAL_REPRESENTATIVE), (agent, MembershipKind.AGENT)):
            Membership.objects.create(user=user, enterprise=firm, kind=kind, granted_at=at("2026-01-05"))
        client = Client()
        client.force_login(agent)
        given = {
            "account_name": firm.name,
            "bank_name": "成都银行",
            "account_number": "62220000000000009",
            "proof": SimpleUploadedFile("开户许可证.pdf", papers.pdf(mark="proof")),
        }
        spoilt = {**given, "proof": SimpleUploadedFile("x.pdf", b"MZ not a paper")}
        assert client.post(reverse("enterprise:account"), spoilt).status_code == 200
        assert not PayeeAccount.objects.filter(enterprise=firm, state="proposed").exists()
        given["proof"].seek(0)  # type: ignore[attr-defined]
        assert client.post(reverse("enterprise:account"), given).status_code == 302
        account = PayeeAccount.objects.get(enterprise=firm, state="proposed")
        outbox.deliver(now=timezone.now())
        told = Notification.objects.get(user=leader)
        assert told.title == f"经办为{firm.name}登记了新的收款账户"
        assert not Notification.objects.filter(user=agent).exists()
        checker = signed_in(office.checker)
        assert "下载开户证明（开户许可证.pdf）" in checker.get(reverse("desk:accounts")).text
        paper = checker.get(reverse("desk:account_proof", args=[account.pk]))
        assert paper.content == papers.pdf(mark="proof")
        assert "attachment" in paper["Content-Disposition"]
        assert client.get(reverse("desk:account_proof", args=[account.pk])).status_code == 403

    def test_an_account_without_its_paper_says_so(self, office: money.Finance) -> None:
        firm = people.applicant()
        payees.propose_account(
            enterprise_id=firm.pk,
            account_name=firm.name,
            bank_name="成都银行",
            account_number="62220000000000009",
            actor=people.agent(firm),
            now=NOW,
        )
        assert "未上传开户证明" in signed_in(office.checker).get(reverse("desk:accounts")).text


class TestOwed:
    def owing(self, office: money.Finance, *, due_on: date) -> tuple[list[Payable], Clawback]:
        """Two instalments, the first paid and asked back."""
        award = money.granted(item=money.version(instalments=["50", "50"]))
        first, second = award.payables.order_by("number")
        money.paid(money.cut()[0], office)
        demand = payments.claw_back(
            payable_id=first.pk, actor=office.approver, now=NOW, reason="迁出本区", due_on=due_on
        )
        return [first, second], demand

    def test_later_instalments_of_the_same_award_wait_until_a_person_has_weighed_it(
        self, office: money.Finance
    ) -> None:
        (_first, second), demand = self.owing(office, due_on=date(2027, 12, 31))
        month = second.pay_month  # a later instalment is paid from its own year's line
        people.budget_line(year=month.year)
        money.cut(month=month, now=at(month.replace(day=27), 17))
        second.refresh_from_db()
        assert (second.state, second.hold_kind) == ("held", HoldKind.RECOVERY)
        assert demand.number in second.hold_reason
        payments.release(
            payable_id=second.pk, actor=office.checker, now=at(month.replace(day=28)), note="已核实，继续支付"
        )
        following = next_month(month)
        [batch] = money.cut(month=following, now=at(following.replace(day=27), 17))
        assert batch.attempts.filter(payable=second, outcome="pending").exists()

    def test_other_awards_wait_only_when_it_is_overdue_and_go_on_when_it_came_back(self, office: money.Finance) -> None:
        (first, second), demand = self.owing(office, due_on=date(2026, 4, 10))
        payments.cancel(payable_id=second.pk, actor=office.approver, now=NOW, reason="不再支付")
        other = money.payable(enterprise=first.enterprise, now=at("2026-04-02"))
        assert other.pay_month == APRIL
        look = preflight.look(month=APRIL, now=at("2026-04-09"), staff=list)
        assert "hold.recovery" not in {issue.code for issue in look.issues}
        assert "demands" in {issue.code for issue in look.issues}
        look = preflight.look(month=APRIL, now=APRIL_CUT, staff=list)
        assert "hold.recovery" in {issue.code for issue in look.issues}
        cycles.cut_off(month=APRIL, now=APRIL_CUT)
        other.refresh_from_db()
        assert (other.state, other.hold_kind) == ("held", HoldKind.RECOVERY)
        page = signed_in(office.maker).get(reverse("desk:payable", args=[other.pk])).text
        assert "有款项正在追回" in page
        assert demand.number in page
        payments.recover(payable_id=first.pk, actor=office.checker, now=at("2026-05-05"), reference="B-77")
        [may] = money.cut(month=date(2026, 5, 1), now=at("2026-05-20", 17))
        assert may.attempts.filter(payable=other, outcome="pending").exists()

    def test_a_batch_to_be_signed_names_the_demands_beside_its_lines(self, office: money.Finance) -> None:
        (first, second), demand = self.owing(office, due_on=date(2026, 12, 31))
        payments.cancel(payable_id=second.pk, actor=office.approver, now=NOW, reason="不再支付")
        money.payable(enterprise=first.enterprise, now=at("2026-04-02"))
        [batch] = money.cut(month=APRIL, now=APRIL_CUT)
        page = signed_in(office.maker).get(reverse("desk:batch", args=[batch.pk])).text
        assert demand.number in page
