"""Notices: rendered once after the fact, numbered, their bytes and hash kept; anyone can confirm them by number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.documents import context
from disbursement.documents.render import render_pdf
from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied
from disbursement.domain.workflow import ApplicationAction
from disbursement.models import (
    AttemptOutcome,
    Clawback,
    Correction,
    Decision,
    Document,
    DocumentKind,
    PaymentAttempt,
    TransitionLog,
)
from disbursement.services.application.applications import may_see
from disbursement.services.notice_subjects import DECISION_KINDS, task_of
from disbursement.services.numbering import next_number
from matching.days import day_of
from matching.registry import outbox

PREFIX = {
    DocumentKind.ACCEPTANCE: "SL",
    DocumentKind.CORRECTION: "BZ",
    DocumentKind.NON_ACCEPTANCE: "BY",
    DocumentKind.DECISION: "SH",
    DocumentKind.PAYMENT: "DX",
    DocumentKind.BATCH: "PC",
    DocumentKind.HANDOVER: "YJ",
    DocumentKind.MONTH: "YB",
    DocumentKind.YEAR: "NB",
    DocumentKind.SUPERVISION: "JC",
    DocumentKind.INSTALMENTS: "FQ",
    DocumentKind.SET_OFF: "DK",
}
# What a notice is about, by kind: the word before the id in `Document.subject`.
SUBJECT = {
    DocumentKind.ACCEPTANCE: "decision",
    DocumentKind.CORRECTION: "correction",
    DocumentKind.NON_ACCEPTANCE: "decision",
    DocumentKind.DECISION: "decision",
    DocumentKind.PAYMENT: "attempt",
    DocumentKind.BATCH: "batch",
    DocumentKind.HANDOVER: "batch",
    DocumentKind.MONTH: "cycle",
    DocumentKind.YEAR: "year",
    DocumentKind.SUPERVISION: "supervision",
    DocumentKind.CLAWBACK: "clawback",
    DocumentKind.INSTALMENTS: "plan",
    DocumentKind.SET_OFF: "set_off",
}


@transaction.atomic
def issue(*, kind: DocumentKind, subject_id: int, now: datetime) -> Document:
    """The notice of this kind about this subject: the stored one, or rendered now, once.

    `subject_id` is the id of a Decision, Correction, PaymentAttempt, Batch, Cycle, Clawback, ClawbackPlan or SetOff, as
    `SUBJECT` says; of a year's report the year, of a month's supervision its `month_number`.
    Two at once take turns. Raises NothingToTell where nothing of the kind has happened.
    """
    subject = f"{SUBJECT[kind]}:{subject_id}"
    stored = Document.objects.filter(kind=kind, subject=subject).first()
    if stored is not None:
        return stored
    task = task_of(kind=kind, subject_id=subject_id)
    # Whoever comes second waits for the row and then finds the notice.
    stored = Document.objects.filter(kind=kind, subject=subject).first()
    if stored is not None:
        return stored
    issued_on = day_of(now)
    series = f"{kind.value}-{issued_on.year}"
    number = task.number or f"{PREFIX[kind]}-{issued_on.year}-{next_number(series=series):06d}"
    notice = task.compose(
        context.Frame(
            number=number,
            issued_on=issued_on,
            district=settings.HUIDA_DISTRICT,
            verify_url=verify_url(number=number),
            site_url=settings.HUIDA_BASE_URL,
        )
    )
    content = render_pdf(notice)
    document = Document.objects.create(
        number=number,
        kind=kind.value,
        subject=subject,
        title=notice.title,
        application=task.application,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        issued_at=now,
    )
    outbox.emit(
        topic="notice.issued",
        payload={
            "document_id": document.pk,
            "kind": kind.value,
            "application_id": None if task.application is None else task.application.pk,
        },
        now=now,
        dedupe_key=f"notice.issued:{document.pk}",
    )
    return document


def want(*, kind: DocumentKind, subject_id: int, now: datetime) -> None:
    """Ask, in the caller's transaction, for a notice to be issued: topic `notice.wanted` {kind, subject_id}.

    Each is rendered in a delivery of its own, so that one that fails holds up nothing else.
    """
    outbox.emit(
        topic="notice.wanted",
        payload={"kind": kind.value, "subject_id": subject_id},
        now=now,
        dedupe_key=f"notice.wanted:{kind.value}:{subject_id}",
    )


def want_for_transition(*, application_id: int, seq: int, now: datetime) -> None:
    """Ask for the notice that belongs to one transition of an application, where one does."""
    entry = TransitionLog.objects.filter(application_id=application_id, seq=seq).first()
    if entry is None:
        return
    if entry.action == ApplicationAction.ASK_CORRECTION:
        for pk in Correction.objects.filter(application_id=application_id, asked_at=entry.at).values_list(
            "pk", flat=True
        ):
            want(kind=DocumentKind.CORRECTION, subject_id=pk, now=now)
        return
    for decision in Decision.objects.filter(application_id=application_id, at=entry.at):
        kind = next(kind for kind, decisions in DECISION_KINDS.items() if decision.kind in decisions)
        want(kind=kind, subject_id=decision.pk, now=now)


def want_for_payments(*, payable_ids: Iterable[int], now: datetime) -> None:
    """Ask for the notices of what was paid."""
    paid = PaymentAttempt.objects.filter(payable_id__in=payable_ids, outcome=AttemptOutcome.PAID)
    for attempt_id in paid.order_by("pk").values_list("pk", flat=True):
        want(kind=DocumentKind.PAYMENT, subject_id=attempt_id, now=now)


def want_for_clawbacks(*, payable_ids: Iterable[int], now: datetime) -> None:
    """Ask for the notices by which money is asked back."""
    for pk in Clawback.objects.filter(payable_id__in=payable_ids).order_by("pk").values_list("pk", flat=True):
        want(kind=DocumentKind.CLAWBACK, subject_id=pk, now=now)


def verify_url(*, number: str) -> str:
    """The public page that confirms a notice."""
    return f"{settings.HUIDA_BASE_URL.rstrip('/')}/verify/{number}/"


def verify(*, number: str) -> Document | None:
    """The notice of that number without its bytes, for the public page; None where none was issued."""
    return Document.objects.defer("content").filter(number=number).first()


def open_document(*, document_id: int, actor: Actor) -> tuple[Document, bytes]:
    """A notice's bytes for those whom it concerns: its enterprise, its department; a batch's for finance.

    Raises Denied for others.
    """
    document = Document.objects.select_related("application__item").filter(pk=document_id).first()
    if document is None:
        raise Denied(_("没有这份文书。"))
    application = document.application
    allowed = (
        may_see(application=application, actor=actor)
        if application is not None
        else None in actor.supervised
        if document.kind == DocumentKind.SUPERVISION
        else any(role.value.startswith("finance_") for role in actor.roles)
    )
    if not allowed:
        raise Denied(_("没有这份文书，或者您无权查看。"))
    return document, bytes(document.content)
