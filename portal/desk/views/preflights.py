"""The month's preflight on a page and on paper; and the cut-off days of a year."""

from __future__ import annotations

from datetime import date

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.domain.preflight import MOST_LISTED, Issue, Outlook
from disbursement.models import Cycle, RunKind
from disbursement.selectors.cut_off import YEARS, months_of
from disbursement.services import runs
from disbursement.services.month import cut_off_days, preflight
from matching.chunks import chunks
from matching.days import day_of
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.accounts.people import finance_staff
from portal.desk.background import in_background
from portal.desk.views.finance_scope import READERS, is_bound, visible_payables
from portal.downloads import attachment
from portal.forms import DateInput
from portal.refusals import lay_on

# Of each issue so many payables on the page; all of them are in the record, and the payables' own page finds them.
SHOWN = 50
# Where an issue is mended: its target's kind → the page.
_PAGES = {
    "accounts": "desk:accounts",
    "payables": "desk:payables",
    "exceptions": "desk:exceptions",
    "budget_lines": "desk:budget_lines",
    "budget_line": "desk:budget_line",
    "gateways": "desk:gateways",
    "people": "desk:people",
    "calendar": "desk:calendar",
    "audit": "desk:audit",
    "batch": "desk:batch",
    "cycles": "desk:cycles",
    "clawbacks": "desk:clawbacks",
}


class DayForm(forms.Form):
    month = forms.CharField(widget=forms.HiddenInput, max_length=7)
    day = forms.DateField(label=gettext_lazy("新的截止日"), widget=DateInput())
    reason = forms.CharField(
        label=gettext_lazy("原因"), max_length=300, help_text=gettext_lazy("公开显示，并通知有关企业和人员。")
    )


@role_required(*READERS)
def cycle_preflight(request: HttpRequest, cycle_id: int) -> HttpResponseBase:
    """The last preflight of a cycle, and what its cut-off did otherwise."""
    found = get_object_or_404(Cycle, pk=cycle_id)
    kept = preflight.last_before(cycle=found)
    outlook = None if kept is None else Outlook.from_json(kept.content)
    if outlook is not None and is_bound(request):
        _name_only_visible(request, outlook)
    return render(
        request,
        "desk/preflight.html",
        {
            "cycle": found,
            "kept": kept,
            "outlook": outlook,
            "groups": []
            if outlook is None
            else [
                (
                    severity,
                    [(issue, _page_of(issue), shown := issue.listed[:SHOWN], issue.count - len(shown)) for issue in of],
                )
                for severity, of in outlook.by_severity
            ],
            "is_bound": is_bound(request),
            "differences": preflight.compare(cycle=found),
            "may_look": found.cut_at is None and access_for(request).has(FINANCE_ROLES),
            "earlier": found.preflights.select_related("made_by").defer("content").order_by("-pk")[:10],
        },
    )


@role_required(*FINANCE_ROLES)
@require_POST
def cycle_preflight_run(request: HttpRequest, cycle_id: int) -> HttpResponseBase:
    """Look now, and keep what was seen. Nothing else is written."""
    found = get_object_or_404(Cycle, pk=cycle_id)
    if found.cut_at is not None:
        messages.info(request, _("%(cycle)s已经截止，预检不再进行。") % {"cycle": found})
        return redirect("desk:cycle_preflight", found.pk)
    if runs.is_long(kind=RunKind.PREFLIGHT, cycle_id=found.pk):
        return in_background(request, kind=RunKind.PREFLIGHT, back="desk:cycle_preflight", cycle_id=found.pk)
    now = timezone.now()
    outlook = preflight.look(month=found.month, now=now, staff=finance_staff, probe=True)
    preflight.keep(cycle=found, outlook=outlook, now=now, actor=actor_for(request))
    messages.success(request, _("预检完成。"))
    return redirect("desk:cycle_preflight", found.pk)


@role_required(*READERS)
def cycle_preflight_pdf(request: HttpRequest, cycle_id: int) -> HttpResponseBase:
    """The report on paper; for those who answer for the whole district, since it names payees of every department."""
    if is_bound(request):
        messages.error(request, _("预检报告含各部门的款项，只对全区财务人员开放下载。"))
        return redirect("desk:cycle_preflight", cycle_id)
    found = get_object_or_404(Cycle, pk=cycle_id)
    kept = preflight.last_before(cycle=found)
    if kept is None:
        messages.info(request, _("还没有预检，请先预检。"))
        return redirect("desk:cycle_preflight", found.pk)
    content = preflight.printed(outlook=Outlook.from_json(kept.content), made_at=kept.made_at, now=timezone.now())
    return attachment(content=content, name=f"preflight-{found.month:%Y%m}.pdf", content_type="application/pdf")


@role_required(*READERS)
def cut_off_calendar(request: HttpRequest) -> HttpResponseBase:
    """The year's cut-off days, and a form to set one."""
    today = day_of(timezone.now())
    asked = request.GET.get("year", "")
    year = int(asked) if len(asked) == 4 and asked.isascii() and asked.isdigit() else today.year
    if year not in YEARS:
        year = today.year
    may_set = access_for(request).has({StaffRole.FINANCE_CHECKER, StaffRole.FINANCE_APPROVER})
    bound: DayForm | None = None
    if request.method == "POST" and may_set:
        bound = DayForm(request.POST)
        if bound.is_valid():
            try:
                month = date.fromisoformat(f"{bound.cleaned_data['month']}-01")
                cut_off_days.set_day(
                    month=month,
                    day=bound.cleaned_data["day"],
                    reason=bound.cleaned_data["reason"],
                    actor=actor_for(request),
                    now=timezone.now(),
                )
            except REFUSALS as refusal:
                lay_on(bound, refusal)
            except ValueError:
                bound.add_error(None, _("没有这个月份。"))
            else:
                messages.success(request, _("截止日已调整，有关企业和人员会收到通知。"))
                return redirect(f"{reverse('desk:cut_off_calendar')}?year={month.year}")
    rows = [
        (
            row,
            bound
            if bound is not None and bound.data.get("month") == f"{row.month:%Y-%m}"
            else DayForm(initial={"month": f"{row.month:%Y-%m}"}, auto_id=f"{row.month:%Y%m}-%s"),
        )
        for row in months_of(year=year)
    ]
    return render(
        request,
        "desk/cut_off_calendar.html",
        {"year": year, "rows": rows, "today": today, "may_set": may_set},
        status=422 if bound is not None and bound.errors else 200,
    )


def _name_only_visible(request: HttpRequest, outlook: Outlook) -> None:
    """Payables are named to who may open them. Counts and sums stay the month's: it is cut off for all together."""
    named = {row.payable for issue in outlook.issues for row in issue.listed}
    visible: set[int] = set()
    for some in chunks(sorted(named), MOST_LISTED):
        visible.update(visible_payables(request).filter(pk__in=some).values_list("pk", flat=True))
    for issue in outlook.issues:
        issue.listed = [row for row in issue.listed if row.payable in visible]


def _page_of(issue: Issue) -> str:
    kind, pk = issue.target
    name = _PAGES.get(kind)
    if name is None:
        return ""
    try:
        return reverse(name, args=[] if pk is None else [pk])
    except NoReverseMatch:  # a room that this installation does not serve
        return ""
