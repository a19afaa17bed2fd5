"""The finance desk: the month's cycle, its batches, signatures, and sealed files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.cycle import month_of
from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import BatchAction, CycleState, PayableState
from disbursement.ledger.reconcile import four_figures
from disbursement.models import (
    AttemptOutcome,
    Batch,
    Cycle,
    CycleRun,
    Document,
    Payable,
    PaymentFormat,
    RunKind,
    SealedFile,
)
from disbursement.services import batches, cycles, reconciliation, runs, sealing
from disbursement.treasury.formats import payment_format
from matching.days import day_of
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.views.deliveries import delivery_context
from portal.desk.views.runs import in_background
from portal.downloads import attachment
from portal.refusals import attempt, lay_on

PER_PAGE = 50
_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR)


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("意见"), max_length=300, required=False)


class MakeForm(NoteForm):
    file_format = forms.ChoiceField(label=gettext_lazy("付款文件格式"), choices=PaymentFormat.choices)


class SignForm(NoteForm):
    seen_sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=300)


class AcknowledgeForm(forms.Form):
    reference = forms.CharField(label=gettext_lazy("银行受理回执号"), max_length=100, required=False)


def visible_batches(request: HttpRequest) -> QuerySet[Batch]:
    """Batches of the budget lines of one's departments; all for a role held in the whole district."""
    found = Batch.objects.select_related("budget_line__department", "cycle")
    places = access_for(request).departments_of(_READERS)
    return found if places is None else found.filter(budget_line__department_id__in=places)


def visible_payables(request: HttpRequest) -> QuerySet[Payable]:
    found = Payable.objects.select_related("enterprise", "application__item__department", "budget_line")
    places = access_for(request).departments_of(_READERS)
    return found if places is None else found.filter(application__item__department_id__in=places)


@role_required(*_READERS)
def cycle_list(request: HttpRequest) -> HttpResponseBase:
    """Every month's cycle, the newest first, and how this month stands."""
    now = timezone.now()
    today = day_of(now)
    page = Paginator(
        Cycle.objects.annotate(batch_count=Count("batches"), total=Sum("batches__total")).order_by("-month"), 24
    ).get_page(request.GET.get("page"))
    current = Cycle.objects.filter(month=month_of(today)).first()
    waiting = (
        visible_payables(request)
        .filter(state__in=[PayableState.RESERVED, PayableState.AWAITING, PayableState.HELD, PayableState.MENDED])
        .order_by()
        .values("state")
        .annotate(count=Count("pk"), sum=Sum("amount"))
    )
    return render(
        request,
        "desk/cycles.html",
        {
            "page": page,
            "current": current,
            "may_open": current is None and access_for(request).has(FINANCE_ROLES),
            "waiting": [(PayableState(row["state"]), row["count"], row["sum"]) for row in waiting],
        },
    )


@role_required(*FINANCE_ROLES)
@require_POST
def cycle_open(request: HttpRequest) -> HttpResponseBase:
    cycle = cycles.open_if_due(now=timezone.now())
    messages.success(request, _("%(cycle)s兑现周期已开启，%(day)s 截止。") % {"cycle": cycle, "day": cycle.cut_off_on})
    return redirect("desk:cycle", cycle.pk)


@role_required(*_READERS)
def cycle(request: HttpRequest, cycle_id: int) -> HttpResponseBase:
    """One month: its batches with their totals, what is held and why, what is still due."""
    found = get_object_or_404(Cycle, pk=cycle_id)
    today = day_of(timezone.now())
    rows = visible_batches(request).filter(cycle=found).select_related("sealed_file").order_by("number")
    rows = rows.defer("sealed_file__content")
    payables = visible_payables(request)
    held = payables.filter(state=PayableState.HELD, pay_month__lte=_next(found.month)).order_by("pk")
    due = payables.filter(state__in=[PayableState.RESERVED, PayableState.AWAITING], pay_month__lte=found.month)
    may_act = access_for(request).has(FINANCE_ROLES)
    return render(
        request,
        "desk/cycle.html",
        {
            "cycle": found,
            "batches": rows,
            "held": held[:PER_PAGE],
            "held_count": held.count(),
            "due": due.aggregate(count=Count("pk"), sum=Sum("amount")),
            "may_cut_off": may_act and found.state == CycleState.OPEN and today >= found.cut_off_on,
            "runs": CycleRun.objects.filter(cycle=found).select_related("asked_by").order_by("-pk")[:3],
            "too_early": found.state == CycleState.OPEN and today < found.cut_off_on,
            "may_seal": may_act and any(row.state in ("approved", "sealed") for row in rows),
            "documents": Document.objects.filter(subject=f"cycle:{found.pk}").defer("content"),
        },
    )


