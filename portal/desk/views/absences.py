"""Who is away and who stands in: each person for themselves, an administrator for everybody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.models import Absence
from disbursement.services.review import absences as service
from matching.days import day_of
from portal.accounts import people
from portal.accounts.access import FINANCE_ROLES, REVIEW_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole, User
from portal.forms import DateInput, RowChoice
from portal.refusals import attempt, carry_out

# Who has work that a deputy takes up, or is told of.
_WORKING = REVIEW_ROLES | FINANCE_ROLES
_MAY = (*_WORKING, StaffRole.ADMINISTRATOR)


class AbsenceForm(forms.Form):
    person = RowChoice(label=gettext_lazy("离岗人员"), queryset=User.objects.none())
    deputy = RowChoice(
        label=gettext_lazy("代理人员"),
        queryset=User.objects.none(),
        help_text=gettext_lazy("同部门、同职责的人员；您须回避的事项，代理人同样不能办理。"),
    )
    starts_on = forms.DateField(label=gettext_lazy("开始日"), widget=DateInput())
    ends_on = forms.DateField(
        label=gettext_lazy("结束日"), widget=DateInput(), help_text=gettext_lazy("到期次日自动交还，不用另行操作。")
    )
    reason = forms.CharField(label=gettext_lazy("事由"), max_length=200, help_text=gettext_lazy("例如：年休假。"))

    def __init__(self, *args: Any, own: User | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(is_active=True, role_assignments__role__in=_WORKING).distinct()
        staff = staff.order_by("full_name", "username")
        person, deputy = self.fields["person"], self.fields["deputy"]
        assert isinstance(person, forms.ModelChoiceField)
        assert isinstance(deputy, forms.ModelChoiceField)
        person.queryset = staff if own is None else staff.filter(pk=own.pk)
        deputy.queryset = staff if own is None else staff.exclude(pk=own.pk)
        if own is not None:
            person.initial = own


def _is_administrator(request: HttpRequest) -> bool:
    return StaffRole.ADMINISTRATOR in access_for(request).roles


@role_required(*_MAY)
def absences(request: HttpRequest) -> HttpResponseBase:
    """One's own absences, those one stands in for, and the form; an administrator sees all."""
    everything = _is_administrator(request)
    now = timezone.now()
    own = None if everything else User.objects.get(pk=request.user.pk or 0)
    form = AbsenceForm(request.POST or None, own=own, initial={"starts_on": day_of(now)})

    def declare(*, person: User, deputy: User, **told: Any) -> Absence:
        return service.declare_absence(
            person=people.actor_of(user_id=person.pk),
            deputy=people.actor_of(user_id=deputy.pk),
            actor=actor_for(request),
            now=now,
            is_administrator=everything,
            **told,
        )

    if request.method == "POST":
        made = carry_out(request, form, declare, done=_("已登记。离岗期间的申报和消息到时自动转给代理人员。"))
        if made is not None:
            return redirect("desk:absences")
    rows = Absence.objects.select_related("person", "deputy", "declared_by").annotate(moved=Count("handovers"))
    if own is not None:
        rows = rows.filter(person=own) | rows.filter(deputy=own)
    page = Paginator(rows.order_by("-starts_on", "-pk"), 50).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/absences.html",
        {"form": form, "page": page, "today": day_of(now), "everything": everything},
        status=422 if form.errors else 200,
    )


@role_required(*_MAY)
@require_POST
def end_absence(request: HttpRequest, absence_id: int) -> HttpResponseBase:
    row = get_object_or_404(Absence, pk=absence_id)
    attempt(
        request,
        lambda: service.end_absence(
            absence_id=row.pk,
            actor=actor_for(request),
            now=timezone.now(),
            is_administrator=_is_administrator(request),
        ),
        done=_("已返岗，代理人员手中的申报已交还。"),
    )
    return redirect("desk:absences")
