"""Money asked back (追回): what came in of a demand, in part, in whole or too much; what was set off; its end.

Each bank entry is known by its reference and counts once (`bank_entries`). What comes in is applied to what is owed,
never beyond; the rest is kept as an excess that is given back by another person. With the last cent the demand is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.bank_references import of_set_off
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import invalid
from disbursement.domain.instalments import Due, PlanAction, PlanState, Standing, next_due, overdue, standing
from disbursement.domain.workflow import PayableAction, PayableState, Role
from disbursement.ledger.posting import Entry, lock_accounts, post
from disbursement.models import (
    Clawback,
    ClawbackPlan,
    ClawbackReceipt,
    DocumentKind,
    Payable,
    ReturnLine,
    SetOff,
    TransferKind,
)
from disbursement.services import notices
from disbursement.services.payment.standing import may_handle
from disbursement.services.payment.transitions import lock_payables, move_payables, person, tell
from disbursement.services.recovery import bank_entries
from disbursement.services.recovery.plan_moves import move_plan
from matching.days import day_of

_FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)


@dataclass(frozen=True, slots=True)
class RecoveryStanding:
    """How a demand stands on a day: what came in and is owed (元), and its instalments; without a plan in force it has
    one, the day of the notice.
    """

    demand: Clawback
    received: Decimal
    rest: Decimal
    entries: list[Standing]
    plan: ClawbackPlan | None
    excess: Decimal = money.ZERO
    overdue: Decimal = field(default=money.ZERO)

    @property
    def next(self) -> Standing | None:
        return next_due(self.entries)


def received_of(*, demand: Clawback) -> Decimal:
    """What came in of a demand, applied to it."""
    return money.from_sum(demand.receipts.aggregate(sum=Sum("applied"))["sum"])


def standing_of(*, demand: Clawback, as_of: date) -> RecoveryStanding:
    """How a demand stands on a day (Asia/Shanghai). From the very day on which a default was found all that is left is
    overdue: an instalment of it was before, and what is coming may not slip out on that day.
    """
    received = received_of(demand=demand)
    plan = demand.plans.filter(state__in=[PlanState.IN_FORCE, PlanState.DEFAULTED, PlanState.FULFILLED]).first()
    if plan is not None and plan.state != PlanState.DEFAULTED and plan.amount is not None:
        dues = [Due(entry.number, entry.due_on, entry.amount) for entry in plan.entries.all()]
        before = demand.amount - plan.amount
        entries = standing(dues, received=received - before, as_of=as_of)
    else:
        # Without a plan, and after a default, the whole is one debt.
        ended = None if plan is None or plan.ended_at is None else day_of(plan.ended_at)
        whole = Due(1, ended or demand.due_on, demand.amount)
        entries = standing([whole], received=received, as_of=as_of, due_at_once=ended is not None)
    excess = demand.receipts.filter(excess__gt=0, returned_on__isnull=True).aggregate(sum=Sum("excess"))["sum"]
    return RecoveryStanding(
        demand=demand,
        received=received,
        rest=demand.amount - received,
        entries=entries,
        plan=plan,
        excess=money.from_sum(excess),
        overdue=overdue(entries),
    )


@transaction.atomic
def record(
    *,
    clawback_id: int,
    amount: Decimal,
    received_on: date,
    reference: str,
    actor: Actor,
    now: datetime,
    note: str = "",
    return_line_id: int | None = None,
) -> ClawbackReceipt:
    """Record that money came in, by somebody other than who demanded it; by its bank reference it counts once.

    Too much is applied as far as something is owed. Raises Invalid for a reference that is known, a day to come or an
    amount that is none; Conflict for who demanded it.
    """
    payable, demand, role = locked(clawback_id=clawback_id, actor=actor, roles=(Role.FINANCE_CHECKER,))
    if amount <= 0:
        raise invalid("amount", "到账金额应大于零。")
    if received_on > day_of(now):
        raise invalid("received_on", "到账日期不能晚于今天。")
    if demand.ordered_by_id == actor.user_id:
        raise Conflict("发起追回的人员不能确认到账，请由其他人员确认。")
    reference = bank_entries.take(reference=reference, actor=actor, now=now, clawback=demand)
    line = None if return_line_id is None else ReturnLine.objects.select_for_update().get(pk=return_line_id)
    return _apply(
        payable=payable,
        demand=demand,
        amount=amount,
        received_on=received_on,
        reference=reference,
        actor=actor,
        role=role,
        now=now,
        note=note,
        line=line,
    )


def _apply(
    *,
    payable: Payable,
    demand: Clawback,
    amount: Decimal,
    received_on: date,
    reference: str,
    actor: Actor,
    role: Role,
    now: datetime,
    note: str = "",
    line: ReturnLine | None = None,
    set_off: SetOff | None = None,
) -> ClawbackReceipt:
    rest = demand.amount - received_of(demand=demand)
    applied = min(amount, rest)
    receipt = ClawbackReceipt.objects.create(
        clawback=demand,
        amount=amount,
        applied=applied,
        excess=amount - applied,
        received_on=received_on,
        reference=reference,
        return_line=line,
        set_off=set_off,
        note=note.strip()[:300],
        recorded_by_id=person(actor),
        recorded_at=now,
    )
    if applied:
        assert payable.budget_line is not None
        entry = Entry(payable_id=payable.pk, amount=applied, memo=f"{demand.number} {reference}")
        post(line=payable.budget_line, kind=TransferKind.RECOVER, entries=[entry], now=now)
    if applied == rest and payable.state == PayableState.CLAWBACK:
        _end(payable=payable, demand=demand, actor=actor, role=role, now=now, note=note or reference)
    elif applied:
        tell(event="recovered_part", payables=[payable], now=now, key=f"receipt:{receipt.pk}", receipt=receipt.pk)
    return receipt


def _end(*, payable: Payable, demand: Clawback, actor: Actor, role: Role, now: datetime, note: str) -> None:
    move_payables(payables=[payable], action=PayableAction.RECOVER, role=role, actor=actor, now=now, note=note)
    demand.recovered_at, demand.recovered_by_id = now, person(actor)
    demand.save(update_fields=["recovered_at", "recovered_by"])
    for plan in demand.plans.select_for_update().filter(state__in=["asked", "proposed", "in_force", "defaulted"]):
        move_plan(plan=plan, action=PlanAction.FULFIL, role=Role.SYSTEM, now=now, note="款项已退清", ended_at=now)
    tell(event="recovered", payables=[payable], now=now, key=str(demand.pk))


@transaction.atomic
def set_off(*, clawback_id: int, payable_id: int, actor: Actor, now: datetime, reason: str) -> SetOff:
    """Let a coming payable of the same enterprise pay back what is owed instead of being paid out (抵扣), by decision
    of an approver who did not order the clawback; the enterprise gets a notice.

    Only a whole instalment that is reserved or held, no larger than what is overdue: a plan in force binds until its
    default is found. Whoever decides may deal with both payments, and none of the coming one's may be with the bank.
    """
    if not reason.strip():
        raise invalid("reason", "请填写抵扣的依据。")
    demand = Clawback.objects.get(pk=clawback_id)
    # Both payables, in the order of their ids.
    found = {
        p.pk: p
        for p in lock_payables(
            Payable.objects.filter(pk__in=[demand.payable_id, payable_id]).select_related("budget_line", "enterprise")
        )
    }
    owing, coming = found[demand.payable_id], found.get(payable_id)
    demand = Clawback.objects.select_for_update().get(pk=clawback_id)
    role = may_handle(payable=owing, actor=actor, roles=(Role.FINANCE_APPROVER,))
    if demand.ordered_by_id == actor.user_id:
        raise Conflict("发起追回的人员不能决定抵扣，请由其他审批人员决定。")
    if coming is None or coming.pk == owing.pk or coming.enterprise_id != owing.enterprise_id:
        raise invalid("payable", "只能抵扣同一企业的其他应付款项。")
    may_handle(payable=coming, actor=actor, roles=(Role.FINANCE_APPROVER,))
    if coming.attempts.filter(contradicted=True).exists():
        raise invalid("payable", "该笔款项的上次支付，银行答复前后矛盾，可能已经到账，请先向银行核实。")
    if owing.state != PayableState.CLAWBACK:
        raise invalid("clawback", f"该款项现为“{owing.get_state_display()}”，没有待追回的金额。")
    how = standing_of(demand=demand, as_of=day_of(now))
    if not how.overdue:
        raise invalid("clawback", "退回期限未到或没有逾期，不能抵扣。")
    if coming.amount > how.rest:
        raise invalid(
            "payable",
            f"只能整期抵扣，不能只抵扣一期的一部分：该期应付{money.yuan(coming.amount)}元，"
            f"大于尚欠的{money.yuan(how.rest)}元。请先暂缓该期款项，待企业退清后解除。",
        )
    if coming.amount > how.overdue:
        raise invalid(
            "payable",
            f"只能整期抵扣，分期计划执行中又不能抵扣未到期的部分：该期应付{money.yuan(coming.amount)}元，"
            f"大于已逾期的{money.yuan(how.overdue)}元。请先认定违约，或先暂缓该期款项。",
        )
    assert coming.budget_line is not None
    for line in sorted(filter(None, {coming.budget_line, owing.budget_line}), key=lambda line: line.pk):
        lock_accounts(line=line)
    made = SetOff.objects.create(
        clawback=demand,
        payable=coming,
        amount=coming.amount,
        reason=reason.strip()[:300],
        decided_by_id=person(actor),
        decided_at=now,
    )
    entry = Entry(payable_id=coming.pk, amount=coming.amount, memo=f"抵扣追回款 {demand.number}")
    for kind in (TransferKind.COMMIT, TransferKind.PAY):
        post(line=coming.budget_line, kind=kind, entries=[entry], now=now)
    note = f"抵扣追回款 {demand.number}：{reason.strip()}"
    move_payables(payables=[coming], action=PayableAction.SET_OFF, role=role, actor=actor, now=now, note=note)
    _apply(
        payable=owing,
        demand=demand,
        amount=coming.amount,
        received_on=day_of(now),
        reference=of_set_off(made.pk),
        actor=actor,
        role=Role.FINANCE_APPROVER,
        now=now,
        note=note,
        set_off=made,
    )
    notices.want(kind=DocumentKind.SET_OFF, subject_id=made.pk, now=now)
    tell(event="set_off", payables=[coming], now=now, key=str(made.pk), set_off=made.pk)
    tell(event="settled", payables=[coming], now=now, key=f"set_off:{made.pk}")
    return made


@transaction.atomic
def return_excess(
    *, receipt_id: int, actor: Actor, now: datetime, returned_on: date, reference: str
) -> ClawbackReceipt:
    """What came in beyond what was owed was given back by a transfer of its own, says somebody other than who recorded
    it. Raises Conflict for that person, Invalid for a reference that was recorded before, whatever as.
    """
    receipt = ClawbackReceipt.objects.select_related("clawback").get(pk=receipt_id)
    locked(clawback_id=receipt.clawback_id, actor=actor, roles=_FINANCE)
    receipt = ClawbackReceipt.objects.select_for_update().get(pk=receipt_id)
    if not receipt.excess or receipt.returned_on is not None:
        raise invalid("receipt", "这笔到账没有待退还的多退款。")
    if receipt.recorded_by_id == actor.user_id:
        raise Conflict("登记到账的人员不能办理退还，请由其他人员办理。")
    if not receipt.received_on <= returned_on <= day_of(now):
        raise invalid("returned_on", "退还日期应在到账之后、今天之前。")
    receipt.returned_reference = bank_entries.take(reference=reference, actor=actor, now=now, receipt=receipt)
    receipt.returned_on, receipt.returned_by_id = returned_on, person(actor)
    receipt.save(update_fields=["returned_on", "returned_by", "returned_reference"])
    return receipt


def locked(*, clawback_id: int, actor: Actor, roles: tuple[Role, ...]) -> tuple[Payable, Clawback, Role]:
    """A demand with its payable, locked, payable first; and the role in which the person may deal with it."""
    found = Clawback.objects.filter(pk=clawback_id).values_list("payable_id", flat=True).first()
    payables = lock_payables(
        Payable.objects.filter(pk=found or 0).select_related("budget_line", "enterprise", "application__item")
    )
    if not payables:
        raise invalid("clawback", "没有这项追回。")
    demand = Clawback.objects.select_for_update().get(pk=clawback_id)
    return payables[0], demand, may_handle(payable=payables[0], actor=actor, roles=roles)
