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
from disbursement.models import Publicity
from disbursement.services.review.publicity import object_to
from matching.days import day_of
from portal.refusals import lay_on

PER_PAGE = 30


class ObjectionForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("姓名或单位"), max_length=80)
    contact = forms.CharField(
        label=gettext_lazy("联系方式"), max_length=120, help_text=gettext_lazy("用于答复，不公开。")
    )
    text = forms.CharField(
        label=gettext_lazy("异议内容"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("请写明具体事实和依据。"),
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
        try:
            object_to(publicity_id=found.pk, now=timezone.now(), **form.cleaned_data)
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("异议已收到，处理后会答复您。"))
            return redirect("publicity:detail", found.pk)
    is_open = found.closed_at is None and found.starts_on <= today <= found.ends_on
    return render(request, "publicity/detail.html", {"row": found, "form": form, "is_open": is_open})
