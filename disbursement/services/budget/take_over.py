"""Payments of a year that is closed, taken over by the line that succeeded it, so that money can come back there.

The closed line keeps what it paid, for its accounts are final. The successor (the same code, the first later year that
is open) gets a ceiling higher by as much and the payment with it; what comes back is free there. Callers hold a
transaction and the locks of the payables.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.ledger.posting import Entry, lock_accounts, post, sync_ceiling
from disbursement.ledger.standing import freeze_of, is_closed
from disbursement.models import Payable, TakeOver, TransferKind
from matching.registry.models import BudgetLine

_REASON = 300


def successor(*, line: BudgetLine) -> BudgetLine:
    """The line that answers for a closed one now, locked: its code in the first later year that is open, made where
    missing. Lines are locked after payables, a later year's after an earlier one's.
    """
    year = line.year + 1
    while True:
        found, _made = BudgetLine.objects.get_or_create(
            code=line.code,
            year=year,
            defaults={
                "name": line.name,
                "department": line.department,
                "fund": line.fund,
                "source": line.source,
                "ceiling": money.ZERO,
            },
        )
        # Locked first: a year that is being closed is waited for, and passed over once it is.
        locked = BudgetLine.objects.select_for_update(no_key=True).get(pk=found.pk)
        if not is_closed(line=locked):
            return locked
        year += 1


def frozen_successor(*, line: BudgetLine) -> BudgetLine | None:
    """The line that would answer for a closed one now, where it is frozen: it reserves nothing. Changes nothing."""
    later = BudgetLine.objects.filter(code=line.code, year__gt=line.year, year_end__isnull=True).order_by("year")
    found = later.first()
    return found if found is not None and freeze_of(line=found) is not None else None


def open_line_of(*, payable: Payable, now: datetime, reason: str, actor: Actor | None = None) -> BudgetLine:
    """The line on which money of a locked, paid payable can come back: its own while its year is open, else the
    successor, which takes it over.
    """
    assert payable.budget_line is not None
    if not is_closed(line=payable.budget_line):
        return payable.budget_line
    target = take_over(
        line=payable.budget_line, amounts=[(payable.pk, payable.amount)], now=now, reason=reason, actor=actor
    )
    payable.budget_line = target
    return target


def take_over(
    *,
    line: BudgetLine,
    amounts: Sequence[tuple[int, Decimal]],
    now: datetime,
    reason: str,
    actor: Actor | None = None,
    target: BudgetLine | None = None,
) -> BudgetLine:
    """Move payments (payable, 元) from a line whose books are final to its successor; returns that line.

    `actor` None: the machine. `target` where the caller has the successor already.
    """
    target = target or successor(line=line)
    for each in sorted((line, target), key=lambda found: found.pk):
        lock_accounts(line=each)
    sync_ceiling(line=target, now=now)
    TakeOver.objects.bulk_create(
        TakeOver(
            payable_id=pk,
            from_line=line,
            to_line=target,
            amount=amount,
            reason=reason[:_REASON],
            moved_by_id=None if actor is None else actor.user_id,
            moved_at=now,
        )
        for pk, amount in amounts
    )
    Payable.objects.filter(pk__in=[pk for pk, _ in amounts]).update(budget_line=target)
    total = money.total(amount for _, amount in amounts)
    BudgetLine.objects.filter(pk=target.pk).update(ceiling=target.ceiling + total)
    target.ceiling += total
    entries = [Entry(payable_id=pk, amount=amount, memo=f"承接{line.year}年度 {reason}") for pk, amount in amounts]
    post(line=target, kind=TransferKind.TAKE_OVER, entries=entries, now=now)
    return target
