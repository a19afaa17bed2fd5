"""Public pages of 公示. They show the enterprise, the item and the amount, and nothing else of an application."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.errors import REFUSALS
from disbursement.models import Objection, Publicity
from disbursement.services.review.publicity import object_to
from matching.days import day_of
from portal import throttle
from portal.publicity import receipts
from portal.refusals import lay_on

PER_PAGE = 30
# From one address: objections an hour, and numbers looked up in ten minutes.
_MOST_OBJECTIONS, _HOUR = 6, 3600
_MOST_LOOKUPS, _TEN_MINUTES = 30, 600


class ObjectionForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("姓名或单位"), max_length=80)
    contact = forms.CharField(
        label=gettext_lazy("联系方式"), max_length=120, help_text=gettext_lazy("用于核实情况，不公开。")
    )
    text = forms.CharField(
        label=gettext_lazy("异议内容"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("请写明具体事实和依据。"),
    )


class NumberForm(forms.Form):
    number = forms.CharField(
        label=gettext_lazy("受理编号"),
        max_length=40,
        help_text=gettext_lazy("提交异议时告知，以 YY- 开头，不分大小写。"),
    )


def publicities(request: HttpRequest) -> HttpResponseBase:
    """What is publicised now, and what was."""
    today = day_of(timezone.now())
    found = Publicity.objects.select_related("application__enterprise", "application__item__department").filter(
        starts_on__lte=today
    )
    past = request.GET.get("show") == "past"
    found = found.filter(ends_on__lt=today) if past else found.filter(ends_on__gte=today, closed_at__isnull=True)
    page = Paginator(found.order_by("-ends_on", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "publicity/list.html", {"page": page, "past": past})


def publicity(request: HttpRequest, publicity_id: int) -> HttpResponseBase:
    """One publicity, and the form for an objection while it lasts."""
    today = day_of(timezone.now())
    found = get_object_or_404(
        Publicity.objects.select_related("application__enterprise", "application__item__department").filter(
            starts_on__lte=today
        ),
        pk=publicity_id,
    )
    form = ObjectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not throttle.take(request, name="objection", most=_MOST_OBJECTIONS, seconds=_HOUR):
            form.add_error(None, _("提交过于频繁，请一小时后再试，或者直接致电主管部门。"))
        else:
            try:
                given = object_to(publicity_id=found.pk, now=timezone.now(), **form.cleaned_data)
            except REFUSALS as refusal:
                lay_on(form, refusal)
            else:
                messages.success(request, _("异议已收到，请记下受理编号。"))
                return redirect("publicity:objection", receipts.number_of(given.pk))
    is_open = found.closed_at is None and found.starts_on <= today <= found.ends_on
    return render(request, "publicity/detail.html", {"row": found, "form": form, "is_open": is_open})


def find_objection(request: HttpRequest) -> HttpResponseBase:
    """Where the number of a receipt is typed."""
    form = NumberForm(request.GET if "number" in request.GET else None)
    if form.is_valid():
        number = "".join(form.cleaned_data["number"].split()).upper()
        if receipts.read(number) is not None:
            return redirect("publicity:objection", number)
        form.add_error("number", _("没有这个受理编号，请对照提交异议时的页面核对。"))
    return render(request, "publicity/find.html", {"form": form})


def objection(request: HttpRequest, number: str) -> HttpResponseBase:
    """What became of an objection, for whoever holds its receipt number."""
    if not throttle.take(request, name="receipt", most=_MOST_LOOKUPS, seconds=_TEN_MINUTES):
        text = _("查询过于频繁，请稍后再试。")
        return render(request, "publicity/find.html", {"form": NumberForm(), "told": text}, status=429)
    given = (
        Objection.objects.select_related(
            "publicity__application__enterprise", "publicity__application__item__department"
        )
        .filter(pk=receipts.read(number) or 0)
        .first()
    )
    if given is None:
        text = _("没有这个受理编号，请对照提交异议时的页面核对。")
        return render(request, "publicity/find.html", {"form": NumberForm(), "told": text}, status=404)
    context = {"given": given, "row": given.publicity, "number": receipts.number_of(given.pk)}
    response = render(request, "publicity/objection.html", context)
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
