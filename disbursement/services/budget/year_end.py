"""The end of a budget line's year (年终关账): what is still open, what goes to the next year, and then no posting more.

Rules: what is reserved for an enterprise is carried over with its money, whatever it waits for, and keeps its month;
what nobody is owed is released; what is asked back goes on being asked back on the next year's line; what is with the
bank is brought to an end first. May be run again: lines that are closed stay as they are, and those that could not be
closed say why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.errors import Fault, Invalid, invalid
from disbursement.domain.workflow import BatchState, PayableState, Role
from disbursement.ledger.posting import Entry, balances, lock_accounts, post, post_payables, sync_ceiling
from disbursement.ledger.reconcile import ledger_findings
from disbursement.ledger.standing import freeze_of, is_closed
from disbursement.models import (
    AccountKind,
    Batch,
    BudgetChange,
    CarryOver,
    Clawback,
    DocumentKind,
    LedgerTransfer,
    Payable,
    PaymentAttempt,
    TransferKind,
    YearEnd,
)
from disbursement.services import notices
from disbursement.services.budget.take_over import take_over
from disbursement.services.payment.transitions import person, require_role
from disbursement.services.recovery import recoveries
from matching.chunks import chunks
from matching.days import day_of
from matching.registry.models import BudgetLine

_P = PayableState
CARRIED = (_P.RESERVED, _P.HELD, _P.BOUNCED, _P.MENDED)
_WHY = {
    _P.RESERVED: "年末尚未列入批次",
    _P.HELD: "年末仍在暂缓",
    _P.BOUNCED: "退票后待企业更正账户",
    _P.MENDED: "新账户待核对",
}
_PIECE = 2000


@dataclass(frozen=True, slots=True)
class Group:
    """Payables of one state: how many, and their sum in 元; `why` they are still open."""

    state: PayableState
    count: int
    amount: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """How a line stands before its year is closed. `blockers` are to be done first; then `carried` goes to the next
    year, `released` back, and nothing is posted any more. `waiting` are owed without budget: the next year has them.
    """

    line: BudgetLine
    ceiling: Decimal
    paid: Decimal
    carried: list[Group]
    released: Decimal
    waiting: list[Group]
    blockers: list[str] = field(default_factory=list)
    done: YearEnd | None = None
    # What is asked back and not yet here: the next year's line goes on asking for it.
    asked_back: Decimal = money.ZERO

    @property
    def carried_total(self) -> Decimal:
        return money.total(group.amount for group in self.carried)


def preflight(*, line: BudgetLine, today: date) -> Preflight:
    """What closing the line's year would do, and what is in its way. Changes nothing."""
    done = YearEnd.objects.filter(line=line).first()
    found = balances(line=line)
    carried = _groups(Payable.objects.filter(budget_line=line, state__in=[s.value for s in CARRIED]))
    waiting = _groups(Payable.objects.filter(budget_code=line.code, budget_year=line.year, state=_P.AWAITING.value))
    free = line.ceiling - money.total(
        found[kind] for kind in (AccountKind.RESERVED, AccountKind.COMMITTED, AccountKind.PAID, AccountKind.RECEIVABLE)
    )
    receivable = found[AccountKind.RECEIVABLE]
    return Preflight(
        line=line,
        ceiling=line.ceiling if done is None else done.ceiling,
        paid=found[AccountKind.PAID],
        carried=carried,
        released=max(free, money.ZERO),
        waiting=waiting,
        blockers=[] if done is not None else _blockers(line=line, today=today),
        done=done,
        asked_back=receivable,
    )


