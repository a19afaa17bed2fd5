"""Changes of budget lines: proposed by one person, decided by another."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.models import BudgetChange, ChangeKind
from disbursement.services.budget import changes as budget
from matching.registry.models import BudgetLine
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.forms import RowChoice
from portal.refusals import attempt, lay_on

PER_PAGE = 30
READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR, StaffRole.ADMINISTRATOR)


class ChangeForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=ChangeKind.choices)
    amount = forms.DecimalField(
        label=gettext_lazy("金额（元）"),
        required=False,
        max_digits=16,
        decimal_places=2,
        help_text=gettext_lazy("调整额度：调增填正数，调减填负数。调剂：填调出的金额。冻结、解冻不填。"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    to_line = RowChoice(
        label=gettext_lazy("调入科目"),
        required=False,
        empty_label=gettext_lazy("不调剂"),
        queryset=BudgetLine.objects.none(),
        help_text=gettext_lazy("只在科目间调剂时选择。"),
    )
    paper_number = forms.CharField(label=gettext_lazy("批准文号"), max_length=80)
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, line: BudgetLine, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = BudgetLine.objects.filter(year=line.year, year_end__isnull=True).exclude(pk=line.pk).order_by("code")
        self.fields["to_line"].queryset = others  # type: ignore[attr-defined]


class DecisionForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("意见"), max_length=300, required=False, help_text=gettext_lazy("不批准时必须写明原因。")
    )


@role_required(*READERS)
def changes(request: HttpRequest) -> HttpResponseBase:
    """What waits for a decision, and what was decided."""
    found = BudgetChange.objects.select_related("line", "to_line", "proposed_by", "decided_by")
    actor = actor_for(request)
    waiting = list(found.filter(approved__isnull=True).order_by("pk"))
    may_decide = access_for(request).has({StaffRole.FINANCE_APPROVER})
    return render(
        request,
        "desk/budget/changes.html",
        {
            "waiting": [(change, may_decide and change.proposed_by_id != actor.user_id) for change in waiting],
            "form": DecisionForm(),
            "page": Paginator(found.filter(approved__isnull=False).order_by("-decided_at", "-pk"), PER_PAGE).get_page(
                request.GET.get("page")
            ),
        },
    )


@role_required(*FINANCE_ROLES)
def change_new(request: HttpRequest, line_id: int) -> HttpResponseBase:
    """Propose a change of one line."""
    line = get_object_or_404(BudgetLine.objects.select_related("department"), pk=line_id)
    form = ChangeForm(request.POST or None, line=line)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            budget.propose(
                kind=ChangeKind(data["kind"]),
                line_id=line.pk,
                actor=actor_for(request),
                now=timezone.now(),
                paper_number=data["paper_number"],
                reason=data["reason"],
                amount=data["amount"] if data["kind"] in (ChangeKind.ADJUST, ChangeKind.TRANSFER) else None,
                to_line_id=data["to_line"].pk
                if data["to_line"] is not None and data["kind"] == ChangeKind.TRANSFER
                else None,
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("已提出，待另一名审批人员决定后生效。"))
            return redirect("desk:budget_changes")
    return render(
        request,
        "desk/budget/change_new.html",
        {"line": line, "form": form, "bound": budget.bound(line=line), "free": line.ceiling - budget.bound(line=line)},
        status=422 if form.errors else 200,
    )


@role_required(*FINANCE_ROLES)
@require_POST
def change_decide(request: HttpRequest, change_id: int) -> HttpResponseBase:
    found = get_object_or_404(BudgetChange, pk=change_id)
    form = DecisionForm(request.POST)
    approve = "approve" in request.POST
    if not form.is_valid():
        messages.error(request, _("意见最多 300 个字。"))
        return redirect("desk:budget_changes")
    attempt(
        request,
        lambda: budget.decide(
            change_id=found.pk,
            approve=approve,
            actor=actor_for(request),
            now=timezone.now(),
            note=form.cleaned_data["note"],
        ),
        done=_("已批准，额度和账户已同步。") if approve else _("已不批准，额度不变。"),
    )
    return redirect("desk:budget_changes")
