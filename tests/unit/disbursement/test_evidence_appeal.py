"""What changed while a case stood rejected is seen when it comes back by an appeal."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date

import pytest

from disbursement.domain.errors import Invalid
from disbursement.models import Material, MaterialFlag, StoredFile
from disbursement.services.evidence import following
from disbursement.services.evidence import library as evidence
from disbursement.services.review import decisions
from disbursement.services.review.conditions import Reason
from matching.registry import outbox
from tests.factories.disbursement import Case, at, case
from tests.unit.disbursement.test_evidence import DETAILS, give, renew

pytestmark = pytest.mark.django_db


def appealed(made: Case) -> list[str]:
    """The reasons of the flags, once the events were followed and the enterprise appealed."""
    outbox.deliver(now=made.now)
    assert not MaterialFlag.objects.exists()
    decisions.appeal(application_id=made.id, grounds="发票与项目有关", actor=made.agent, now=made.now)
    return list(MaterialFlag.objects.order_by("pk").values_list("reason", flat=True))


@pytest.mark.parametrize("what", ["withdrawn", "replaced", "expired"])
def test_a_certificate_that_changed_while_the_case_stood_rejected_holds_its_appeal(what: str) -> None:
    made = case()
    given = give(made, details=changed(DETAILS, valid_until=date(2026, 3, 20)))
    made.rejected()
    if what == "withdrawn":
        evidence.withdraw(evidence_id=given.evidence_id, reason="已注销", actor=made.agent, now=made.now)
    elif what == "replaced":
        renew(given, made)
    else:
        made.now = at("2026-03-23")
        assert following.pass_days(now=made.now)["expired"] == 1
    assert appealed(made) == [what]
    with pytest.raises(Invalid, match="营业执照"):
        decisions.approve(application_id=made.id, actor=made.other, now=made.later().now)
    flag = MaterialFlag.objects.get()
    following.settle(flag_id=flag.pk, note="申报时有效", actor=made.other, now=made.now)
    decisions.approve(application_id=made.id, actor=made.other, now=made.now)


def test_a_file_found_infected_while_the_case_stood_rejected_is_flagged_on_appeal() -> None:
    made = case().rejected()
    invoice = Material.objects.get(application_id=made.id)
    stored = StoredFile.objects.filter(sha256=invoice.sha256)
    stored.update(scan="infected", finding="Eicar", scanned_at=made.now)
    following.follow_scan(stored_id=stored.get().pk, now=made.now)
    assert appealed(made) == ["infected"]


def test_what_a_reviewer_settled_before_the_rejection_stays_settled_on_appeal() -> None:
    made = case()
    given = give(made)
    made.second_review()
    renew(given, made)
    outbox.deliver(now=made.now)
    flag = MaterialFlag.objects.get()
    following.settle(flag_id=flag.pk, note="申报时有效", actor=made.second, now=made.now)
    reasons = [Reason("发票与项目无关", leaf="spent")]
    decisions.reject(
        application_id=made.id, reasons=reasons, remedy="可在60日内申请复核", actor=made.second, now=made.later().now
    )
    decisions.appeal(application_id=made.id, grounds="有关", actor=made.agent, now=made.later().now)
    assert list(MaterialFlag.objects.values_list("pk", "note")) == [(flag.pk, "申报时有效")]
