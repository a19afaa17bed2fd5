"""Changes of budget lines: proposed on a paper by one person of finance, decided by another, in force at once.

The ledger follows in the same transaction: a transfer between lines takes from one and gives to the other, both or
neither. No line goes below what is reserved, committed or paid on it; the database refuses it too.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Fault, Invalid, invalid
from disbursement.domain.workflow import Role
from disbursement.ledger.posting import balances, lock_accounts, sync_ceiling
from disbursement.ledger.standing import freeze_of, is_closed
from disbursement.models import AccountKind, BudgetChange, ChangeKind
from disbursement.services.payment.transitions import person, require_role
from matching.registry import outbox
from matching.registry.models import BudgetLine

_FINANCE = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)
_BOUND = (AccountKind.RESERVED, AccountKind.COMMITTED, AccountKind.PAID, AccountKind.RECEIVABLE)


def bound(*, line: BudgetLine) -> Decimal:
    """What of the line is reserved, committed, paid or asked back, in 元: its ceiling never goes below this."""
    found = balances(line=line)
    return money.total(found[kind] for kind in _BOUND)


@transaction.atomic
def propose(
    *,
    kind: ChangeKind,
    line_id: int,
    actor: Actor,
    now: datetime,
    paper_number: str,
    reason: str,
    amount: Decimal | None = None,
    to_line_id: int | None = None,
) -> BudgetChange:
    """Propose a change; nothing changes before it is approved. `amount` in 元: of an adjustment what it adds (below
    zero: takes away), of a transfer what goes to `to_line_id`. Raises Invalid for what cannot be, Denied.
    """
    require_role(actor=actor, roles=_FINANCE)
    line = BudgetLine.objects.select_for_update(no_key=True).get(pk=line_id)
    target = None if to_line_id is None else BudgetLine.objects.get(pk=to_line_id)
    faults = []
    if not paper_number.strip():
        faults.append(Fault("paper_number", "请填写批准文号。"))
    if not reason.strip():
        faults.append(Fault("reason", "请填写调整原因。"))
    if faults:
        raise Invalid(faults)
    _check(kind=kind, line=line, target=target, amount=amount)
    change = BudgetChange.objects.create(
        kind=kind.value,
        line=line,
        to_line=target,
        amount=amount,
        paper_number=paper_number.strip(),
        reason=reason.strip(),
        proposed_by_id=person(actor),
        proposed_at=now,
    )
    outbox.emit(
        topic="budget.proposed", payload={"change": change.pk}, now=now, dedupe_key=f"budget.proposed:{change.pk}"
    )
    return change


@transaction.atomic
def decide(*, change_id: int, approve: bool, actor: Actor, now: datetime, note: str = "") -> BudgetChange:
    """Approve a change, which then is in force, or refuse it with a note. Another person than proposed it, a finance
    approver. Raises Conflict, Denied, Invalid.
    """
    require_role(actor=actor, roles=[Role.FINANCE_APPROVER])
    change = BudgetChange.objects.select_for_update().get(pk=change_id)
    if change.approved is not None:
        raise invalid("change", "这项调整已经决定，不能再次决定。")
    if change.proposed_by_id == person(actor):
        raise Conflict("这项调整由您提出，须由另一名审批人员决定。")
    if not approve and not note.strip():
        raise invalid("note", "请写明不批准的原因。")
    ids = sorted({change.line_id, change.to_line_id or change.line_id})
    # Without its key: who reserves on a line holds its accounts, and names it at his commit.
    locked = BudgetLine.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    lines = {line.pk: line for line in locked}
    line = lines[change.line_id]
    target = None if change.to_line_id is None else lines[change.to_line_id]
    change.approved, change.decided_by_id, change.decided_at, change.note = approve, person(actor), now, note.strip()
    if approve:
        _check(kind=ChangeKind(change.kind), line=line, target=target, amount=change.amount)
    change.save(update_fields=["approved", "decided_by", "decided_at", "note"])
    if approve and change.amount is not None:
        for each in lines.values():
            lock_accounts(line=each)
        memo = f"{change.get_kind_display()} {change.paper_number}"
        sign = -1 if target is not None else 1
        _set_ceiling(line=line, ceiling=line.ceiling + sign * change.amount, memo=memo, now=now)
        if target is not None:
            _set_ceiling(line=target, ceiling=target.ceiling + change.amount, memo=memo, now=now)
    outbox.emit(
        topic="budget.changed",
        payload={"change": change.pk, "line": change.line_id, "approved": approve},
        now=now,
        dedupe_key=f"budget.changed:{change.pk}",
    )
    return change


def _set_ceiling(*, line: BudgetLine, ceiling: Decimal, memo: str, now: datetime) -> None:
    # First what the ledger may know of the old ceiling, so that each change is a transfer of its own.
    sync_ceiling(line=line, now=now)
    BudgetLine.objects.filter(pk=line.pk).update(ceiling=ceiling)
    sync_ceiling(line=line, now=now, memo=memo)


def _check(*, kind: ChangeKind, line: BudgetLine, target: BudgetLine | None, amount: Decimal | None) -> None:
    for each in (line, target):
        if each is not None and is_closed(line=each):
            raise invalid("line", f"“{each}”年度已关账，不能再调整。")
    frozen = freeze_of(line=line)
    if kind is ChangeKind.FREEZE and frozen is not None:
        raise invalid("line", f"“{line}”已按{frozen.paper_number}冻结。")
    if kind is ChangeKind.UNFREEZE and frozen is None:
        raise invalid("line", f"“{line}”没有冻结，不需要解冻。")
    if kind in (ChangeKind.FREEZE, ChangeKind.UNFREEZE):
        return
    if amount is None or amount == 0:
        raise invalid("amount", "请填写调整金额。")
    if kind is ChangeKind.TRANSFER:
        if target is None or target.pk == line.pk:
            raise invalid("to_line", "请选择另一个调入科目。")
        if target.year != line.year:
            raise invalid("to_line", "只能在同一年度的科目间调剂；跨年资金请通过年终关账结转。")
        if amount < 0:
            raise invalid("amount", "调剂金额应大于0；要反向调剂，请从另一科目提出。")
    taken = amount if kind is ChangeKind.TRANSFER else -amount
    free = line.ceiling - bound(line=line)
    if taken > free:
        raise invalid(
            "amount",
            f"“{line}”额度{money.yuan(line.ceiling)}元，已预留和支付{money.yuan(line.ceiling - free)}元，"
            f"最多可调出{money.yuan(max(free, money.ZERO))}元。",
        )
