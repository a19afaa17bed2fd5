"""What cut-off does to each budget line: reserve what waited, assemble, freeze, check. Each step is one
transaction and may be run again after a crash: what is done already is left as it is.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.cycle import approvals_needed
from disbursement.domain.workflow import BatchAction, BatchState, PayableAction, PayableState, Role
from disbursement.ledger.posting import sync_ceiling
from disbursement.models import (
    AttemptOutcome,
    Batch,
    Cycle,
    HoldKind,
    Payable,
    PayeeAccount,
    PaymentAttempt,
    PaymentFormat,
)
from disbursement.services.awards import granted_in_year, reserve
from disbursement.services.payees import use_checked_accounts
from disbursement.services.transitions import (
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
from matching.criteria import Facts, InvalidInput, Vocabulary, evaluate, parse_criteria
from matching.criteria.ast import Node
from matching.days import day_of
from matching.registry.models import BudgetLine
from matching.services.facts import profiles_as_of
from matching.services.listed import known_facts
from matching.services.vocabulary import current_vocabulary

# Holds that a later cut-off looks at again by itself; the others wait for a person.
CHECKED_AGAIN = (HoldKind.CREDIT, HoldKind.ACCOUNT, HoldKind.CONFLICT, HoldKind.CAP)
_CHECKS = Path(__file__).parents[1] / "domain" / "data" / "payment_checks.json"
Finding = tuple[HoldKind, str]


def due_lines(*, month: date) -> list[BudgetLine]:
    """Budget lines on which something waits to be paid this month, in order."""
    ids = _due(month).values_list("budget_line", flat=True).distinct()
    return list(BudgetLine.objects.filter(pk__in=ids).order_by("year", "code"))


@transaction.atomic
def reserve_waiting(*, month: date, now: datetime) -> int:
    """Reserve budget for payables that waited for it: deferred ones and new years' first, in the order of
    their making, then pro-rata ones, each its share of what is left (largest remainder, to the cent). Returns
    how many.

    What its own year's line cannot pay goes on the same line of the year in which it is paid, once that stands.
    """
    waiting = Payable.objects.filter(state=PayableState.AWAITING, pay_month__lte=month).select_related("award")
    lines = {(line.code, line.year): line for line in BudgetLine.objects.all()}
    payables_waiting = lock_payables(waiting)
    wanted = {key for payable in payables_waiting for key in _keys(payable, month=month) if key in lines}
    free = {key: sync_ceiling(line=lines[key], now=now) for key in sorted(wanted, key=lambda key: lines[key].pk)}
    firm: dict[BudgetLine, list[Payable]] = defaultdict(list)
    shared: dict[tuple[str, int], list[Payable]] = defaultdict(list)
    short: list[Payable] = []
    for payable in payables_waiting:
        keys = [key for key in _keys(payable, month=month) if key in free]
        if payable.award.shortfall == "pro_rata":
            key = next((key for key in keys if free[key] > 0), None)
            (short if key is None else shared[key]).append(payable)
            continue
        key = next((key for key in keys if free[key] >= payable.amount), None)
        if key is None:
            short.append(payable)
        else:
            free[key] -= payable.amount
            firm[lines[key]].append(payable)
    for line, payables in firm.items():
        reserve(payables=payables, line=line, now=now)
    done = sum(len(payables) for payables in firm.values())
    for key, payables in shared.items():
        shares = money.pro_rata(free[key], [p.entitled for p in payables])
        for payable, share in zip(payables, shares, strict=True):
            payable.amount = share
        served = [p for p in payables if p.amount > 0]
        short += [p for p in payables if p.amount <= 0]
        reduced = [p for p in served if p.amount < p.entitled]
        Payable.objects.bulk_update(reduced, ["amount"], batch_size=CHUNK)
        reserve(payables=served, line=lines[key], now=now)
        tell(event="reduced", payables=reduced, now=now, key=f"{month}:{lines[key].pk}")
        done += len(served)
    slip(payables=short, month=open_month_after(month), reason="预算不足，待安排预算")
    tell(event="slipped", payables=short, now=now, key=f"budget:{month}")
    return done


@transaction.atomic
def assemble(*, cycle_id: int, line: BudgetLine, now: datetime) -> Batch | None:
    """The line's batch of this cycle, made of all that is due on it; the one there is if it was assembled
    before.

    None where nothing is due.
    """
    cycle = Cycle.objects.select_for_update().get(pk=cycle_id)
    standing = Batch.objects.filter(cycle=cycle, budget_line=line).exclude(state=BatchState.DISSOLVED).first()
    if standing is not None:
        return standing
    payables = lock_payables(_due(cycle.month).filter(budget_line=line))
    if not payables:
        return None
    use_checked_accounts(payables=payables)
    made = Batch.objects.filter(cycle=cycle).count()
    batch = Batch.objects.create(
        cycle=cycle,
        budget_line=line,
        number=f"{cycle.month:%Y%m}{made + 1:03d}",
        state=BatchState.ASSEMBLING.value,
        format=PaymentFormat(settings.HUIDA_PAYMENT_FORMAT).value,
        payer=settings.HUIDA_PAYER,
        assembled_at=now,
    )
    PaymentAttempt.objects.bulk_create(
        [
            PaymentAttempt(
                payable=payable,
                batch=batch,
                amount=payable.amount,
                payee_name=payable.payee_name,
                bank_name=payable.bank_name,
                bank_code=payable.bank_code,
                account_number=payable.account_number,
                created_at=now,
            )
            for payable in payables
        ],
        batch_size=1000,
    )
    move_payables(payables=payables, action=PayableAction.SCHEDULE, role=Role.SYSTEM, now=now, note=batch.number)
    return batch


@transaction.atomic
def freeze(*, batch_id: int, now: datetime) -> None:
    """Number the lines, in the order of their payables. From here on nothing is added."""
    batch = lock_batch(batch_id=batch_id)
    if batch.state != BatchState.ASSEMBLING:
        return
    attempts = list(batch.attempts.order_by("payable_id"))
    for number, attempt in enumerate(attempts, start=1):
        attempt.line_no = number
    PaymentAttempt.objects.bulk_update(attempts, ["line_no"], batch_size=500)
    move_batch(batch=batch, action=BatchAction.FREEZE, role=Role.SYSTEM, now=now, frozen_at=now)


@transaction.atomic
def check(*, batch_id: int, now: datetime, on_progress: Callable[[int], None] | None = None) -> list[Payable]:
    """Check every line as of today; what fails is held with its reason and put off to the next month. Returns
    those.

    Checked: credit facts, the account (checked, and still the enterprise's), one account under two
    enterprises, yearly caps, contradicting answers of the bank. A batch of which nothing is left is
    dissolved.
    """
    batch = lock_batch(batch_id=batch_id)
    if batch.state != BatchState.FROZEN:
        return []
    attempts = list(batch.attempts.filter(outcome=AttemptOutcome.PENDING).order_by("payable_id"))
    payables = lock_payables(
        Payable.objects.filter(pk__in=[a.payable_id for a in attempts]).select_related("award__version")
    )
    findings: dict[int, Finding] = {}
    for group in chunks(payables, CHUNK):
        findings |= _findings(payables=group, today=day_of(now))
        if on_progress is not None:
            on_progress(len(group))
    held = [p for p in payables if p.pk in findings]
    by_finding: dict[Finding, list[Payable]] = defaultdict(list)
    for payable in held:
        by_finding[findings[payable.pk]].append(payable)
    for (kind, reason), group in by_finding.items():
        hold_scheduled(batch=batch, payables=group, kind=kind, reason=reason, role=Role.SYSTEM, now=now)
    if len(held) == len(payables):
        move_batch(batch=batch, action=BatchAction.DISSOLVE, role=Role.SYSTEM, now=now, note="全部明细已暂缓")
    else:
        move_batch(batch=batch, action=BatchAction.CHECK, role=Role.SYSTEM, now=now, **totals_of(batch=batch))
        kept = [p for p in payables if p.pk not in findings]
        tell(event="scheduled", payables=kept, now=now, key=batch.number, batch=batch.pk)
    return held


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
    withdraw(batch=batch, payables=payables, reason=reason)
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


def withdraw(*, batch: Batch, payables: Sequence[Payable], reason: str) -> None:
    """End the pending attempts of these payables in the batch."""
    for group in chunks(payables, CHUNK):
        PaymentAttempt.objects.filter(
            batch=batch, payable_id__in=[p.pk for p in group], outcome=AttemptOutcome.PENDING
        ).update(outcome=AttemptOutcome.WITHDRAWN, outcome_reason=reason)


def totals_of(*, batch: Batch) -> dict[str, Any]:
    """Count, total and approvals needed of the lines that stand; as changes for `move_batch`."""
    pending = batch.attempts.filter(outcome=AttemptOutcome.PENDING)
    total = money.from_sum(pending.aggregate(sum=Sum("amount"))["sum"])
    tiers = ((money.ZERO, 1), (Decimal(settings.HUIDA_SECOND_APPROVER_FROM), 2))
    return {
        "count": pending.count(),
        "total": total,
        "approvals_needed": approvals_needed(total, tiers=tiers),
    }


def _keys(payable: Payable, *, month: date) -> list[tuple[str, int]]:
    """The lines (code, year) that may pay it in that month: its own year's first."""
    return [(payable.budget_code, year) for year in sorted({payable.budget_year, max(payable.budget_year, month.year)})]


def _due(month: date) -> QuerySet[Payable]:
    return Payable.objects.filter(pay_month__lte=month).filter(
        Q(state=PayableState.RESERVED) | Q(state=PayableState.HELD, hold_kind__in=CHECKED_AGAIN)
    )


def _findings(*, payables: Sequence[Payable], today: date) -> dict[int, Finding]:
    """The first thing wrong with each payable, if anything is."""
    enterprises = sorted({p.enterprise_id for p in payables})
    credit = _credit_findings(enterprises=enterprises, today=today)
    accounts = {
        account.enterprise_id: account
        for account in PayeeAccount.objects.filter(enterprise_id__in=enterprises, state="checked")
    }
    numbers = {p.account_number for p in payables}
    holders = Counter(
        PayeeAccount.objects.filter(account_number__in=numbers, state="checked").values_list(
            "account_number", flat=True
        )
    )
    contradicted = set(
        PaymentAttempt.objects.filter(payable__in=payables, contradicted=True).values_list("payable_id", flat=True)
    )
    over = _over_cap(payables=payables)
    found: dict[int, Finding] = {}
    for payable in payables:
        account = accounts.get(payable.enterprise_id)
        if payable.pk in contradicted:
            found[payable.pk] = (HoldKind.CONTRADICTION, "银行对上次支付的结果前后矛盾，须先向银行核实")
        elif payable.enterprise_id in credit:
            found[payable.pk] = (HoldKind.CREDIT, credit[payable.enterprise_id])
        elif account is None:
            found[payable.pk] = (HoldKind.ACCOUNT, "收款账户尚未核对")
        elif (account.account_number, account.account_name) != (payable.account_number, payable.payee_name):
            found[payable.pk] = (HoldKind.ACCOUNT, "收款账户与核对过的账户不一致")
        elif holders[payable.account_number] > 1:
            found[payable.pk] = (HoldKind.CONFLICT, "该收款账号同时登记在其他企业名下")
        elif payable.pk in over:
            found[payable.pk] = (HoldKind.CAP, "超过本事项的年度上限")
    return found


def _credit_findings(*, enterprises: Sequence[int], today: date) -> dict[int, str]:
    vocabulary = current_vocabulary()
    rules = _credit_rules(vocabulary)
    found: dict[int, str] = {}
    for pk, profile in profiles_as_of(enterprise_ids=list(enterprises), day=today).items():
        facts: Facts = known_facts(facts=profile, vocabulary=vocabulary)
        for tree, reason in rules:
            if evaluate(tree, facts, today).verdict == "ineligible":
                found.setdefault(pk, reason)
    return found


def _credit_rules(vocabulary: Vocabulary) -> list[tuple[Node, str]]:
    """What stops a payment, in the criteria language; a rule on a fact that the district's vocabulary lacks
    is void.
    """
    rules = []
    for entry in json.loads(_CHECKS.read_text(encoding="utf-8")):
        try:
            rules.append((parse_criteria(entry["criteria"], vocabulary), str(entry["reason"])))
        except InvalidInput:
            continue
    return rules


def _over_cap(*, payables: Sequence[Payable]) -> set[int]:
    """Payables of awards with which the enterprise has more from the item in one year than its yearly cap."""
    capped: dict[tuple[int, str, int], tuple[str, list[int]]] = {}
    for payable in payables:
        cap = (payable.award.version.rules.get("award") or {}).get("cap_per_year")
        if cap is not None:
            key = (payable.enterprise_id, payable.award.item_code, payable.award.year)
            capped.setdefault(key, (str(cap), []))[1].append(payable.pk)
    over: set[int] = set()
    for (enterprise_id, item_code, year), (cap, ids) in capped.items():
        granted = granted_in_year(enterprise_id=enterprise_id, year=year)
        if money.total(e.amount for e in granted if e.item == item_code) > money.money(cap):
            over.update(ids)
    return over
