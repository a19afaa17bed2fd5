"""Getting a sealed file to the bank, once, whatever breaks on the way; and choosing which way it goes.

The sending is written down and committed before its first try, with a key that follows from the file alone. A process
that dies at any point leaves a row that says how far it may have come: run again, the channel asks the bank by key
before it sends the same bytes with the same key. Nothing here moves a batch; `sealing.send` does, on what it is told.
"""

from __future__ import annotations

import contextlib
import os
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Length

from disbursement.domain.errors import invalid
from disbursement.domain.workflow import BatchState
from disbursement.models import (
    BankInquiry,
    Batch,
    Delivery,
    DeliveryState,
    Gateway,
    GatewayKind,
    SealedFile,
)
from disbursement.services.payment.sending_outcomes import note, note_doubt, note_refusal
from disbursement.treasury.channels import (
    ByHand,
    Channel,
    FolderChannel,
    HttpChannel,
    Parcel,
    Refusal,
    Unsure,
)
from matching.days import day_of
from matching.registry import outbox
from matching.registry.models import BudgetLine
from matching.stored_bytes import stored


def gateway_for(*, line: BudgetLine) -> Gateway | None:
    """The gateway that a budget line's files take: its own, else the default; None for the folder of the settings."""
    own = Gateway.objects.filter(lines__budget_line=line, is_active=True).first()
    return own or Gateway.objects.filter(is_default=True, is_active=True).first()


def channel_for(*, gateway: Gateway | None) -> Channel:
    """The way itself. Raises Invalid where its secret or address is missing."""
    if gateway is None:
        return FolderChannel(settings.HUIDA_TREASURY_OUTBOX, out=settings.HUIDA_TREASURY_OUTBOX, again=True)
    if gateway.kind == GatewayKind.BY_HAND:
        return ByHand()
    if gateway.kind == GatewayKind.FOLDER:
        return FolderChannel(
            settings.HUIDA_TREASURY_FOLDERS / gateway.folder,
            marked=gateway.done_marker,
            quiet=settings.HUIDA_TREASURY_QUIET_SECONDS,
        )
    token = os.environ.get(gateway.token_variable, "") if gateway.token_variable else ""
    if gateway.token_variable and not token:
        raise invalid(
            "gateway",
            f"通道“{gateway.name}”的凭据未配置：服务器环境变量{gateway.token_variable}为空。请联系运维人员配置。",
        )
    try:
        return HttpChannel(gateway.url, token=token, timeout=gateway.timeout)
    except ValueError as error:
        raise invalid("gateway", f"通道“{gateway.name}”：{error}") from error


def asks_a_bank(*, batch: Batch) -> bool:
    """Whether sending the batch's file speaks to a bank over the network, for which no page should wait."""
    delivery = Delivery.objects.filter(sealed_file__batch=batch).select_related("gateway").first()
    gateway = gateway_for(line=batch.budget_line) if delivery is None else delivery.gateway
    return gateway is not None and gateway.kind == GatewayKind.HTTP


def reachable(*, channel: Channel, ask: bool) -> str:
    """Why a file could not be handed over now, for people; "" where nothing is known to stand in the way.

    A folder is looked at; a bank over the network is asked only where `ask` is set. Nothing is sent or fetched.
    """
    if isinstance(channel, FolderChannel):
        return channel.trouble()
    if isinstance(channel, HttpChannel) and ask:
        try:
            channel.greet()
        except Unsure as doubt:
            return str(doubt)
    return ""


def key_of(sealed: SealedFile) -> str:
    """The name under which the bank knows the file: it follows from the bytes, so that a lost row gives it again."""
    return f"{sealed.batch.number}-{sealed.sha256[:40]}"


def hand_over(*, batch_id: int, now: datetime, channel: Channel | None = None) -> Delivery:
    """See that the bank has the sealed file; done already, nothing is sent. `channel` stands in for the gateway's own.

    Returns the sending: done, or waiting for a person to take the file there. Raises Invalid where the bank refused
    it or may not have it; the row says so, and the next call goes on from there.
    """
    begun = _begin(batch_id=batch_id, now=now, channel=channel)
    delivery = begun.delivery
    sealed = delivery.sealed_file
    parcel = parcel_of(delivery)
    by_machine = delivery.state == DeliveryState.DONE and delivery.done_by_id is None
    if by_machine and delivery.gateway is None and channel is None:
        # The folder of the settings, from which people take files: there it stands again when asked for.
        with contextlib.suppress(Unsure):
            channel_for(gateway=None).hand_over(parcel, tried=True)
    if not begun.is_due:
        return delivery
    try:
        receipt = (channel or channel_for(gateway=delivery.gateway)).hand_over(parcel, tried=begun.may_have_left)
    except Refusal as refusal:
        told = note_refusal(delivery=delivery, refusal=refusal, in_doubt_since=begun.in_doubt_since, now=now)
        raise invalid("gateway", f"批次{sealed.batch.number}：{told}") from refusal
    except Unsure as doubt:
        told = note_doubt(
            delivery=delivery,
            doubt=doubt,
            in_doubt_since=begun.in_doubt_since,
            was_refused=begun.was_refused,
            now=now,
        )
        raise invalid("gateway", f"批次{sealed.batch.number}：{told}") from doubt
    if receipt is None:
        return note(delivery=delivery, state=DeliveryState.BY_HAND, now=now, problem="")
    return note(
        delivery=delivery, state=DeliveryState.DONE, now=now, problem="", reference=receipt.reference[:100], done_at=now
    )


