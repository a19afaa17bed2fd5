"""Granting: from a judgement to an award, its payables, and the budget reserved for them, in one transaction.

Called by the service that approves an application, with the application's row locked. History counts by the
calendar year of approval: yearly caps, and 就高不重复 among exclusive items.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum

from disbursement.domain import money
from disbursement.domain.actors import Actor
from disbursement.domain.cycle import next_month
from disbursement.domain.errors import invalid
from disbursement.domain.invoices import Invoice
from disbursement.domain.payables import Instalment, instalments
from disbursement.domain.workflow import PayableAction, PayableState, Role
from disbursement.ledger.posting import Entry, InsufficientBudget, post
from disbursement.models import (
    Application,
    Award,
    Cycle,
    Judgement,
    Payable,
    PayeeAccount,
    PaymentAttempt,
    TransferKind,
)
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.cut_off import month_paid
from disbursement.selectors.forms import read_rules
from disbursement.selectors.granted import NOT_KEPT
from disbursement.selectors.invoices import table_of
from disbursement.services.award import claims
from disbursement.services.award.history import Allowed, allowed, record_caps
from disbursement.services.payment.transitions import lock_payables, move_payables, person, require_role, tell
from matching.criteria.award import Award as AwardRules
from matching.criteria.award import split_instalments
from matching.days import day_of
from matching.models import Enterprise
from matching.registry.models import BudgetLine
from matching.services.vocabulary import vocabulary_at


@dataclass(frozen=True, slots=True)
class Proposal:
    """What approving now would grant; `problems` say in Chinese why it cannot be granted (empty: it can)."""

    computed: Decimal
    amount: Decimal
    working: list[str]
    parts: list[Instalment]
    problems: list[str]
    allowed: Allowed | None = None

    @property
    def pay_month(self) -> date | None:
        """The month in which the first instalment is paid (its first day)."""
        return self.parts[0].month if self.parts else None


def propose(*, application: Application, judgement: Judgement, now: datetime) -> Proposal:
    """What `grant` would do at this moment, without doing it; for the reviewer's page. Changes nothing."""
    rules = _rules(application=application, judgement=judgement)
    computed, working, problems = _computed(judgement)
    if rules is None:
        return Proposal(money.ZERO, money.ZERO, working, [], ["本事项没有资金奖补，不能核定金额。"])
    granted = allowed(application=application, rules=rules, computed=computed, now=now)
    problems += granted.problems
    parts = _parts(rules=rules, amount=granted.amount, now=now)
    # Without a yearly cap that says how much more there may be, the same facts would be paid for again and again.
    if rules.cap_per_year is None and granted.had_this_item:
        problems.append(f"企业{day_of(now).year}年已核定过本事项，本事项没有年度上限，每年只核定一次。")
    if not problems and granted.amount <= 0:
        problems.append("按规则和已享受情况核定的金额为0元，不能审核通过。")
    problems += claims.used_elsewhere(application=application, invoices=table_of(application=application))
    if _account(application.enterprise_id) is None:
        problems.append("企业尚未登记收款账户，请企业先在“收款账户”中登记。")
    if not application.version.rules.get("budget_line"):
        problems.append("本事项没有预算科目，请政策专员补充后再审核。")
    return Proposal(computed, granted.amount, [*working, *granted.working], parts, problems, granted)


@transaction.atomic
def grant(
    *,
    application: Application,
    judgement: Judgement,
    actor: Actor,
    now: datetime,
    invoices: Iterable[Invoice] = (),
) -> Award:
    """Grant what the judgement gives, after history, and reserve budget by the item's rule.

    `application` is locked by the caller, who changes its state in the same transaction; who may approve is
    the caller's business. `invoices` are claimed: no other award may stand on them until this one is revoked.
    Raises Invalid where it cannot be granted (nothing computed, no account, no budget
    line, an invoice already used, budget short on a first-come item); nothing is then changed.
    """
    # Two approvals for one enterprise must see each other's history.
    enterprise = Enterprise.objects.select_for_update().get(pk=application.enterprise_id)
    proposal = propose(application=application, judgement=judgement, now=now)
    if proposal.problems:
        raise invalid("award", "".join(proposal.problems))
    rules = _rules(application=application, judgement=judgement)
    account = _account(enterprise.pk)
    assert rules is not None
    assert account is not None
    claims.claim(application=application, invoices=list(invoices))
    award = Award.objects.create(
        application=application,
        enterprise=enterprise,
        version=application.version,
        item_code=application.item.code,
        year=day_of(now).year,
        computed=proposal.computed,
        amount=proposal.amount,
        working=proposal.working,
        shortfall=rules.shortfall,
        granted_by_id=actor.user_id,
        granted_at=now,
    )
    assert proposal.allowed is not None
    record_caps(award=award, caps=proposal.allowed.caps)
    code = str(application.version.rules["budget_line"])
    lines = {line.year: line for line in BudgetLine.objects.filter(code=code)}
    if proposal.parts[0].month.year not in lines:
        raise invalid(
            "award", f"预算科目“{code}”没有{proposal.parts[0].month.year}年度的预算。请先在预算管理中建立该年度预算。"
        )
    payables = [
        Payable(
            application=application,
            award=award,
            enterprise=enterprise,
            number=part.number,
            entitled=part.amount,
            amount=part.amount,
            budget_code=code,
            budget_year=part.month.year,
            state=PayableState.AWAITING.value,
            pay_month=part.month,
            promised_month=part.month,
            payee_name=account.account_name,
            bank_name=account.bank_name,
            bank_code=account.bank_code,
            account_number=account.account_number,
            created_at=now,
        )
        for part in proposal.parts
    ]
    for payable in payables:
        payable.save()
    _check_item_ceiling(application=application)
    if rules.shortfall != "pro_rata":
        for payable in payables:
            line = lines.get(payable.budget_year)
            if line is None:
                continue  # a later year's budget: reserved at a cut-off once it stands
            try:
                reserve(payables=[payable], line=line, now=now)
            except InsufficientBudget as error:
                if rules.shortfall == "first_come" and payable.number == payables[0].number:
                    raise invalid("award", str(error)) from error
    tell(event="granted", payables=payables, now=now, key=str(application.pk), application=application.pk)
    return award


