"""The month's run from outside: open, cut off, seal and send what is signed, and how things stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Sum

from disbursement.domain import money
from disbursement.domain.cycle import month_label, month_of
from disbursement.domain.errors import REFUSALS, Fault, Invalid, invalid
from disbursement.domain.workflow import BatchState, CycleAction, CycleState, PayableState
from disbursement.ledger.reconcile import ledger_findings
from disbursement.models import (
    AttemptOutcome,
    Batch,
    Cycle,
    LineStatus,
    Payable,
    PaymentAttempt,
    ReturnLine,
    SealedFile,
)
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.cut_off import cut_off_day
from disbursement.services.month.cut_off_days import turn_of
from disbursement.services.month.preparation import assemble, check, due_lines, due_payables, freeze, reserve_waiting
from disbursement.services.numbering import take_turn
from disbursement.services.payment.bulk import Tally
from disbursement.services.payment.reconciliation import close_cycle_if_done
from disbursement.services.payment.sealing import seal, send
from disbursement.services.payment.transitions import move_cycle
from matching.days import day_of
from matching.registry import outbox
from matching.registry.models import BudgetLine

Progress = Callable[[str], None]
Counted = Callable[[int, int], None]


def open_cycle(*, month: date, now: datetime) -> tuple[Cycle, bool]:
    """The cycle of a month (its first day), opened if it is not; its published cut-off day stays as it was
    opened with.

    Returns it and whether it is new.
    """
    month = month_of(month)
    if (cycle := Cycle.objects.filter(month=month).first()) is not None:
        return cycle, False
    with transaction.atomic():
        take_turn(series=turn_of(month))
        cycle, is_new = Cycle.objects.get_or_create(
            month=month,
            defaults={
                "cut_off_on": cut_off_day(month=month),
                "state": CycleState.OPEN.value,
                "opened_at": now,
            },
        )
        if is_new:
            outbox.emit(
                topic="cycle.opened", payload={"cycle": cycle.pk}, now=now, dedupe_key=f"cycle.opened:{cycle.pk}"
            )
    return cycle, is_new


def open_if_due(*, now: datetime) -> Cycle:
    """Open this month's cycle; for a daily task."""
    return open_cycle(month=month_of(day_of(now)), now=now)[0]


def daily(*, now: datetime) -> list[Batch]:
    """The early morning's round: open this month's cycle, cut off each open one whose day is past. Returns new batches.

    The cut-off day itself belongs to the people who may do it by hand.
    """
    open_if_due(now=now)
    made: list[Batch] = []
    for cycle in Cycle.objects.filter(state=CycleState.OPEN, cut_off_on__lt=day_of(now)).order_by("month"):
        made.extend(cut_off(month=cycle.month, now=now).batches)
    return made


@dataclass(slots=True)
class CutOff:
    """What a cut-off did: `held` are the payables that a check held, `was_done` says that it had been done
    before.
    """

    cycle: Cycle
    batches: list[Batch] = field(default_factory=list)
    held: list[Payable] = field(default_factory=list)
    was_done: bool = False


def cut_off(
    *, month: date, now: datetime, on_step: Progress | None = None, on_progress: Counted | None = None
) -> CutOff:
    """Cut a month off: every budget line's due payables become a batch, frozen and checked, ready for the
    maker.

    On or after the cut-off day (Raises Invalid before it). After a crash it is run again and goes on where it
    stopped, as of the time of the first run; when done it changes nothing. `on_progress` is told (steps done, steps
    in all): a step for each payable that is reserved, listed or checked.
    """
    cycle, _ = open_cycle(month=month, now=now)
    need_due(cycle=cycle, now=now)
    with transaction.atomic():
        cycle = Cycle.objects.select_for_update().get(pk=cycle.pk)
        if cycle.state != CycleState.OPEN:
            return CutOff(cycle, list(cycle.batches.order_by("number")), _held(cycle), was_done=True)
        if cycle.cut_at is None:
            # Somebody may have put the day off since it was looked at.
            need_due(cycle=cycle, now=now)
            cycle.cut_at = now
            cycle.save(update_fields=["cut_at"])
    # What a batch holds and says must not depend on how often the cut-off was interrupted.
    at = cycle.cut_at
    assert at is not None
    told = on_step or (lambda text: None)
    tally = Tally(total=steps_of_cut_off(cycle_id=cycle.pk), report=on_progress)
    told("安排待定预算")
    reserve_waiting(month=cycle.month, now=at, on_piece=tally.add)
    lines = {line.pk: line for line in due_lines(month=cycle.month)}
    for batch in cycle.batches.exclude(state=BatchState.DISSOLVED).select_related("budget_line"):
        lines.setdefault(batch.budget_line_id, batch.budget_line)
    for line in sorted(lines.values(), key=lambda found: (found.year, found.code)):
        made = assemble(cycle_id=cycle.pk, line=line, now=at, on_piece=tally.add)
        if made is not None:
            told(f"归集、冻结、校验：{line}")
            freeze(batch_id=made.pk, now=at)
            check(batch_id=made.pk, now=at, on_piece=tally.add)
    with transaction.atomic():
        cycle = Cycle.objects.select_for_update().get(pk=cycle.pk)
        if cycle.state == CycleState.OPEN:
            move_cycle(cycle=cycle, action=CycleAction.CUT_OFF, now=at)
            outbox.emit(
                topic="cycle.cut_off", payload={"cycle": cycle.pk}, now=at, dedupe_key=f"cycle.cut_off:{cycle.pk}"
            )
            close_cycle_if_done(cycle_id=cycle.pk, now=at)
            cycle.refresh_from_db()
    return CutOff(cycle, list(cycle.batches.order_by("number")), _held(cycle))


