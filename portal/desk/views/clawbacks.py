"""Money asked back: what is owed and overdue, the plan, what came in, and what is decided."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS, invalid
from disbursement.domain.instalments import MOST_ENTRIES
from disbursement.domain.workflow import PayableState, Role
from disbursement.models import Clawback, ClawbackPlan, Payable
from disbursement.services.recovery import plans as recovery_plans
from disbursement.services.recovery import recoveries
from disbursement.services.recovery.recoveries import RecoveryStanding
from matching.days import day_of
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.desk.views.finance_scope import READERS
from portal.forms import DateInput
from portal.refusals import lay_on, words_of

PER_PAGE = 50
_R = Role
_ENTRY = re.compile(r"^\s*(\d{4}-\d{1,2}-\d{1,2})[\s,，]+([0-9,]+(?:\.[0-9]{1,2})?)\s*$")


class ReceiptForm(forms.Form):
    amount = forms.DecimalField(label=gettext_lazy("到账金额（元）"), max_digits=16, decimal_places=2, min_value=0)
    received_on = forms.DateField(label=gettext_lazy("到账日期"), widget=DateInput())
    reference = forms.CharField(
        label=gettext_lazy("银行流水号"), max_length=80, help_text=gettext_lazy("同一笔到账只登记一次。")
    )
    note = forms.CharField(label=gettext_lazy("说明"), max_length=300, required=False)


class PlanForm(forms.Form):
    """Day and amount of each instalment, a line each; left empty, equal parts are made of number and first day."""

    count = forms.IntegerField(
        label=gettext_lazy("期数（按月均分）"), required=False, min_value=2, max_value=MOST_ENTRIES
    )
    first = forms.DateField(label=gettext_lazy("第一期日期"), required=False, widget=DateInput())
    entries = forms.CharField(
        label=gettext_lazy("或逐期填写"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "2026-05-15 40000.00"}),
        help_text=gettext_lazy("每行一期：日期 金额。填写后不再按均分计算。"),
    )
    reason = forms.CharField(label=gettext_lazy("同意分期的依据"), max_length=300)

    def clean_entries(self) -> list[tuple[date, Decimal]]:
        found = []
        for number, line in enumerate(filter(str.strip, self.cleaned_data["entries"].splitlines()), 1):
            match = _ENTRY.match(line)
            try:
                if match is None:
                    raise ValueError(line)
                year, month, day = map(int, match[1].split("-"))
                found.append((date(year, month, day), money.money(match[2].replace(",", ""))))
            except ValueError as error:
                raise forms.ValidationError(
                    _("第%(number)s行不是“日期 金额”，应如 2026-05-15 40000.00。") % {"number": number}
                ) from error
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("entries") and not (cleaned.get("count") and cleaned.get("first")):
            raise forms.ValidationError(_("请填写期数和第一期日期，或逐期填写日期和金额。"))
        return cleaned


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("理由"), max_length=300)


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("意见"), max_length=300, required=False)
    # The plan that was on the page: another, proposed since, is not approved unseen.
    plan_id = forms.IntegerField(widget=forms.HiddenInput, required=False)


class SetOffForm(ReasonForm):
    payable_id = forms.TypedChoiceField(label=gettext_lazy("抵扣的款项"), coerce=int)

    def __init__(self, *args: Any, coming: list[Payable], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["payable_id"]
        assert isinstance(choice, forms.TypedChoiceField)
        choice.choices = [
            (p.pk, f"{p.application.number}-{p.number} {p.application.item.name} {money.yuan(p.amount)}元")
            for p in coming
        ]


class ReturnedForm(forms.Form):
    receipt_id = forms.IntegerField(widget=forms.HiddenInput)
    returned_on = forms.DateField(label=gettext_lazy("退还日期"), widget=DateInput())
    reference = forms.CharField(label=gettext_lazy("退还流水号"), max_length=80)


def visible(request: HttpRequest) -> QuerySet[Clawback]:
    found = Clawback.objects.select_related(
        "payable__enterprise", "payable__application__item__department", "payable__budget_line", "ordered_by"
    )
    places = access_for(request).departments_of(READERS)
    return found if places is None else found.filter(payable__application__item__department_id__in=places)


@role_required(*READERS)
def clawback_list(request: HttpRequest) -> HttpResponseBase:
    """What is being asked back, the earliest day first; on demand what is over."""
    show = request.GET.get("show", "")
    found = visible(request)
    if show == "over":
        found = found.exclude(payable__state=PayableState.CLAWBACK).order_by("-recovered_at", "-pk")
    else:
        found = found.filter(payable__state=PayableState.CLAWBACK).order_by("due_on", "pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    today = day_of(timezone.now())
    rows = [recoveries.standing_of(demand=demand, as_of=today) for demand in page.object_list]
    return render(request, "desk/clawbacks.html", {"page": page, "rows": rows, "show": show, "today": today})


@role_required(*READERS)
def clawback(request: HttpRequest, clawback_id: int) -> HttpResponseBase:
    return _page(request, get_object_or_404(visible(request), pk=clawback_id))


def _page(
    request: HttpRequest, found: Clawback, *, bound: dict[str, forms.Form] | None = None, status: int = 200
) -> HttpResponseBase:
    today = day_of(timezone.now())
    how = recoveries.standing_of(demand=found, as_of=today)
    plans = list(found.plans.prefetch_related("entries", "changes__person").order_by("-number"))
    shown = _forms(found, how, plans, actor_for(request), today)
    shown.update({name: form for name, form in (bound or {}).items() if name in shown})
    receipts = found.receipts.select_related("recorded_by", "returned_by", "set_off__payable__application")
    return render(
        request,
        "desk/clawback.html",
        {
            "clawback": found,
            "how": how,
            "plans": plans,
            "receipts": receipts.order_by("-pk"),
            "today": today,
            "shown": [(name, *_WORDS[name], form) for name, form in shown.items()],
        },
        status=status,
    )


# Name → (button, style).
_WORDS = {
    "approve": ("批准计划", ""),
    "propose": ("提出分期计划", ""),
    "record": ("登记到账", ""),
    "refuse": ("不同意分期", "second"),
    "default": ("认定违约", "danger"),
    "set-off": ("抵扣应付款项", "danger"),
    "returned": ("登记多退款退还", "second"),
}


def _forms(
    found: Clawback, how: RecoveryStanding, plans: list[ClawbackPlan], actor: Actor, today: date
) -> dict[str, forms.Form]:
    """What this person may do now; the services have the last word."""
    line = found.payable.budget_line
    place = found.payable.application.item.department_id if line is None else line.department_id

    def holds(*roles: Role) -> bool:
        return any(actor.holds(role, department_id=place) for role in roles)

    states = {plan.state for plan in plans}
    shown: dict[str, forms.Form] = {}
    if found.payable.state == PayableState.CLAWBACK:
        if "proposed" in states and holds(_R.FINANCE_APPROVER):
            seen = next(plan.pk for plan in plans if plan.state == "proposed")
            shown["approve"] = NoteForm(prefix="approve", initial={"plan_id": seen})
        if "proposed" not in states and holds(_R.FINANCE_MAKER, _R.FINANCE_CHECKER):
            shown["propose"] = PlanForm(prefix="propose")
        if holds(_R.FINANCE_CHECKER):
            shown["record"] = ReceiptForm(prefix="record", initial={"received_on": today})
        if ("asked" in states and holds(*_FINANCE)) or ("proposed" in states and holds(_R.FINANCE_APPROVER)):
            shown["refuse"] = ReasonForm(prefix="refuse")
        if holds(_R.FINANCE_APPROVER) and how.overdue:
            if "in_force" in states:
                shown["default"] = ReasonForm(prefix="default")
            if coming := _coming(found, how.overdue):
                shown["set-off"] = SetOffForm(prefix="set-off", coming=coming)
    over = found.receipts.filter(excess__gt=0, returned_on__isnull=True).first()
    if over is not None and holds(*_FINANCE):
        initial = {"receipt_id": over.pk, "returned_on": today}
        shown["returned"] = ReturnedForm(prefix="returned", initial=initial)
    return shown


_FINANCE = (_R.FINANCE_MAKER, _R.FINANCE_CHECKER, _R.FINANCE_APPROVER)


def _coming(found: Clawback, rest: Decimal) -> list[Payable]:
    return list(
        Payable.objects.filter(
            enterprise_id=found.payable.enterprise_id,
            state__in=[PayableState.RESERVED, PayableState.HELD],
            amount__lte=rest,
        )
        .select_related("application__item")
        .order_by("pay_month", "pk")[:50]
    )


@role_required(*FINANCE_ROLES)
@require_POST
def clawback_act(request: HttpRequest, clawback_id: int, deed: str) -> HttpResponseBase:
    found = get_object_or_404(visible(request), pk=clawback_id)
    if deed not in _WORDS:
        raise Http404
    form = _bind(request, found, deed)
    if form.is_valid():
        try:
            _do(found, deed, actor_for(request), form.cleaned_data)
        except REFUSALS as refusal:
            lay_on(form, refusal)
            for sentence in words_of(refusal):
                messages.error(request, sentence)
        else:
            messages.success(request, _("已完成：%(deed)s。") % {"deed": _WORDS[deed][0]})
            return redirect("desk:clawback", found.pk)
    return _page(request, get_object_or_404(visible(request), pk=clawback_id), bound={deed: form}, status=422)


def _bind(request: HttpRequest, found: Clawback, deed: str) -> forms.Form:
    if deed == "set-off":
        rest = found.amount - recoveries.received_of(demand=found)
        return SetOffForm(request.POST, prefix=deed, coming=_coming(found, rest))
    kinds: dict[str, type[forms.Form]] = {
        "record": ReceiptForm,
        "propose": PlanForm,
        "approve": NoteForm,
        "returned": ReturnedForm,
    }
    return kinds.get(deed, ReasonForm)(request.POST, prefix=deed)


def _do(found: Clawback, deed: str, actor: Actor, data: dict[str, Any]) -> None:
    now = timezone.now()
    whom: dict[str, Any] = {"actor": actor, "now": now}
    if deed in ("approve", "refuse", "default"):
        states = {"approve": ["proposed"], "refuse": ["asked", "proposed"], "default": ["in_force"]}[deed]
        plan = found.plans.filter(state__in=states).order_by("-number").first()
        seen = data.pop("plan_id", None)
        if plan is None or (seen is not None and plan.pk != seen):
            raise invalid("plan", "计划已另有办理，与您看到的不同，请核对现在的计划后再办理。")
        calls: dict[str, Callable[..., Any]] = {
            "approve": recovery_plans.approve,
            "refuse": recovery_plans.refuse,
            "default": recovery_plans.default,
        }
        calls[deed](plan_id=plan.pk, **whom, **data)
    elif deed == "propose":
        entries = data["entries"] or [
            (due.due_on, due.amount)
            for due in recovery_plans.suggest(demand=found, count=data["count"], first=data["first"])
        ]
        recovery_plans.propose(clawback_id=found.pk, entries=entries, reason=data["reason"], **whom)
    elif deed == "returned":
        get_object_or_404(found.receipts, pk=data["receipt_id"])
        recoveries.return_excess(**whom, **data)
    elif deed == "set-off":
        recoveries.set_off(clawback_id=found.pk, **whom, **data)
    else:
        recoveries.record(clawback_id=found.pk, **whom, **data)
