"""Paying again to the account from which a payment came back by the bank's own fault; and the paper that proves one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.actors import Actor
from disbursement.domain.workflow import PayableState, Role
from disbursement.models import AccountProof, Payable, Reissue
from disbursement.services.evidence import stored
from disbursement.services.payment import reissues
from portal.accounts.access import FINANCE_ROLES, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.views.finance_scope import visible_accounts, visible_payables
from portal.downloads import attachment
from portal.forms import typed
from portal.refusals import attempt

_PROPOSING = (StaffRole.FINANCE_MAKER, StaffRole.FINANCE_CHECKER)


class ReissueForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("依据"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("写明银行的说明，例如“代理银行系统故障，账户状态正常”。"),
    )


def reissue_context(*, payable: Payable, actor: Actor) -> dict[str, Any]:
    """What the payable's page shows: what waits for a decision, or the form to ask for one."""
    if payable.state != PayableState.BOUNCED:
        return {}
    department = None if payable.budget_line is None else payable.budget_line.department_id
    waiting = Reissue.objects.filter(payable=payable, approved__isnull=True).select_related("proposed_by").first()
    approves = actor.holds(Role.FINANCE_APPROVER, department_id=department)
    proposes = any(actor.holds(Role(role.value), department_id=department) for role in _PROPOSING)
    return {
        "reissue": waiting,
        "may_decide_reissue": waiting is not None and approves and waiting.proposed_by_id != actor.user_id,
        "reissue_form": ReissueForm(auto_id="reissue_%s") if waiting is None and proposes else None,
    }


@role_required(*_PROPOSING)
@require_POST
def propose(request: HttpRequest, payable_id: int) -> HttpResponseBase:
    found = get_object_or_404(visible_payables(request), pk=payable_id)
    reason = typed(request.POST, "reason", most=300)
    attempt(
        request,
        lambda: reissues.propose(payable_id=found.pk, reason=reason, actor=actor_for(request), now=timezone.now()),
        done=_("已提交，由财务审批人员决定。"),
    )
    return redirect("desk:payable", found.pk)


@role_required(StaffRole.FINANCE_APPROVER)
@require_POST
def decide(request: HttpRequest, payable_id: int, reissue_id: int) -> HttpResponseBase:
    found = get_object_or_404(visible_payables(request), pk=payable_id)
    row = get_object_or_404(Reissue, pk=reissue_id, payable=found)
    approve = request.POST.get("approve") == "yes"
    attempt(
        request,
        lambda: reissues.decide(
            reissue_id=row.pk,
            approve=approve,
            actor=actor_for(request),
            now=timezone.now(),
            note=typed(request.POST, "note", most=300),
        ),
        done=_("已同意，款项随下一批按原账户支付。") if approve else _("已退回，等待企业更正账户。"),
    )
    return redirect("desk:payable", found.pk)


@role_required(*FINANCE_ROLES, StaffRole.SUPERVISOR)
def account_proof(request: HttpRequest, account_id: int) -> HttpResponseBase:
    """The paper that came with an account, as a download."""
    row = get_object_or_404(
        AccountProof.objects.select_related("stored"), account__in=visible_accounts(request).filter(pk=account_id)
    )
    content = None
    if row.stored.may_be_opened:
        content = attempt(request, lambda: stored.read(stored=row.stored))
    else:
        messages.error(request, _("这个文件还没有通过查毒，不能打开。"))
    if content is None:
        return redirect("desk:accounts")
    return attachment(content=content, name=row.name, content_type=row.stored.content_type)