def need_due(*, cycle: Cycle, now: datetime) -> None:
    """Raise Invalid before the cut-off day."""
    if day_of(now) < cycle.cut_off_on:
        raise invalid("as_of", f"{month_label(cycle.month)}的截止日是{cycle.cut_off_on}，尚未到期，不能截止。")


def steps_of_cut_off(*, cycle_id: int) -> int:
    """How many steps a cut-off now has before it: what waits is reserved, listed and checked, what is due is listed
    and checked, what is listed is checked.
    """
    cycle = Cycle.objects.get(pk=cycle_id)
    waiting = Payable.objects.filter(state=PayableState.AWAITING, pay_month__lte=cycle.month).count()
    due = due_payables(month=cycle.month).count()
    listed = PaymentAttempt.objects.filter(
        batch__cycle=cycle, batch__state__in=[BatchState.ASSEMBLING, BatchState.FROZEN], outcome=AttemptOutcome.PENDING
    ).count()
    return 3 * waiting + 2 * due + listed


def lines_to_seal(*, cycle_id: int) -> int:
    """How many lines stand in the batches that are approved and not sealed."""
    found = Batch.objects.filter(cycle=cycle_id, state=BatchState.APPROVED).aggregate(sum=Sum("count"))
    return found["sum"] or 0


@dataclass(slots=True)
class Sent:
    """What `seal_signed` did; `waiting` lack signatures."""

    sent: list[SealedFile] = field(default_factory=list)
    waiting: list[Batch] = field(default_factory=list)


def seal_signed(
    *,
    month: date,
    now: datetime,
    on_step: Progress | None = None,
    on_progress: Counted | None = None,
) -> Sent:
    """Seal and send every fully approved batch of a month; what is sealed but not sent is sent. Safe to run
    again. Raises Invalid with what could not be sealed or sent, after all the others were. `on_progress` is told
    (lines sealed, lines in all).
    """
    cycle = _cycle(month=month)
    done = Sent()
    tally = Tally(total=lines_to_seal(cycle_id=cycle.pk), report=on_progress)
    refused: list[Fault] = []
    for batch in cycle.batches.exclude(state=BatchState.DISSOLVED).order_by("number"):
        if batch.state in (BatchState.APPROVED, BatchState.SEALED):
            if on_step is not None:
                on_step(f"封存并发送批次{batch.number}")
            try:
                sealed = seal(batch_id=batch.pk, now=now, on_piece=tally.add)
                sent = send(batch_id=batch.pk, now=now)
            except REFUSALS as refusal:
                refused.append(Fault(f"batch.{batch.number}", str(refusal)))
            else:
                # A file that a person has to take to the bank is not sent yet.
                if sent.sent_at is None:
                    done.waiting.append(sent)
                else:
                    done.sent.append(sealed)
        elif batch.sent_at is None:
            done.waiting.append(batch)
    if refused:
        raise Invalid(refused)
    return done


@dataclass(frozen=True, slots=True)
class LineStanding:
    """A budget line's money, in 元."""

    line: BudgetLine
    balances: dict[str, Decimal]
    findings: list[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a month stands: its batches, what is held and due, exceptions, books, and calendar warnings."""

    cycle: Cycle | None
    batches: list[Batch]
    due: dict[str, tuple[int, Decimal]]
    held: list[Payable]
    exceptions: int
    lines: list[LineStanding]
    warnings: list[str]


def status(*, month: date, now: datetime) -> Standing:
    """The month's standing; changes nothing."""
    month = month_of(month)
    cycle = Cycle.objects.filter(month=month).first()
    due = {
        PayableState(row["state"]).label: (row["count"], money.from_sum(row["sum"]))
        for row in Payable.objects.filter(pay_month__lte=month)
        .exclude(state__in=["settled", "cancelled", "refunded", "clawed_back"])
        .order_by("state")
        .values("state")
        .annotate(count=Count("id"), sum=Sum("amount"))
    }
    lines = []
    for line in BudgetLine.objects.filter(ledger_accounts__isnull=False).distinct().order_by("year", "code"):
        found = {str(a.get_kind_display()): a.balance for a in line.ledger_accounts.order_by("id")}
        lines.append(LineStanding(line, found, ledger_findings(line=line)))
    return Standing(
        cycle=cycle,
        batches=[] if cycle is None else list(cycle.batches.select_related("budget_line").order_by("number")),
        due=due,
        held=list(Payable.objects.filter(state=PayableState.HELD).select_related("enterprise", "application")),
        exceptions=ReturnLine.objects.filter(status=LineStatus.EXCEPTION, resolved_at__isnull=True).count()
        + PaymentAttempt.objects.filter(contradicted=True).count(),
        lines=lines,
        warnings=working_calendar().warnings(day_of(now)),
    )


def _held(cycle: Cycle) -> list[Payable]:
    """Payables that the check of this cycle's batches held and that are held still."""
    return list(
        Payable.objects.filter(state=PayableState.HELD, attempts__batch__cycle=cycle, attempts__outcome="withdrawn")
        .distinct()
        .select_related("enterprise", "application")
        .order_by("id")
    )


def _cycle(*, month: date) -> Cycle:
    month = month_of(month)
    cycle = Cycle.objects.filter(month=month).first()
    if cycle is None:
        raise invalid("month", f"{month_label(month)}的兑现周期尚未开启。请先运行 cycle open。")
    return cycle
