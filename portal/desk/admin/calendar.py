"""The working calendar: a year entered here takes the place of the shipped one."""

from __future__ import annotations

from datetime import date

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain import calendar as domain
from disbursement.domain.errors import REFUSALS
from disbursement.models import CalendarYear, SpecialDay
from disbursement.selectors.calendar import working_calendar
from disbursement.services.supervision import calendar_days
from disbursement.services.supervision.calendar_days import Change
from matching.days import day_of
from portal.accounts.access import role_required
from portal.accounts.models import StaffRole
from portal.forms import DateInput
from portal.refusals import lay_on, words_of

_SATURDAY = 5


class YearForm(forms.ModelForm):
    year = forms.IntegerField(label=gettext_lazy("年份"), min_value=2000, max_value=2199)

    class Meta:
        model = CalendarYear
        fields = ["year", "is_official", "source"]
        help_texts = {
            "is_official": gettext_lazy("国务院办公厅的放假通知发布并核对后勾选。"),
            "source": gettext_lazy("通知的标题和文号。"),
        }


class YearDetailsForm(forms.ModelForm):
    class Meta(YearForm.Meta):
        fields = ["is_official", "source"]


class DayForm(forms.Form):
    first = forms.DateField(label=gettext_lazy("日期"), widget=DateInput())
    last = forms.DateField(
        label=gettext_lazy("至"), widget=DateInput(), required=False, help_text=gettext_lazy("只有一天不用填。")
    )
    is_working = forms.TypedChoiceField(
        label=gettext_lazy("类型"),
        choices=[("free", gettext_lazy("放假")), ("worked", gettext_lazy("调休上班"))],
        coerce=lambda value: value == "worked",
    )
    name = forms.CharField(label=gettext_lazy("节日"), max_length=40)

    def __init__(self, *args, year: CalendarYear, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.year = year

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last") or cleaned.get("first")
        if first is None or last is None:
            return cleaned
        if last < first:
            self.add_error("last", _("结束日期不能早于开始日期。"))
        elif first.year != self.year.year or last.year != self.year.year:
            self.add_error("first", _("日期须在 %(year)s 年内。") % {"year": self.year.year})
        else:
            days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
            taken = set(SpecialDay.objects.filter(day__in=days).values_list("day", flat=True))
            if taken:
                self.add_error("first", _("%(day)s 已录入，请先删去。") % {"day": min(taken)})
            if cleaned.get("is_working") and any(day.weekday() < _SATURDAY for day in days):
                self.add_error("is_working", _("调休上班日须是周六或周日。"))
            cleaned["days"] = days
        return cleaned


@role_required(StaffRole.ADMINISTRATOR)
def years(request: HttpRequest) -> HttpResponseBase:
    """Years in force, shipped or entered, and the way to enter another."""
    form = YearForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        year = enter_year(form=form)
        messages.success(request, _("已录入 %(year)s，请逐日核对。") % {"year": year})
        return redirect("desk:calendar_year", year.pk)
    in_force = working_calendar()
    entered = {row.year: row for row in CalendarYear.objects.all()}
    rows = [
        {
            "year": year,
            "row": entered.get(year),
            "provisional": year in in_force.provisional,
            "holidays": sum(1 for day in in_force.holidays if day.year == year),
            "weekends": sum(1 for day in in_force.working_weekends if day.year == year),
        }
        for year in sorted(in_force.years, reverse=True)
    ]
    return render(
        request,
        "desk/admin/calendar.html",
        {"rows": rows, "form": form, "warnings": in_force.warnings(day_of(timezone.now()))},
    )


@role_required(StaffRole.ADMINISTRATOR)
def year(request: HttpRequest, year_id: int) -> HttpResponseBase:
    """One year's special days."""
    found = get_object_or_404(CalendarYear, pk=year_id)
    adding = request.method == "POST" and "first" in request.POST
    details = YearDetailsForm(request.POST if request.method == "POST" and not adding else None, instance=found)
    form = DayForm(request.POST if adding else None, year=found)
    if adding and form.is_valid():
        told = form.cleaned_data
        change = Change(days=tuple(told["days"]), is_working=told["is_working"], name=told["name"])
        try:
            return _preview_or_apply(request, found, change, _("已录入。"))
        except REFUSALS as refusal:
            lay_on(form, refusal)
    if request.method == "POST" and not adding and details.is_valid():
        details.save()
        messages.success(request, _("已保存。"))
        return redirect("desk:calendar_year", found.pk)
    return render(
        request,
        "desk/admin/calendar_year.html",
        {"year": found, "days": found.days.order_by("day"), "form": form, "details": details},
    )


@role_required(StaffRole.ADMINISTRATOR)
@require_POST
def day_delete(request: HttpRequest, year_id: int, day_id: int) -> HttpResponseBase:
    row = get_object_or_404(SpecialDay.objects.select_related("year"), pk=day_id, year_id=year_id)
    try:
        return _preview_or_apply(request, row.year, Change(removed=(row.day,)), _("已删去。"))
    except REFUSALS as refusal:
        for sentence in words_of(refusal):
            messages.error(request, sentence)
    return redirect("desk:calendar_year", year_id)


def _preview_or_apply(request: HttpRequest, year: CalendarYear, change: Change, done: str) -> HttpResponseBase:
    """Make the change at once where it moves nothing; else show what it moves, and make it once that is confirmed.

    Raises what the service refuses.
    """
    now = timezone.now()
    effect = calendar_days.preview(change=change, now=now)
    if not effect.is_none and "confirm" not in request.POST:
        sent = [(key, value) for key, value in request.POST.items() if key != "csrfmiddlewaretoken"]
        context = {"year": year, "change": change, "effect": effect, "sent": sent, "examples": effect.months[:20]}
        return render(request, "desk/admin/calendar_preview.html", context)
    calendar_days.apply(year_id=year.pk, change=change, now=now)
    moved = _("%(clocks)s 个在办时限、%(months)s 件申报的兑现月份随之调整。")
    counts = {"clocks": effect.clocks, "months": len(effect.months)}
    messages.success(request, done if effect.is_none else done + moved % counts)
    return redirect("desk:calendar_year", year.pk)


@transaction.atomic
def enter_year(*, form: YearForm) -> CalendarYear:
    """Enter a year, beginning with the shipped days of that year where there are some."""
    saved: CalendarYear = form.save()
    shipped = domain.shipped()
    days = [
        SpecialDay(year=saved, day=day, is_working=working, name=name)
        for working, listed in ((False, shipped.holidays), (True, shipped.working_weekends))
        for day, name in listed.items()
        if day.year == saved.year
    ]
    SpecialDay.objects.bulk_create(days)
    return saved