@role_required(*FINANCE_ROLES)
@require_POST
def cycle_cut_off(request: HttpRequest, cycle_id: int) -> HttpResponseBase:
    found = get_object_or_404(Cycle, pk=cycle_id)
    if runs.is_long(kind=RunKind.CUT_OFF, cycle_id=found.pk):
        return in_background(request, kind=RunKind.CUT_OFF, back="desk:cycle", cycle_id=found.pk)
    done = attempt(request, lambda: cycles.cut_off(month=found.month, now=timezone.now()))
    if done is not None:
        messages.success(
            request,
            _("已截止：%(batches)s 个批次待经办，%(held)s 笔因校验暂缓。")
            % {"batches": len(done.batches), "held": len(done.held)},
        )
    return redirect("desk:cycle", found.pk)


@role_required(*FINANCE_ROLES)
@require_POST
def cycle_seal(request: HttpRequest, cycle_id: int) -> HttpResponseBase:
    """Seal and send what has all its signatures."""
    found = get_object_or_404(Cycle, pk=cycle_id)
    if runs.is_long(kind=RunKind.SEAL, cycle_id=found.pk):
        return in_background(request, kind=RunKind.SEAL, back="desk:cycle", cycle_id=found.pk)
    done = attempt(request, lambda: cycles.seal_signed(month=found.month, now=timezone.now()))
    if done is not None:
        messages.success(
            request,
            _("已封存并发送 %(sent)s 个批次，%(waiting)s 个待签署或待送达。")
            % {"sent": len(done.sent), "waiting": len(done.waiting)},
        )
    return redirect("desk:cycle", found.pk)


@role_required(*_READERS)
def batch(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    return _batch_page(request, get_object_or_404(visible_batches(request), pk=batch_id))


def _batch_page(
    request: HttpRequest, found: Batch, *, bound: dict[str, forms.Form] | None = None, status: int = 200
) -> HttpResponseBase:
    actor = actor_for(request)
    permitted = batches.permitted_actions(batch=found, actor=actor) if actor.grants else []
    attempts = (
        found.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN)
        .select_related("payable__enterprise", "payable__application__item")
        .order_by("line_no", "pk")
    )
    held = (
        Payable.objects.filter(
            attempts__batch=found, attempts__outcome=AttemptOutcome.WITHDRAWN, state=PayableState.HELD
        )
        .select_related("enterprise", "application__item")
        .distinct()
        .order_by("pk")
    )
    sealed = SealedFile.objects.defer("content").filter(batch=found).first()
    shown: dict[str, forms.Form] = {}
    if BatchAction.MAKE in permitted:
        shown["make"] = MakeForm(initial={"file_format": found.format})
    if BatchAction.VERIFY in permitted:
        shown["verify"] = SignForm(initial={"seen_sha256": found.file_sha256})
    if BatchAction.APPROVE in permitted:
        shown["approve"] = SignForm(initial={"seen_sha256": found.file_sha256})
    if BatchAction.SEND_BACK in permitted:
        shown["send-back"] = ReasonForm(prefix="back")
    if BatchAction.DISSOLVE in permitted:
        shown["dissolve"] = ReasonForm(prefix="dissolve")
    may_act = access_for(request).has(FINANCE_ROLES)
    if may_act and found.state == "sent":
        shown["acknowledge"] = AcknowledgeForm()
    shown.update({name: form for name, form in (bound or {}).items() if name in shown})
    return render(
        request,
        "desk/batch.html",
        {
            "batch": found,
            "page": Paginator(attempts, PER_PAGE).get_page(request.GET.get("page")),
            "held": held[:PER_PAGE],
            "sealed": sealed,
            "figures": four_figures(batch=found) if sealed else None,
            "approvals": found.approvals.select_related("person").order_by("round", "pk"),
            "changes": found.changes.select_related("person").order_by("-pk")[:50],
            "documents": Document.objects.filter(subject__in=[f"batch:{found.pk}"]).defer("content"),
            "shown": [(name, _WORDS[name][0], form, _WORDS[name][1]) for name, form in shown.items()],
            "may_seal": may_act and found.state in ("approved", "sealed"),
            "may_reconcile": may_act and sealed is not None,
            "may_hold": may_act and found.state in ("frozen", "checked"),
            **(delivery_context(batch=found, may_act=may_act) if sealed else {}),
        },
        status=status,
    )


