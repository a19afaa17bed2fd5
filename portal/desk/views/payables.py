"""Single payables, and the accounts that enterprises want to be paid to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import PAYABLE, PayableAction, PayableState, Role
from disbursement.models import AccountState, AttemptOutcome, Clawback, Payable, PayeeAccount
from disbursement.selectors.aftermath import aftermath_of
from disbursement.selectors.demands import open_demands
from disbursement.services.payment import payees, payments
from matching.days import day_of
from portal.accounts.access import FINANCE_ROLES, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.views.finance_scope import visible_accounts, visible_payables
from portal.desk.views.money_sheets import Filters, lines_of
from portal.desk.views.reissues import reissue_context
from portal.forms import DateInput, typed
from portal.refusals import attempt, words_of

PER_PAGE = 50
_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("原因"), max_length=300)


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("说明"), max_length=300, required=False)


class ReleaseForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("解除依据"), max_length=300, help_text=gettext_lazy("写明暂缓的原因怎样消除的，留存备查。")
    )


class EntryForm(forms.Form):
    """An entry of the bank: the same money is recorded once."""

    received_on = forms.DateField(label=gettext_lazy("到账日期"), widget=DateInput())
    reference = forms.CharField(
        label=gettext_lazy("银行流水号"), max_length=80, help_text=gettext_lazy("同一笔到账只登记一次。")
    )


class RefundForm(EntryForm):
    reason = forms.CharField(
        label=gettext_lazy("原因"),
        max_length=300,
        help_text=gettext_lazy("只登记整期退回。只退回一部分的，请与企业核实，退齐后再登记。"),
    )


class RecoverForm(EntryForm, NoteForm):
    pass


class ClawBackForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("原因"),
        max_length=300,
        help_text=gettext_lazy("追回的是本期全部金额，不能只追回一部分；企业可以分次退回。"),
    )
    due_on = forms.DateField(label=gettext_lazy("退回期限"), widget=DateInput())


# Name → (action of the table, label, form, service, style of the button).
DEEDS: dict[str, tuple[PayableAction, str, type[forms.Form], Callable[..., Any], str]] = {
    "hold": (PayableAction.HOLD, "暂缓", ReasonForm, payments.hold, "second"),
    "release": (PayableAction.RELEASE, "解除暂缓", ReleaseForm, payments.release, ""),
    "cancel": (PayableAction.CANCEL, "取消支付", ReasonForm, payments.cancel, "danger"),
    "refund": (PayableAction.REFUND, "登记退款", RefundForm, payments.refund, "second"),
    "claw-back": (PayableAction.CLAW_BACK, "发起追回", ClawBackForm, payments.claw_back, "danger"),
    "recover": (PayableAction.RECOVER, "确认追回到账", RecoverForm, payments.recover, ""),
}


@role_required(*_READERS)
def payable_list(request: HttpRequest) -> HttpResponseBase:
    filters = Filters.of(request)
    visible = visible_payables(request)
    found = filters.applied(visible).order_by("pay_month", "pk")
    return render(
        request,
        "desk/payables.html",
        {
            "page": Paginator(found, PER_PAGE).get_page(request.GET.get("page")),
            "filters": filters,
            "states": PayableState.choices(),
            "lines": lines_of(visible),
            "total": found.order_by().aggregate(sum=Sum("amount"))["sum"],
        },
    )


@role_required(*_READERS)
def payable(request: HttpRequest, payable_id: int) -> HttpResponseBase:
    return _page(request, get_object_or_404(visible_payables(request), pk=payable_id))


def _page(
    request: HttpRequest, found: Payable, *, bound: dict[str, forms.Form] | None = None, status: int = 200
) -> HttpResponseBase:
    shown = {
        name: (bound or {}).get(name) or form(prefix=name, initial=_initial(name, timezone.now()))
        for name, (action, _label, form, _call, _style) in DEEDS.items()
        if _may(found, action, actor_for(request))
    }
    return render(
        request,
        "desk/payable.html",
        {
            "payable": found,
            "aftermath": aftermath_of(application=found.application),
            "attempts": found.attempts.select_related("batch").order_by("-pk"),
            "changes": found.changes.select_related("person").order_by("-pk"),
            **reissue_context(payable=found, actor=actor_for(request)),
            "demands": open_demands(enterprise_ids=[found.enterprise_id]).exclude(payable=found),
            "clawback": Clawback.objects.filter(payable=found).select_related("ordered_by", "recovered_by").first(),
            "shown": [(name, DEEDS[name][1], form, DEEDS[name][4]) for name, form in shown.items()],
        },
        status=status,
    )


@role_required(*FINANCE_ROLES)
@require_POST
def payable_act(request: HttpRequest, payable_id: int, deed: str) -> HttpResponseBase:
    found = get_object_or_404(visible_payables(request), pk=payable_id)
    if deed not in DEEDS:
        raise Http404
    _action, label, form_class, call, _style = DEEDS[deed]
    form = form_class(request.POST, prefix=deed)
    if form.is_valid():
        try:
            call(payable_id=found.pk, actor=actor_for(request), now=timezone.now(), **form.cleaned_data)
        except REFUSALS as refusal:
            for sentence in words_of(refusal):
                form.add_error(None, sentence)
        else:
            messages.success(request, _("已完成：%(deed)s。") % {"deed": label})
            back = request.POST.get("batch", "")
            if back.isdecimal() and len(back) < 19:
                return redirect("desk:batch", int(back))
            return redirect("desk:payable", found.pk)
    for problems in form.errors.values():
        for problem in problems:
            messages.error(request, str(problem))
    fresh = get_object_or_404(visible_payables(request), pk=payable_id)
    return _page(request, fresh, bound={deed: form}, status=422)


@role_required(*_READERS)
def accounts(request: HttpRequest) -> HttpResponseBase:
    """Accounts that wait for their check by a second person, with what waits for them."""
    show = request.GET.get("show", "")
    found = visible_accounts(request).select_related("enterprise", "proposed_by", "checked_by", "proof")
    found = found.order_by("-pk") if show == "all" else found.filter(state=AccountState.PROPOSED).order_by("pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    waiting: dict[int, list[Payable]] = {}
    mended = visible_payables(request).filter(
        enterprise_id__in=[row.enterprise_id for row in page.object_list], state=PayableState.MENDED
    )
    for row in mended:
        waiting.setdefault(row.enterprise_id, []).append(row)
    # An account serves what every department pays: it is checked for the whole district.
    may_check = actor_for(request).holds(Role.FINANCE_CHECKER)
    shown = {"page": page, "waiting": waiting, "show": show, "may_check": may_check}
    return render(request, "desk/accounts.html", shown)


@role_required(StaffRole.FINANCE_CHECKER)
@require_POST
def account_check(request: HttpRequest, account_id: int) -> HttpResponseBase:
    found = get_object_or_404(PayeeAccount, pk=account_id)
    accept = request.POST.get("accept") == "yes"
    attempt(
        request,
        lambda: payees.check_account(
            account_id=found.pk,
            actor=actor_for(request),
            now=timezone.now(),
            accept=accept,
            note=typed(request.POST, "note", most=200),
        ),
        done=_("账户已启用。") if accept else _("已退回企业更正。"),
    )
    return redirect("desk:accounts")


@role_required(StaffRole.FINANCE_CHECKER)
@require_POST
def contradiction(request: HttpRequest, payable_id: int, attempt_id: int) -> HttpResponseBase:
    """The bank was asked which of its two answers is true."""
    found = get_object_or_404(visible_payables(request), pk=payable_id)
    row = get_object_or_404(found.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN), pk=attempt_id)
    attempt(
        request,
        lambda: payments.settle_contradiction(
            attempt_id=row.pk,
            actor=actor_for(request),
            now=timezone.now(),
            was_paid=request.POST.get("was_paid") == "yes",
            note=typed(request.POST, "note", most=300),
        ),
        done=_("已按核实结果处理。"),
    )
    return redirect("desk:payable", found.pk)


def _may(found: Payable, action: PayableAction, actor: Actor) -> bool:
    """Whether one of the person's roles may do it now; the service has the last word."""
    department = found.application.item.department_id if found.budget_line is None else found.budget_line.department_id
    finance = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)
    held = [role for role in finance if actor.holds(role, department_id=department)]
    return any(action in PAYABLE.actions(PayableState(found.state), role) for role in held)


def _initial(name: str, now: datetime) -> dict[str, date]:
    return {"received_on": day_of(now)} if name in ("refund", "recover") else {}
