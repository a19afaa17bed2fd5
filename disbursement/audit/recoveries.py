"""Money asked back: receipts add up, a plan went its way and was made by two people; cut-off days were decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Exists, OuterRef

from disbursement.audit.findings import Finding, Scope
from disbursement.audit.paths import Step, wrong_steps
from disbursement.audit.people import People
from disbursement.domain.instalments import PLAN
from disbursement.domain.workflow import PayableState
from disbursement.models import (
    Clawback,
    ClawbackPlan,
    ClawbackReceipt,
    CutOffDay,
    Cycle,
    PaymentAttempt,
    ReturnLine,
    TransferKind,
)

_MONEY = "请对照银行流水逐笔核对该追回的到账；查明前不要抵扣，也不要认定违约。"
_PLAN = "请对照分期退回通知书和办理记录核对计划；与通知书不符的，以通知书为准恢复。"
_DAY = "请对照公布的截止日和调整决定核对；已按错误截止日办理的，向有关企业说明。"
_ZERO = Decimal("0.00")


def check_recoveries(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """Go through the demands one by one, then through the cut-off days."""
    query = Clawback.objects.order_by("pk").select_related("payable__application")
    if scope.applications is not None:
        query = query.filter(payable__application__in=scope.applications)
    related = (
        "receipts__set_off",
        "receipts__excess_entry",
        "bank_entries",
        "set_offs",
        "plans__entries",
        "plans__changes",
        "payable__transfers",
    )
    for demand in query.prefetch_related(*related).iterator(chunk_size=500):
        counts["clawbacks"] += 1
        place = f"追回 {demand.number}"
        yield from _receipts(demand, place, people=people)
        for plan in demand.plans.all():
            yield from _plan(plan, f"{place} 第{plan.number}号分期计划", people=people)
    if scope.is_whole:
        yield from _refunds()
        yield from _days(people=people)


def _receipts(demand: Clawback, place: str, *, people: People) -> Iterator[Finding]:
    receipts = list(demand.receipts.all())
    came = sum((receipt.applied for receipt in receipts), _ZERO)
    posted = [t.amount for t in demand.payable.transfers.all() if t.kind == TransferKind.RECOVER]
    if sorted(receipt.applied for receipt in receipts if receipt.applied) != sorted(posted):
        yield Finding("recoveries", place, f"登记到账{came}元，预算流水记收回{sum(posted, _ZERO)}元。", _MONEY)
    if came > demand.amount:
        yield Finding("recoveries", place, f"追回{demand.amount}元，却冲抵了{came}元。", _MONEY)
    is_over = demand.payable.state == PayableState.CLAWED_BACK
    if is_over != (came == demand.amount) or is_over != (demand.recovered_at is not None):
        yield Finding("recoveries", place, f"状态与到账不符：追回{demand.amount}元，到账{came}元。", _MONEY)
    for receipt in receipts:
        if receipt.recorded_by_id == demand.ordered_by_id:
            yield Finding("recoveries", place, f"发起人自己登记了到账 {receipt.reference}。", _MONEY)
        role = "finance_checker" if receipt.set_off is None else "finance_approver"
        if people.lacked_role(
            user_id=receipt.recorded_by_id, role=role, table="disbursement_clawbackreceipt", pk=receipt.pk
        ):
            who = people.name(receipt.recorded_by_id)
            yield Finding("recoveries", place, f"到账 {receipt.reference} 由{who}登记，但其当时没有该职责。", _MONEY)
        yield from _entry(demand, receipt, place)
        if receipt.set_off is not None and receipt.set_off.amount != receipt.amount:
            yield Finding("recoveries", place, f"抵扣 {receipt.reference} 的金额与抵扣决定不符。", _MONEY)
    if {made.pk for made in demand.set_offs.all()} != {r.set_off_id for r in receipts if r.set_off_id}:
        yield Finding("recoveries", place, "抵扣决定与到账登记不符。", _MONEY)


def _entry(demand: Clawback, receipt: ClawbackReceipt, place: str) -> Iterator[Finding]:
    """What came in, and an excess that was given back, each stand for an entry of the bank."""
    taken = {entry.reference for entry in demand.bank_entries.all()}
    if receipt.set_off_id is None and receipt.reference not in taken:
        yield Finding("recoveries", place, f"到账 {receipt.reference} 没有对应的银行流水登记。", _MONEY)
    given_back = getattr(receipt, "excess_entry", None)
    if receipt.returned_reference != ("" if given_back is None else given_back.reference):
        yield Finding("recoveries", place, f"多退款的退还 {receipt.returned_reference} 与银行流水登记不符。", _MONEY)


def _refunds() -> Iterator[Finding]:
    """A refund is the bank's answer, or was recorded by a person with its entry at the bank."""
    answered = ReturnLine.objects.filter(attempt=OuterRef("pk"), status="posted", result="refunded")
    nameless = PaymentAttempt.objects.filter(outcome="refunded", bank_entry__isnull=True).exclude(Exists(answered))
    for attempt in nameless.select_related("batch").order_by("pk").iterator(chunk_size=500):
        place = f"批次 {attempt.batch.number} 第{attempt.line_no}行"
        yield Finding("recoveries", place, "记为退款，却没有银行回单，也没有登记银行流水。", _MONEY)


