"""How a batch's file gets to the bank: what became of its sending, and what a person does about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.actors import Actor
from disbursement.domain.workflow import BatchState, Role
from disbursement.models import Batch, Delivery, DeliveryState, Gateway
from disbursement.services.payment import bank_inquiries, gateways, sealing, sending_deeds
from disbursement.tasks import send_batch
from portal.accounts.access import FINANCE_ROLES, actor_for, role_required
from portal.desk.background import leave_to_worker
from portal.forms import DateInput, typed
from portal.refusals import attempt

# A page shows no more of what came before.
_MOST = 20


class HandedOverForm(forms.Form):
    reference = forms.CharField(label=gettext_lazy("银行受理回执号"), max_length=100, required=False)


class LetterForm(forms.Form):
    """What a bank wrote of a file in doubt."""

    has_file = forms.TypedChoiceField(
        label=gettext_lazy("银行的答复"),
        choices=[("yes", gettext_lazy("已受理该文件")), ("no", gettext_lazy("没有受理，今后也不会按它支付"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    paper_number = forms.CharField(label=gettext_lazy("书面材料编号"), max_length=80)
    written_on = forms.DateField(label=gettext_lazy("书面材料日期"), widget=DateInput())
    text = forms.CharField(label=gettext_lazy("银行的说明"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))
    reference = forms.CharField(
        label=gettext_lazy("银行受理回执号"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("银行已受理的，填写其受理编号。"),
    )


def delivery_context(*, batch: Batch, may_act: bool, actor: Actor, letter: LetterForm | None = None) -> dict[str, Any]:
    """What the batch's page shows of the sending of its file; `letter` is one that was refused."""
    delivery = Delivery.objects.select_related("gateway", "done_by").filter(sealed_file__batch=batch).first()
    if delivery is None:
        return {"gateway": gateways.gateway_for(line=batch.budget_line)}
    inquiries = list(delivery.inquiries.select_related("asked_by", "entered_by", "ended_by")[:_MOST])
    inquiry = next((found for found in inquiries if found.ended_at is None), None)
    asks = may_act and inquiry is not None and inquiry.entered_at is None
    approves = actor.holds(Role.FINANCE_APPROVER, department_id=batch.budget_line.department_id)
    return {
        "delivery": delivery,
        "gateway": delivery.gateway,
        "routes": delivery.routes.select_related("from_gateway", "to_gateway", "chosen_by")[:_MOST],
        "may_send_again": may_act and inquiry is None and gateways.is_to_be_sent(delivery=delivery, batch=batch),
        "handed_over": (
            HandedOverForm()
            if may_act and delivery.state == DeliveryState.BY_HAND and batch.state == BatchState.SEALED
            else None
        ),
        "other_gateways": (
            Gateway.objects.filter(is_active=True).exclude(pk=delivery.gateway_id or 0)
            if may_act and sending_deeds.may_go_elsewhere(delivery=delivery, batch=batch)
            else []
        ),
        "is_answered": delivery.state != DeliveryState.DONE and batch.state != BatchState.SEALED,
        "is_spoken_of": batch.state == BatchState.SEALED and sending_deeds.is_spoken_of(batch=batch),
        "inquiry": inquiry,
        "inquiries": [found for found in inquiries if found.ended_at is not None],
        "may_inquire": may_act and inquiry is None and bank_inquiries.in_doubt(delivery=delivery, batch=batch),
        "letter": (letter or LetterForm(auto_id="letter_%s")) if asks else None,
        "settled_at": None if delivery.tried_at is None else bank_inquiries.settled_at(delivery=delivery),
        "may_give_up": may_act and inquiry is not None,
        "may_decide_inquiry": (
            inquiry is not None
            and inquiry.entered_at is not None
            and approves
            and inquiry.entered_by_id != actor.user_id
        ),
    }


@role_required(*FINANCE_ROLES)
@require_POST
def delivery_act(request: HttpRequest, batch_id: int, deed: str) -> HttpResponseBase:
    """Send again, say that the file was brought to the bank, or choose another way."""
    from portal.desk.views.finance_scope import visible_batches

    batch = get_object_or_404(visible_batches(request), pk=batch_id)
    now = timezone.now()
    calls: dict[str, tuple[Callable[[], Any], str]] = {
        "again": (lambda: sealing.send(batch_id=batch.pk, now=now), _("已查询并发送，银行已收到。")),
        "handed-over": (lambda: _handed_over(request, batch), _("已登记交银行。")),
        "reroute": (lambda: _reroute(request, batch), _("已改用所选通道，可再次发送。")),
    }
    if deed not in calls:
        raise Http404
    if deed == "again" and gateways.asks_a_bank(batch=batch):
        leave_to_worker(request, send_batch, batch.pk, said=_("正在后台向银行查询并发送，送达情况见本页。"))
        return redirect("desk:batch", batch.pk)
    call, done = calls[deed]
    attempt(request, call, done=done)
    return redirect("desk:batch", batch.pk)


def _handed_over(request: HttpRequest, batch: Batch) -> Batch:
    now = timezone.now()
    sending_deeds.confirm_by_hand(
        batch_id=batch.pk, actor=actor_for(request), now=now, reference=typed(request.POST, "reference", most=100)
    )
    return sealing.send(batch_id=batch.pk, now=now)


def _reroute(request: HttpRequest, batch: Batch) -> Delivery:
    chosen = typed(request.POST, "gateway", most=18)
    return sending_deeds.reroute(
        batch_id=batch.pk,
        actor=actor_for(request),
        now=timezone.now(),
        gateway_id=int(chosen) if chosen.isascii() and chosen.isdigit() else 0,
    )
