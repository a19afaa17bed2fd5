"""Interests that a member of staff declares in enterprises: while one lasts, they take no part there."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.models import InterestDeclaration
from disbursement.services.review import interests as service
from matching.models import Enterprise
from portal.accounts.access import FINANCE_ROLES, REVIEW_ROLES, actor_for, role_required
from portal.refusals import attempt

_STAFF = (*REVIEW_ROLES, *FINANCE_ROLES)


class InterestForm(forms.Form):
    credit_code = forms.CharField(label=gettext_lazy("企业统一社会信用代码"), max_length=18)
    reason = forms.CharField(
        label=gettext_lazy("利益关系"), max_length=200, help_text=gettext_lazy("例如：配偶任职、持有股份。")
    )

    def clean_credit_code(self) -> Enterprise:
        code = str(self.cleaned_data["credit_code"]).strip().upper()
        enterprise = Enterprise.objects.filter(credit_code=code).first()
        if enterprise is None:
            raise forms.ValidationError(_("没有登记过这家企业，请核对统一社会信用代码。"))
        return enterprise


@role_required(*_STAFF)
def interests(request: HttpRequest) -> HttpResponseBase:
    form = InterestForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        declared = attempt(
            request,
            lambda: service.declare(
                enterprise_id=form.cleaned_data["credit_code"].pk,
                reason=form.cleaned_data["reason"],
                actor=actor_for(request),
                now=timezone.now(),
            ),
            done=_("已申报，该企业的事项您将自动回避。"),
        )
        if declared is not None:
            return redirect("desk:interests")
    rows = InterestDeclaration.objects.filter(user_id=request.user.pk or 0).select_related("enterprise")
    return render(request, "desk/interests.html", {"form": form, "rows": rows})


@role_required(*_STAFF)
@require_POST
def end_interest(request: HttpRequest, declaration_id: int) -> HttpResponseBase:
    row = get_object_or_404(InterestDeclaration, pk=declaration_id, user_id=request.user.pk)
    attempt(
        request,
        lambda: service.end(declaration_id=row.pk, actor=actor_for(request), now=timezone.now()),
        done=_("已解除。"),
    )
    return redirect("desk:interests")
