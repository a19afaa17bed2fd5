"""Payables and their lines in batches: each state, amount and payee has its origin."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date

from disbursement.audit import accounts
from disbursement.audit.amounts import check_amounts
from disbursement.audit.findings import Finding, Scope
from disbursement.audit.paths import Step, wrong_steps
from disbursement.audit.people import People
from disbursement.domain.cycle import next_month
from disbursement.domain.refunds import refund_day
from disbursement.domain.workflow import PAYABLE, PayableState
from disbursement.models import AttemptOutcome, Clawback, Cycle, Payable, PaymentAttempt
from matching.days import day_of

_STATE = "请对照办理记录、预算流水和银行回单查明该款项的真实情况；查明前暂缓支付。"
_AMOUNT = "请对照核定和预算流水查明正确金额；已按错误金额支付的，按追回或补付办理。"
# With which lines of batches a payable stands in a state: how many alive, and of which outcome.
_ALIVE = {
    PayableState.SCHEDULED: "pending",
    PayableState.SEALED: "pending",
    PayableState.PAID: "paid",
    PayableState.SETTLED: "paid",
    PayableState.CLAWBACK: "paid",
    PayableState.CLAWED_BACK: "paid",
}


def check_payables(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """Go through the payables one by one."""
    query = Payable.objects.order_by("pk").select_related("application", "award")
    if scope.applications is not None:
        query = query.filter(application__in=scope.applications)
    cut = Cycle.objects.filter(cut_at__isnull=False).order_by("-month").values_list("month", flat=True).first()
    related = (
        "changes",
        "attempts__batch__cycle",
        "attempts__return_lines",
        "transfers__debit",
        "transfers__credit",
        "carry_overs",
        "take_overs",
        "clawback__receipts",
        "set_off",
    )
    for payable in query.prefetch_related(*related).iterator(chunk_size=500):
        counts["payables"] += 1
        place = f"申报 {payable.application.number} 第{payable.number}期"
        yield from _way(payable, place, people=people)
        yield from check_amounts(payable, place)
        yield from _attempts(payable, place)
        yield from _answers(payable, place)
        yield from _demand(payable, place)
        yield from _month(payable, place, cut=cut)


def _way(payable: Payable, place: str, *, people: People) -> Iterator[Finding]:
    changes = sorted(payable.changes.all(), key=lambda change: change.pk)
    steps = [Step(c.source, c.action, c.role, c.target, c.person_id) for c in changes]
    for problem in wrong_steps(PAYABLE, steps, first="awaiting", now=payable.state):
        yield Finding("payables.path", place, problem, _STATE)
    for change in changes:
        if change.person_id is None:
            continue
        who = people.name(change.person_id)
        if change.role == "enterprise":
            if people.was_stranger(user_id=change.person_id, enterprise_id=payable.enterprise_id):
                yield Finding("payables.people", place, f"“{change.action}”由从未获该企业授权的{who}办理。", _STATE)
        elif people.lacked_role(
            user_id=change.person_id, role=change.role, table="disbursement_statechange", pk=change.pk
        ):
            yield Finding("payables.people", place, f"“{change.action}”由{who}办理，但其当时没有该职责。", _STATE)
    holds = [change for change in changes if change.action == "hold"]
    if payable.state == PayableState.HELD and (not holds or holds[-1].note != payable.hold_reason):
        yield Finding("payables.path", place, "暂缓原因与办理记录不符。", _STATE)


def _attempts(payable: Payable, place: str) -> Iterator[Finding]:
    attempts = list(payable.attempts.all())
    alive = [attempt for attempt in attempts if attempt.outcome in ("pending", "paid")]
    wanted = _ALIVE.get(PayableState(payable.state))
    if getattr(payable, "set_off", None) is not None:
        wanted = None  # it was never sent: it paid back what was owed
    if [attempt.outcome for attempt in alive] != ([] if wanted is None else [wanted]):
        told = "、".join(attempt.get_outcome_display() for attempt in attempts) or "没有"
        problem = f"状态“{payable.get_state_display()}”与支付明细（{told}）不符。"
        yield Finding("payables.attempts", place, problem, _STATE)
    for attempt in alive:
        if attempt.amount != payable.amount:
            yield Finding("payables.attempts", place, "支付明细的金额与应付款项不符。", _AMOUNT)
        if accounts.payee_of(attempt) != accounts.payee_of(payable):
            yield Finding("payables.attempts", place, "支付明细的收款人与应付款项不符。", accounts.REMEDY)
    posted: dict[int, Counter[str]] = defaultdict(Counter)
    for transfer in payable.transfers.all():
        posted[transfer.attempt_id or 0][transfer.kind] += 1
    for attempt in attempts:
        kinds = posted[attempt.pk]
        if _outcome(kinds, late=_bounced_late(payable, attempt, kinds)) != attempt.outcome and not (
            attempt.outcome == "withdrawn" and not kinds
        ):
            problem = f"批次{attempt.batch.number}的支付明细为“{attempt.get_outcome_display()}”，与预算流水不符。"
            yield Finding("payables.attempts", place, problem, _STATE)


def _answers(payable: Payable, place: str) -> Iterator[Finding]:
    """What a line ended with was said by the bank, on that day; or by a person, whose step says so."""
    by_hand = {change.action for change in payable.changes.all() if change.person_id is not None}
    for attempt in payable.attempts.all():
        if attempt.outcome not in ("paid", "bounced", "refunded"):
            continue
        heard = [line for line in attempt.return_lines.all() if line.status != "exception"]
        said = [line for line in heard if line.status == "posted"]
        told = [line for line in said if line.result == attempt.outcome]
        if not told and not by_hand & {"refund", "confirm_paid"}:
            problem = f"批次{attempt.batch.number}的支付结果“{attempt.get_outcome_display()}”没有银行回单或核实记录。"
            yield Finding("payables.answers", place, problem, _STATE)
        days = {line.occurred_on for line in heard if line.result == attempt.outcome} - {None}
        if told and attempt.outcome_on not in days:
            yield Finding("payables.answers", place, "支付结果的日期与银行回单不符。", _STATE)
        if not told and not _day_is_told(payable, attempt):
            yield Finding("payables.answers", place, "支付结果的日期与办理记录不符。", _STATE)
        known = {line.reason for line in said} | {change.note for change in payable.changes.all()}
        if told and len({line.result for line in said}) == 1 and attempt.outcome_reason not in known:
            yield Finding("payables.answers", place, "支付结果的说明与银行回单不符。", _STATE)
        if not told and attempt.outcome_reason not in known:
            yield Finding("payables.answers", place, "支付结果的说明与办理记录不符。", _STATE)
        if attempt.contradicted and {line.result for line in said} < {"paid", "bounced"}:
            yield Finding("payables.answers", place, "标记为银行结果矛盾，但回单并不矛盾。", _STATE)


def _day_is_told(payable: Payable, attempt: PaymentAttempt) -> bool:
    """Whether the step by which a person recorded a result says the day of it."""
    if attempt.outcome == AttemptOutcome.REFUNDED:
        notes = [change.note for change in payable.changes.all() if change.action == "refund"]
        return any(note.endswith(refund_day(attempt.outcome_on)) for note in notes)
    confirmed = [change.made_at for change in payable.changes.all() if change.action == "confirm_paid"]
    return attempt.outcome_on in {day_of(made_at) for made_at in confirmed}


def _demand(payable: Payable, place: str) -> Iterator[Finding]:
    """A demand for money back was ordered, and its money confirmed, by the people and at the times of the log."""
    demand = Clawback.objects.filter(payable=payable).first()
    steps = {(c.action, c.person_id, c.made_at) for c in payable.changes.all()}
    if demand is None:
        return
    if ("claw_back", demand.ordered_by_id, demand.ordered_at) not in steps:
        yield Finding("payables.clawback", place, f"追回 {demand.number} 没有对应的办理记录。", _STATE)
    done = demand.recovered_at is not None or demand.recovered_by_id is not None
    if done and ("recover", demand.recovered_by_id, demand.recovered_at) not in steps:
        yield Finding("payables.clawback", place, f"追回 {demand.number} 的到账确认没有对应的办理记录。", _STATE)


def _bounced_late(payable: Payable, attempt: PaymentAttempt, kinds: Counter[str]) -> bool:
    """Whether it bounced after its year was closed: given back on the line that took the payment over, not undone."""
    said = any(line.status == "posted" and line.result == "bounced" for line in attempt.return_lines.all())
    return said and bool(payable.take_overs.all()) and not kinds["uncommit"]


def _outcome(kinds: Counter[str], *, late: bool) -> str:
    """What a line's transfers say has become of it; `late`: one of the refunds is a bounce."""
    if kinds["refund"] > late:
        return AttemptOutcome.REFUNDED
    if kinds["pay"] > kinds["unpay"] + late:
        return AttemptOutcome.PAID
    return AttemptOutcome.BOUNCED if kinds["uncommit"] or late else AttemptOutcome.PENDING


def _month(payable: Payable, place: str, *, cut: date | None) -> Iterator[Finding]:
    """Never before the promised month; later only with its reason, and no later than the next cut-off."""
    months = [attempt.batch.cycle.month for attempt in payable.attempts.all()]
    problem = ""
    if payable.pay_month < payable.promised_month:
        problem = "兑现月份早于承诺的月份。"
    elif any(month < payable.promised_month for month in months):
        problem = "在承诺的月份以前就列入了批次。"
    elif payable.slip_reason and payable.pay_month == payable.promised_month:
        problem = "没有延期，却写有延期原因。"
    elif payable.pay_month > payable.promised_month:
        if f"{payable.pay_month.year}年{payable.pay_month.month}月" not in payable.slip_reason:
            problem = "兑现月份与延期原因所述的月份不符。"
        elif cut is not None and payable.pay_month > max(next_month(next_month(cut)), *months, payable.promised_month):
            problem = "兑现月份被推迟到下一次截止以后。"
    if problem:
        yield Finding("payables.month", place, problem, "请按承诺月份和延期通知恢复兑现月份。")
