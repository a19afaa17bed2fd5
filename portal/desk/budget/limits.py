"""Caps over items and groups of items (享受上限), declared and ended by policy officers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.models import AwardLimit
from disbursement.services.award import limits
from matching.models import PolicyItem
from portal.accounts.access import DESK_ROLES, access_for, role_required
from portal.accounts.models import StaffRole
from portal.refusals import attempt, lay_on

_READERS = (*DESK_ROLES, StaffRole.POLICY_OFFICER)


def _money(label: Any, help_text: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=False,
        min_value=0,
        max_digits=16,
        decimal_places=2,
        help_text=help_text,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


class LimitForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("名称"), max_length=120, help_text=gettext_lazy("例如：科技创新类年度总额")
    )
    basis = forms.CharField(
        label=gettext_lazy("依据"), max_length=300, help_text=gettext_lazy("文件名、文号和条款，会写入核定的计算过程。")
    )
    covers_all = forms.BooleanField(label=gettext_lazy("适用于全部事项"), required=False)
    items = forms.ModelMultipleChoiceField(
        label=gettext_lazy("适用事项"),
        required=False,
        queryset=PolicyItem.objects.none(),
        help_text=gettext_lazy("可选多项；选“适用于全部事项”时不选。"),
    )
    is_exclusive = forms.BooleanField(
        label=gettext_lazy("就高不重复：同一年度各事项合计只享受最高的一项"), required=False
    )
    per_year = _money(gettext_lazy("每家企业每年上限（元）"), gettext_lazy("按审核通过的年度计算。"))
    total = _money(gettext_lazy("每家企业累计上限（元）"), gettext_lazy("各年合计。"))
    fact = forms.CharField(
        label=gettext_lazy("不超过的指标"),
        required=False,
        max_length=80,
        help_text=gettext_lazy("词表中的金额指标，例如 district_contribution@last（上年度区级贡献）。"),
    )
    fact_share = forms.DecimalField(
        label=gettext_lazy("指标比例（%）"), initial=100, min_value=0.01, max_value=1000, max_digits=7, decimal_places=2
    )
    from_year = forms.IntegerField(label=gettext_lazy("起始年度"), min_value=2000, max_value=2999)
    until_year = forms.IntegerField(label=gettext_lazy("截止年度"), min_value=2000, max_value=2999, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items = PolicyItem.objects.filter(current_version__isnull=False).order_by("name")
        self.fields["items"].queryset = items  # type: ignore[attr-defined]


@role_required(*_READERS)
def limit_list(request: HttpRequest) -> HttpResponseBase:
    """The caps in force, and those that were ended."""
    found = AwardLimit.objects.prefetch_related("items__item").select_related("declared_by", "ended_by")
    return render(
        request,
        "desk/budget/limits.html",
        {
            "limits": found.filter(ended_at__isnull=True),
            "ended": found.filter(ended_at__isnull=False).order_by("-ended_at")[:50],
            "may_edit": access_for(request).has({StaffRole.POLICY_OFFICER}),
        },
    )


@role_required(StaffRole.POLICY_OFFICER)
def limit_new(request: HttpRequest) -> HttpResponseBase:
    form = LimitForm(request.POST or None, initial={"from_year": timezone.localdate().year})
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        items = data.pop("items")
        try:
            limits.declare(**data, item_ids=[item.pk for item in items], user_id=_user(request), now=timezone.now())
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("已设定，今后的审核通过按此封顶。"))
            return redirect("desk:limits")
    return render(request, "desk/budget/limit_new.html", {"form": form}, status=422 if form.errors else 200)


@role_required(StaffRole.POLICY_OFFICER)
@require_POST
def limit_end(request: HttpRequest, limit_id: int) -> HttpResponseBase:
    found = get_object_or_404(AwardLimit, pk=limit_id)
    reason = request.POST.get("reason", "").replace("\0", "")[:300]
    attempt(
        request,
        lambda: limits.end(limit_id=found.pk, reason=reason, user_id=_user(request), now=timezone.now()),
        done=_("已停用。"),
    )
    return redirect("desk:limits")


def _user(request: HttpRequest) -> int:
    assert request.user.pk is not None
    return int(request.user.pk)
