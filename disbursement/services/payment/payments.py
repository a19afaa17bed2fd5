"""What people do with single payables: hold, release, refund, claw back, cancel, answer a contradiction of
the bank.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import invalid
from disbursement.domain.refunds import refund_day
from disbursement.domain.workflow import PAYABLE, BatchState, PayableAction, PayableState, Role
from disbursement.ledger.posting import Entry, post
from disbursement.models import (
    AttemptOutcome,
    Batch,
    Clawback,
    HoldKind,
    LineStatus,
    Payable,
    PaymentAttempt,
    ReturnResult,
    SetOff,
    TransferKind,
)
from disbursement.services.award.awards import cancel_payables, promised_month
from disbursement.services.budget.take_over import open_line_of
from disbursement.services.month.preparation import hold_scheduled, totals_of
from disbursement.services.numbering import next_number
from disbursement.services.payment.reconciliation import reconcile
from disbursement.services.payment.standing import locked_payable, may_handle
from disbursement.services.payment.transitions import (
    lock_batch,
    move_payables,
    person,
    slip,
    tell,
)
from disbursement.services.recovery import bank_entries, recoveries
from matching.days import day_of

_FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)
_PAID = (PayableState.PAID, PayableState.SETTLED)
_UNSIGNED = (BatchState.ASSEMBLING, BatchState.FROZEN, BatchState.CHECKED)


@transaction.atomic
def hold(*, payable_id: int, actor: Actor, now: datetime, reason: str) -> Payable:
    """Hold a payable until a person releases it. In a batch that is signed already, that must be sent back
    first.
    """
    reason = _reason(reason, "暂缓")
    # Batch before payable, the order in which everything locks.
    attempt = PaymentAttempt.objects.filter(payable_id=payable_id, outcome=AttemptOutcome.PENDING).first()
    batch = None if attempt is None else lock_batch(batch_id=attempt.batch_id)
    payable = locked_payable(payable_id=payable_id)
    role = may_handle(payable=payable, actor=actor, roles=_FINANCE)
    if payable.state != PayableState.SCHEDULED:
        move_payables(
            payables=[payable],
            action=PayableAction.HOLD,
            role=role,
            actor=actor,
            now=now,
            note=reason,
            hold_kind=HoldKind.PERSON.value,
            hold_reason=reason,
        )
        tell(event="held", payables=[payable], now=now, key=f"{payable.pk}:{now.isoformat()}")
        return payable
    assert batch is not None
    if batch.state not in _UNSIGNED:
        raise invalid("payable", f"该款项在批次{batch.number}中且已签署，请先退回该批次再暂缓。")
    if batch.count == 1:
        raise invalid("payable", f"该款项是批次{batch.number}中唯一的一笔，请解散该批次。")
    hold_scheduled(
        batch=batch, payables=[payable], kind=HoldKind.PERSON, reason=reason, role=role, actor=actor, now=now
    )
    if batch.state == BatchState.CHECKED:
        changes = totals_of(batch=batch)
        Batch.objects.filter(pk=batch.pk).update(**changes)
    return payable


@transaction.atomic
def release(*, payable_id: int, actor: Actor, now: datetime, note: str = "") -> Payable:
    """End a hold; the payable goes with the next cut-off, where it is checked like any other."""
    payable = locked_payable(payable_id=payable_id)
    role = may_handle(payable=payable, actor=actor, roles=(Role.FINANCE_CHECKER, Role.FINANCE_APPROVER))
    move_payables(payables=[payable], action=PayableAction.RELEASE, role=role, actor=actor, now=now, note=note)
    slip(payables=[payable], month=promised_month(day=day_of(now)), reason="暂缓已解除")
    tell(event="released", payables=[payable], now=now, key=f"{payable.pk}:{now.isoformat()}")
    return payable


@transaction.atomic
def cancel(*, payable_id: int, actor: Actor, now: datetime, reason: str) -> Payable:
    """Cancel a payable of which nothing was sent, and give back its budget."""
    payable = locked_payable(payable_id=payable_id)
    role = may_handle(payable=payable, actor=actor, roles=(Role.FINANCE_APPROVER,))
    cancel_payables(payables=[payable], role=role, actor=actor, now=now, reason=reason)
    return payable


@transaction.atomic
def refund(*, payable_id: int, actor: Actor, now: datetime, received_on: date, reason: str, reference: str) -> Payable:
    """The payee gave the whole amount back (退款) outside of any return file, by the bank's entry `reference`; the
    budget line has it again. Raises Invalid for an entry that was recorded before, whatever as.
    """
    reason = _reason(reason, "退款")[:280] + refund_day(received_on)
    if received_on > day_of(now):
        raise invalid("received_on", "到账日期不能晚于今天。")
    payable = locked_payable(payable_id=payable_id)
    role = may_handle(payable=payable, actor=actor, roles=(Role.FINANCE_CHECKER,))
    attempt = payable.attempts.filter(outcome=AttemptOutcome.PAID).first()
    if attempt is None and SetOff.objects.filter(payable=payable).exists():
        raise invalid("payable", "该笔款项已抵扣追回款，没有付出，不能登记退款。")
    line = open_line_of(payable=payable, now=now, reason=reason, actor=actor) if payable.state in _PAID else None
    move_payables(payables=[payable], action=PayableAction.REFUND, role=role, actor=actor, now=now, note=reason)
    assert attempt is not None
    assert line is not None
    if attempt.outcome_on is not None and received_on < attempt.outcome_on:
        raise invalid("received_on", f"该笔款项于{attempt.outcome_on}支付，退款到账日期不能更早。")
    bank_entries.take(reference=reference, actor=actor, now=now, attempt=attempt)
    entry = Entry(payable_id=payable.pk, attempt_id=attempt.pk, amount=payable.amount, memo=reason)
    post(line=line, kind=TransferKind.REFUND, entries=[entry], now=now)
    attempt.outcome, attempt.outcome_on, attempt.outcome_reason = AttemptOutcome.REFUNDED.value, received_on, reason
    attempt.save(update_fields=["outcome", "outcome_on", "outcome_reason"])
    tell(event="refunded", payables=[payable], now=now, key=f"attempt:{attempt.pk}")
    return payable


@transaction.atomic
def claw_back(*, payable_id: int, actor: Actor, now: datetime, reason: str, due_on: date) -> Clawback:
    """Demand a paid amount back (追回) by a date, with a numbered notice."""
    reason = _reason(reason, "追回")
    if due_on <= day_of(now):
        raise invalid("due_on", "退回期限应晚于今天。")
    payable = locked_payable(payable_id=payable_id)
    role = may_handle(payable=payable, actor=actor, roles=(Role.FINANCE_APPROVER,))
    # Before the move: a payment is taken over while it stands as paid.
    line = open_line_of(payable=payable, now=now, reason=reason, actor=actor) if payable.state in _PAID else None
    move_payables(payables=[payable], action=PayableAction.CLAW_BACK, role=role, actor=actor, now=now, note=reason)
    assert line is not None
    entry = Entry(payable_id=payable.pk, amount=payable.amount, memo=reason)
    post(line=line, kind=TransferKind.CLAW_BACK, entries=[entry], now=now)
    year = day_of(now).year
    demand = Clawback.objects.create(
        payable=payable,
        number=f"ZH-{year}-{next_number(series=f'clawback-{year}'):06d}",
        amount=payable.amount,
        reason=reason,
        due_on=due_on,
        ordered_by_id=person(actor),
        ordered_at=now,
    )
    tell(event="clawback", payables=[payable], now=now, key=str(demand.pk))
    return demand


@transaction.atomic
def recover(
    *, payable_id: int, actor: Actor, now: datetime, reference: str, received_on: date | None = None, note: str = ""
) -> Clawback:
    """All that is still owed of a demand has arrived by one entry of the bank, today or on `received_on`; confirmed by
    somebody other than who demanded it. What comes in parts is recorded by `recoveries.record`.
    """
    payable = locked_payable(payable_id=payable_id)
    role = may_handle(payable=payable, actor=actor, roles=(Role.FINANCE_CHECKER,))
    PAYABLE.find(PayableState(payable.state), PayableAction.RECOVER, role)
    demand = payable.clawback
    recoveries.record(
        clawback_id=demand.pk,
        amount=demand.amount - recoveries.received_of(demand=demand),
        received_on=received_on or day_of(now),
        reference=reference,
        actor=actor,
        now=now,
        note=note,
    )
    demand.refresh_from_db()
    return demand


@transaction.atomic
def settle_contradiction(*, attempt_id: int, actor: Actor, now: datetime, was_paid: bool, note: str) -> PaymentAttempt:
    """A person asked the bank which of its two answers is true, and says so.

    Where the payment did succeed, the payable is paid after all; that is refused once another payment of it
    is under way (then it is refunded or clawed back, not paid twice in the books).
    """
    note = _reason(note, "核实")
    attempt = PaymentAttempt.objects.get(pk=attempt_id)
    lock_batch(batch_id=attempt.batch_id)
    payable = locked_payable(payable_id=attempt.payable_id)
    role = may_handle(payable=payable, actor=actor, roles=(Role.FINANCE_CHECKER,))
    attempt = PaymentAttempt.objects.select_for_update().get(pk=attempt_id)
    if not attempt.contradicted:
        raise invalid("attempt", "该笔支付没有待核实的矛盾结果。")
    if was_paid:
        if payable.state not in (PayableState.BOUNCED, PayableState.MENDED, PayableState.RESERVED, PayableState.HELD):
            raise invalid(
                "payable", f"该款项现为“{payable.get_state_display()}”，不能改记为已支付。请按退款或追回办理。"
            )
        assert payable.budget_line is not None
        entry = Entry(payable_id=payable.pk, attempt_id=attempt.pk, amount=attempt.amount, memo=note)
        post(line=payable.budget_line, kind=TransferKind.COMMIT, entries=[entry], now=now)
        post(line=payable.budget_line, kind=TransferKind.PAY, entries=[entry], now=now)
        move_payables(payables=[payable], action=PayableAction.CONFIRM_PAID, role=role, actor=actor, now=now, note=note)
        attempt.outcome = AttemptOutcome.PAID.value
        # The last one: where the bank paid twice, it is the payment after the bounce that arrived.
        said = attempt.return_lines.filter(result=ReturnResult.PAID).exclude(status=LineStatus.EXCEPTION)
        told = said.filter(occurred_on__isnull=False).order_by("-occurred_on").first()
        attempt.outcome_on = told.occurred_on if told is not None else day_of(now)
    attempt.contradicted = False
    attempt.outcome_reason = note
    attempt.save(update_fields=["outcome", "outcome_on", "contradicted", "outcome_reason"])
    if payable.state == PayableState.HELD and payable.hold_kind == HoldKind.CONTRADICTION:
        move_payables(payables=[payable], action=PayableAction.RELEASE, role=role, actor=actor, now=now, note=note)
        slip(payables=[payable], month=promised_month(day=day_of(now)), reason="已向银行核实")
        tell(event="released", payables=[payable], now=now, key=f"{payable.pk}:{now.isoformat()}")
    if was_paid:
        tell(event="paid", payables=[payable], now=now, key=f"confirmed:{attempt.pk}")
    reconcile(batch_id=attempt.batch_id, now=now)
    return attempt


def _reason(reason: str, what: str) -> str:
    reason = reason.strip()
    if not reason:
        raise invalid("reason", f"请填写{what}的原因。")
    return reason[:300]