@transaction.atomic
def close(
    *, line_id: int, actor: Actor, now: datetime, paper_number: str, on_carried: Callable[[int], None] | None = None
) -> YearEnd:
    """Close one line's year: carry over, release, and shut it; the one there is if it was closed before.

    By a finance approver, on a paper. Raises Denied, and Invalid with every blocker; nothing is then changed.
    `on_carried` is told twice of each piece of payables that goes to the next year, how many: given up here, and
    reserved there.
    """
    require_role(actor=actor, roles=[Role.FINANCE_APPROVER])
    if not paper_number.strip():
        raise invalid("paper_number", "请填写批准文号。")
    # Payables before their line, as everything locks that brings money back: a return of the bank's that waits for this
    # line while it holds one of its payables would wait for ever.
    ids = _locked_payables(line_id=line_id)
    line = BudgetLine.objects.select_for_update(no_key=True).get(pk=line_id)
    done = YearEnd.objects.filter(line=line).first()
    if done is not None:
        return done
    today = day_of(now)
    now = _after_all_postings(line=line, now=now)
    if _payables_of(line_id=line_id) != ids:
        raise invalid("line", "关账时有款项刚刚转入或新列入该科目，请重新核对后再关账。")
    sync_ceiling(line=line, now=now)
    before = preflight(line=line, today=today)
    if before.blockers:
        raise Invalid([Fault("line", text) for text in before.blockers])
    if before.carried:
        _carry(
            line=line,
            ids=ids,
            amount=before.carried_total,
            actor=actor,
            now=now,
            paper=paper_number.strip(),
            on_carried=on_carried,
        )
    carried = before
    if before.asked_back:
        _hand_over_demands(line=line, ids=ids, actor=actor, now=now, paper=paper_number.strip())
        before = preflight(line=line, today=today)
    BudgetLine.objects.filter(pk=line.pk).update(ceiling=before.paid)
    sync_ceiling(line=line, now=now, memo=f"年终收回 {paper_number.strip()}")
    return YearEnd.objects.create(
        line=line,
        ceiling=carried.ceiling,
        paid=before.paid,
        carried=carried.carried_total,
        carried_count=sum(group.count for group in carried.carried),
        released=before.released,
        paper_number=paper_number.strip(),
        closed_by_id=person(actor),
        closed_at=now,
    )


def _payables_of(*, line_id: int) -> list[int]:
    return list(Payable.objects.filter(budget_line=line_id).order_by("pk").values_list("pk", flat=True))


