"""The finance desk: one batch, its signatures, and its sealed file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import BatchAction, BatchState, PayableState
from disbursement.ledger.reconcile import shown_figures
from disbursement.models import (
    AttemptOutcome,
    Batch,
    Document,
    Payable,
    PaymentFormat,
    RunKind,
    SealedFile,
)
from disbursement.selectors.demands import demands_beside
from disbursement.services import runs
from disbursement.services.month import batches
from disbursement.services.payment import reconciliation, sealing
from disbursement.services.payment.gateways import asks_a_bank
from disbursement.tasks import send_batch
from disbursement.treasury.formats import payment_format
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.desk.background import leave_to_worker
from portal.desk.views.deliveries import LetterForm, delivery_context
from portal.desk.views.finance_scope import READERS, visible_batches
from portal.downloads import attachment
from portal.refusals import attempt, lay_on

PER_PAGE = 50


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


@role_required(*READERS)
def batch(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    return batch_page(request, get_object_or_404(visible_batches(request), pk=batch_id))


def batch_page(
    request: HttpRequest,
    found: Batch,
    *,
    bound: dict[str, forms.Form] | None = None,
    letter: LetterForm | None = None,
    status: int = 200,
) -> HttpResponseBase:
    """The page of a batch; `bound` are forms that were refused, by deed, and `letter` a bank's letter that was."""
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
    figures, compared_at = shown_figures(batch=found, sealed=sealed) if sealed else (None, None)
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
            "figures": figures,
            "demands": demands_beside(batch=found)[:20] if sealed is None else [],
            "compared_at": compared_at,
            "approvals": found.approvals.select_related("person").order_by("round", "pk"),
            "changes": found.changes.select_related("person").order_by("-pk")[:50],
            "documents": Document.objects.filter(subject__in=[f"batch:{found.pk}"]).defer("content"),
            "shown": [(name, _WORDS[name][0], form, _WORDS[name][1]) for name, form in shown.items()],
            "may_seal": may_act and found.state in ("approved", "sealed"),
            "may_reconcile": may_act and sealed is not None,
            "may_hold": may_act and found.state in ("frozen", "checked"),
            **(delivery_context(batch=found, may_act=may_act, actor=actor, letter=letter) if sealed else {}),
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
    if deed == "seal" and found.state == BatchState.APPROVED and runs.is_long(kind=RunKind.SEAL, size=found.count):
        # No page waits for so many lines: the month's sealing goes to a worker, and shows how far it is.
        messages.warning(request, _("笔数较多，请在本页用“封存并发送已签署批次”办理：后台进行，可看进度。"))
        return redirect("desk:cycle", found.cycle_id)
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
        "seal": (forms.Form(request.POST), lambda **data: _seal_and_send(request, found, now)),
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
    return batch_page(request, fresh, bound={deed: form}, status=422)


_DONE = {name: words[0] for name, words in _WORDS.items()} | {"seal": "封存", "reconcile": "对账"}


def _seal_and_send(request: HttpRequest, found: Batch, now: datetime) -> None:
    sealing.seal(batch_id=found.pk, now=now)
    if asks_a_bank(batch=found):
        leave_to_worker(request, send_batch, found.pk, said=_("正在后台发送给银行，送达情况见本页。"))
    else:
        sealing.send(batch_id=found.pk, now=now)
        messages.success(request, _("付款文件已发送。"))


@role_required(*READERS)
def sealed_file(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The sealed bytes, as they were signed."""
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    sealed = get_object_or_404(SealedFile, batch=found)
    return attachment(content=bytes(sealed.content), name=sealed.name)


@role_required(*READERS)
def draft_file(request: HttpRequest, batch_id: int) -> HttpResponseBase:
    """The bytes that are being signed, before they are sealed: what checker and approver look at."""
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    if found.frozen_at is None or SealedFile.objects.filter(batch=found).exists():
        return redirect("desk:batch", found.pk)
    content = attempt(request, lambda: batches.file_bytes(batch=found))
    if content is None:
        return redirect("desk:batch", found.pk)
    return attachment(content=content, name=f"{found.number}-preview.{payment_format(found.format).extension}")


@role_required(*READERS)
def batch_document(request: HttpRequest, batch_id: int, document_id: int) -> HttpResponseBase:
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    document = get_object_or_404(Document, pk=document_id, subject=f"batch:{found.pk}")
    return attachment(content=bytes(document.content), name=f"{document.number}.pdf", content_type="application/pdf")
