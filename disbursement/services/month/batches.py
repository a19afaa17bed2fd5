"""Signatures on a batch: maker, checker, approvers; and sending it back or dissolving it before it is sealed.

Each signature names the hash of the file's bytes that its signer saw, and is refused if the batch now has
other bytes. The row is locked first: of two people at once one signs, the other is told how things stand now.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict, Deed, check_person
from disbursement.domain.errors import invalid
from disbursement.domain.workflow import (
    BATCH,
    BatchAction,
    BatchState,
    PayableAction,
    Role,
)
from disbursement.models import (
    AttemptOutcome,
    Batch,
    BatchApproval,
    Participation,
    Payable,
    PayeeAccount,
    PaymentFormat,
)
from disbursement.services.month.preparation import withdraw
from disbursement.services.payment.bulk import lock_piece, move_many, pending_lines, slip_many
from disbursement.services.payment.files import file_bytes, file_digest
from disbursement.services.payment.reconciliation import close_cycle_if_done
from disbursement.services.payment.transitions import (
    lock_batch,
    log_entry,
    move_batch,
    open_month_after,
    person,
    require_role,
    tell,
)
from disbursement.services.review import interests
from matching.models import Enterprise
from matching.registry import outbox

__all__ = [
    "approve",
    "dissolve",
    "file_bytes",
    "make",
    "permitted_actions",
    "send_back",
    "verify",
]


@transaction.atomic
def make(*, batch_id: int, actor: Actor, now: datetime, file_format: str | None = None, note: str = "") -> Batch:
    """The maker submits a checked batch: the file's bytes are computed and their hash fixed for all who sign
    after.

    `file_format` replaces the batch's own (bank_csv, pain001).
    """
    batch = lock_batch(batch_id=batch_id)
    role = _signer(batch=batch, actor=actor, role=Role.FINANCE_MAKER, action=BatchAction.MAKE)
    if file_format is not None:
        if file_format not in PaymentFormat.values:
            raise invalid("file_format", f"没有文件格式“{file_format}”，可用：{'、'.join(PaymentFormat.values)}。")
        batch.format = file_format
        batch.save(update_fields=["format"])
    move_batch(
        batch=batch,
        action=BatchAction.MAKE,
        role=role,
        actor=actor,
        note=note,
        now=now,
        maker_id=person(actor),
        file_sha256=file_digest(batch=batch),
    )
    _sign(batch=batch, role=role, actor=actor, note=note, now=now)
    _announce(batch=batch, action=BatchAction.MAKE, now=now)
    return batch


@transaction.atomic
def verify(*, batch_id: int, actor: Actor, now: datetime, seen_sha256: str, note: str = "") -> Batch:
    """The checker agrees to the bytes of hash `seen_sha256`."""
    batch = lock_batch(batch_id=batch_id)
    role = _signer(batch=batch, actor=actor, role=Role.FINANCE_CHECKER, action=BatchAction.VERIFY)
    _same_bytes(batch=batch, seen_sha256=seen_sha256)
    move_batch(
        batch=batch, action=BatchAction.VERIFY, role=role, actor=actor, note=note, now=now, checker_id=person(actor)
    )
    _sign(batch=batch, role=role, actor=actor, note=note, now=now)
    _announce(batch=batch, action=BatchAction.VERIFY, now=now)
    return batch


@transaction.atomic
def approve(*, batch_id: int, actor: Actor, now: datetime, seen_sha256: str, note: str = "") -> Batch:
    """An approver agrees to those bytes. The last of those that the amount asks for makes the batch ready to
    seal.
    """
    batch = lock_batch(batch_id=batch_id)
    role = _signer(batch=batch, actor=actor, role=Role.FINANCE_APPROVER, action=BatchAction.APPROVE)
    _same_bytes(batch=batch, seen_sha256=seen_sha256)
    signed = batch.approvals.filter(round=batch.round, role=role)
    if signed.filter(person_id=person(actor)).exists():
        raise Conflict("您已审批过该批次，还须由其他审批人会签。")
    action = BatchAction.CO_APPROVE if signed.count() + 1 < batch.approvals_needed else BatchAction.APPROVE
    if action is BatchAction.CO_APPROVE:
        log_entry(batch=batch, action=action, role=role, actor=actor, note=note, now=now)
    else:
        move_batch(
            batch=batch,
            action=action,
            role=role,
            actor=actor,
            note=note,
            now=now,
            approver_id=person(actor),
        )
    _sign(batch=batch, role=role, actor=actor, note=note, now=now)
    _announce(batch=batch, action=action, now=now)
    return batch


@transaction.atomic
def send_back(*, batch_id: int, actor: Actor, now: datetime, reason: str) -> Batch:
    """Send a signed batch back to its maker. All signatures so far count no more; everybody signs anew."""
    batch = lock_batch(batch_id=batch_id)
    if not reason.strip():
        raise invalid("reason", "请填写退回的原因。")
    roles = [r for r in (Role.FINANCE_CHECKER, Role.FINANCE_APPROVER) if BatchAction.SEND_BACK in _open(batch, r)]
    role = require_role(
        actor=actor,
        roles=roles or [Role.FINANCE_CHECKER, Role.FINANCE_APPROVER],
        department_id=batch.budget_line.department_id,
    )
    _no_conflict(batch=batch, actor=actor, role=role)
    move_batch(
        batch=batch,
        action=BatchAction.SEND_BACK,
        role=role,
        actor=actor,
        note=reason,
        now=now,
        round=batch.round + 1,
        maker=None,
        checker=None,
        approver=None,
        file_sha256="",
    )
    _announce(batch=batch, action=BatchAction.SEND_BACK, now=now)
    return batch


@transaction.atomic
def dissolve(*, batch_id: int, actor: Actor, now: datetime, reason: str) -> Batch:
    """Give up an unsealed batch: its payables go to the next month, with the reason shown to the
    enterprises.
    """
    batch = lock_batch(batch_id=batch_id)
    if not reason.strip():
        raise invalid("reason", "请填写解散批次的原因。")
    role = require_role(actor=actor, roles=[Role.FINANCE_APPROVER], department_id=batch.budget_line.department_id)
    _no_conflict(batch=batch, actor=actor, role=role)
    move_batch(batch=batch, action=BatchAction.DISSOLVE, role=role, actor=actor, note=reason, now=now)
    month, last = open_month_after(batch.cycle.month), 0
    while rows := pending_lines(batch_id=batch.pk, after=last):
        last = rows[-1][0]
        ids = lock_piece(query=Payable.objects.filter(pk__among=[payable for _, payable, _ in rows]))
        withdraw(batch=batch, payable_ids=ids, reason=reason)
        move_many(payable_ids=ids, action=PayableAction.UNSCHEDULE, role=role, actor=actor, now=now, note=reason)
        slip_many(payable_ids=ids, month=month, reason=reason)
        tell(event="slipped", payables=ids, now=now, key=f"dissolved:{batch.number}:{ids[0]}", batch=batch.pk)
    # It may be the last that the month waited for.
    close_cycle_if_done(cycle_id=batch.cycle_id, now=now)
    return batch


def permitted_actions(*, batch: Batch, actor: Actor) -> list[BatchAction]:
    """What this person may do with the batch now, in table order; for buttons."""
    found: list[BatchAction] = []
    if actor.is_system:
        return found
    for row in BATCH:
        if row.source != batch.state or row.action is BatchAction.CO_APPROVE:
            continue
        for role in Role:
            if role not in row.roles or not actor.holds(role, department_id=batch.budget_line.department_id):
                continue
            try:
                _no_conflict(batch=batch, actor=actor, role=role)
            except Conflict:
                continue
            found.append(row.action)
            break
    if BatchAction.APPROVE in found and batch.approvals.filter(round=batch.round, person_id=actor.user_id).exists():
        found.remove(BatchAction.APPROVE)
    return found


def _signer(*, batch: Batch, actor: Actor, role: Role, action: BatchAction) -> Role:
    """Check state, role and conflicts, in the order in which a person would want to hear of them."""
    BATCH.find(BatchState(batch.state), action, role)
    require_role(actor=actor, roles=[role], department_id=batch.budget_line.department_id)
    _no_conflict(batch=batch, actor=actor, role=role)
    return role


def _no_conflict(*, batch: Batch, actor: Actor, role: Role) -> None:
    mine = interests.concerned(actor=actor)
    concerned = Enterprise.objects.filter(
        pk__in=mine, payables__attempts__batch=batch, payables__attempts__outcome=AttemptOutcome.PENDING
    ).distinct()
    check_person(
        person=person(actor),
        role=role,
        deeds=[
            Deed(person=signed.person_id, role=Role(signed.role))
            for signed in BatchApproval.objects.filter(batch=batch)
        ],
        interests=mine,
        enterprises={enterprise.pk: enterprise.name for enterprise in concerned},
        subject="该批次",
    )
    part = (
        Participation.objects.filter(
            user_id=person(actor),
            application__payables__attempts__batch=batch,
            application__payables__attempts__outcome=AttemptOutcome.PENDING,
        )
        .select_related("application")
        .first()
    )
    entered = (
        PayeeAccount.objects.filter(
            proposed_by_id=person(actor),
            enterprise__payables__attempts__batch=batch,
            enterprise__payables__attempts__outcome=AttemptOutcome.PENDING,
        )
        .select_related("enterprise")
        .first()
    )
    if entered is not None:
        raise Conflict(f"您曾为该批次中的{entered.enterprise.name}登记过收款账户，不能签署其付款。请由其他人员办理。")
    if part is not None:
        raise Conflict(
            f"您已以“{part.get_role_display()}”身份办理过该批次中的申报{part.application.number}，"
            "不能再签署其付款。请由其他人员办理。"
        )


def _same_bytes(*, batch: Batch, seen_sha256: str) -> None:
    if seen_sha256 != batch.file_sha256:
        raise invalid("seen_sha256", "您看到的批次内容已经变化，签署未生效。请刷新页面核对后再签。")


def _sign(*, batch: Batch, role: Role, actor: Actor, note: str, now: datetime) -> None:
    BatchApproval.objects.create(
        batch=batch,
        round=batch.round,
        role=role.value,
        person_id=person(actor),
        file_sha256=batch.file_sha256,
        count=batch.count,
        total=batch.total,
        note=note[:300],
        signed_at=now,
    )


def _announce(*, batch: Batch, action: BatchAction, now: datetime) -> None:
    """Topic `batch.signed`: who signs next is told. The same step may come again in another round: no key."""
    outbox.emit(topic="batch.signed", payload={"batch": batch.pk, "action": action.value}, now=now)


def _open(batch: Batch, role: Role) -> list[BatchAction]:
    return BATCH.actions(BatchState(batch.state), role)