_WORDS = {
    "make": ("经办提交", ""),
    "verify": ("复核通过", ""),
    "approve": ("审批通过", ""),
    "send-back": ("退回经办", "danger"),
    "dissolve": ("解散批次", "danger"),
    "acknowledge": ("登记银行受理", "second"),
}


@role_required(*FINANCE_ROLES)
@require_POST
def batch_act(request: HttpRequest, batch_id: int, deed: str) -> HttpResponseBase:
    """Sign a batch, send it back, dissolve, seal, acknowledge or reconcile it."""
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    actor, now = actor_for(request), timezone.now()
    calls: dict[str, tuple[forms.Form, Callable[..., Any]]] = {
        "make": (MakeForm(request.POST), lambda **data: batches.make(batch_id=found.pk, actor=actor, now=now, **data)),
        "verify": (
            SignForm(request.POST),
            lambda **data: batches.verify(batch_id=found.pk, actor=actor, now=now, **data),
        ),
        "approve": (
            SignForm(request.POST),
            lambda **data: batches.approve(batch_id=found.pk, actor=actor, now=now, **data),
        ),
        "send-back": (
            ReasonForm(request.POST, prefix="back"),
            lambda **data: batches.send_back(batch_id=found.pk, actor=actor, now=now, **data),
        ),
        "dissolve": (
            ReasonForm(request.POST, prefix="dissolve"),
            lambda **data: batches.dissolve(batch_id=found.pk, actor=actor, now=now, **data),
        ),
        "acknowledge": (
            AcknowledgeForm(request.POST),
            lambda **data: sealing.acknowledge(batch_id=found.pk, now=now, **data),
        ),
        "seal": (forms.Form(request.POST), lambda **data: _seal_and_send(found, now)),
        "reconcile": (forms.Form(request.POST), lambda **data: reconciliation.reconcile(batch_id=found.pk, now=now)),
    }
    if deed not in calls:
        raise Http404
    form, call = calls[deed]
    if form.is_valid():
        try:
            call(**form.cleaned_data)
        except REFUSALS as refusal:
            lay_on(form, refusal)
            if deed in ("seal", "reconcile"):
                messages.error(request, str(refusal))
        else:
            messages.success(request, _("已完成：%(deed)s。") % {"deed": _DONE[deed]})
            return redirect("desk:batch", found.pk)
    found.refresh_from_db()
    fresh = get_object_or_404(visible_batches(request), pk=batch_id)
    if form.errors and deed not in ("seal", "reconcile"):
        for problems in form.errors.values():
            for problem in problems:
                messages.error(request, str(problem))
    return _batch_page(request, fresh, bound={deed: form}, status=422)


_DONE = {name: words[0] for name, words in _WORDS.items()} | {"seal": "封存并发送", "reconcile": "对账"}


def _seal_and_send(found: Batch, now: datetime) -> Batch:
    sealing.seal(batch_id=found.pk, now=now)
    return sealing.send(batch_id=found.pk, now=now)


@role_required(*_READERS)
def sealed_file(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The sealed bytes, as they were signed."""
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    sealed = get_object_or_404(SealedFile, batch=found)
    return attachment(content=bytes(sealed.content), name=sealed.name)


@role_required(*_READERS)
def draft_file(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The bytes that are being signed, before they are sealed: what checker and approver look at."""
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    if found.frozen_at is None or SealedFile.objects.filter(batch=found).exists():
        return redirect("desk:batch", found.pk)
    content = attempt(request, lambda: batches.file_bytes(batch=found))
    if content is None:
        return redirect("desk:batch", found.pk)
    return attachment(content=content, name=f"{found.number}-preview.{payment_format(found.format).extension}")


@role_required(*_READERS)
def batch_document(request: HttpRequest, batch_id: int, document_id: int) -> HttpResponseBase:
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    document = get_object_or_404(Document, pk=document_id, subject=f"batch:{found.pk}")
    return attachment(content=bytes(document.content), name=f"{document.number}.pdf", content_type="application/pdf")


@role_required(*_READERS)
def cycle_document(request: HttpRequest, cycle_id: int, document_id: int) -> HttpResponseBase:
    document = get_object_or_404(Document, pk=document_id, subject=f"cycle:{cycle_id}")
    return attachment(content=bytes(document.content), name=f"{document.number}.pdf", content_type="application/pdf")


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
