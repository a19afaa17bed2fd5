"""What the bank sent back: files, each line with its result, and what nobody has dealt with yet."""

from __future__ import annotations

import re

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.models import (
    ExceptionNote,
    LineStatus,
    PaymentAttempt,
    Remedy,
    ReturnFile,
    ReturnLine,
    ReturnResult,
    RunKind,
)
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.exceptions import by_age, of_age, open_exceptions
from disbursement.services import runs
from disbursement.services.payment import exceptions as exception_service
from disbursement.services.payment import returns
from matching.days import day_of
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.background import in_background
from portal.downloads import attachment
from portal.forms import typed
from portal.refusals import attempt, lay_on

PER_PAGE = 50
# A statement of a hundred thousand entries takes some 120 MB.
LARGEST = 200 * 1024 * 1024
_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR)
_PEOPLE = ("owner", "written_by")
_DEMAND = re.compile(r"ZH-[0-9]{4}-[0-9]{6}")


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("回单文件"),
        help_text=gettext_lazy(
            "银行返回的 CSV、XLSX，或 pain.002、camt.053 报文（XML）。同一文件重复上传不会重复入账。"
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.xml"}),
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("文件超过 200 MB，请向银行索取分段文件。"))
        return file


def _lines(request: HttpRequest) -> QuerySet[ReturnLine]:
    """Lines of one's departments' batches; strangers to every batch only for roles in the whole district."""
    places = access_for(request).departments_of(_READERS)
    found = ReturnLine.objects.select_related("batch", "attempt__payable__enterprise", "file").defer("file__content")
    return found if places is None else found.filter(batch__budget_line__department_id__in=places)


def _number(row: ReturnLine) -> str:
    """The number of the demand that the bank's words name, if they do."""
    found = _DEMAND.search(f"{row.line_id} {row.reason} {row.reference}")
    return "" if found is None else found[0]


@role_required(*_READERS)
def return_list(request: HttpRequest) -> HttpResponseBase:
    """Files that came, the newest first, and the way to bring another."""
    may_upload = access_for(request).has(FINANCE_ROLES)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and may_upload and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept, is_new, said = returns.receive(
                name=file.name or "returns.csv", content=file.read(), now=timezone.now(), actor=actor_for(request)
            )
            if kept.posted_at is None and runs.is_long(kind=RunKind.RETURNS, size=said.count):
                return in_background(request, kind=RunKind.RETURNS, back="desk:return", file_id=kept.pk)
            report = returns.post_file(file_id=kept.pk, now=timezone.now())
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(
                request,
                _("入账 %(posted)s 笔，重复 %(duplicates)s 笔，例外 %(exceptions)s 笔。")
                % {"posted": report.posted, "duplicates": report.duplicates, "exceptions": report.exceptions},
            )
            if not is_new:
                messages.info(request, _("这个文件此前已经处理过，没有重复入账。"))
            return redirect("desk:return", report.file.pk)
    files = (
        ReturnFile.objects.defer("content")
        .select_related("received_by")
        .annotate(
            posted=Count("lines", filter=Q(lines__status=LineStatus.POSTED)),
            exceptions=Count("lines", filter=Q(lines__status=LineStatus.EXCEPTION)),
            duplicates=Count("lines", filter=Q(lines__status=LineStatus.DUPLICATE)),
        )
        .order_by("-pk")
    )
    page = Paginator(files, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "desk/returns.html", {"page": page, "form": form, "may_upload": may_upload})


@role_required(*_READERS)
def return_file(request: HttpRequest, file_id: int) -> HttpResponseBase:
    """One file, line by line."""
    found = get_object_or_404(ReturnFile.objects.defer("content").select_related("received_by"), pk=file_id)
    status = request.GET.get("status", "")
    rows = _lines(request).filter(file=found).order_by("row_no")
    counts = {row["status"]: row["count"] for row in rows.order_by().values("status").annotate(count=Count("pk"))}
    if status in LineStatus.values:
        rows = rows.filter(status=status)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/return.html",
        {
            "file": found,
            "page": page,
            "status": status,
            "tabs": [(value, label, counts.get(value, 0)) for value, label in LineStatus.choices],
        },
    )


@role_required(*_READERS)
def return_download(request: HttpRequest, file_id: int) -> HttpResponseBase:
    """The file as it came; for those who answer for the whole district, since it names every payee."""
    if access_for(request).departments_of(_READERS) is not None:
        messages.error(request, _("回单原件含各部门的付款，只对全区财务人员开放下载。"))
        return redirect("desk:return", file_id)
    found = get_object_or_404(ReturnFile, pk=file_id)
    return attachment(content=bytes(found.content), name=found.name)


@role_required(*_READERS)
def exceptions(request: HttpRequest) -> HttpResponseBase:
    """What could not be posted, the oldest first; and payments on which the bank contradicts itself."""
    today = day_of(timezone.now())
    age, result = request.GET.get("age", ""), request.GET.get("result", "")
    rows = of_age(open_exceptions(_lines(request)), code=age, today=today)
    if result in ReturnResult.values:
        rows = rows.filter(result=result)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    notes: dict[int, list[ExceptionNote]] = {}
    for note in ExceptionNote.objects.filter(line__in=[row.pk for row in page.object_list]).select_related(*_PEOPLE):
        notes.setdefault(note.line_id, []).append(note)
    calendar = working_calendar()
    places = access_for(request).departments_of(_READERS)
    torn = PaymentAttempt.objects.filter(contradicted=True).select_related("payable__enterprise", "batch")
    if places is not None:
        torn = torn.filter(batch__budget_line__department_id__in=places)
    return render(
        request,
        "desk/exceptions.html",
        {
            "page": page,
            "rows": [
                (row, calendar.working_days_between(day_of(row.created_at), today), notes.get(row.pk, []), _number(row))
                for row in page.object_list
            ],
            "remedies": Remedy.choices,
            "torn": torn.order_by("pk")[:PER_PAGE],
            "ages": by_age(_lines(request), today=today),
            "age": age,
            "result": result,
            "results": ReturnResult.choices,
            "may_resolve": access_for(request).has(FINANCE_ROLES),
        },
    )


@role_required(*FINANCE_ROLES)
@require_POST
def exception_resolve(request: HttpRequest, line_id: int) -> HttpResponseBase:
    """How an exception ended, by kind and in words."""
    row = get_object_or_404(_lines(request), pk=line_id)
    attempt(
        request,
        lambda: exception_service.resolve(
            line_id=row.pk,
            actor=actor_for(request),
            now=timezone.now(),
            remedy=typed(request.POST, "remedy", most=10),
            text=typed(request.POST, "text", most=300),
            clawback_number=typed(request.POST, "clawback_number", most=40),
        ),
        done=_("已登记处理结果。"),
    )
    return redirect("desk:exceptions")


@role_required(*FINANCE_ROLES)
@require_POST
def exception_note(request: HttpRequest, line_id: int) -> HttpResponseBase:
    """Who looks after it from here on, and what is known."""
    row = get_object_or_404(_lines(request), pk=line_id)
    attempt(
        request,
        lambda: exception_service.note(
            line_id=row.pk,
            actor=actor_for(request),
            now=timezone.now(),
            text=typed(request.POST, "text", most=300),
            owner_id=request.user.pk if request.POST.get("mine") else None,
        ),
        done=_("已登记。"),
    )
    return redirect("desk:exceptions")
