"""Paying back in instalments (追回分期): the states of a plan, how a sum is divided, and how a plan stands. Pure.

What comes in pays the earliest instalment first, whatever it was meant for: so the standing of a plan follows from one
sum, in any order of the receipts. Amounts in 元, days in Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from . import money
from .calendar import Calendar
from .cycle import next_month
from .states import Labelled, Role
from .workflow import Table, Transition

# No plan is longer than this many instalments, nor goes beyond so many days from its beginning.
MOST_ENTRIES = 24
LONGEST = 3 * 366
_LAST_SAFE_DAY = 28


class PlanState(Labelled):
    ASKED = "asked", "企业已申请"
    PROPOSED = "proposed", "待审批"
    IN_FORCE = "in_force", "执行中"
    REFUSED = "refused", "未同意"
    FULFILLED = "fulfilled", "已退清"
    DEFAULTED = "defaulted", "违约，余款到期"
    REPLACED = "replaced", "已另订计划"


class PlanAction(Labelled):
    PROPOSE = "propose", "提出计划"
    APPROVE = "approve", "批准计划"
    REFUSE = "refuse", "不同意"
    DEFAULT = "default", "认定违约"
    REPLACE = "replace", "另订计划"
    FULFIL = "fulfil", "退清"


_S, _A, _R = PlanState, PlanAction, Role
_FINANCE = frozenset({_R.FINANCE_MAKER, _R.FINANCE_CHECKER, _R.FINANCE_APPROVER})
_PROPOSERS = frozenset({_R.FINANCE_MAKER, _R.FINANCE_CHECKER})
_APPROVER, _SYSTEM = frozenset({_R.FINANCE_APPROVER}), frozenset({_R.SYSTEM})

PLAN: Table[PlanState, PlanAction] = Table(
    "分期计划",
    [
        Transition(_S.ASKED, _A.PROPOSE, _PROPOSERS, _S.PROPOSED),
        Transition(_S.ASKED, _A.REFUSE, _FINANCE, _S.REFUSED),
        Transition(_S.PROPOSED, _A.APPROVE, _APPROVER, _S.IN_FORCE),
        Transition(_S.PROPOSED, _A.REFUSE, _APPROVER, _S.REFUSED),
        Transition(_S.IN_FORCE, _A.DEFAULT, _APPROVER, _S.DEFAULTED),
        # The new plan's approval ends the old one.
        Transition(_S.IN_FORCE, _A.REPLACE, _APPROVER, _S.REPLACED),
        Transition(_S.DEFAULTED, _A.REPLACE, _APPROVER, _S.REPLACED),
        # All is paid back: whatever was under way is over.
        *(Transition(state, _A.FULFIL, _SYSTEM, _S.FULFILLED) for state in (_S.IN_FORCE, _S.DEFAULTED)),
        *(Transition(state, _A.FULFIL, _SYSTEM, _S.REFUSED) for state in (_S.ASKED, _S.PROPOSED)),
    ],
)


@dataclass(frozen=True, slots=True)
class Due:
    """So much (> 0) by that day; numbered from 1 on."""

    number: int
    due_on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """What of an instalment has been paid, and whether its day is past."""

    due: Due
    paid: Decimal
    is_overdue: bool

    @property
    def rest(self) -> Decimal:
        return self.due.amount - self.paid


def divide(total: Decimal, count: int, *, first: date, calendar: Calendar) -> list[Due]:
    """A sum in `count` equal parts to the cent, due on the same day of following months, moved on to a working day.

    Raises ValueError for a count below 1, above MOST_ENTRIES, or with parts below a cent.
    """
    if not 1 <= count <= MOST_ENTRIES or total < money.CENT * count:
        raise ValueError(f"分期应为1至{MOST_ENTRIES}期，每期不少于0.01元。")
    parts = money.split(total, [Decimal(1)] * count)
    found, month = [], first
    for number, part in enumerate(parts, 1):
        found.append(Due(number, calendar.next_working_day(month), part))
        following = next_month(month.replace(day=1))
        month = following.replace(day=min(first.day, _LAST_SAFE_DAY))
    return found


def faults_of(entries: Sequence[Due], *, total: Decimal, today: date) -> list[str]:
    """What is wrong with a proposed plan, for people; nothing where it can be approved."""
    told = []
    if not 2 <= len(entries) <= MOST_ENTRIES:
        told.append(f"分期应为2至{MOST_ENTRIES}期；一次退清的不需要计划。")
    if any(entry.amount <= 0 for entry in entries):
        told.append("每期金额应大于零。")
    planned = money.total(entry.amount for entry in entries)
    if planned != total:
        told.append(f"各期合计{money.yuan(planned)}元，应为尚欠的{money.yuan(total)}元。")
    days = [entry.due_on for entry in entries]
    if any(later <= earlier for earlier, later in pairwise(days)):
        told.append("各期日期应依次递增。")
    if days and days[0] <= today:
        told.append("第一期应晚于今天。")
    if days and (days[-1] - today).days > LONGEST:
        told.append("最后一期不应晚于三年以后。")
    return told


def standing(entries: Sequence[Due], *, received: Decimal, as_of: date, due_at_once: bool = False) -> list[Standing]:
    """How each instalment stands, the earliest paid first, of what was received under the plan. What is `due_at_once`
    is overdue on its day already; else that day is there to pay.
    """
    left, found = received, []
    for entry in sorted(entries, key=lambda each: each.number):
        paid = min(max(left, money.ZERO), entry.amount)
        left -= paid
        is_past = entry.due_on <= as_of if due_at_once else entry.due_on < as_of
        found.append(Standing(entry, paid, is_overdue=is_past and paid < entry.amount))
    return found


def overdue(found: Sequence[Standing]) -> Decimal:
    """What should have been paid and was not."""
    return money.total(each.rest for each in found if each.is_overdue)


def next_due(found: Sequence[Standing]) -> Standing | None:
    """The first instalment that is not paid in full."""
    return next((each for each in found if each.rest > 0), None)