def _plan(plan: ClawbackPlan, place: str, *, people: People) -> Iterator[Finding]:
    changes = sorted(plan.changes.all(), key=lambda change: change.pk)
    steps = [Step(c.source, c.action, c.role, c.target, c.person_id) for c in changes]
    first = "asked" if plan.asked_by_id is not None else "proposed"
    for problem in wrong_steps(PLAN, steps, first=first, now=plan.state):
        yield Finding("recoveries.plan", place, problem, _PLAN)
    for change in changes:
        if change.person_id is not None and people.lacked_role(
            user_id=change.person_id, role=change.role, table="disbursement_planchange", pk=change.pk
        ):
            who = people.name(change.person_id)
            yield Finding("recoveries.plan", place, f"“{change.action}”由{who}办理，但其当时没有该职责。", _PLAN)
    approved = [change for change in changes if change.action == "approve"]
    if (plan.approved_by_id, plan.approved_at) != (
        (approved[-1].person_id, approved[-1].made_at) if approved else (None, None)
    ):
        yield Finding("recoveries.plan", place, "批准人和批准时间与办理记录不符。", _PLAN)
    if plan.approved_by_id is not None and plan.approved_by_id == plan.proposed_by_id:
        yield Finding("recoveries.plan", place, "提出人自己批准了计划。", _PLAN)
    planned = sum((entry.amount for entry in plan.entries.all()), _ZERO)
    if plan.amount is not None and planned != plan.amount:
        yield Finding("recoveries.plan", place, f"各期合计{planned}元，计划为{plan.amount}元。", _PLAN)


def _days(*, people: People) -> Iterator[Finding]:
    latest: dict[object, CutOffDay] = {}
    for row in CutOffDay.objects.order_by("pk"):
        latest[row.month] = row
        roles = ("finance_checker", "finance_approver")
        if all(
            people.lacked_role(user_id=row.decided_by_id, role=role, table="disbursement_cutoffday", pk=row.pk)
            for role in roles
        ):
            who = people.name(row.decided_by_id)
            yield Finding("recoveries.days", f"截止日 {row.month:%Y-%m}", f"由{who}调整，但其当时没有该职责。", _DAY)
    for cycle in Cycle.objects.filter(month__in=list(latest)).order_by("pk"):
        decided = latest[cycle.month]
        if decided.day != cycle.cut_off_on:
            problem = f"周期的截止日为{cycle.cut_off_on}，决定的截止日为{decided.day}。"
            yield Finding("recoveries.days", f"截止日 {cycle}", problem, _DAY)
