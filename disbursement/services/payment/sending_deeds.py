"""What people do about the sending of a file: brought there by hand, sent another way, taken back from a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import BatchState, Role
from disbursement.models import (
    Batch,
    Delivery,
    DeliveryRoute,
    DeliveryState,
    Gateway,
    GatewayKind,
    LineStatus,
    ReturnLine,
)
from disbursement.services.payment.gateways import channel_for, is_asked_in_writing, parcel_of
from disbursement.services.payment.transitions import lock_batch, person, require_role
from disbursement.treasury.channels import FolderChannel, Unsure

FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)


def locked_delivery(*, batch: Batch) -> Delivery | None:
    """The sending of a batch's file, locked; of the file nothing, which whoever sends locks first."""
    return Delivery.objects.select_for_update(of=("self",)).filter(sealed_file__batch=batch).first()


def may_go_elsewhere(*, delivery: Delivery, batch: Batch) -> bool:
    """Whether nothing can have left, or the bank said that it has not taken it. What waits to be taken there by hand
    may have been taken, and what returns have answered was: that, too, no other way may repeat.
    """
    if batch.state != BatchState.SEALED or is_asked_in_writing(delivery=delivery) or is_spoken_of(batch=batch):
        return False
    is_final = delivery.state in (DeliveryState.DONE, DeliveryState.BY_HAND)
    return delivery.state == DeliveryState.REFUSED or (delivery.tried_at is None and not is_final)


def is_spoken_of(*, batch: Batch) -> bool:
    """Whether returns speak of the batch that nobody has cleared up: a bank that speaks of a file may well have it."""
    return ReturnLine.objects.filter(batch=batch, status=LineStatus.EXCEPTION, resolved_at__isnull=True).exists()


@transaction.atomic
def confirm_by_hand(*, batch_id: int, actor: Actor, now: datetime, reference: str = "") -> Delivery:
    """A person has brought the downloaded file to the bank, and says so. Finance of the line's department only."""
    batch = lock_batch(batch_id=batch_id)
    require_role(actor=actor, roles=FINANCE, department_id=batch.budget_line.department_id)
    delivery = locked_delivery(batch=batch)
    if delivery is None or delivery.state != DeliveryState.BY_HAND or batch.state != BatchState.SEALED:
        raise invalid("batch", f"批次{batch.number}不是待人工交银行的文件。请刷新页面查看现状。")
    delivery.state, delivery.reference = DeliveryState.DONE, reference.strip()[:100]
    delivery.done_at, delivery.done_by_id = now, person(actor)
    delivery.save(update_fields=["state", "reference", "done_at", "done_by"])
    return delivery


@transaction.atomic
def reroute(*, batch_id: int, actor: Actor, now: datetime, gateway_id: int) -> Delivery:
    """Send a file another way: only where nothing can have left, or the bank said that it has not taken it. Who chose
    which way stays written down.
    """
    batch = lock_batch(batch_id=batch_id)
    require_role(actor=actor, roles=FINANCE, department_id=batch.budget_line.department_id)
    gateway = Gateway.objects.filter(pk=gateway_id, is_active=True).first()
    delivery = locked_delivery(batch=batch)
    if gateway is None or delivery is None:
        raise invalid("gateway", "没有这个启用的通道，或批次尚未登记发送。")
    if not may_go_elsewhere(delivery=delivery, batch=batch):
        raise invalid(
            "gateway",
            f"批次{batch.number}的文件银行已收到或可能已收到，不能改走其他通道。"
            "请先用“再次发送”查明；银行系统一直不能说明的，请发起书面核实；回单例外提到该批次的，请先处理例外。",
        )
    before, delivery.gateway = delivery.gateway_id, gateway
    delivery.state, delivery.problem = DeliveryState.PLANNED, ""
    delivery.tried_at = None  # no try is in doubt
    delivery.save(update_fields=["gateway", "state", "problem", "tried_at"])
    DeliveryRoute.objects.create(
        delivery=delivery, from_gateway_id=before, to_gateway=gateway, chosen_by_id=person(actor), chosen_at=now
    )
    return delivery


def recall(*, delivery: Delivery) -> None:
    """Take a file in doubt back from the folder in which it stands, so that its bank does not fetch it any more. Raises
    Invalid where the folder cannot be used.
    """
    folder = _folder_of(delivery)
    if folder is not None:
        with _refused():
            folder.recall(parcel_of(delivery))


def forget(*, delivery: Delivery, name: str) -> None:
    """Its bank has not got the file of that name: it may be put into the folder anew. Raises Invalid where it stands
    there all the same.
    """
    folder = _folder_of(delivery)
    if folder is not None:
        with _refused():
            folder.forget(name)


def _folder_of(delivery: Delivery) -> FolderChannel | None:
    gateway = delivery.gateway
    if gateway is not None and gateway.kind != GatewayKind.FOLDER:
        return None
    channel = channel_for(gateway=gateway)
    assert isinstance(channel, FolderChannel)
    return channel


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except Unsure as doubt:
        raise invalid("gateway", str(doubt)) from doubt
