"""The finance desk: the month's cycle."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from disbursement.domain.cycle import month_of
from disbursement.domain.workflow import CycleState, PayableState
from disbursement.models import (
    BackgroundRun,
    Cycle,
    Document,
    RunKind,
)
from disbursement.services import runs
from disbursement.services.month import cycles, preflight
from matching.days import day_of
from portal.accounts.access import FINANCE_ROLES, access_for, role_required
from portal.desk.background import in_background
from portal.desk.views.finance_scope import READERS, visible_batches, visible_payables
from portal.downloads import attachment
from portal.refusals import attempt

PER_PAGE = 50


@role_required(*READERS)
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


@role_required(*READERS)
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
            "runs": BackgroundRun.objects.filter(cycle=found).select_related("asked_by").order_by("-pk")[:3],
            "too_early": found.state == CycleState.OPEN and today < found.cut_off_on,
            "may_seal": may_act and any(row.state in ("approved", "sealed") for row in rows),
            "documents": Document.objects.filter(subject=f"cycle:{found.pk}").defer("content"),
            # Afterwards it stands on the preflight's own page: it is counted from the batches' lines each time.
            "differences": preflight.compare(cycle=found) if found.state == CycleState.CUT_OFF else None,
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


@role_required(*READERS)
def cycle_document(request: HttpRequest, cycle_id: int, document_id: int) -> HttpResponseBase:
    document = get_object_or_404(Document, pk=document_id, subject=f"cycle:{cycle_id}")
    return attachment(content=bytes(document.content), name=f"{document.number}.pdf", content_type="application/pdf")


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