def parcel_of(delivery: Delivery) -> Parcel:
    """The file of a sending, read from the database while it goes out."""
    sealed = delivery.sealed_file
    # Of a binary column both databases count bytes.
    size = SealedFile.objects.annotate(size=Length("content")).values_list("size", flat=True).get(pk=sealed.pk)
    return Parcel(delivery.key, sealed.name, sealed.sha256, size, partial(stored, SealedFile, sealed.pk))


def is_to_be_sent(*, delivery: Delivery, batch: Batch) -> bool:
    """Whether a try is still due. What returns have answered was at the bank: it is not sent again, to a bank that may
    have forgotten the key by now, or that it was rerouted to before the first one answered.
    """
    return batch.state == BatchState.SEALED and delivery.state not in (DeliveryState.DONE, DeliveryState.BY_HAND)


def is_asked_in_writing(*, delivery: Delivery) -> bool:
    """Whether a person asks the bank about the file in writing: it is not tried until that has ended."""
    return delivery.inquiries.filter(ended_at__isnull=True).exists()


class _Begun(NamedTuple):
    """The committed row of a sending, whether a try is due, whether the bank is to be asked first, since when a try is
    in doubt, and whether the bank had refused the file.
    """

    delivery: Delivery
    is_due: bool = False
    may_have_left: bool = False
    in_doubt_since: datetime | None = None
    was_refused: bool = False


def _begin(*, batch_id: int, now: datetime, channel: Channel | None) -> _Begun:
    # Committed here, not with what follows: nothing leaves the house while its row could still be rolled back.
    with transaction.atomic():
        sealed = (
            SealedFile.objects.select_for_update(of=("self",))
            .select_related("batch__budget_line")
            .filter(batch_id=batch_id)
            .defer("content")
            .first()
        )
        if sealed is None:
            raise invalid("batch", "批次尚未封存，没有可发送的文件。请先完成签署并封存。")
        planned, _ = Delivery.objects.get_or_create(
            sealed_file=sealed,
            defaults={
                "gateway": gateway_for(line=sealed.batch.budget_line),
                "key": key_of(sealed),
                "planned_at": now,
            },
        )
        # Locked, and read anew: nobody chooses another way between this and the try.
        delivery = Delivery.objects.select_for_update().get(pk=planned.pk)
        delivery.sealed_file = sealed
        if not is_to_be_sent(delivery=delivery, batch=sealed.batch):
            return _Begun(delivery)
        if is_asked_in_writing(delivery=delivery):
            raise invalid("batch", f"批次{sealed.batch.number}正在向银行书面核实，期间不发送。请先在批次页结束核实。")
        if channel is None:
            # Raises before anything is counted as a try where the way is not set up.
            channel_for(gateway=delivery.gateway)
        may_have_left = delivery.tries > 0
        delivery.tries += 1
        was_refused = delivery.state == DeliveryState.REFUSED
        in_doubt_since = None if was_refused else delivery.tried_at
        delivery.tried_at = now
        if was_refused:
            # On its way again: from here on nobody knows that the bank has it not, and it goes no other way.
            delivery.state, delivery.problem = DeliveryState.PLANNED, ""
        delivery.save(update_fields=["tries", "tried_at", "state", "problem"])
    return _Begun(delivery, True, may_have_left, in_doubt_since, was_refused)


def unfinished() -> list[Batch]:
    """Sealed batches that are not told as sent, the oldest first; not those that wait for a person or a bank's letter.

    Whoever sealed them asked for their sending: it may not have begun (no row), be under way, or be done and not told.
    """
    asked = BankInquiry.objects.filter(ended_at__isnull=True)
    waiting = (
        SealedFile.objects.filter(batch__state=BatchState.SEALED)
        .exclude(delivery__state__in=[DeliveryState.REFUSED, DeliveryState.BY_HAND])
        .exclude(delivery__in=asked.values("delivery"))
    )
    return list(Batch.objects.filter(pk__in=waiting.values("batch")).order_by("pk"))


@transaction.atomic
def remind_of_unsent(*, now: datetime) -> int:
    """Tell of each batch that has all its signatures and is not at the bank the day after (Asia/Shanghai): topic
    `batch.unsent` {batch, day}, once a day until it is. Returns how many there are.
    """
    today = day_of(now)
    waiting = Batch.objects.filter(state__in=[BatchState.APPROVED, BatchState.SEALED])
    signed = waiting.annotate(signed_at=Max("approvals__signed_at", filter=Q(approvals__round=F("round"))))
    late = [pk for pk, at in signed.values_list("pk", "signed_at") if at is not None and day_of(at) < today]
    outbox.emit_many(
        topic="batch.unsent",
        messages=[({"batch": pk, "day": today.isoformat()}, f"batch.unsent:{pk}:{today}") for pk in sorted(late)],
        now=now,
    )
    return len(late)