def _locked_payables(*, line_id: int) -> list[int]:
    query = Payable.objects.filter(budget_line=line_id).order_by("pk")
    return list(query.select_for_update().values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one line: closed now or before, or what is in the way."""

    line: BudgetLine
    closed: YearEnd | None
    blockers: list[str]


def _after_all_postings(*, line: BudgetLine, now: datetime) -> datetime:
    """`now`, or when the line was last posted to: while the closing was asked for and waited, work went on, and nothing
    may stand behind the closing. The line is locked by the caller.
    """
    lock_accounts(line=line)
    posted = LedgerTransfer.objects.filter(Q(debit__budget_line=line) | Q(credit__budget_line=line))
    last = posted.aggregate(last=Max("posted_at"))["last"]
    return now if last is None else max(now, last)


def to_carry(*, year: int) -> int:
    """How many payables closing the year would carry over: what there is to wait for."""
    return Payable.objects.filter(budget_line__year=year, state__in=[state.value for state in CARRIED]).count()


def close_year(
    *,
    year: int,
    actor: Actor,
    now: datetime,
    paper_number: str,
    on_step: Callable[[str], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Close every line of a year that can be closed, each by itself; ask for the report once none is left open.

    `on_step` is told which line it is at, `on_progress` (steps done, of how many): two for each payable carried over.
    """
    outcomes = []
    carried, total = 0, 2 * to_carry(year=year) if on_progress is not None else 0

    def on_carried(count: int) -> None:
        nonlocal carried
        carried += count
        if on_progress is not None:
            on_progress(carried, max(carried, total))

    for line in BudgetLine.objects.filter(year=year).order_by("code"):
        if on_step is not None:
            on_step(str(line))
        before = carried
        try:
            done = close(line_id=line.pk, actor=actor, now=now, paper_number=paper_number, on_carried=on_carried)
        except Invalid as refusal:
            carried = before
            outcomes.append(Outcome(line, None, [fault.message for fault in refusal.faults]))
        else:
            outcomes.append(Outcome(line, done, []))
    if outcomes and all(outcome.closed for outcome in outcomes):
        with transaction.atomic():
            notices.want(kind=DocumentKind.YEAR, subject_id=year, now=now)
    return outcomes


def told(outcomes: Sequence[Outcome]) -> str:
    """How closing a year went, in Chinese."""
    closed = sum(outcome.closed is not None for outcome in outcomes)
    text = _("已关账 %(closed)s 个科目，%(open)s 个还不能关账，原因见年终关账页各科目。")
    return text % {"closed": closed, "open": len(outcomes) - closed}


def _carry(
    *,
    line: BudgetLine,
    ids: Sequence[int],
    amount: Decimal,
    actor: Actor,
    now: datetime,
    paper: str,
    on_carried: Callable[[int], None] | None,
) -> None:
    """Move reserved payables with their money to the next year's line, opened where it is missing."""
    target, _is_new = BudgetLine.objects.get_or_create(
        code=line.code,
        year=line.year + 1,
        defaults={
            "name": line.name,
            "department": line.department,
            "fund": line.fund,
            "source": line.source,
            "ceiling": money.ZERO,
        },
    )
    target = BudgetLine.objects.select_for_update(no_key=True).get(pk=target.pk)
    for each in sorted((line, target), key=lambda found: found.pk):
        lock_accounts(line=each)
    if is_closed(line=target) or freeze_of(line=target) is not None:
        raise invalid("line", f"“{target}”已关账或冻结，不能结转到该科目。")
    rows = list(
        Payable.objects.filter(pk__in=ids, state__in=[s.value for s in CARRIED])
        .order_by("pk")
        .values_list("pk", "amount", "state")
    )
    memo = f"结转{target.year}年度 {paper}"
    for piece in chunks(rows, _PIECE):
        post_payables(line=line, kind=TransferKind.UNRESERVE, payable_ids=[row[0] for row in piece], now=now)
        if on_carried is not None:
            on_carried(len(piece))
    sync_ceiling(line=target, now=now)
    BudgetLine.objects.filter(pk=line.pk).update(ceiling=line.ceiling - amount)
    BudgetLine.objects.filter(pk=target.pk).update(ceiling=target.ceiling + amount)
    sync_ceiling(line=line, now=now, memo=memo)
    sync_ceiling(line=target, now=now, memo=memo)
    for piece in chunks(rows, _PIECE):
        moved = [row[0] for row in piece]
        CarryOver.objects.bulk_create(
            CarryOver(
                payable_id=pk,
                from_line=line,
                to_line=target,
                amount=each,
                reason=_WHY[_P(state)],
                moved_by_id=person(actor),
                moved_at=now,
            )
            for pk, each, state in piece
        )
        Payable.objects.filter(pk__in=moved).update(budget_line=target)
        post_payables(line=target, kind=TransferKind.RESERVE, payable_ids=moved, now=now)
        if on_carried is not None:
            on_carried(len(piece))


def _groups(query: QuerySet[Payable]) -> list[Group]:
    rows = query.order_by().values_list("state").annotate(count=Count("pk"), sum=Sum("amount"))
    return [
        Group(_P(state), count, money.from_sum(amount), _WHY.get(_P(state), "待安排下年度预算"))
        for state, count, amount in sorted(rows)
    ]


def _hand_over_demands(*, line: BudgetLine, ids: Sequence[int], actor: Actor, now: datetime, paper: str) -> None:
    """What is still being asked back: paid as far as this year goes, asked back by the next year's line."""
    demands = Clawback.objects.filter(payable__in=ids, payable__state=_P.CLAWBACK.value).order_by("payable_id")
    amounts = [
        (demand.payable_id, rest)
        for demand in demands
        if (rest := demand.amount - recoveries.received_of(demand=demand)) > 0
    ]
    memo = f"追回转{line.year + 1}年度 {paper}"
    entries = [Entry(payable_id=pk, amount=amount, memo=memo) for pk, amount in amounts]
    post(line=line, kind=TransferKind.HAND_OVER, entries=entries, now=now)
    target = take_over(line=line, amounts=amounts, now=now, reason=memo, actor=actor)
    post(line=target, kind=TransferKind.CLAW_BACK, entries=entries, now=now)


def _blockers(*, line: BudgetLine, today: date) -> list[str]:
    told = []
    if today < date(line.year, 12, 1):
        told.append(f"{line.year}年12月1日起才能关闭{line.year}年度。")
    open_batches = Batch.objects.filter(budget_line=line).exclude(
        state__in=[BatchState.CLOSED, BatchState.RECONCILED, BatchState.DISSOLVED]
    )
    if numbers := list(open_batches.order_by("number").values_list("number", flat=True)[:5]):
        told.append(f"批次{'、'.join(numbers)}尚未对账，请先完成支付、导入回单，或解散未封存的批次。")
    sealed = Payable.objects.filter(budget_line=line, state__in=[_P.SCHEDULED.value, _P.SEALED.value])
    counted = sealed.aggregate(count=Count("pk"), sum=Sum("amount"))
    if counted["count"]:
        told.append(f"{counted['count']}笔、{money.yuan(money.from_sum(counted['sum']))}元在批次中尚无支付结果。")
    doubtful = PaymentAttempt.objects.filter(payable__budget_line=line, contradicted=True).count()
    if doubtful:
        told.append(f"{doubtful}笔银行结果前后矛盾，请先向银行核实。")
    undecided = BudgetChange.objects.filter(line=line, approved=None).count()
    if undecided:
        told.append(f"{undecided}项预算调整尚未决定，请先批准或不批准。")
    told += [f"账实不符：{problem}。" for problem in ledger_findings(line=line)]
    return told
