"""The enterprise's money: what was paid, what is coming, and the account it goes to."""

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
from disbursement.domain.workflow import PayableState
from disbursement.models import AccountState, Payable, PayeeAccount
from disbursement.services.evidence.stored import LARGEST
from disbursement.services.payment import payees
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.refusals import lay_on

PER_PAGE = 30


class AccountForm(forms.Form):
    account_name = forms.CharField(
        label=gettext_lazy("户名"), max_length=200, help_text=gettext_lazy("须与企业名称一致。")
    )
    bank_name = forms.CharField(
        label=gettext_lazy("开户银行"),
        max_length=200,
        help_text=gettext_lazy("写到支行，例如：中国工商银行成都青羊支行。"),
    )
    account_number = forms.CharField(
        label=gettext_lazy("账号"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("8 至 32 位数字，可带空格。"),
    )
    bank_code = forms.CharField(
        label=gettext_lazy("联行号"),
        max_length=14,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy("12 位数字，不清楚可以不填。"),
    )
    proof = forms.FileField(
        label=gettext_lazy("开户证明"),
        required=False,
        help_text=gettext_lazy(
            "开户许可证或基本存款账户信息，PDF 或图片，最大 20 MB。财务人员据此核对，没有的可能要补。"
        ),
    )

    def clean_proof(self) -> tuple[str, bytes] | None:
        given = self.cleaned_data["proof"]
        if given is None:
            return None
        if given.size > LARGEST:
            raise forms.ValidationError(_("文件超过 %(limit)s MB，请压缩后上传。") % {"limit": LARGEST // 1024 // 1024})
        return str(given.name), given.read()


@enterprise_required
def payments(request: HttpRequest) -> HttpResponseBase:
    found = (
        Payable.objects.filter(enterprise=current_enterprise(request))
        .select_related("application__item", "clawback")
        .prefetch_related("attempts")
        .order_by("-pay_month", "-pk")
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "enterprise/payments.html", {"page": page})


@enterprise_required
def account(request: HttpRequest) -> HttpResponseBase:
    """The account in use, the one that waits for its check, and a form for another."""
    return _account_page(request, None)


@enterprise_required
def mend(request: HttpRequest, payable_id: int) -> HttpResponseBase:
    """A payment came back: say why, and ask for a corrected account."""
    payable = get_object_or_404(
        Payable.objects.select_related("application__item").prefetch_related("attempts"),
        pk=payable_id,
        enterprise=current_enterprise(request),
    )
    if payable.state != PayableState.BOUNCED:
        messages.info(
            request,
            _("这笔款项现为“%(state)s”，不需要更正账户。") % {"state": payable.get_state_display()},
        )
        return redirect("enterprise:application", payable.application_id)
    return _account_page(request, payable)


def _account_page(request: HttpRequest, payable: Payable | None) -> HttpResponseBase:
    enterprise = current_enterprise(request)
    form = AccountForm(request.POST or None, request.FILES or None, initial={"account_name": enterprise.name})
    if request.method == "POST" and form.is_valid():
        try:
            payees.propose_account(
                enterprise_id=enterprise.pk,
                actor=enterprise_actor(request),
                now=timezone.now(),
                **form.cleaned_data,
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("账户已提交，由财务人员核对后启用。"))
            if payable is not None:
                return redirect("enterprise:application", payable.application_id)
            return redirect("enterprise:account")
    accounts = list(PayeeAccount.objects.filter(enterprise=enterprise).order_by("-pk")[:20])
    return render(
        request,
        "enterprise/account.html",
        {
            "form": form,
            "payable": payable,
            "in_use": next((row for row in accounts if row.state == AccountState.CHECKED), None),
            "proposed": next((row for row in accounts if row.state == AccountState.PROPOSED), None),
            "refused": accounts[0] if accounts and accounts[0].state == AccountState.REFUSED else None,
        },
    )
