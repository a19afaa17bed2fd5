"""The end of a budget year: what is open, and closing it."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.models import BackgroundRun, Document, DocumentKind, RunKind
from disbursement.services import runs
from disbursement.services.budget import year_end
from matching.days import day_of
from matching.registry.models import BudgetLine
from portal.accounts.access import access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.background import in_background
from portal.desk.budget.changes import READERS
from portal.downloads import attachment
from portal.refusals import attempt


class CloseForm(forms.Form):
    paper_number = forms.CharField(label=gettext_lazy("批准文号"), max_length=80)


@role_required(*READERS)
def year(request: HttpRequest, year: int | None = None) -> HttpResponseBase:
    """The preflight of every line of a year (this one by default), and its report once all are closed."""
    today = day_of(timezone.now())
    year = today.year if year is None else year
    lines = BudgetLine.objects.filter(year=year).select_related("department").order_by("code")
    found = [year_end.preflight(line=line, today=today) for line in lines]
    return render(
        request,
        "desk/budget/year_end.html",
        {
            "year": year,
            "years": sorted(set(BudgetLine.objects.order_by().values_list("year", flat=True)) | {year}),
            "rows": found,
            "common": _common(found),
            "open": sum(row.done is None for row in found),
            "ready": sum(row.done is None and not row.blockers for row in found),
            "form": CloseForm(),
            "may_close": access_for(request).has({StaffRole.FINANCE_APPROVER}),
            "report": _report(year),
            "runs": BackgroundRun.objects.filter(year=year).select_related("asked_by")[:3],
        },
    )


@role_required(StaffRole.FINANCE_APPROVER)
@require_POST
def year_close(request: HttpRequest, year: int) -> HttpResponseBase:
    """Close every line that can be closed; those that cannot say why on the page. A worker carries over much."""
    form = CloseForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请填写批准文号（最多 80 个字）。"))
        return redirect("desk:year_end", year)
    paper = form.cleaned_data["paper_number"]
    if runs.under_way(year=year) or runs.is_long(kind=RunKind.YEAR_END, size=year_end.to_carry(year=year)):
        return in_background(request, kind=RunKind.YEAR_END, back="desk:year_end", year=year, paper_number=paper)
    outcomes = attempt(
        request,
        lambda: year_end.close_year(year=year, actor=actor_for(request), now=timezone.now(), paper_number=paper),
    )
    if outcomes is not None:
        tell = messages.success if any(outcome.closed for outcome in outcomes) else messages.warning
        tell(request, year_end.told(outcomes))
    return redirect("desk:year_end", year)


@role_required(*READERS)
def year_report(request: HttpRequest, year: int) -> HttpResponseBase:
    document = get_object_or_404(Document, kind=DocumentKind.YEAR, subject=f"year:{year}")
    return attachment(content=bytes(document.content), name=f"{document.number}.pdf", content_type="application/pdf")


def _common(found: Sequence[year_end.Preflight]) -> list[str]:
    """What keeps every line from being closed alike: told once for the year."""
    waiting = [row.blockers for row in found if row.done is None]
    if len(waiting) < 2:
        return []
    return [why for why in waiting[0] if all(why in blockers for blockers in waiting)]


def _report(year: int) -> Document | None:
    return Document.objects.defer("content").filter(kind=DocumentKind.YEAR, subject=f"year:{year}").first()
