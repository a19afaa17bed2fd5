"""What became of a try to bring a file to the bank, written down without claiming more than is known."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from disbursement.models import Delivery, DeliveryState
from disbursement.treasury.channels import Refusal, Unsure
from matching.days import day_of
from matching.registry import outbox

PROBLEM = 300
# No try lasts so long, nor does a bank work on a file so long before it knows of it.
SETTLED = timedelta(days=1)


def note(*, delivery: Delivery, state: DeliveryState, now: datetime, **changes: Any) -> Delivery:
    """What came of a try. Another process may have learnt meanwhile that the bank has it: that stands. Or the file goes
    another way by now, of which this try says nothing. What did not reach the bank is told: topic `delivery.stuck`
    {delivery}.
    """
    with transaction.atomic():
        standing = Delivery.objects.select_for_update().get(pk=delivery.pk)
        is_elsewhere = standing.gateway_id != delivery.gateway_id
        if standing.state == DeliveryState.DONE or (is_elsewhere and state != DeliveryState.DONE):
            return standing
        for name, value in {"state": state, **changes}.items():
            setattr(standing, name, value)
        standing.save(update_fields=["state", *changes])
        if state != DeliveryState.DONE:
            # A refusal follows a try that a person asked for; what is not sure is asked again all day, and told once.
            occasion = str(standing.tries) if state == DeliveryState.REFUSED else day_of(now).isoformat()
            outbox.emit(
                topic="delivery.stuck",
                payload={"delivery": standing.pk},
                now=now,
                dedupe_key=f"delivery.stuck:{standing.pk}:{state}:{occasion}",
            )
    return standing


def note_refusal(*, delivery: Delivery, refusal: Refusal, in_doubt_since: datetime | None, now: datetime) -> str:
    """The bank refused this try; what to tell people. A refused file may go another way, so that it counts as refused
    only where no other try can still bring it there: none was begun since, and none before is in doubt, or the bank
    spoke of the key itself, or a day has passed. Else it is not sure.
    """
    with transaction.atomic():
        standing = Delivery.objects.select_for_update().get(pk=delivery.pk)
        is_last = standing.tries == delivery.tries
        is_settled = refusal.of_key or in_doubt_since is None or now - in_doubt_since >= SETTLED
        if is_last and is_settled:
            problem = str(refusal)[:PROBLEM]
            note(delivery=delivery, state=DeliveryState.REFUSED, now=now, problem=problem)
        else:
            problem = (
                f"{str(refusal)[:200]}另有一次发送的结果尚不能确定，一天内不能改走其他通道；系统会继续向银行查询。"
            )
            # The day counts from the try that is in doubt, not from this one, whose end is known.
            since = {"tried_at": in_doubt_since} if is_last else {}
            note(delivery=delivery, state=DeliveryState.UNSURE, now=now, problem=problem, **since)
    return problem


def note_doubt(
    *, delivery: Delivery, doubt: Unsure, in_doubt_since: datetime | None, was_refused: bool, now: datetime
) -> str:
    """It is not known what came of this try; what to tell people. Where nothing left in it, it changes nothing: the day
    counts from the try in doubt before it, and what the bank refused stays refused.
    """
    problem = str(doubt)[:PROBLEM]
    with transaction.atomic():
        standing = Delivery.objects.select_for_update().get(pk=delivery.pk)
        is_idle = not doubt.left and standing.tries == delivery.tries
        if is_idle and was_refused:
            problem = f"银行此前已拒收。{doubt}"[:PROBLEM]
            note(delivery=delivery, state=DeliveryState.REFUSED, now=now, problem=problem)
        else:
            since = {"tried_at": in_doubt_since} if is_idle else {}
            note(delivery=delivery, state=DeliveryState.UNSURE, now=now, problem=problem, **since)
    return problem
