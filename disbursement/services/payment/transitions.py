"""Moving payables, batches and cycles: the only writers of their `.state`.

Everything goes by the transition tables of `disbursement.domain.workflow`, with the log row in the same
transaction. Thousands of payables are moved by statement, from the same table, with the same log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from disbursement.domain import workflow
from disbursement.domain.actors import Actor
from disbursement.domain.cycle import month_label, next_month
from disbursement.domain.errors import Denied
from disbursement.domain.workflow import (
    BATCH,
    CYCLE,
    PAYABLE,
    BatchAction,
    BatchState,
    CycleAction,
    CycleState,
    PayableAction,
    PayableState,
    Role,
)
from disbursement.models import Batch, Cycle, Payable, StateChange
from disbursement.services.supervision import pay_month
from matching.chunks import chunks
from matching.registry import outbox

CHUNK = 500
_NOTE = 300


def require_role(*, actor: Actor, roles: Sequence[Role], department_id: int | None = None) -> Role:
    """The first of `roles` that the actor holds there; raises Denied with who may."""
    for role in roles:
        if actor.holds(role, department_id=department_id):
            return role
    who = "、".join(role.label for role in roles)
    raise Denied(f"此操作须由{who}办理，您没有该职责。请由有该职责的人员办理。")


def person(actor: Actor) -> int:
    """The user id of an actor who must be a person."""
    if actor.user_id is None:
        raise Denied("此操作须由人员办理。")
    return actor.user_id


def lock_batch(*, batch_id: int) -> Batch:
    """The batch, locked until the transaction ends. Two people at once take their turns here."""
    return Batch.objects.select_for_update(of=("self",)).select_related("budget_line", "cycle").get(pk=batch_id)


def lock_payables(query: QuerySet[Payable]) -> list[Payable]:
    """Those payables, locked in the order of their ids, with what the query joins to them as it stands under the lock.

    Two statements: where one waits for its lock, it finds the row anew but not what it was joined to, and leaves out a
    payable that was meanwhile carried to another budget line.
    """
    bare = query.select_related(None).select_for_update(of=("self",)).order_by("id")
    ids = list(bare.values_list("pk", flat=True))
    return list(query.filter(pk__among=ids).order_by("id"))


def move_batch(
    *,
    batch: Batch,
    action: BatchAction,
    role: Role,
    now: datetime,
    actor: Actor | None = None,
    note: str = "",
    **changes: Any,
) -> None:
    """Move a locked batch and set `changes` with it. Raises WrongState or WrongRole."""
    _need_transaction()
    row = BATCH.find(BatchState(batch.state), action, role)
    _log(
        rows=[(batch.pk, row.source.value)],
        subject="batch",
        action=action,
        target=row.target.value,
        role=role,
        actor=actor,
        note=note,
        now=now,
    )
    batch.state = row.target.value
    for name, value in changes.items():
        setattr(batch, name, value)
    batch.save(update_fields=["state", *changes])


def move_cycle(*, cycle: Cycle, action: CycleAction, now: datetime, **changes: Any) -> None:
    """Move a locked cycle; only the machine does."""
    _need_transaction()
    row = CYCLE.find(CycleState(cycle.state), action, Role.SYSTEM)
    _log(
        rows=[(cycle.pk, row.source.value)],
        subject="cycle",
        action=action,
        target=row.target.value,
        role=Role.SYSTEM,
        actor=None,
        note="",
        now=now,
    )
    cycle.state = row.target.value
    for name, value in changes.items():
        setattr(cycle, name, value)
    cycle.save(update_fields=["state", *changes])


def move_payables(
    *,
    payables: Sequence[Payable],
    action: PayableAction,
    role: Role,
    now: datetime,
    actor: Actor | None = None,
    note: str = "",
    **changes: Any,
) -> None:
    """Move locked payables, all alike, and set `changes` on each; all or none. Raises WrongState or
    WrongRole.

    The reason for a hold goes when the hold does.
    """
    _need_transaction()
    by_source: dict[str, list[Payable]] = defaultdict(list)
    for payable in payables:
        by_source[payable.state].append(payable)
    rows = {source: PAYABLE.find(PayableState(source), action, role) for source in by_source}
    for source, group in by_source.items():
        target = rows[source].target
        fields: dict[str, Any] = {"state": target.value, **changes}
        if target is not PayableState.HELD:
            fields |= {"hold_kind": "", "hold_reason": ""}
        # The log first: the database lets a state change only if the log says so.
        _log(
            rows=[(p.pk, source) for p in group],
            subject="payable",
            action=action,
            target=target.value,
            role=role,
            actor=actor,
            note=note,
            now=now,
        )
        for chunk in chunks(group, CHUNK):
            moved = Payable.objects.filter(pk__among=[p.pk for p in chunk], state=source).update(**fields)
            if moved != len(chunk):
                raise RuntimeError("payables were moved without holding their locks")
        for payable in group:
            for name, value in fields.items():
                setattr(payable, name, value)


def log_entry(*, batch: Batch, action: workflow.Labelled, role: Role, actor: Actor, note: str, now: datetime) -> None:
    """A step that leaves a batch in its state (one signature of several)."""
    _log(
        rows=[(batch.pk, batch.state)],
        subject="batch",
        action=action,
        target=batch.state,
        role=role,
        actor=actor,
        note=note,
        now=now,
    )


def slip(*, payables: Iterable[Payable], month: date, reason: str) -> None:
    """Put off to a later month, with the reason that the enterprise is shown."""
    text = f"顺延至{month_label(month)}兑现：{reason}"[:_NOTE]
    ids = [payable.pk for payable in payables]
    for chunk in chunks(ids, CHUNK):
        Payable.objects.filter(pk__among=chunk, pay_month__lt=month).update(pay_month=month, slip_reason=text)
    for payable in payables:
        if payable.pay_month < month:
            payable.pay_month, payable.slip_reason = month, text


def open_month_after(month: date) -> date:
    """The first month after this one that is not cut off yet."""
    month = next_month(month)
    while Cycle.objects.filter(month=month, cut_at__isnull=False).exists():
        month = next_month(month)
    return month


def tell(*, event: str, payables: Sequence[Payable] | Sequence[int], now: datetime, key: str, **more: Any) -> None:
    """An event about payables through the outbox: topic `payable.EVENT`, payload {"payables": [ids], …}, in
    pieces of CHUNK. `key` names the occasion, so that a step done again tells it once. An event that moves the month of
    the money leaves the forecast with it.
    """
    ids = [p.pk if isinstance(p, Payable) else p for p in payables]
    if event in pay_month.MOVING:
        pay_month.note_payables(payable_ids=ids, now=now)
    outbox.emit_many(
        topic=f"payable.{event}",
        messages=[
            ({"payables": list(chunk), **more}, f"payable.{event}:{key}:{index}")
            for index, chunk in enumerate(chunks(ids, CHUNK))
        ],
        now=now,
    )


def _need_transaction() -> None:
    if not connection.in_atomic_block or transaction.get_rollback():
        raise RuntimeError("states are changed inside a transaction")


def _log(
    *,
    rows: Sequence[tuple[int, str]],
    subject: str,
    action: workflow.Labelled,
    target: str,
    role: Role,
    actor: Actor | None,
    note: str,
    now: datetime,
) -> None:
    StateChange.objects.bulk_create(
        [
            StateChange(
                **{f"{subject}_id": pk},
                action=action.value,
                source=source,
                target=target,
                role=role.value,
                person_id=None if actor is None else actor.user_id,
                note=note[:_NOTE],
                made_at=now,
            )
            for pk, source in rows
        ],
        batch_size=CHUNK,
    )
