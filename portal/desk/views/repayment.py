"""The account to which enterprises pay money back: what stands, what is proposed, who decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.models import RepaymentAccount, RepaymentDecision
from disbursement.selectors.repayment import account_in_force
from disbursement.services.recovery import repayment
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.forms import typed
from portal.refusals import attempt, carry_out

_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR)
_SHOWN = 20


class AccountForm(forms.Form):
    account_name = forms.CharField(label=gettext_lazy("户名"), max_length=120)
    bank_name = forms.CharField(label=gettext_lazy("开户银行"), max_length=120)
    account_number = forms.CharField(
        label=gettext_lazy("账号"),
        max_length=40,
        help_text=gettext_lazy("8至32位数字，空格和短横会去掉。"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    contact = forms.CharField(label=gettext_lazy("联系人或科室"), max_length=60)
    phone = forms.CharField(label=gettext_lazy("联系电话"), max_length=40)
    reason = forms.CharField(
        label=gettext_lazy("依据"), max_length=300, help_text=gettext_lazy("如财政专户开户、变更的文件。")
    )


@role_required(*_READERS)
def repayment_account(request: HttpRequest) -> HttpResponseBase:
    """The account in force, the one that waits, those before, and the way to propose another."""
    access, actor = access_for(request), actor_for(request)
    may_propose = access.has(FINANCE_ROLES) and access.departments_of(FINANCE_ROLES) is None
    form = AccountForm(request.POST or None)
    if request.method == "POST" and may_propose:

        def propose(**told: Any) -> RepaymentAccount:
            return repayment.propose(actor=actor, now=timezone.now(), **told)

        if carry_out(request, form, propose, done=_("已提出，另一名审批人员批准后生效。")):
            return redirect("desk:repayment_account")
    rows = RepaymentAccount.objects.select_related("proposed_by", "decided_by").order_by("-pk")
    waiting = rows.filter(decision=RepaymentDecision.NONE).first()
    return render(
        request,
        "desk/repayment_account.html",
        {
            "account": account_in_force(),
            "waiting": waiting,
            "may_decide": waiting is not None
            and access.has({StaffRole.FINANCE_APPROVER})
            and waiting.proposed_by_id != actor.user_id,
            "rows": rows.exclude(decision=RepaymentDecision.NONE)[:_SHOWN],
            "form": form if may_propose and waiting is None else None,
        },
        status=422 if form.errors else 200,
    )


@role_required(StaffRole.FINANCE_APPROVER)
@require_POST
def repayment_decide(request: HttpRequest, account_id: int) -> HttpResponseBase:
    found = get_object_or_404(RepaymentAccount, pk=account_id)
    approve = "approve" in request.POST
    attempt(
        request,
        lambda: repayment.decide(
            account_id=found.pk,
            approve=approve,
            actor=actor_for(request),
            now=timezone.now(),
            note=typed(request.POST, "note", most=300),
        ),
        done=_("已批准，追回页面和通知书从现在起写明该账户。") if approve else _("已不同意，原账户不变。"),
    )
    return redirect("desk:repayment_account")
