"""Paying back in instalments: the enterprise asks, finance proposes, another approves; default, and reminders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import Conflict
from disbursement.domain.errors import Denied, Fault, Invalid, invalid
from disbursement.domain.instalments import MOST_ENTRIES, Due, PlanAction, PlanState, divide, faults_of
from disbursement.domain.workflow import PayableState, Role
from disbursement.models import Clawback, ClawbackEntry, ClawbackPlan, DocumentKind, Payable
from disbursement.selectors.calendar import working_calendar
from disbursement.services import notices
from disbursement.services.payment.transitions import lock_payables, person
from disbursement.services.recovery.plan_moves import move_plan
from disbursement.services.recovery.recoveries import locked, received_of, standing_of
from matching.days import day_of
from matching.registry import outbox

_PROPOSERS = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER)
_FINANCE = (*_PROPOSERS, Role.FINANCE_APPROVER)
# Reminded so many working days before an instalment is due, and from so many after it on, each so many again.
DAYS_BEFORE = 5
EVERY_DAYS_AFTER = 5


@transaction.atomic
def ask(*, clawback_id: int, actor: Actor, now: datetime, reason: str, wished: int) -> ClawbackPlan:
    """The enterprise asks to pay back in instalments; the day of the notice stands until a plan is approved."""
    demand = Clawback.objects.select_related("payable").filter(pk=clawback_id).first()
    if demand is None or not actor.acts_for(demand.payable.enterprise_id):
        raise Denied("没有这项追回，或者您无权办理。")
    payable = lock_payables(Payable.objects.filter(pk=demand.payable_id))[0]
    demand = Clawback.objects.select_for_update().get(pk=clawback_id)
    faults = []
    if not reason.strip():
        faults.append(Fault("reason", "请写明申请分期的理由。"))
    if not 2 <= wished <= MOST_ENTRIES:
        faults.append(Fault("wished", f"希望的期数应为2至{MOST_ENTRIES}。"))
    if faults:
        raise Invalid(faults)
    _open_to_plan(demand=demand, payable=payable)
    if demand.plans.filter(state=PlanState.IN_FORCE).exists():
        raise invalid("clawback", "已有执行中的分期计划，请按计划退回；确有困难的，请联系承办部门。")
    plan = ClawbackPlan.objects.create(
        clawback=demand,
        number=demand.plans.count() + 1,
        state=PlanState.ASKED.value,
        asked_by_id=person(actor),
        asked_at=now,
        ask_reason=reason.strip()[:300],
        wished=wished,
    )
    _tell(plan, "asked", now)
    return plan


def suggest(*, demand: Clawback, count: int, first: date) -> list[Due]:
    """What is still owed in `count` equal parts, monthly from `first` on. Raises Invalid."""
    try:
        rest = demand.amount - received_of(demand=demand)
        return divide(rest, count, first=first, calendar=working_calendar())
    except ValueError as error:
        raise invalid("count", str(error)) from error


@transaction.atomic
def propose(
    *,
    clawback_id: int,
    entries: Sequence[tuple[date, Decimal]],
    actor: Actor,
    now: datetime,
    reason: str,
) -> ClawbackPlan:
    """Propose a plan: (day, 元) of each instalment, adding up to what is still owed. It answers the enterprise's
    request where there is one. Nothing changes before another person approves.
    """
    payable, demand, role = locked(clawback_id=clawback_id, actor=actor, roles=_PROPOSERS)
    rest = demand.amount - received_of(demand=demand)
    dues = [Due(number, day, amount) for number, (day, amount) in enumerate(entries, 1)]
    faults = [Fault("entries", text) for text in faults_of(dues, total=rest, today=day_of(now))]
    if not reason.strip():
        faults.append(Fault("reason", "请填写同意分期的依据。"))
    if faults:
        raise Invalid(faults)
    plan = demand.plans.select_for_update().filter(state=PlanState.ASKED).first()
    proposed = {
        "amount": rest,
        "proposed_by_id": person(actor),
        "proposed_at": now,
        "reason": reason.strip()[:300],
    }
    if plan is None:
        _open_to_plan(demand=demand, payable=payable)
        number = demand.plans.count() + 1
        plan = ClawbackPlan.objects.create(clawback=demand, number=number, state=PlanState.PROPOSED.value, **proposed)
        _enter(plan, dues)
    else:
        _enter(plan, dues)
        move_plan(plan=plan, action=PlanAction.PROPOSE, role=role, actor=actor, now=now, note=reason, **proposed)
    _tell(plan, "proposed", now)
    return plan


@transaction.atomic
def approve(*, plan_id: int, actor: Actor, now: datetime, note: str = "") -> ClawbackPlan:
    """Another person approves: the plan is in force and binds; the one before it, if any, is replaced."""
    plan, demand, role = _locked_plan(plan_id, actor, (Role.FINANCE_APPROVER,))
    if plan.state == PlanState.PROPOSED:
        if plan.proposed_by_id == actor.user_id:
            raise Conflict("提出计划的人员不能批准，请由其他审批人员批准。")
        rest = demand.amount - received_of(demand=demand)
        if plan.amount != rest:
            raise invalid("plan", f"提出以后又有到账，尚欠{money.yuan(rest)}元，与计划不符。请不同意该计划并重新提出。")
        dues = [Due(entry.number, entry.due_on, entry.amount) for entry in plan.entries.all()]
        if problems := faults_of(dues, total=rest, today=day_of(now)):
            raise Invalid([Fault("plan", text) for text in problems])
        former = demand.plans.select_for_update().filter(state__in=[PlanState.IN_FORCE, PlanState.DEFAULTED])
        for each in former:
            changes = {} if each.ended_at is not None else {"ended_at": now}
            move_plan(plan=each, action=PlanAction.REPLACE, role=role, actor=actor, now=now, note=note, **changes)
    move_plan(
        plan=plan,
        action=PlanAction.APPROVE,
        role=role,
        actor=actor,
        now=now,
        note=note,
        approved_by_id=person(actor),
        approved_at=now,
    )
    notices.want(kind=DocumentKind.INSTALMENTS, subject_id=plan.pk, now=now)
    _tell(plan, "approved", now)
    return plan


@transaction.atomic
def refuse(*, plan_id: int, actor: Actor, now: datetime, reason: str) -> ClawbackPlan:
    """Refuse a request or a proposal; the enterprise is told why."""
    reason = _reason(reason)
    plan, _demand, role = _locked_plan(plan_id, actor, _FINANCE)
    if plan.state == PlanState.PROPOSED and actor.holds(
        Role.FINANCE_APPROVER, department_id=_department(plan.clawback.payable)
    ):
        role = Role.FINANCE_APPROVER
    move_plan(plan=plan, action=PlanAction.REFUSE, role=role, actor=actor, now=now, note=reason, ended_at=now)
    _tell(plan, "refused", now)
    return plan


@transaction.atomic
def default(*, plan_id: int, actor: Actor, now: datetime, reason: str) -> ClawbackPlan:
    """An instalment was not paid: all that is left falls due at once, and may be set off. By an approver."""
    reason = _reason(reason)
    plan, demand, role = _locked_plan(plan_id, actor, (Role.FINANCE_APPROVER,))
    if plan.state == PlanState.IN_FORCE and not standing_of(demand=demand, as_of=day_of(now)).overdue:
        raise invalid("plan", "各期均未逾期，不能认定违约。")
    move_plan(plan=plan, action=PlanAction.DEFAULT, role=role, actor=actor, now=now, note=reason, ended_at=now)
    _tell(plan, "defaulted", now)
    return plan


def remind(*, now: datetime) -> int:
    """The day's reminders of what is due soon or overdue, each occasion once: topic `clawback.reminder` {clawback, due,
    stage}. How many demands were looked at that have one.
    """
    today, calendar = day_of(now), working_calendar()
    count = 0
    demands = Clawback.objects.filter(payable__state=PayableState.CLAWBACK, recovered_at__isnull=True)
    for demand in demands.order_by("pk").iterator(chunk_size=500):
        due = standing_of(demand=demand, as_of=today).next
        if due is None:
            continue
        day = due.due.due_on
        if day >= today:
            left = calendar.working_days_between(today, day)
            stage = "today" if left == 0 else "soon" if left <= DAYS_BEFORE else ""
        else:
            stage = f"late{calendar.working_days_between(day, today) // EVERY_DAYS_AFTER}"
        if not stage:
            continue
        count += 1
        with transaction.atomic():
            outbox.emit(
                topic="clawback.reminder",
                payload={"clawback": demand.pk, "due": day.isoformat(), "stage": stage},
                now=now,
                dedupe_key=f"clawback.reminder:{demand.pk}:{day}:{stage}",
            )
    return count


def _locked_plan(plan_id: int, actor: Actor, roles: tuple[Role, ...]) -> tuple[ClawbackPlan, Clawback, Role]:
    clawback_id = ClawbackPlan.objects.filter(pk=plan_id).values_list("clawback_id", flat=True).first()
    _payable, demand, role = locked(clawback_id=clawback_id or 0, actor=actor, roles=roles)
    plan = ClawbackPlan.objects.select_for_update(of=("self",)).select_related("clawback__payable").get(pk=plan_id)
    return plan, demand, role


def _open_to_plan(*, demand: Clawback, payable: Payable) -> None:
    if payable.state != PayableState.CLAWBACK:
        raise invalid("clawback", "这项追回已经了结。")
    if demand.plans.filter(state__in=[PlanState.ASKED, PlanState.PROPOSED]).exists():
        raise invalid("clawback", "已有待办理的分期申请或计划，请先办结。")


def _enter(plan: ClawbackPlan, dues: Sequence[Due]) -> None:
    ClawbackEntry.objects.bulk_create(
        ClawbackEntry(plan=plan, number=due.number, due_on=due.due_on, amount=due.amount) for due in dues
    )


def _tell(plan: ClawbackPlan, event: str, now: datetime) -> None:
    outbox.emit(
        topic="clawback.plan",
        payload={"plan": plan.pk, "event": event},
        now=now,
        dedupe_key=f"clawback.plan:{plan.pk}:{event}",
    )


def _department(payable: Payable) -> int | None:
    return None if payable.budget_line is None else payable.budget_line.department_id


def _reason(reason: str) -> str:
    if not reason.strip():
        raise invalid("reason", "请填写理由。")
    return reason.strip()[:300]
