"""The administrator's first page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.selectors.calendar import working_calendar
from matching.days import day_of
from portal.accounts.access import role_required
from portal.accounts.models import StaffRole


@role_required(StaffRole.ADMINISTRATOR)
def home(request: HttpRequest) -> HttpResponseBase:
    entries = [
        (_("人员与角色"), _("开通账户、授予角色、登记企业法定代表人。"), "desk:people"),
        (_("离岗代理"), _("为出差、休假的人员登记代理人。"), "desk:absences"),
        (_("部门"), _("主管部门的名称、电话、地址。"), "desk:departments"),
        (_("预算科目"), _("各年度科目、额度，以及预留、待付、已付的余额。"), "desk:budget_lines"),
        (_("发送通道"), _("付款文件怎样送达银行、回单从哪里取回；每个科目可用自己的通道。"), "desk:gateways"),
        (_("工作日历"), _("节假日与调休上班日；办理时限和截止日都按它计算。"), "desk:calendar"),
    ]
    return render(
        request,
        "desk/admin/home.html",
        {
            "entries": [{"title": title, "text": text, "url": reverse(name)} for title, text, name in entries],
            "warnings": working_calendar().warnings(day_of(timezone.now())),
        },
    )
