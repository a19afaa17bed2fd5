"""Checks of quality: what was drawn, for whom, and what was found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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
from disbursement.models import Finding, QualityCheck, QualityDraw
from disbursement.selectors.aftermath import aftermath_of
from disbursement.services.review import quality
from matching.days import day_of
from portal.accounts import people
from portal.accounts.access import REVIEW_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.forms import typed
from portal.refusals import attempt, lay_on

_SEE = (*REVIEW_ROLES, StaffRole.SUPERVISOR)


class FindingForm(forms.Form):
    finding = forms.ChoiceField(label=gettext_lazy("结论"), choices=Finding.choices, widget=forms.RadioSelect)
    text = forms.CharField(
        label=gettext_lazy("抽查情况"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("写明核查了哪些条件、材料和决定，发现了什么。登记后不能更改。"),
    )


def _visible(request: HttpRequest) -> QuerySet[QualityCheck]:
    access = access_for(request)
    found = QualityCheck.objects.select_related(
        "draw",
        "application__enterprise",
        "application__item__department",
        "promise",
        "assigned_to",
        "decided_by",
        "checked_by",
    )
    places = access.departments_of(set(_SEE))
    return found if places is None else found.filter(application__item__department_id__in=places)


@role_required(*_SEE)
def checks(request: HttpRequest) -> HttpResponseBase:
    """One's own checks first; those of the departments, and the draws with their seeds, below."""
    found = _visible(request)
    page = Paginator(found.order_by("-draw__month", "checked_at", "pk"), 50).get_page(request.GET.get("page"))
    mine = list(found.filter(assigned_to_id=request.user.pk, checked_at__isnull=True).order_by("pk"))
    left = quality.left_behind(checks=[*mine, *page.object_list], in_use=people.in_use)
    draws = QualityDraw.objects.annotate(
        drawn=Count("checks"),
        done=Count("checks", filter=Q(checks__checked_at__isnull=False)),
        serious=Count("checks", filter=Q(checks__finding=Finding.SERIOUS)),
    ).order_by("-month")[:12]
    return render(
        request,
        "desk/quality.html",
        {
            "page": page,
            "mine": [row for row in mine if row.pk not in left],
            "left": left,
            "draws": draws,
            "may_draw": StaffRole.SUPERVISOR in access_for(request).roles,
            "proof": _proof(request),
        },
    )


def _proof(request: HttpRequest) -> dict[str, Any] | None:
    """A draw made again from its seed beside what was drawn then, for a supervisor who asks (`?proof=` its id)."""
    asked = typed(request.GET, "proof", most=18)
    if StaffRole.SUPERVISOR not in access_for(request).roles or not (asked.isascii() and asked.isdigit()):
        return None
    made = QualityDraw.objects.filter(pk=int(asked)).first()
    if made is None:
        return None
    again, then = quality.redraw(made=made)
    return {"draw": made, "count": len(then), "left_out": set(again) - set(then), "put_in": set(then) - set(again)}


@role_required(*_SEE)
def check(request: HttpRequest, check_id: int) -> HttpResponseBase:
    """One check: where to look, and the finding."""
    row = get_object_or_404(_visible(request), pk=check_id)
    form = FindingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            quality.record(
                check_id=row.pk,
                finding=Finding(form.cleaned_data["finding"]),
                text=form.cleaned_data["text"],
                actor=actor_for(request),
                now=timezone.now(),
                in_use=people.in_use,
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("抽查结论已登记。"))
            return redirect("desk:quality")
    left = quality.left_behind(checks=[row], in_use=people.in_use)
    is_mine = row.checked_at is None and (bool(left) or row.assigned_to_id in (None, request.user.pk))
    return render(
        request,
        "desk/quality_check.html",
        {
            "check": row,
            "left": left,
            "form": form,
            "may_record": is_mine and access_for(request).has(REVIEW_ROLES),
            "aftermath": aftermath_of(application=row.application),
        },
        status=422 if form.errors else 200,
    )


@role_required(StaffRole.SUPERVISOR)
@require_POST
def draw(request: HttpRequest) -> HttpResponseBase:
    """Draw last month's sample now, where the night has not done it yet."""
    now = timezone.now()
    last = (day_of(now).replace(day=1) - timedelta(days=1)).replace(day=1)
    attempt(
        request,
        lambda: quality.draw_month(
            month=last,
            now=now,
            candidates=lambda department_id: people.reviewers(department_id=department_id),
            actor=actor_for(request),
        ),
        done=_("上月的抽查已抽取。"),
    )
    return redirect("desk:quality")
