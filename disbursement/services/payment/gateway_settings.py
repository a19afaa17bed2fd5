"""How files reach a bank, as administrators set it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import BatchState
from disbursement.models import Delivery, DeliveryState, Gateway, GatewayKind, GatewayLine
from disbursement.services.payment.transitions import person
from disbursement.treasury.channels.http import check_url


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What an administrator sets of a gateway; `lines` are ids of the budget lines that use it."""

    code: str
    name: str
    kind: str
    folder: str = ""
    done_marker: bool = False
    url: str = ""
    token_variable: str = ""
    timeout: int = 30
    is_active: bool = True
    is_default: bool = False
    lines: Sequence[int] = ()


def is_in_doubt(*, gateway: Gateway) -> bool:
    """Whether a file may have gone this way and nobody knows its end: with nothing left the house, or an end that is
    known, another way is no second one. What returns have answered did arrive.
    """
    in_doubt = [DeliveryState.PLANNED, DeliveryState.UNSURE]
    return Delivery.objects.filter(
        gateway=gateway,
        state__in=in_doubt,
        tried_at__isnull=False,
        sealed_file__batch__state=BatchState.SEALED,
    ).exists()


@transaction.atomic
def save_gateway(
    *,
    wanted: GatewaySettings,
    actor: Actor,
    now: datetime,
    gateway_id: int | None = None,
    is_same_system: bool = False,
) -> Gateway:
    """Set a gateway up or change it; a sending that was begun keeps the gateway it began with. The view has checked
    that the actor administers.

    Raises Invalid, too, where a file may have gone this way and its end is not known: its kind then stays, and its
    address changes only on the word of the actor (`is_same_system`) that the same bank's system answers there and knows
    what was handed in before, or that nothing was.
    """
    made = Gateway() if gateway_id is None else Gateway.objects.select_for_update().get(pk=gateway_id)
    if gateway_id is not None and is_in_doubt(gateway=made):
        if wanted.kind != made.kind:
            text = "有付款文件可能已经由此通道送出，结果尚未查明，不能改变方式。请先在批次页用“再次发送”查明。"
            raise invalid("kind", text)
        if (wanted.url, wanted.folder) != (made.url, made.folder) and not is_same_system:
            raise invalid(
                "is_same_system",
                "有付款文件可能已经送到原来的地址，结果尚未查明；换到别处会再送一次。"
                "请先在批次页用“再次发送”查明，或者确认后勾选此项。",
            )
    if wanted.kind == GatewayKind.HTTP:
        try:
            check_url(wanted.url)
        except ValueError as error:
            raise invalid("url", str(error)) from error
    if wanted.kind == GatewayKind.FOLDER and not wanted.folder:
        raise invalid("folder", "请填写文件夹名。")
    if wanted.token_variable and not wanted.token_variable.startswith("HUIDA_GATEWAY_"):
        raise invalid("token_variable", "凭据的环境变量名须以 HUIDA_GATEWAY_ 开头。")
    if wanted.is_default:
        Gateway.objects.filter(is_default=True).exclude(pk=made.pk).update(is_default=False)
    for field in fields(wanted):
        if field.name != "lines":
            setattr(made, field.name, getattr(wanted, field.name))
    made.updated_by_id, made.updated_at = person(actor), now
    made.save()
    GatewayLine.objects.filter(gateway=made).exclude(budget_line__in=wanted.lines).delete()
    for line_id in wanted.lines:
        GatewayLine.objects.update_or_create(budget_line_id=line_id, defaults={"gateway": made})
    return made
