"""What the bank sent and could not be posted: who looks after it, what was found, how it ended; and old
ones told of.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Fault, Invalid, invalid
from disbursement.domain.workflow import Role
from disbursement.models import (
    AttemptOutcome,
    Clawback,
    ClawbackReceipt,
    ExceptionNote,
    LineStatus,
    PaymentAttempt,
    Remedy,
    ReturnLine,
    ReturnResult,
)
from disbursement.selectors.exceptions import old_exceptions
from disbursement.services.payment import returns
from disbursement.services.payment.transitions import lock_batch, person, require_role
from disbursement.services.recovery import recoveries
from matching.days import day_of
from matching.registry import outbox

_FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)
_BACK_ALREADY = (AttemptOutcome.BOUNCED, AttemptOutcome.REFUNDED)


@transaction.atomic
def note(*, line_id: int, actor: Actor, now: datetime, text: str, owner_id: int | None = None) -> ExceptionNote:
    """Write down what is known of an open exception, and who looks after it from here on (None: as before)."""
    line = _open(line_id, actor)
    if not text.strip():
        raise invalid("text", "请写明查到了什么、下一步做什么。")
    last = ExceptionNote.objects.filter(line=line).order_by("-pk").first()
    kept = owner_id if owner_id is not None else None if last is None else last.owner_id
    return ExceptionNote.objects.create(
        line=line, owner_id=kept, text=text.strip()[:300], written_by_id=person(actor), written_at=now
    )


@transaction.atomic
def resolve(
    *, line_id: int, actor: Actor, now: datetime, remedy: str, text: str, clawback_number: str = ""
) -> ReturnLine:
    """End an exception: how, and in words. Money that was asked back is recorded under its demand in the same step.

    Raises Invalid with everything missing, Denied, Conflict.
    """
    line = _open(line_id, actor)
    faults = []
    if remedy not in Remedy.values:
        faults.append(Fault("remedy", "请选择处理方式。"))
    if not text.strip():
        faults.append(Fault("text", "请写明处理的依据和结果。"))
    if remedy == Remedy.RECOVERY and (not line.amount or line.occurred_on is None or not line.reference):
        faults.append(Fault("remedy", "这条回单没有金额、日期或流水号，不能登记为追回款。"))
    if remedy == Remedy.RECOVERY and line.result == ReturnResult.PAID:
        # Whoever paid it, and out of whichever account: it went out.
        faults.append(Fault("remedy", "这条回单是付出的款项（成功），不是到账，不能登记为追回款。"))
    demand = None
    if remedy == Remedy.RECOVERY:
        demand = Clawback.objects.select_related("payable").filter(number=clawback_number.strip()).first()
        if demand is None:
            faults.append(Fault("clawback_number", f"没有编号为“{clawback_number.strip()}”的追回。"))
        else:
            faults += _not_of(line, demand)
    if faults:
        raise Invalid(faults)
    if demand is not None:
        assert line.occurred_on is not None
        if line.batch_id is not None:
            # As everything does that posts what a bank says: the batch before its payables.
            lock_batch(batch_id=line.batch_id)
        recoveries.record(
            clawback_id=demand.pk,
            amount=Decimal(line.amount or 0),
            received_on=line.occurred_on,
            reference=line.reference,
            actor=actor,
            now=now,
            note=text,
            return_line_id=line.pk,
        )
    ExceptionNote.objects.create(
        line=line, remedy=remedy, text=text.strip()[:300], written_by_id=person(actor), written_at=now
    )
    words = f"{Remedy(remedy).label}：{text.strip()}"
    return returns.resolve_exception(line_id=line.pk, actor=actor, now=now, resolution=words)


@transaction.atomic
def warn_of_old(*, now: datetime) -> int:
    """Tell finance of exceptions that nobody ended for too long, each once: topic `exceptions.old` {line}. How many."""
    ids = list(old_exceptions(today=day_of(now)).values_list("pk", flat=True))
    for pk in ids:
        outbox.emit(topic="exceptions.old", payload={"line": pk}, now=now, dedupe_key=f"exceptions.old:{pk}")
    return len(ids)


def _not_of(line: ReturnLine, demand: Clawback) -> list[Fault]:
    """Why what the bank said of a payment of ours is not recorded under a demand: another enterprise's money, or the
    same again in another file, under another number.
    """
    attempt = _attempt_of(line)
    if attempt is None:
        return []
    told = []
    if attempt.outcome in _BACK_ALREADY:
        how = attempt.get_outcome_display()
        told.append(Fault("remedy", f"这笔支付的钱已按{how}入账，同一笔钱不能再登记为追回款，请向银行核实。"))
    if attempt.payable.enterprise_id != demand.payable.enterprise_id:
        told.append(Fault("clawback_number", f"这条回单是其他企业的款项，不能登记到追回{demand.number}。"))
    same = ClawbackReceipt.objects.filter(return_line__attempt=line.attempt_id, return_line__result=line.result)
    if line.attempt_id is not None and (known := same.first()) is not None:
        told.append(Fault("remedy", f"同一笔支付的该结果已登记到账（流水号{known.reference}），不能重复登记。"))
    return told


def _attempt_of(line: ReturnLine) -> PaymentAttempt | None:
    """The payment that a line names, though its amount or account was another's: a part that is given back is still the
    enterprise's own.
    """
    if line.attempt is not None or line.batch_id is None:
        return line.attempt
    number = line.line_id.rpartition("-")[2]
    if not (number.isascii() and number.isdigit()):
        return None
    found = PaymentAttempt.objects.filter(batch=line.batch_id, line_no=int(number)).select_related("payable")
    return found.exclude(outcome=AttemptOutcome.WITHDRAWN).first()


def _open(line_id: int, actor: Actor) -> ReturnLine:
    line = (
        ReturnLine.objects.select_for_update(of=("self",))
        .select_related("batch__budget_line", "attempt__payable")
        .get(pk=line_id)
    )
    # A line that belongs to no batch of ours concerns whoever holds the role anywhere.
    if line.batch is not None:
        require_role(actor=actor, roles=_FINANCE, department_id=line.batch.budget_line.department_id)
    elif not actor.roles & set(_FINANCE):
        require_role(actor=actor, roles=_FINANCE)
    if line.status != LineStatus.EXCEPTION or line.resolved_at is not None:
        raise invalid("line", "该明细不是待处理的例外。")
    return line
