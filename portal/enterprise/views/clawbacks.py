"""Money that the enterprise is asked to pay back: how much, by when, and asking to do so in instalments."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.errors import REFUSALS
from disbursement.domain.instalments import MOST_ENTRIES
from disbursement.domain.workflow import PayableState
from disbursement.models import Clawback, Document
from disbursement.selectors.repayment import account_in_force
from disbursement.services.recovery import plans as recovery_plans
from disbursement.services.recovery import recoveries
from matching.days import day_of
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.refusals import lay_on


class AskForm(forms.Form):
    wished = forms.IntegerField(
        label=gettext_lazy("希望分几期"), min_value=2, max_value=MOST_ENTRIES, help_text=gettext_lazy("一般按月退回。")
    )
    reason = forms.CharField(
        label=gettext_lazy("申请理由"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("写明经营和资金情况。批准以前，仍以通知的期限为准。"),
    )


@enterprise_required
def clawback(request: HttpRequest, clawback_id: int) -> HttpResponseBase:
    found = get_object_or_404(
        Clawback.objects.select_related("payable__application__item__department"),
        pk=clawback_id,
        payable__enterprise=current_enterprise(request),
    )
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            recovery_plans.ask(
                clawback_id=found.pk, actor=enterprise_actor(request), now=timezone.now(), **form.cleaned_data
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("申请已提交，结果会通知您。"))
            return redirect("enterprise:clawback", found.pk)
    plans = list(found.plans.order_by("-number"))
    busy = {"asked", "proposed", "in_force"} & {plan.state for plan in plans}
    return render(
        request,
        "enterprise/clawback.html",
        {
            "clawback": found,
            "how": recoveries.standing_of(demand=found, as_of=day_of(timezone.now())),
            "plans": plans,
            "account": account_in_force(),
            "department": found.payable.application.item.department,
            "form": form,
            "may_ask": found.payable.state == PayableState.CLAWBACK and not busy,
            "documents": Document.objects.filter(application_id=found.payable.application_id)
            .filter(kind__in=["clawback", "instalments", "set_off"])
            .defer("content"),
        },
        status=422 if form.errors else 200,
    )
