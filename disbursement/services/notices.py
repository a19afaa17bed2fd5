"""Notices: rendered once after the fact, numbered, their bytes and hash kept; anyone can confirm them by number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.documents import context
from disbursement.documents.batch import batch_summary, handover
from disbursement.documents.month import month_report
from disbursement.documents.notice import Notice
from disbursement.documents.recovery import clawback, instalments, set_off
from disbursement.documents.render import render_pdf
from disbursement.documents.supervision import supervision_report
from disbursement.documents.year import year_report
from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied
from disbursement.domain.supervision import month_of_number
from disbursement.domain.workflow import ApplicationAction, CycleState
from disbursement.models import (
    Application,
    AttemptOutcome,
    Batch,
    Clawback,
    ClawbackPlan,
    Correction,
    Cycle,
    Decision,
    DecisionKind,
    Document,
    DocumentKind,
    PaymentAttempt,
    SetOff,
    TransitionLog,
    YearEnd,
)
from disbursement.selectors.repayment import account_in_force
from disbursement.services.application.applications import may_see
from disbursement.services.numbering import next_number
from matching.days import day_of
from matching.registry import outbox
from matching.registry.models import BudgetLine, Department

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
_DECISION_KINDS = {
    DocumentKind.ACCEPTANCE: (DecisionKind.ACCEPTED,),
    DocumentKind.NON_ACCEPTANCE: (DecisionKind.NOT_ACCEPTED,),
    DocumentKind.DECISION: (
        DecisionKind.APPROVED,
        DecisionKind.REJECTED,
        DecisionKind.UPHELD,
        DecisionKind.REVOKED,
    ),
}


class NothingToTell(Exception):
    """There is no such decision, or what it would tell has not happened."""


@dataclass(frozen=True, slots=True)
class _Task:
    """A notice to be written: of which application, and how its content is made from its frame."""

    application: Application | None
    compose: Callable[[context.Frame], Notice]
    number: str = ""  # where it has one already


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
    task = _task(kind=kind, subject_id=subject_id)
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
        kind = next(kind for kind, decisions in _DECISION_KINDS.items() if decision.kind in decisions)
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


def _task(*, kind: DocumentKind, subject_id: int) -> _Task:
    if kind in _DECISION_KINDS:
        return _decision_task(kind=kind, decision_id=subject_id)
    if kind is DocumentKind.CORRECTION:
        return _correction_task(correction_id=subject_id)
    if kind is DocumentKind.PAYMENT:
        return _payment_task(attempt_id=subject_id)
    if kind is DocumentKind.CLAWBACK:
        return _clawback_task(clawback_id=subject_id)
    if kind is DocumentKind.INSTALMENTS:
        return _plan_task(plan_id=subject_id)
    if kind is DocumentKind.SET_OFF:
        return _set_off_task(set_off_id=subject_id)
    if kind is DocumentKind.MONTH:
        return _month_task(cycle_id=subject_id)
    if kind is DocumentKind.YEAR:
        return _year_task(year=subject_id)
    if kind is DocumentKind.SUPERVISION:
        # There is no row of a month to wait for: two at once take turns at the first department's.
        Department.objects.select_for_update(no_key=True).order_by("pk").first()
        month = month_of_number(subject_id)
        return _Task(None, lambda frame: supervision_report(frame=frame, month=month))
    return _batch_task(kind=kind, batch_id=subject_id)


def _decision_task(*, kind: DocumentKind, decision_id: int) -> _Task:
    decision = (
        Decision.objects.select_for_update(of=("self",))
        .select_related("application__item__department", "application__enterprise", "application__version", "judgement")
        .filter(pk=decision_id, kind__in=_DECISION_KINDS[kind])
        .first()
    )
    if decision is None:
        raise NothingToTell(_("没有可以签发文书的决定。"))
    found = decision
    compose = {
        DocumentKind.ACCEPTANCE: context.acceptance,
        DocumentKind.NON_ACCEPTANCE: context.non_acceptance,
        DocumentKind.DECISION: context.decision,
    }[kind]
    return _Task(found.application, lambda frame: compose(frame=frame, decision=found))


def _correction_task(*, correction_id: int) -> _Task:
    correction = (
        Correction.objects.select_for_update(of=("self",))
        .select_related("application__item__department", "application__enterprise", "application__version")
        .filter(pk=correction_id)
        .first()
    )
    if correction is None:
        raise NothingToTell(_("没有可以签发文书的补正。"))
    found = correction
    return _Task(found.application, lambda frame: context.correction(frame=frame, correction=found))


def _payment_task(*, attempt_id: int) -> _Task:
    attempt = (
        PaymentAttempt.objects.select_for_update(of=("self",))
        .select_related(
            "payable__application__item__department",
            "payable__application__enterprise",
            "payable__application__version",
            "batch__cycle",
        )
        .filter(pk=attempt_id, outcome=AttemptOutcome.PAID)
        .first()
    )
    if attempt is None:
        raise NothingToTell(_("这笔款项尚未支付成功，不能签发兑现通知书。"))
    found = attempt
    return _Task(found.payable.application, lambda frame: context.payment(frame=frame, attempt=found))


def _batch_task(*, kind: DocumentKind, batch_id: int) -> _Task:
    batch = (
        Batch.objects.select_for_update(of=("self",))
        .select_related("cycle", "budget_line__department", "sealed_file")
        .defer("sealed_file__content")
        .filter(pk=batch_id, sealed_file__isnull=False)
        .first()
    )
    if batch is None:
        raise NothingToTell(_("批次尚未封存，不能签发文书。"))
    found = batch
    signers = [approval.person_id for approval in found.approvals.all()]
    names = {user.pk: user.get_full_name() for user in get_user_model().objects.filter(pk__in=signers)}
    compose = handover if kind is DocumentKind.HANDOVER else batch_summary
    return _Task(None, lambda frame: compose(frame=frame, batch=found, names=names))


def _month_task(*, cycle_id: int) -> _Task:
    cycle = Cycle.objects.select_for_update().filter(pk=cycle_id, state=CycleState.CLOSED).first()
    if cycle is None:
        raise NothingToTell(_("这个月还没有办结，不能出具月度报告。"))
    found = cycle
    return _Task(None, lambda frame: month_report(frame=frame, cycle=found))


def _year_task(*, year: int) -> _Task:
    lines = BudgetLine.objects.filter(year=year).order_by("pk").select_for_update()
    still_open = [line for line in lines if not YearEnd.objects.filter(line=line).exists()]
    if still_open or not lines:
        raise NothingToTell(_("这个年度还有科目没有关账，不能出具年度报告。"))
    return _Task(None, lambda frame: year_report(frame=frame, year=year))


def _clawback_task(*, clawback_id: int) -> _Task:
    demand = (
        Clawback.objects.select_for_update(of=("self",))
        .select_related("payable__application__item__department", "payable__application__enterprise")
        .filter(pk=clawback_id)
        .first()
    )
    if demand is None:
        raise NothingToTell(_("没有这份追回决定。"))
    found, account = demand, account_in_force()
    application = found.payable.application
    return _Task(application, lambda frame: clawback(frame=frame, demand=found, account=account), found.number)


def _plan_task(*, plan_id: int) -> _Task:
    plan = (
        ClawbackPlan.objects.select_for_update(of=("self",))
        .select_related(
            "clawback__payable__application__item__department", "clawback__payable__application__enterprise"
        )
        .filter(pk=plan_id, approved_at__isnull=False)
        .first()
    )
    if plan is None:
        raise NothingToTell(_("没有已批准的分期计划。"))
    found, account = plan, account_in_force()
    application = found.clawback.payable.application
    return _Task(application, lambda frame: instalments(frame=frame, plan=found, account=account))


def _set_off_task(*, set_off_id: int) -> _Task:
    decision = (
        SetOff.objects.select_for_update(of=("self",))
        .select_related("clawback", "payable__application__item__department", "payable__application__enterprise")
        .filter(pk=set_off_id)
        .first()
    )
    if decision is None:
        raise NothingToTell(_("没有这项抵扣决定。"))
    found = decision
    return _Task(found.payable.application, lambda frame: set_off(frame=frame, decision=found))
