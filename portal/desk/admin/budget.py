"""Budget lines with what the ledger says of them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.ledger.posting import sync_ceiling
from disbursement.ledger.reconcile import ledger_findings
from disbursement.ledger.standing import freeze_of
from disbursement.models import AccountKind, BudgetChange, LedgerAccount, LedgerTransfer, YearEnd
from matching.registry.models import BudgetLine
from portal.accounts.access import FINANCE_ROLES, access_for, role_required
from portal.accounts.models import StaffRole

PER_PAGE = 50
_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR, StaffRole.ADMINISTRATOR)


class BudgetLineForm(forms.ModelForm):
    year = forms.IntegerField(label=gettext_lazy("年度"), min_value=2000, max_value=2199)

    class Meta:
        model = BudgetLine
        fields = ["code", "year", "name", "department", "fund", "source", "ceiling"]
        help_texts = {
            "code": gettext_lazy("政策事项按代码使用科目；同一代码每年度一条。"),
            "ceiling": gettext_lazy("新科目从 0 开始；额度由财务凭文号提出“调整额度”，另一人批准后生效。"),
        }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].empty_label = gettext_lazy("请选择")  # type: ignore[attr-defined]
        self.fields["ceiling"].widget = forms.TextInput(attrs={"inputmode": "decimal"})
        if self.instance.pk:
            self.fields["code"].disabled = True
            self.fields["year"].disabled = True
        # The ceiling, from its first 元 on, changes by `services.budget.changes`: on a paper, by two people.
        self.fields["ceiling"].disabled = True
        if not self.instance.pk:
            self.fields["ceiling"].initial = self.instance.ceiling = Decimal(0)


@role_required(*_READERS)
def budget_lines(request: HttpRequest) -> HttpResponseBase:
    page = Paginator(BudgetLine.objects.select_related("department").order_by("-year", "code"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    balances: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for account in LedgerAccount.objects.filter(budget_line__in=[line.pk for line in page.object_list]):
        balances[account.budget_line_id][account.kind] = account.balance
    rows = []
    for line in page.object_list:
        found = balances[line.pk]
        # Before the first posting nothing was appropriated yet: all of the ceiling is free.
        rows.append((line, found, found.get(AccountKind.APPROPRIATED, line.ceiling if not found else Decimal(0))))
    may_edit = access_for(request).has({StaffRole.ADMINISTRATOR})
    return render(request, "desk/admin/budget_lines.html", {"page": page, "rows": rows, "may_edit": may_edit})


@role_required(*_READERS)
def budget_line(request: HttpRequest, line_id: int) -> HttpResponseBase:
    """One line: balances, what the books say of themselves, and the latest transfers."""
    line = get_object_or_404(BudgetLine.objects.select_related("department"), pk=line_id)
    transfers = (
        LedgerTransfer.objects.filter(debit__budget_line=line)
        .select_related("debit", "credit", "payable__enterprise", "payable__application")
        .order_by("-pk")
    )
    return render(
        request,
        "desk/admin/budget_line.html",
        {
            "line": line,
            "accounts": LedgerAccount.objects.filter(budget_line=line).order_by("pk"),
            "findings": ledger_findings(line=line),
            "page": Paginator(transfers, PER_PAGE).get_page(request.GET.get("page")),
            "may_edit": access_for(request).has({StaffRole.ADMINISTRATOR}),
            "may_change": access_for(request).has(FINANCE_ROLES),
            "frozen": freeze_of(line=line),
            "year_end": YearEnd.objects.filter(line=line).select_related("closed_by").first(),
            "changes": BudgetChange.objects.filter(Q(line=line) | Q(to_line=line)).select_related(
                "line", "to_line", "proposed_by", "decided_by"
            )[:20],
        },
    )


@role_required(StaffRole.ADMINISTRATOR)
def budget_line_edit(request: HttpRequest, line_id: int | None = None) -> HttpResponseBase:
    """A new line, which has no money yet, or other words for one."""
    line = get_object_or_404(BudgetLine, pk=line_id) if line_id is not None else None
    form = BudgetLineForm(request.POST or None, instance=line)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            saved = form.save()
            sync_ceiling(line=saved, now=timezone.now())
        if line is None:
            messages.success(request, _("科目已建立，额度为 0。请财务人员凭文号提出“调整额度”，另一人批准后生效。"))
        else:
            messages.success(request, _("已保存。"))
        return redirect("desk:budget_line", saved.pk)
    return render(request, "desk/admin/budget_line_edit.html", {"form": form, "line": line})
