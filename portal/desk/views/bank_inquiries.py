"""Asking a bank in writing whether it has a file: begun, answered, agreed to; on the batch's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from disbursement.services.payment import bank_inquiries
from disbursement.services.payment.bank_inquiries import Letter
from portal.accounts.access import FINANCE_ROLES, actor_for, role_required
from portal.desk.views.batches import batch_page
from portal.desk.views.deliveries import LetterForm
from portal.desk.views.finance_scope import visible_batches
from portal.forms import typed
from portal.refusals import attempt, carry_out


@role_required(*FINANCE_ROLES)
@require_POST
def inquiry_act(request: HttpRequest, batch_id: int, deed: str) -> HttpResponseBase:
    """Begin, enter the bank's letter, agree to it or refuse it, or give up."""
    batch = get_object_or_404(visible_batches(request), pk=batch_id)
    common: dict[str, Any] = {"batch_id": batch.pk, "actor": actor_for(request), "now": timezone.now()}
    note = typed(request.POST, "note", most=300)
    if deed == "letter":
        form = LetterForm(request.POST, auto_id="letter_%s")
        entered = carry_out(
            request,
            form,
            lambda **data: bank_inquiries.enter(letter=Letter(**data), **common),
            done=_("已登记银行的书面材料，由另一名财务审批人员决定。"),
        )
        if entered:
            return redirect("desk:batch", batch.pk)
        for problem in form.non_field_errors():
            messages.error(request, str(problem))
        return batch_page(request, batch, letter=form, status=422)
    calls: dict[str, tuple[Callable[[], Any], str]] = {
        "begin": (
            lambda: bank_inquiries.begin(**common),
            _("已暂停发送和查询。请凭防重复编号请银行出具书面材料。"),
        ),
        "agree": (lambda: bank_inquiries.decide(approve=True, opinion=note, **common), _("已按银行的书面材料办理。")),
        "refuse": (
            lambda: bank_inquiries.decide(approve=False, opinion=note, **common),
            _("已结束书面核实，系统继续向银行查询。"),
        ),
        "give-up": (
            lambda: bank_inquiries.give_up(opinion=note, **common),
            _("已结束书面核实，系统继续向银行查询。"),
        ),
    }
    if deed not in calls:
        raise Http404
    call, done = calls[deed]
    attempt(request, call, done=done)
    return redirect("desk:batch", batch.pk)
