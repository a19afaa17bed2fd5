"""Payables, their lines in batches, and the accounts they are paid to: each state, amount and payee has its origin."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from disbursement.audit.amounts import check_amounts
from disbursement.audit.findings import Finding, Scope
from disbursement.audit.paths import Step, wrong_steps
from disbursement.audit.people import People
from disbursement.domain.cycle import next_month
from disbursement.domain.workflow import PAYABLE, PayableState
from disbursement.models import AttemptOutcome, Clawback, Cycle, Payable, PayeeAccount, PaymentAttempt

_STATE = "请对照办理记录、预算流水和银行回单查明该款项的真实情况；查明前暂缓支付。"
_AMOUNT = "请对照核定和预算流水查明正确金额；已按错误金额支付的，按追回或补付办理。"
_PAYEE = "请立即暂缓该企业的款项，向企业和开户银行核实账户，由登记人以外的人员重新核对。"
_ZERO = Decimal("0.00")
# With which lines of batches a payable stands in a state: how many alive, and of which outcome.
_ALIVE = {
    PayableState.SCHEDULED: "pending",
    PayableState.SEALED: "pending",
    PayableState.PAID: "paid",
    PayableState.SETTLED: "paid",
    PayableState.CLAWBACK: "paid",
    PayableState.CLAWED_BACK: "paid",
}
Payee = tuple[str, str, str, str]


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
        if _payee_of(attempt) != _payee_of(payable):
            yield Finding("payables.attempts", place, "支付明细的收款人与应付款项不符。", _PAYEE)
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
        said = [line for line in attempt.return_lines.all() if line.status == "posted"]
        told = [line for line in said if line.result == attempt.outcome]
        if not told and not by_hand & {"refund", "confirm_paid"}:
            problem = f"批次{attempt.batch.number}的支付结果“{attempt.get_outcome_display()}”没有银行回单或核实记录。"
            yield Finding("payables.answers", place, problem, _STATE)
        if told and attempt.outcome_on not in {line.occurred_on for line in told}:
            yield Finding("payables.answers", place, "支付结果的日期与银行回单不符。", _STATE)
        known = {line.reason for line in said} | {change.note for change in payable.changes.all()}
        if told and len({line.result for line in said}) == 1 and attempt.outcome_reason not in known:
            yield Finding("payables.answers", place, "支付结果的说明与银行回单不符。", _STATE)
        if not told and attempt.outcome_reason not in known:
            yield Finding("payables.answers", place, "支付结果的说明与办理记录不符。", _STATE)
        if attempt.contradicted and {line.result for line in said} < {"paid", "bounced"}:
            yield Finding("payables.answers", place, "标记为银行结果矛盾，但回单并不矛盾。", _STATE)


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


def check_accounts(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """Every account that was paid to, or waits to be, was checked by somebody else than entered it."""
    query = PayeeAccount.objects.order_by("pk").select_related("enterprise")
    if scope.enterprises is not None:
        query = query.filter(enterprise__in=scope.enterprises)
    for account in query.iterator(chunk_size=1000):
        counts["accounts"] += 1
        place = f"{account.enterprise} 收款账户 {account.masked}"
        if account.account_name != account.enterprise.name and account.state == "checked":
            # A renamed enterprise proposes its account anew; until then it is not paid to.
            continue
        if people.was_stranger(user_id=account.proposed_by_id, enterprise_id=account.enterprise_id):
            yield Finding("accounts", place, f"登记人{people.name(account.proposed_by_id)}从未获该企业授权。", _PAYEE)
        if account.checked_by_id is None:
            continue
        who = people.name(account.checked_by_id)
        if account.checked_by_id == account.proposed_by_id:
            yield Finding("accounts", place, f"登记人{who}自己核对了账户。", _PAYEE)
        if people.lacked_role(
            user_id=account.checked_by_id, role="finance_checker", table="disbursement_payeeaccount", pk=account.pk
        ):
            yield Finding("accounts", place, f"核对人{who}当时没有财务复核职责。", _PAYEE)
    yield from _used_accounts(scope)


def _used_accounts(scope: Scope) -> Iterator[Finding]:
    """The payee of each line that left the house is one of the enterprise's accounts, checked before that."""
    query = PaymentAttempt.objects.exclude(outcome=AttemptOutcome.WITHDRAWN).select_related(
        "payable__application", "batch"
    )
    if scope.applications is not None:
        query = query.filter(payable__application__in=scope.applications)
    yield from _payees(scope)
    enterprise, known = 0, {}
    for attempt in query.order_by("payable__enterprise_id", "pk").iterator(chunk_size=1000):
        if attempt.payable.enterprise_id != enterprise:
            enterprise = attempt.payable.enterprise_id
            accounts = PayeeAccount.objects.filter(enterprise_id=enterprise, checked_at__isnull=False)
            known = {
                (a.account_name, a.bank_name, a.bank_code, a.account_number): a.checked_at
                for a in accounts.exclude(state="refused")
            }
        since = known.get(_payee_of(attempt))
        frozen = attempt.batch.frozen_at
        if since is None or (frozen is not None and since > frozen):
            place = f"申报 {attempt.payable.application.number} 批次 {attempt.batch.number}"
            yield Finding("accounts", place, "收款账户在列入批次时没有经过核对。", _PAYEE)


def _payees(scope: Scope) -> Iterator[Finding]:
    """The payee of every payable is, or was, an account that the enterprise entered."""
    query = Payable.objects.select_related("application").order_by("enterprise_id", "pk")
    if scope.applications is not None:
        query = query.filter(application__in=scope.applications)
    enterprise: int = 0
    entered: set[Payee] = set()
    for payable in query.iterator(chunk_size=1000):
        if payable.enterprise_id != enterprise:
            enterprise = payable.enterprise_id
            rows = PayeeAccount.objects.filter(enterprise_id=enterprise)
            entered = set(rows.values_list("account_name", "bank_name", "bank_code", "account_number"))
        if _payee_of(payable) not in entered:
            place = f"申报 {payable.application.number} 第{payable.number}期"
            yield Finding("accounts", place, "收款人不是该企业登记过的账户。", _PAYEE)


def _payee_of(row: Payable | PaymentAttempt) -> Payee:
    return row.payee_name, row.bank_name, row.bank_code, row.account_number
