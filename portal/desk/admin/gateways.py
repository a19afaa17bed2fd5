"""Ways to banks: which budget lines use which, and whether they answer."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.models import Gateway, GatewayKind
from disbursement.services.payment.gateway_settings import GatewaySettings, is_in_doubt, save_gateway
from disbursement.tasks import collect_returns
from matching.registry.models import BudgetLine
from portal.accounts.access import FINANCE_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.background import leave_to_worker
from portal.refusals import lay_on

_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR, StaffRole.ADMINISTRATOR)


class GatewayForm(forms.Form):
    code = forms.SlugField(label=gettext_lazy("通道代码"), max_length=40)
    name = forms.CharField(label=gettext_lazy("名称"), max_length=80)
    kind = forms.ChoiceField(label=gettext_lazy("方式"), choices=GatewayKind.choices)
    folder = forms.SlugField(
        label=gettext_lazy("文件夹"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("共享文件夹方式：国库文件夹下的名称，其中 out 放付款文件，in 收回单。"),
    )
    done_marker = forms.BooleanField(
        label=gettext_lazy("使用 .done 标记文件"),
        required=False,
        help_text=gettext_lazy("双方写完文件后再放同名 .done，对方见到它才读取。"),
    )
    url = forms.CharField(
        label=gettext_lazy("接口地址"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("银行接口方式：https 地址。"),
    )
    token_variable = forms.CharField(
        label=gettext_lazy("凭据的环境变量名"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("凭据只存放在服务器环境变量中，变量名以 HUIDA_GATEWAY_ 开头。"),
    )
    timeout = forms.IntegerField(label=gettext_lazy("超时（秒）"), min_value=1, max_value=300, initial=30)
    lines = forms.ModelMultipleChoiceField(
        label=gettext_lazy("使用此通道的预算科目"),
        queryset=BudgetLine.objects.order_by("-year", "code"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    is_default = forms.BooleanField(label=gettext_lazy("其他科目默认使用此通道"), required=False)
    is_active = forms.BooleanField(label=gettext_lazy("启用"), required=False, initial=True)
    is_same_system = forms.BooleanField(
        label=gettext_lazy("已确认：新地址是同一家银行的同一系统，或者原地址从未收到该文件"),
        required=False,
        help_text=gettext_lazy("有付款文件经此通道送出后结果尚未查明；改变地址会向新地址再送一次。"),
    )

    def __init__(self, *args, gateway: Gateway | None = None, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.gateway = gateway
        if gateway is not None:
            self.fields["code"].disabled = True
        if gateway is None or not is_in_doubt(gateway=gateway):
            del self.fields["is_same_system"]

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if self.gateway is None and Gateway.objects.filter(code=code).exists():
            raise ValidationError(_("已有代码为“%(code)s”的通道。") % {"code": code})
        return code

    def wanted(self) -> GatewaySettings:
        data = {name: value for name, value in self.cleaned_data.items() if name != "is_same_system"}
        return GatewaySettings(**{**data, "lines": [line.pk for line in data["lines"]]})


@role_required(*_READERS)
def gateway_list(request: HttpRequest) -> HttpResponseBase:
    found = Gateway.objects.annotate(line_count=Count("lines")).order_by("-is_active", "name")
    access = access_for(request)
    return render(
        request,
        "desk/admin/gateways.html",
        {
            "gateways": found,
            "may_edit": access.has({StaffRole.ADMINISTRATOR}),
            "may_collect": access.has(FINANCE_ROLES) and access.departments_of(FINANCE_ROLES) is None,
        },
    )


@role_required(StaffRole.ADMINISTRATOR)
def gateway_edit(request: HttpRequest, gateway_id: int | None = None) -> HttpResponseBase:
    """A new way, or another setting of one; files under way keep the one they began with."""
    found = None if gateway_id is None else get_object_or_404(Gateway, pk=gateway_id)
    initial = {}
    if found is not None:
        initial = {name: getattr(found, name) for name in GatewayForm.base_fields if hasattr(found, name)}
        initial["lines"] = list(found.lines.values_list("budget_line_id", flat=True))
    form = GatewayForm(request.POST or None, initial=initial, gateway=found)
    if request.method == "POST" and form.is_valid():
        try:
            save_gateway(
                wanted=form.wanted(),
                actor=actor_for(request),
                now=timezone.now(),
                gateway_id=gateway_id,
                is_same_system=form.cleaned_data.get("is_same_system", False),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("通道已保存。"))
            return redirect("desk:gateways")
    return render(request, "desk/admin/gateway_edit.html", {"form": form, "gateway": found})


@role_required(*FINANCE_ROLES)
@require_POST
def gateway_collect(request: HttpRequest, gateway_id: int) -> HttpResponseBase:
    """Fetch returns now; for those who answer for the whole district, since a file names every payee."""
    found = get_object_or_404(Gateway, pk=gateway_id)
    if access_for(request).departments_of(FINANCE_ROLES) is not None:
        messages.error(request, _("回单含各部门的付款，只由全区财务人员收取。"))
        return redirect("desk:gateways")
    # A bank may take minutes to answer, and a statement 200 MB: no page waits for that.
    leave_to_worker(
        request, collect_returns, found.pk, said=_("已在后台收取，收到的文件见“回单”，取得的时间和问题见本页。")
    )
    return redirect("desk:gateways")
