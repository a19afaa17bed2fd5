"""The monthly report as PDF, and when holders are warned."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.domain.supervision import month_number, month_of_number
from disbursement.domain.workflow import ClockStep
from disbursement.models import Document, DocumentKind
from disbursement.selectors import supervision as selectors
from disbursement.services import notices
from disbursement.services.supervision import reports as supervision_reports
from disbursement.services.supervision import warnings
from matching.days import day_of
from portal.accounts.access import actor_for, role_required
from portal.accounts.models import StaffRole
from portal.downloads import attachment
from portal.refusals import attempt, lay_on, words_of

_MOST_MONTHS = 36


class RuleForm(forms.Form):
    percent = forms.IntegerField(
        label=gettext_lazy("用去时限的比例（%）"), required=False, help_text=gettext_lazy("1 至 79；留空不按比例提醒。")
    )
    days_before = forms.IntegerField(
        label=gettext_lazy("到期前的工作日数"), required=False, help_text=gettext_lazy("留空不按天数提醒。")
    )


@role_required(StaffRole.SUPERVISOR)
def reports(request: HttpRequest) -> HttpResponseBase:
    """The months that are over, each with its report where it was made."""
    this_month = day_of(timezone.now()).replace(day=1)
    last = (this_month - timedelta(days=1)).replace(day=1)
    months = sorted({last, *selectors.months_with_lines()} - {this_month}, reverse=True)[:_MOST_MONTHS]
    made = supervision_reports.made()
    return render(
        request,
        "desk/supervision/reports.html",
        {
            "rows": [
                (month, month_number(month), made.get(supervision_reports.subject_of(month=month))) for month in months
            ],
            "may_make": None in actor_for(request).supervised,
        },
    )


@role_required(StaffRole.SUPERVISOR)
@require_POST
def report_make(request: HttpRequest, month: int) -> HttpResponseBase:
    """Make the report of a month that is over; the one there is, where it was made."""
    try:
        day = month_of_number(month)
    except ValueError as error:
        raise Http404 from error
    attempt(
        request,
        lambda: supervision_reports.make(month=day, actor=actor_for(request), now=timezone.now()),
        done=_("月报已出具，可以下载。"),
    )
    return redirect("desk:supervision_reports")


@role_required(StaffRole.SUPERVISOR)
def report_file(request: HttpRequest, document_id: int) -> HttpResponseBase:
    """The stored bytes of a report."""
    if not Document.objects.filter(pk=document_id, kind=DocumentKind.SUPERVISION).exists():
        raise Http404
    try:
        document, content = notices.open_document(document_id=document_id, actor=actor_for(request))
    except REFUSALS as refusal:
        raise Http404(words_of(refusal)[0]) from refusal
    return attachment(content=content, name=f"{document.number}.pdf", content_type="application/pdf")


@role_required(StaffRole.SUPERVISOR)
def rules(request: HttpRequest) -> HttpResponseBase:
    """When the holder of each step is warned."""
    step = request.POST.get("step", "")
    bound: RuleForm | None = None
    if request.method == "POST" and step in {one.value for one in ClockStep}:
        bound = RuleForm(request.POST, prefix=step)
        if bound.is_valid():
            try:
                warnings.set_rule(
                    step=ClockStep(step),
                    percent=bound.cleaned_data["percent"],
                    days_before=bound.cleaned_data["days_before"],
                    actor=actor_for(request),
                    now=timezone.now(),
                )
            except REFUSALS as refusal:
                lay_on(bound, refusal)
            else:
                messages.success(request, _("预警规则已保存，下一轮起生效。"))
                return redirect("desk:warning_rules")
    in_force = warnings.rules()
    forms_of = [
        (one, bound)
        if bound is not None and one.value == step
        else (
            one,
            RuleForm(
                prefix=one.value,
                initial={"percent": in_force[one.value].percent, "days_before": in_force[one.value].days_before},
            ),
        )
        for one in ClockStep
    ]
    return render(
        request,
        "desk/supervision/rules.html",
        {"forms": forms_of, "may_set": None in actor_for(request).supervised},
        status=422 if bound is not None and bound.errors else 200,
    )
