"""What cut-off does to each budget line: reserve what waited, assemble, freeze, check.

Each step is done in pieces, a transaction for each, and may be run again after a crash: what is done already is left
as it is. `on_piece` is told how many rows a finished piece had.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from disbursement.domain import money, shortage
from disbursement.domain.actors import Actor
from disbursement.domain.cycle import approvals_needed
from disbursement.domain.setup import parse_payers, parse_tiers, payer_for
from disbursement.domain.shortage import Claim, Key
from disbursement.domain.workflow import BatchAction, BatchState, PayableAction, PayableState, Role
from disbursement.ledger.posting import post_payables, sync_ceiling
from disbursement.models import (
    AttemptOutcome,
    Batch,
    Cycle,
    HoldKind,
    Payable,
    PaymentAttempt,
    PaymentFormat,
    TransferKind,
)
from disbursement.services.month.payment_checks import Checks, Finding
from disbursement.services.payment.bulk import (
    PIECE,
    add_lines,
    lock_piece,
    move_many,
    pieces,
    slip_many,
    tell_many,
    use_checked_accounts,
)
from disbursement.services.payment.transitions import (
    CHUNK,
    lock_batch,
    lock_payables,
    move_batch,
    move_payables,
    open_month_after,
    slip,
    tell,
)
from matching.chunks import chunks
from matching.days import day_of
from matching.registry.models import BudgetLine, Fund

# Holds that a later cut-off looks at again by itself; the others wait for a person.
CHECKED_AGAIN = (HoldKind.CREDIT, HoldKind.ACCOUNT, HoldKind.CONFLICT, HoldKind.CAP, HoldKind.RECOVERY)
OnPiece = Callable[[int], None]


def due_lines(*, month: date) -> list[BudgetLine]:
    """Budget lines on which something waits to be paid this month, in order."""
    ids = due_payables(month=month).values_list("budget_line", flat=True).distinct()
    return list(BudgetLine.objects.filter(pk__in=ids).order_by("year", "code"))


def reserve_waiting(*, month: date, now: datetime, on_piece: OnPiece | None = None) -> int:
    """Reserve budget for payables that waited for it: deferred ones and new years' first, in the order of
    their making, then pro-rata ones, each its share of what is left (largest remainder, to the cent). Returns
    how many.

    What its own year's line cannot pay goes on the same line of the year in which it is paid, once that stands.
    """
    lines = {(line.code, line.year): line for line in BudgetLine.objects.all()}
    waiting = Payable.objects.filter(state=PayableState.AWAITING, pay_month__lte=month)
    firm, last = waiting.exclude(award__shortfall="pro_rata"), 0
    done = 0
    while True:
        with transaction.atomic():
            ids = lock_piece(query=Payable.objects.filter(pk__in=firm.values("pk")), after=last)
            if not ids:
                break
            last = ids[-1]
            done += _reserve_firm(ids=ids, lines=lines, month=month, now=now)
        if on_piece is not None:
            on_piece(len(ids))
    return done + _reserve_shared(query=waiting, lines=lines, month=month, now=now)


def _reserve_firm(*, ids: Sequence[int], lines: Mapping[Key, BudgetLine], month: date, now: datetime) -> int:
    claims = claims_of(query=_still_waiting(ids, month=month), column="amount")
    free = _free(claims=claims, lines=lines, month=month, now=now)
    found = shortage.first_come(claims, free=free, month=month)
    for key, payables in found.served.items():
        _reserve(ids=payables, line=lines[key], now=now)
    _put_off(ids=found.short, month=month, now=now)
    return sum(map(len, found.served.values()))


@transaction.atomic
def _reserve_shared(*, query: QuerySet[Payable], lines: Mapping[Key, BudgetLine], month: date, now: datetime) -> int:
    """All at once: a share depends on all that share."""
    shared = query.filter(award__shortfall="pro_rata")
    claims = [
        claim
        for ids in pieces(shared)
        for claim in claims_of(
            query=_still_waiting(lock_piece(query=Payable.objects.filter(pk__among=ids)), month=month),
            column="entitled",
        )
    ]
    free = _free(claims=claims, lines=lines, month=month, now=now)
    found = shortage.pro_rata(claims, free=free, month=month)
    done = 0
    for key, shares in found.served.items():
        reduced = [Payable(pk=share.pk, amount=share.amount) for share in shares if share.is_reduced]
        Payable.objects.bulk_update(reduced, ["amount"], batch_size=CHUNK)
        for group in chunks([share.pk for share in shares], PIECE):
            _reserve(ids=group, line=lines[key], now=now)
        tell(event="reduced", payables=[p.pk for p in reduced], now=now, key=f"{month}:{lines[key].pk}")
        done += len(shares)
    _put_off(ids=found.short, month=month, now=now)
    return done


def _still_waiting(ids: Sequence[int], *, month: date) -> QuerySet[Payable]:
    """Of locked payables those that wait still: another cut-off may have served them while this one waited for it."""
    return Payable.objects.filter(pk__among=ids, state=PayableState.AWAITING, pay_month__lte=month)


def claims_of(*, query: QuerySet[Payable], column: str) -> list[Claim]:
    """Payables as claims on their budget, in the order of their making; `column` is what each asks for."""
    rows = query.order_by("pk").values_list("pk", "budget_code", "budget_year", column)
    return [Claim(pk, code, year, amount) for pk, code, year, amount in rows]


def _free(
    *, claims: Sequence[Claim], lines: Mapping[Key, BudgetLine], month: date, now: datetime
) -> dict[Key, Decimal]:
    """What may be reserved on each line that the claims may take, locked in the order of their ids."""
    wanted = {key for c in claims for key in shortage.lines_for(c.code, c.year, month=month) if key in lines}
    return {key: sync_ceiling(line=lines[key], now=now) for key in sorted(wanted, key=lambda key: lines[key].pk)}


def _reserve(*, ids: Sequence[int], line: BudgetLine, now: datetime) -> None:
    post_payables(line=line, kind=TransferKind.RESERVE, payable_ids=ids, now=now)
    move_many(payable_ids=ids, action=PayableAction.RESERVE, role=Role.SYSTEM, now=now, budget_line_id=line.pk)


def _put_off(*, ids: Sequence[int], month: date, now: datetime) -> None:
    if ids:
        slip_many(payable_ids=ids, month=open_month_after(month), reason="预算不足，待安排预算")
        tell(event="slipped", payables=list(ids), now=now, key=f"budget:{month}:{ids[0]}")


def assemble(*, cycle_id: int, line: BudgetLine, now: datetime, on_piece: OnPiece | None = None) -> Batch | None:
    """The line's batch of this cycle, made of all that is due on it, in pieces; the one there is if it was assembled
    before. Its lines are numbered in the order of their payables.

    None where nothing is due.
    """
    while True:
        with transaction.atomic():
            cycle = Cycle.objects.select_for_update().get(pk=cycle_id)
            batch = (
                Batch.objects.select_for_update(of=("self",))
                .filter(cycle=cycle, budget_line=line)
                .exclude(state=BatchState.DISSOLVED)
                .first()
            )
            if batch is not None and batch.state != BatchState.ASSEMBLING:
                return batch
            ids = lock_piece(query=due_payables(month=cycle.month).filter(budget_line=line))
            if not ids:
                return batch
            if batch is None:
                batch = _new_batch(cycle=cycle, line=line, now=now)
            use_checked_accounts(payable_ids=ids)
            add_lines(batch_id=batch.pk, payable_ids=ids, now=now)
            move_many(payable_ids=ids, action=PayableAction.SCHEDULE, role=Role.SYSTEM, now=now, note=batch.number)
        if on_piece is not None:
            on_piece(len(ids))


def _new_batch(*, cycle: Cycle, line: BudgetLine, now: datetime) -> Batch:
    made = Batch.objects.filter(cycle=cycle).count()
    return Batch.objects.create(
        cycle=cycle,
        budget_line=line,
        number=f"{cycle.month:%Y%m}{made + 1:03d}",
        state=BatchState.ASSEMBLING.value,
        format=PaymentFormat(settings.HUIDA_PAYMENT_FORMAT).value,
        payer=payer_of(line=line),
        assembled_at=now,
    )


@transaction.atomic
def freeze(*, batch_id: int, now: datetime) -> None:
    """From here on nothing is added."""
    batch = lock_batch(batch_id=batch_id)
    if batch.state == BatchState.ASSEMBLING:
        move_batch(batch=batch, action=BatchAction.FREEZE, role=Role.SYSTEM, now=now, frozen_at=now)


def check(*, batch_id: int, now: datetime, on_piece: OnPiece | None = None) -> int:
    """Check every line as of today, in pieces; what fails is held with its reason and put off to the next month.
    Returns how many.

    Checked: credit facts, the account (checked, and still the enterprise's), one account under two
    enterprises, yearly caps, contradicting answers of the bank. A batch of which nothing is left is
    dissolved.
    """
    checks = Checks(today=day_of(now))
    pending = PaymentAttempt.objects.filter(batch=batch_id, outcome=AttemptOutcome.PENDING)
    last = held = 0
    while True:
        with transaction.atomic():
            batch = lock_batch(batch_id=batch_id)
            if batch.state != BatchState.FROZEN:
                return held
            ids = list(
                pending.filter(payable_id__gt=last).order_by("payable_id").values_list("payable_id", flat=True)[:PIECE]
            )
            if not ids:
                _end_check(batch=batch, now=now)
                return held
            last = ids[-1]
            held += _hold_found(batch=batch, findings=checks.findings(payable_ids=ids), now=now)
        if on_piece is not None:
            on_piece(len(ids))


def _hold_found(*, batch: Batch, findings: Mapping[int, Finding], now: datetime) -> int:
    by_finding: dict[Finding, list[Payable]] = defaultdict(list)
    for payable in lock_payables(Payable.objects.filter(pk__among=list(findings))):
        by_finding[findings[payable.pk]].append(payable)
    for (kind, reason), group in by_finding.items():
        hold_scheduled(batch=batch, payables=group, kind=kind, reason=reason, role=Role.SYSTEM, now=now)
    return len(findings)


def _end_check(*, batch: Batch, now: datetime) -> None:
    totals = totals_of(batch=batch)
    if not totals["count"]:
        move_batch(batch=batch, action=BatchAction.DISSOLVE, role=Role.SYSTEM, now=now, note="全部明细已暂缓")
        return
    move_batch(batch=batch, action=BatchAction.CHECK, role=Role.SYSTEM, now=now, **totals)
    kept = batch.attempts.filter(outcome=AttemptOutcome.PENDING).order_by("payable_id")
    tell_many(event="scheduled", query=kept, now=now, key=batch.number, batch=batch.pk)


def hold_scheduled(
    *,
    batch: Batch,
    payables: Sequence[Payable],
    kind: HoldKind,
    reason: str,
    role: Role,
    now: datetime,
    actor: Actor | None = None,
) -> None:
    """Take lines out of a batch that nobody has signed, and hold them until the next month. All are
    locked.
    """
    withdraw(batch=batch, payable_ids=[payable.pk for payable in payables], reason=reason)
    move_payables(
        payables=payables,
        action=PayableAction.HOLD,
        role=role,
        now=now,
        note=reason,
        hold_kind=kind.value,
        hold_reason=reason,
        actor=actor,
    )
    slip(payables=payables, month=open_month_after(batch.cycle.month), reason=reason)
    tell(event="held", payables=payables, now=now, key=f"{batch.number}:{kind}:{payables[0].pk}", batch=batch.pk)


def withdraw(*, batch: Batch, payable_ids: Sequence[int], reason: str) -> None:
    """End the pending attempts of these payables in the batch."""
    for group in chunks(payable_ids, PIECE):
        PaymentAttempt.objects.filter(batch=batch, payable_id__among=group, outcome=AttemptOutcome.PENDING).update(
            outcome=AttemptOutcome.WITHDRAWN, outcome_reason=reason
        )


def totals_of(*, batch: Batch) -> dict[str, Any]:
    """Count, total and approvals needed of the lines that stand; as changes for `move_batch`."""
    found = batch.attempts.filter(outcome=AttemptOutcome.PENDING).aggregate(count=Count("pk"), sum=Sum("amount"))
    total = money.from_sum(found["sum"])
    return {"count": found["count"], "total": total, "approvals_needed": approvers_of(total=total)}


def approvers_of(*, total: Decimal) -> int:
    """How many people must approve a batch of that total (元), by the tiers of the settings."""
    tiers = parse_tiers(settings.HUIDA_APPROVER_TIERS)
    return approvals_needed(total, tiers=tiers or ((money.ZERO, 1), (Decimal(settings.HUIDA_SECOND_APPROVER_FROM), 2)))


def payer_of(*, line: BudgetLine) -> dict[str, str]:
    """The account that pays for a line, as it stands in payment files: by its code, its fund, or the district's."""
    payers = parse_payers(settings.HUIDA_PAYERS, funds=Fund.values)
    return payer_for(code=line.code, fund=line.fund, payers=payers, default=settings.HUIDA_PAYER)


def due_payables(*, month: date) -> QuerySet[Payable]:
    """What a month's cut-off takes, once its budget is reserved."""
    return Payable.objects.filter(pay_month__lte=month).filter(
        Q(state=PayableState.RESERVED) | Q(state=PayableState.HELD, hold_kind__in=CHECKED_AGAIN)
    )
