"""What disbursement does when something happened: notices, closing, and what was paid written back as facts.

Each handler may run again for the same message and leaves the same state.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from disbursement.models import Application, DocumentKind, Payable, PayeeAccount
from disbursement.selectors import budget  # noqa: F401 - tells the registry what of a budget line is not reserved
from disbursement.services import notice_subjects, notices
from disbursement.services.application import applications
from disbursement.services.award import claims, earlier_awards
from disbursement.services.delivery import offers
from disbursement.services.evidence import following as evidence_following
from disbursement.services.supervision import pay_month
from matching.registry import outbox


@outbox.subscribe("application.changed")
def ask_for_notice_of_transition(*, payload: dict[str, Any], now: datetime) -> None:
    notices.want_for_transition(application_id=payload["application_id"], seq=payload["seq"], now=now)


@outbox.subscribe("notice.wanted")
def issue_notice(*, payload: dict[str, Any], now: datetime) -> None:
    try:
        notices.issue(kind=DocumentKind(payload["kind"]), subject_id=payload["subject_id"], now=now)
    except notice_subjects.NothingToTell:
        # The payment bounced before its notice was written: there is nothing to tell any more.
        return


@outbox.subscribe("evidence.changed")
def follow_a_certificate(*, payload: dict[str, Any], now: datetime) -> None:
    evidence_following.follow(evidence_id=payload["evidence_id"], now=now)


@outbox.subscribe("file.scanned")
def follow_a_verdict(*, payload: dict[str, Any], now: datetime) -> None:
    evidence_following.follow_scan(stored_id=payload["stored_id"], now=now)


@outbox.subscribe("calendar.changed")
def follow_the_calendar(*, payload: dict[str, Any], now: datetime) -> None:
    pay_month.keep_up(now=now, because=pay_month.BY_CALENDAR)


@outbox.subscribe("payable.paid")
def tell_of_payment(*, payload: dict[str, Any], now: datetime) -> None:
    notices.want_for_payments(payable_ids=payload["payables"], now=now)
    _write_back(payload["payables"], now)


@outbox.subscribe("payable.sealed")
def ask_for_papers_of_batch(*, payload: dict[str, Any], now: datetime) -> None:
    notices.want(kind=DocumentKind.BATCH, subject_id=payload["batch"], now=now)
    notices.want(kind=DocumentKind.HANDOVER, subject_id=payload["batch"], now=now)


@outbox.subscribe("cycle.closed")
def ask_for_report_of_month(*, payload: dict[str, Any], now: datetime) -> None:
    notices.want(kind=DocumentKind.MONTH, subject_id=payload["cycle"], now=now)


@outbox.subscribe("payable.clawback")
def ask_for_notice_of_clawback(*, payload: dict[str, Any], now: datetime) -> None:
    notices.want_for_clawbacks(payable_ids=payload["payables"], now=now)


@outbox.subscribe("payable.bounced")
@outbox.subscribe("payable.refunded")
@outbox.subscribe("payable.recovered")
@outbox.subscribe("payable.set_off")
def write_back_what_is_kept(*, payload: dict[str, Any], now: datetime) -> None:
    _write_back(payload["payables"], now)


@outbox.subscribe("payable.settled")
@outbox.subscribe("payable.refunded")
@outbox.subscribe("payable.recovered")
@outbox.subscribe("payable.cancelled")
def close_what_is_settled(*, payload: dict[str, Any], now: datetime) -> None:
    ids = _column(payload["payables"], "application_id")
    for application_id in ids:
        applications.close_if_settled(application_id=application_id, now=now)
    claims.release_unkept(application_ids=ids, now=now)


@outbox.subscribe("policy.version_published")
@outbox.subscribe("policy.withdrawn")
def look_at_the_offers_of_an_item(*, payload: dict[str, Any], now: datetime) -> None:
    offers.ask_for_recheck(item_id=payload["item_id"], now=now)


@outbox.subscribe("enterprise.facts_changed", together=True)
def look_at_the_offers_of_enterprises(*, payloads: list[dict[str, Any]], now: datetime) -> None:
    offers.ask_for_recheck(enterprise_ids=[payload["enterprise_id"] for payload in payloads], now=now)


@outbox.subscribe("payee.checked")
def look_at_the_offers_that_wait_for_an_account(*, payload: dict[str, Any], now: datetime) -> None:
    for account in PayeeAccount.objects.filter(pk=payload["account"]):
        offers.ask_for_recheck(enterprise_ids=[account.enterprise_id], now=now)


@outbox.subscribe("application.changed")
def look_at_the_offers_beside_an_application(*, payload: dict[str, Any], now: datetime) -> None:
    # What an enterprise applies for, is granted or gives up changes what else it can have.
    if payload["action"] in ("submit", "approve", "revoke", "withdraw"):
        for application in Application.objects.filter(pk=payload["application_id"]):
            offers.ask_for_recheck(enterprise_ids=[application.enterprise_id], now=now)


@outbox.subscribe(offers.RECHECK)
def work_an_offer_out_anew(*, payload: dict[str, Any], now: datetime) -> None:
    offers.refresh(offer_id=payload["offer_id"], now=now)


def _write_back(payable_ids: Iterable[int], now: datetime) -> None:
    earlier_awards.write_back(enterprise_ids=_column(payable_ids, "enterprise_id"), now=now)


def _column(payable_ids: Iterable[int], column: str) -> list[int]:
    return sorted(set(Payable.objects.filter(pk__in=payable_ids).values_list(column, flat=True)))
