"""What follows a transition or a payment, through the outbox: once, however often it is delivered."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import IntegrityError, transaction

from disbursement.audit.findings import Scope
from disbursement.audit.service import findings
from disbursement.domain.errors import Invalid
from disbursement.models import ClaimedInvoice, Document, DocumentKind, Payable
from disbursement.receivers import close_what_is_settled, issue_notice, tell_of_payment
from disbursement.selectors.invoices import rows_of
from disbursement.services.application import applications, drafts
from disbursement.services.award import claims, earlier_awards
from disbursement.services.payment import payments
from disbursement.services.review import decisions, reviews
from matching.criteria import canonical_json
from matching.models import Fact, Profile
from matching.registry import outbox
from matching.registry.models import OutboxMessage
from tests.factories import matching as base
from tests.factories import money
from tests.factories.disbursement import Case, at, case

pytestmark = pytest.mark.django_db
NOW = at("2026-03-26")


def deliver() -> None:
    while outbox.deliver(now=NOW):
        pass
    failed = OutboxMessage.objects.filter(delivered_at__isnull=True).exclude(last_error="")
    assert [message.last_error for message in failed] == []


def kinds() -> list[str]:
    return sorted(Document.objects.values_list("kind", flat=True))


def paid(*, bounced: tuple[int, ...] = ()) -> Case:
    made = case().approved()
    for batch in money.cut():
        money.paid(batch, money.Finance(), bounced=bounced)
    return made


def test_every_letter_of_an_applications_life_is_issued_once() -> None:
    made = case().submitted().asked().supplied()
    deliver()
    assert kinds() == ["correction"]
    reviews.accept(application_id=made.id, actor=made.acceptor, now=made.now)
    reviews.start_review(application_id=made.id, actor=made.reviewer, now=made.later().now)
    reviews.recommend_approval(application_id=made.id, text="通过", actor=made.reviewer, now=made.later().now)
    decisions.approve(application_id=made.id, actor=made.second, now=made.later().now)
    deliver()
    assert kinds() == ["acceptance", "correction", "decision"]
    for message in OutboxMessage.objects.filter(topic="notice.wanted"):
        issue_notice(payload=message.payload, now=NOW)
    assert kinds() == ["acceptance", "correction", "decision"]
    told = OutboxMessage.objects.filter(topic="notice.issued")
    assert told.count() == 3


def test_a_payment_brings_its_letters_the_fact_and_the_end() -> None:
    made = paid()
    deliver()
    assert kinds() == sorted(["acceptance", "decision", "payment", "batch", "handover", "month"])
    assert made.fresh().state == "closed"
    assert made.application.closed_at is not None
    records = Profile.objects.get(enterprise=made.enterprise).facts["earlier_awards"]
    assert records == [{"amount": "150000.00", "code": "rd", "on": "2026-03-24"}]


def test_delivered_again_everything_stays_as_it_is() -> None:
    made = paid()
    deliver()
    before = (kinds(), Fact.objects.count(), made.fresh().revision)
    for message in OutboxMessage.objects.filter(topic="payable.paid"):
        tell_of_payment(payload=message.payload, now=NOW)
    for message in OutboxMessage.objects.filter(topic="payable.settled"):
        close_what_is_settled(payload=message.payload, now=NOW)
    deliver()
    assert (kinds(), Fact.objects.count(), made.fresh().revision) == before


def test_what_other_sources_know_of_earlier_awards_stays_beside_it() -> None:
    made = case().approved()
    known = [{"code": "talent", "on": "2024-05-01", "amount": "1000"}]
    base.learn(made.enterprise, now=NOW, earlier_awards=known)
    for batch in money.cut():
        money.paid(batch, money.Finance())
    deliver()
    records = Profile.objects.get(enterprise=made.enterprise).facts["earlier_awards"]
    assert canonical_json(records[0]) == canonical_json(known[0])
    assert [record["code"] for record in records] == ["talent", "rd"]


def test_a_later_bounce_takes_the_record_out_again() -> None:
    made = paid()
    deliver()
    attempt = Payable.objects.get(application_id=made.id).attempts.get()
    line_id = attempt.batch.line_id(attempt.line_no or 0)
    money.receive(money.return_file({line_id: (f"{attempt.amount:.2f}", "退票")}), name="later.csv", now=NOW)
    assert earlier_awards.write_back(enterprise_ids=[made.enterprise.pk], now=at("2026-03-27")) == 1
    assert Profile.objects.get(enterprise=made.enterprise).facts["earlier_awards"] == []


def test_a_bounce_closes_nothing_and_brings_no_letter_of_payment() -> None:
    other = paid(bounced=(1,))
    deliver()
    assert other.fresh().state == "approved"
    assert not Fact.objects.filter(enterprise=other.enterprise, key="earlier_awards").exists()
    assert not Document.objects.filter(application=other.application, kind=DocumentKind.PAYMENT).exists()


def test_the_nightly_net_closes_what_an_event_missed() -> None:
    made = paid()
    OutboxMessage.objects.filter(topic="payable.settled").delete()
    deliver()
    assert made.fresh().state == "approved"
    assert applications.close_settled(now=NOW) == [made.id]
    assert applications.close_settled(now=NOW) == []
    assert made.fresh().state == "closed"


@pytest.mark.parametrize("way", ["refunded", "clawed back"])
def test_papers_are_left_to_others_once_the_money_is_back(way: str) -> None:
    made = paid()
    deliver()
    finance, now = money.Finance(), NOW
    payable = Payable.objects.get(application_id=made.id)
    rows = [row.invoice.to_row() for row in rows_of(application=made.application)]
    other = case()
    other.drafted()
    drafts.save_draft(application_id=other.id, actor=other.agent, now=now, invoices=rows)
    with pytest.raises(Invalid, match="可用余额 0"):
        drafts.submit(application_id=other.id, actor=other.agent, now=now)
    if way == "refunded":
        payments.refund(
            payable_id=payable.pk,
            actor=finance.checker,
            now=now,
            received_on=now.date(),
            reason="企业退回",
            reference="TK0001",
        )
    else:
        due = at("2026-05-01").date()
        payments.claw_back(payable_id=payable.pk, actor=finance.approver, now=NOW, reason="迁出", due_on=due)
        # What is asked back is not back.
        assert claims.release_unkept(now=now) == 0
        payments.recover(payable_id=payable.pk, actor=finance.checker, now=now, reference="CR0001")
    deliver()
    assert made.application.claimed_invoices.get().released_at is not None
    assert claims.release_unkept(now=now) == 0
    assert [str(found) for found in findings(scope=Scope(), counts=Counter(), only=["limits", "papers"])] == []
    drafts.submit(application_id=other.id, actor=other.agent, now=now)


def test_papers_stay_taken_while_one_instalment_is_kept() -> None:
    made = case(award={"rules": [{"fixed": "100000"}], "instalments": ["50", "50"]}).approved()
    [batch] = money.cut()
    finance = money.Finance()
    money.paid(batch, finance)
    first, _second = Payable.objects.filter(application_id=made.id).order_by("number")
    payments.claw_back(
        payable_id=first.pk, actor=finance.approver, now=NOW, reason="迁出", due_on=at("2026-05-01").date()
    )
    payments.recover(payable_id=first.pk, actor=finance.checker, now=NOW, reference="CR0001")
    deliver()
    assert claims.release_unkept(now=NOW) == 0
    claim = made.application.claimed_invoices.get()
    with pytest.raises(IntegrityError, match="owed or kept"), transaction.atomic():
        ClaimedInvoice.objects.filter(pk=claim.pk).update(released_at=NOW)