def reserve(*, payables: Sequence[Payable], line: BudgetLine, now: datetime) -> None:
    """Reserve budget for locked, awaiting payables, all or none. Raises InsufficientBudget."""
    entries = [Entry(payable_id=payable.pk, amount=payable.amount) for payable in payables]
    with transaction.atomic():
        post(line=line, kind=TransferKind.RESERVE, entries=entries, now=now)
        move_payables(payables=payables, action=PayableAction.RESERVE, role=Role.SYSTEM, now=now, budget_line=line)


@transaction.atomic
def revoke(*, application: Application, actor: Actor, now: datetime, reason: str) -> None:
    """Take back an award of which nothing was sent: cancel every payable and give back the budget.

    Raises Invalid or WrongState where an instalment is in a batch or paid: it is clawed back then, not
    cancelled.
    """
    payables = lock_payables(Payable.objects.filter(application=application))
    require_role(actor=actor, roles=[Role.SECOND_REVIEWER], department_id=application.item.department_id)
    cancel_payables(payables=payables, role=Role.SECOND_REVIEWER, actor=actor, now=now, reason=reason)
    claims.release(application=application, now=now)


def cancel_payables(*, payables: Sequence[Payable], role: Role, actor: Actor, now: datetime, reason: str) -> None:
    """Cancel locked payables and reverse what was reserved for them."""
    if not reason.strip():
        raise invalid("reason", "请填写取消的原因。")
    person(actor)
    if PaymentAttempt.objects.filter(payable__in=payables, contradicted=True).exists():
        raise invalid("payable", "银行对该款项的支付结果前后矛盾，可能已经到账。请先向银行核实，再决定是否取消。")
    for payable in payables:
        reserved = payable.state not in (PayableState.AWAITING, PayableState.CANCELLED)
        move_payables(payables=[payable], action=PayableAction.CANCEL, role=role, actor=actor, now=now, note=reason)
        if reserved:
            assert payable.budget_line is not None
            post(
                line=payable.budget_line,
                kind=TransferKind.UNRESERVE,
                entries=[Entry(payable_id=payable.pk, amount=payable.amount, memo=reason)],
                now=now,
            )
    tell(event="cancelled", payables=payables, now=now, key="-".join(str(p.pk) for p in payables[:5]))


def promised_month(*, day: date) -> date:
    """The month in which something approved on that day is paid (its first day): never one already cut
    off.
    """
    month = month_paid(approved_on=day, calendar=working_calendar())
    while Cycle.objects.filter(month=month, cut_at__isnull=False).exists():
        month = next_month(month)
    return month


def _rules(*, application: Application, judgement: Judgement) -> AwardRules | None:
    digest = judgement.vocabulary.digest
    return read_rules(version=application.version, vocabulary=vocabulary_at(digest=digest)).award


def _computed(judgement: Judgement) -> tuple[Decimal, list[str], list[str]]:
    estimate: dict[str, Any] | None = judgement.outcome.get("estimate")
    if estimate is None:
        return money.ZERO, [], []
    working = list(estimate["working"])
    if not money.fits(estimate["low"]):
        return money.ZERO, working, [f"按规则计算的金额{estimate['low']}元超出范围，请核对申报所填的数字。"]
    low, high = money.money(estimate["low"]), estimate["high"]
    if high is None or Decimal(high) != low:
        return low, working, ["计算金额所需的信息不全，请要求企业补正后再核定。"]
    return low, working, []


def _parts(*, rules: AwardRules, amount: Decimal, now: datetime) -> list[Instalment]:
    if amount <= 0:
        return []
    return instalments(split_instalments(rules, amount), first_month=promised_month(day=day_of(now)))


def _account(enterprise_id: int) -> PayeeAccount | None:
    """The account in use, or else the one that still waits to be checked (payment waits with it)."""
    found = PayeeAccount.objects.filter(enterprise_id=enterprise_id, state__in=["checked", "proposed"])
    return found.order_by("state").first()


def _check_item_ceiling(*, application: Application) -> None:
    """The item's own ceiling for the year of approval, beside the budget line's. Counts what was just
    written.
    """
    ceiling = application.version.rules.get("ceiling")
    if ceiling is None:
        return
    award = application.award
    # Concurrent approvals of one item take turns on its row.
    item = type(application.item).objects.select_for_update().get(pk=application.item_id)
    spent = money.from_sum(
        Payable.objects.filter(award__item_code=item.code, award__year=award.year)
        .exclude(state__in=[s.value for s in NOT_KEPT])
        .aggregate(sum=Sum("amount"))["sum"]
    )
    if spent > money.money(ceiling):
        raise invalid(
            "award",
            f"本事项{award.year}年资金总额{money.yuan(money.money(ceiling))}元，连同本次将核定{money.yuan(spent)}元，已超出。"
            "请联系政策专员调整总额，或审核不通过。",
        )
