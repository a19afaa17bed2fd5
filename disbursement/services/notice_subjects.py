"""What each kind of notice tells of: the row found and locked, and how its content is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth import get_user_model
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from disbursement.documents import context
from disbursement.documents.batch import batch_summary, handover
from disbursement.documents.month import month_report
from disbursement.documents.notice import Notice
from disbursement.documents.recovery import clawback, instalments, set_off
from disbursement.documents.supervision import supervision_report
from disbursement.documents.year import year_report
from disbursement.domain.supervision import month_of_number
from disbursement.domain.workflow import CycleState
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
    DocumentKind,
    PaymentAttempt,
    SetOff,
    YearEnd,
)
from disbursement.selectors.repayment import account_in_force
from matching.registry.models import BudgetLine, Department

M = TypeVar("M", bound=Model)

# The notice of which decisions each kind is.
DECISION_KINDS = {
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
class Task:
    """A notice to be written: of which application, and how its content is made from its frame."""

    application: Application | None
    compose: Callable[[context.Frame], Notice]
    number: str = ""  # where it has one already


def task_of(*, kind: DocumentKind, subject_id: int) -> Task:
    """What a notice of this kind tells of this subject, as `notices.issue` names it. Raises NothingToTell."""
    if kind in DECISION_KINDS:
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
        return Task(None, lambda frame: supervision_report(frame=frame, month=month))
    return _batch_task(kind=kind, batch_id=subject_id)


def _locked(query: QuerySet[M], *, lacking: str) -> M:
    """The row of a query, locked. Raises NothingToTell in those words where there is none."""
    found = query.select_for_update(of=("self",)).first()
    if found is None:
        raise NothingToTell(lacking)
    return found


def _decision_task(*, kind: DocumentKind, decision_id: int) -> Task:
    found = _locked(
        Decision.objects.select_related(
            "application__item__department", "application__enterprise", "application__version", "judgement"
        ).filter(pk=decision_id, kind__in=DECISION_KINDS[kind]),
        lacking=_("没有可以签发文书的决定。"),
    )
    compose = {
        DocumentKind.ACCEPTANCE: context.acceptance,
        DocumentKind.NON_ACCEPTANCE: context.non_acceptance,
        DocumentKind.DECISION: context.decision,
    }[kind]
    return Task(found.application, lambda frame: compose(frame=frame, decision=found))


def _correction_task(*, correction_id: int) -> Task:
    found = _locked(
        Correction.objects.select_related(
            "application__item__department", "application__enterprise", "application__version"
        ).filter(pk=correction_id),
        lacking=_("没有可以签发文书的补正。"),
    )
    return Task(found.application, lambda frame: context.correction(frame=frame, correction=found))


def _payment_task(*, attempt_id: int) -> Task:
    found = _locked(
        PaymentAttempt.objects.select_related(
            "payable__application__item__department",
            "payable__application__enterprise",
            "payable__application__version",
            "batch__cycle",
        ).filter(pk=attempt_id, outcome=AttemptOutcome.PAID),
        lacking=_("这笔款项尚未支付成功，不能签发兑现通知书。"),
    )
    return Task(found.payable.application, lambda frame: context.payment(frame=frame, attempt=found))


def _batch_task(*, kind: DocumentKind, batch_id: int) -> Task:
    found = _locked(
        Batch.objects.select_related("cycle", "budget_line__department", "sealed_file")
        .defer("sealed_file__content")
        .filter(pk=batch_id, sealed_file__isnull=False),
        lacking=_("批次尚未封存，不能签发文书。"),
    )
    signers = [approval.person_id for approval in found.approvals.all()]
    names = {user.pk: user.get_full_name() for user in get_user_model().objects.filter(pk__in=signers)}
    compose = handover if kind is DocumentKind.HANDOVER else batch_summary
    return Task(None, lambda frame: compose(frame=frame, batch=found, names=names))


def _month_task(*, cycle_id: int) -> Task:
    cycles = Cycle.objects.filter(pk=cycle_id, state=CycleState.CLOSED)
    found = _locked(cycles, lacking=_("这个月还没有办结，不能出具月度报告。"))
    return Task(None, lambda frame: month_report(frame=frame, cycle=found))


def _year_task(*, year: int) -> Task:
    lines = BudgetLine.objects.filter(year=year).order_by("pk").select_for_update()
    still_open = [line for line in lines if not YearEnd.objects.filter(line=line).exists()]
    if still_open or not lines:
        raise NothingToTell(_("这个年度还有科目没有关账，不能出具年度报告。"))
    return Task(None, lambda frame: year_report(frame=frame, year=year))


def _clawback_task(*, clawback_id: int) -> Task:
    found = _locked(
        Clawback.objects.select_related(
            "payable__application__item__department", "payable__application__enterprise"
        ).filter(pk=clawback_id),
        lacking=_("没有这份追回决定。"),
    )
    account = account_in_force()
    application = found.payable.application
    return Task(application, lambda frame: clawback(frame=frame, demand=found, account=account), found.number)


def _plan_task(*, plan_id: int) -> Task:
    found = _locked(
        ClawbackPlan.objects.select_related(
            "clawback__payable__application__item__department", "clawback__payable__application__enterprise"
        ).filter(pk=plan_id, approved_at__isnull=False),
        lacking=_("没有已批准的分期计划。"),
    )
    account = account_in_force()
    application = found.clawback.payable.application
    return Task(application, lambda frame: instalments(frame=frame, plan=found, account=account))


def _set_off_task(*, set_off_id: int) -> Task:
    found = _locked(
        SetOff.objects.select_related(
            "clawback", "payable__application__item__department", "payable__application__enterprise"
        ).filter(pk=set_off_id),
        lacking=_("没有这项抵扣决定。"),
    )
    return Task(found.payable.application, lambda frame: set_off(frame=frame, decision=found))
