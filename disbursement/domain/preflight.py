"""The preflight of a month (预检): what its cut-off would do, and what is in the way. Plain data, to be shown, printed
and kept; amounts in 元, days in Asia/Shanghai.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from . import money
from .states import Labelled

# Of what an issue is about, so many are listed one by one; the rest is counted.
MOST_LISTED = 500


class Severity(Labelled):
    """How grave an issue is: it stops a batch, some payables are not paid, or it is to be known."""

    STOPS = "stops", "须先处理"
    UNPAID = "unpaid", "不会支付"
    NOTE = "note", "提示"


@dataclass(frozen=True, slots=True)
class Unpaid:
    """A payable that an issue is about, as people know it."""

    payable: int
    application: str
    enterprise: str
    amount: Decimal
    detail: str = ""


@dataclass(slots=True)
class Issue:
    """One thing that is in the way: where, what, and what to do about it. `target` names the page that mends it, as
    (kind, id); `count` and `total` are of the payables concerned, of which `listed` names the first.
    """

    code: str
    severity: Severity
    place: str
    problem: str
    remedy: str
    target: tuple[str, int | None] = ("", None)
    count: int = 0
    total: Decimal = money.ZERO
    listed: list[Unpaid] = field(default_factory=list)

    def add(self, row: Unpaid) -> None:
        self.count += 1
        self.total += row.amount
        if len(self.listed) < MOST_LISTED:
            self.listed.append(row)

    @property
    def more(self) -> int:
        """How many are counted and not listed."""
        return max(self.count - len(self.listed), 0)

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity.value,
            "place": self.place,
            "problem": self.problem,
            "remedy": self.remedy,
            "target": list(self.target),
            "count": self.count,
            "total": f"{self.total:.2f}",
            "listed": [[r.payable, r.application, r.enterprise, f"{r.amount:.2f}", r.detail] for r in self.listed],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Issue:
        kind, pk = kept["target"]
        return cls(
            code=kept["code"],
            severity=Severity(kept["severity"]),
            place=kept["place"],
            problem=kept["problem"],
            remedy=kept["remedy"],
            target=(kind, pk),
            count=kept["count"],
            total=money.money(kept["total"]),
            listed=[Unpaid(pk, number, who, money.money(sum_), said) for pk, number, who, sum_, said in kept["listed"]],
        )


@dataclass(slots=True)
class LineOutlook:
    """The batch that a budget line would have: what would stand in it, and what the checks would hold."""

    line: int
    code: str
    label: str
    count: int = 0
    total: Decimal = money.ZERO
    held_count: int = 0
    held_total: Decimal = money.ZERO
    # Of `count`: those that are reserved only now, and those that get less than they are owed.
    newly_reserved: int = 0
    reduced: int = 0
    approvals_needed: int = 1
    free: Decimal = money.ZERO
    gateway: str = ""

    def to_json(self) -> dict[str, Any]:
        amounts = ("total", "held_total", "free")
        return {
            name: f"{getattr(self, name):.2f}" if name in amounts else getattr(self, name) for name in self.__slots__
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> LineOutlook:
        amounts = {name: money.money(kept[name]) for name in ("total", "held_total", "free")}
        return cls(**{**kept, **amounts})


@dataclass(slots=True)
class Outlook:
    """What a month's cut-off would do on `day` (the day it was looked at)."""

    month: date
    day: date
    cut_off_on: date
    lines: list[LineOutlook] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def of(self, severity: Severity) -> list[Issue]:
        return [issue for issue in self.issues if issue.severity is severity]

    @property
    def by_severity(self) -> list[tuple[Severity, list[Issue]]]:
        """The gravest first; empty ones left out."""
        return [(severity, found) for severity in Severity if (found := self.of(severity))]

    @property
    def count(self) -> int:
        return sum(line.count for line in self.lines)

    @property
    def total(self) -> Decimal:
        return money.total(line.total for line in self.lines)

    @property
    def unpaid_count(self) -> int:
        return sum(issue.count for issue in self.of(Severity.UNPAID))

    @property
    def unpaid_total(self) -> Decimal:
        return money.total(issue.total for issue in self.of(Severity.UNPAID))

    def to_json(self) -> dict[str, Any]:
        return {
            "month": self.month.isoformat(),
            "day": self.day.isoformat(),
            "cut_off_on": self.cut_off_on.isoformat(),
            "lines": [line.to_json() for line in self.lines],
            "issues": [issue.to_json() for issue in self.issues],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Outlook:
        return cls(
            month=date.fromisoformat(kept["month"]),
            day=date.fromisoformat(kept["day"]),
            cut_off_on=date.fromisoformat(kept["cut_off_on"]),
            lines=[LineOutlook.from_json(line) for line in kept["lines"]],
            issues=[Issue.from_json(issue) for issue in kept["issues"]],
        )


@dataclass(frozen=True, slots=True)
class Actual:
    """What became of a line: its batch after the checks, and what they held."""

    label: str
    count: int
    total: Decimal
    held_count: int
    held_total: Decimal


def differences(kept: Outlook, actual: Mapping[int, Actual]) -> list[str]:
    """What the cut-off did otherwise than its preflight said, a sentence each; `actual` by the line's id."""
    told = []
    for line in kept.lines:
        found = actual.get(line.line, Actual(line.label, 0, money.ZERO, 0, money.ZERO))
        if (found.count, found.total) != (line.count, line.total):
            told.append(
                f"{line.label}：预检支付{line.count}笔、{money.yuan(line.total)}元，"
                f"截止后{found.count}笔、{money.yuan(found.total)}元"
            )
        if (found.held_count, found.held_total) != (line.held_count, line.held_total):
            told.append(
                f"{line.label}：预检校验暂缓{line.held_count}笔、{money.yuan(line.held_total)}元，"
                f"截止后{found.held_count}笔、{money.yuan(found.held_total)}元"
            )
    known = {line.line for line in kept.lines}
    for pk, found in actual.items():
        if pk not in known:
            told.append(f"{found.label}：预检时没有款项，截止后{found.count}笔、{money.yuan(found.total)}元")
    return told


def can_sign(*, makers: Iterable[int], checkers: Iterable[int], approvers: Iterable[int], needed: int) -> str | None:
    """None where maker, checker and `needed` approvers can be found, all different people; else what is missing."""
    making, checking, approving = set(makers), set(checkers), set(approvers)
    if not making:
        return "没有可签署的财务经办"
    if not checking:
        return "没有可签署的财务复核"
    if len(approving) < needed:
        return f"须{needed}人审批，可签署的财务审批只有{len(approving)}人"
    for maker in making:
        for checker in checking - {maker}:
            if len(approving - {maker, checker}) >= needed:
                return None
    return "有职责的人员不足以由不同的人分别经办、复核、审批"


def sorted_issues(issues: Sequence[Issue]) -> list[Issue]:
    """The gravest first, then the largest sum."""
    order = list(Severity)
    return sorted(issues, key=lambda issue: (order.index(issue.severity), -issue.total, issue.place, issue.code))
