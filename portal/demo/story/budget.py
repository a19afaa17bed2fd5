"""The year's money: a transfer between two lines, decided by another person, and a change that waits for its turn."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from disbursement.models import BudgetChange, ChangeKind
from disbursement.services.award import limits
from disbursement.services.budget import changes as budget
from disbursement.services.recovery import repayment
from matching.registry.models import BudgetLine
from portal.accounts.models import User
from portal.demo.story.stage import Stage
from portal.demo.story.timeline import at

_TRANSFER, _ADJUST = "演财预〔{year}〕12号", "演财预〔{year}〕15号"


def plan_budget(stage: Stage) -> None:
    """One change proposed and decided after the first month, another left to the approver."""
    time = stage.time
    stage.plan(at(time.after(time.cut(time.first), 5), 10), lambda now: _propose_transfer(stage, now))
    stage.plan(at(time.after(time.cut(time.first), 6), 10), lambda now: _decide(stage, now))
    stage.plan(at(time.after(time.published, 1), 9), _cap)
    stage.plan(at(time.after(time.published, 1), 10), lambda now: _account_to_pay_back_to(stage, now))
    stage.plan(at(time.end, 11), lambda now: _propose_more(stage, now))


def _line(code: str, now: datetime) -> int:
    return int(BudgetLine.objects.values_list("pk", flat=True).get(code=code, year=now.year))


def _propose_transfer(stage: Stage, now: datetime) -> None:
    budget.propose(
        kind=ChangeKind.TRANSFER,
        line_id=_line("wc-cy", now),
        to_line_id=_line("kj-cx", now),
        amount=Decimal("2000000.00"),
        paper_number=_TRANSFER.format(year=now.year),
        reason="科技创新类申报多于预期，从执行较慢的专项调剂。",
        actor=stage.staff("maker"),
        now=now,
    )


def _decide(stage: Stage, now: datetime) -> None:
    for change in BudgetChange.objects.filter(approved__isnull=True).order_by("pk"):
        budget.decide(change_id=change.pk, approve=True, actor=stage.staff("approver"), now=now, note="同意调剂。")


def _propose_more(stage: Stage, now: datetime) -> None:
    budget.propose(
        kind=ChangeKind.ADJUST,
        line_id=_line("gy-fz", now),
        amount=Decimal("3000000.00"),
        paper_number=_ADJUST.format(year=now.year),
        reason="区级追加工业发展资金。",
        actor=stage.staff("maker"),
        now=now,
    )


def _account_to_pay_back_to(stage: Stage, now: datetime) -> None:
    """What demands for money back name, set by two people."""
    proposed = repayment.propose(
        account_name="演示区财政局",
        bank_name="演示银行国库集中支付代理行",
        account_number="5101050000202601",
        contact="国库科",
        phone="028-00000012",
        reason="财政专户开户批复（演示）",
        actor=stage.staff("maker"),
        now=now,
    )
    repayment.decide(account_id=proposed.pk, approve=True, actor=stage.staff("approver"), now=now, note="同意。")


def _cap(now: datetime) -> None:
    """What one enterprise may have in a year, of everything together."""
    limits.declare(
        name="单个企业年度享受总额",
        basis="《关于支持科技创新和知识产权发展的若干措施（演示）》附则",
        item_ids=[],
        covers_all=True,
        is_exclusive=False,
        per_year=Decimal("5000000.00"),
        total=None,
        fact="",
        fact_share=Decimal("100"),
        from_year=now.year,
        until_year=None,
        user_id=User.objects.get(username="officer").pk,
        now=now,
    )
