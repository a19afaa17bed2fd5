"""Caps, papers, choices and budget changes: awards within what was declared, changes by two people who might."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, Sum

from disbursement.audit.findings import Finding, Scope
from disbursement.audit.people import People
from disbursement.domain import money
from disbursement.models import (
    AccountKind,
    Award,
    AwardLimit,
    BudgetChange,
    CapUse,
    LedgerAccount,
    LedgerTransfer,
    Paper,
    YearEnd,
)
from disbursement.selectors.caps import Limit
from disbursement.selectors.granted import kept

_CAP = "请对照上限的依据文件和核定过程查明；超出部分按追回办理。"
_PAPER = "请核对各申报的发票和合同，重复享受的按撤销或追回办理。"
_BUDGET = "请对照批准文件查明；查明前停止在该科目上审核和支付。"


def check_limits(*, scope: Scope, people: People, counts: Counter[str]) -> Iterator[Finding]:
    """What awards were held to, and what changed the lines that pay them."""
    yield from _caps(scope, counts=counts)
    yield from _papers()
    yield from _changes(scope, people=people, counts=counts)
    yield from _ends(scope)


def _caps(scope: Scope, *, counts: Counter[str]) -> Iterator[Finding]:
    awards = Award.objects.order_by("pk").select_related("application")
    if scope.applications is not None:
        awards = awards.filter(application__in=scope.applications)
    limits = [
        Limit(limit, None if limit.covers_all else frozenset(row.item.code for row in limit.items.all()))
        for limit in AwardLimit.objects.prefetch_related("items__item").order_by("pk")
    ]
    uses: dict[int, dict[tuple[int | None, str], CapUse]] = {}
    for use in CapUse.objects.filter(award__in=awards.values("pk")):
        uses.setdefault(use.award_id, {})[use.limit_id, use.kind] = use
    for award in awards.iterator(chunk_size=500):
        counts["caps"] += 1
        place = f"申报 {award.application.number}"
        there = uses.get(award.pk, {})
        for limit in (each for each in limits if _held(each, award)):
            for kind, ceiling in _kinds(limit.declared):
                used = there.get((limit.declared.pk, kind))
                if used is None or (ceiling is not None and used.ceiling != ceiling):
                    yield Finding("caps", place, f"核定没有按上限“{limit.declared.name}”计算。", _CAP)
        if any(use.granted != award.amount for use in there.values()):
            yield Finding("caps", place, "上限使用的金额与核定金额不符。", _CAP)
    yield from _sums(scope, limits)


def _sums(scope: Scope, limits: list[Limit]) -> Iterator[Finding]:
    """What enterprises keep today, against the caps in force."""
    for limit in limits:
        declared = limit.declared
        if declared.ended_at is not None:
            continue
        since = kept().filter(award__granted_at__gte=declared.declared_at)
        touched = since.values("award__enterprise_id")
        found = kept().filter(award__enterprise_id__in=touched)
        if limit.codes is not None:
            found = found.filter(award__item_code__in=limit.codes)
        if scope.enterprises is not None:
            found = found.filter(award__enterprise_id__in=scope.enterprises)
        for name, ceiling, keys in (
            ("每年上限", declared.per_year, ("award__enterprise_id", "award__year")),
            ("累计上限", declared.total, ("award__enterprise_id",)),
        ):
            if ceiling is None:
                continue
            rows = found.order_by().values("award__enterprise__name", *keys).annotate(sum=Sum("amount"))
            for row in rows:
                total = money.from_sum(row["sum"])
                in_force = "award__year" not in row or row["award__year"] >= declared.from_year
                if in_force and total > ceiling and _granted_under(limit, row):
                    place = f"企业 {row['award__enterprise__name']}"
                    yield Finding(
                        "caps", place, f"核定合计{money.yuan(total)}元，超过“{declared.name}”的{name}。", _CAP
                    )


def _granted_under(limit: Limit, row: dict[str, Any]) -> bool:
    """Whether an award was granted after the cap was declared: before, what was too much stands."""
    awards = Award.objects.filter(enterprise_id=row["award__enterprise_id"], granted_at__gte=limit.declared.declared_at)
    if limit.codes is not None:
        awards = awards.filter(item_code__in=limit.codes)
    if "award__year" in row:
        awards = awards.filter(year=row["award__year"])
    return awards.exists()


def _held(limit: Limit, award: Award) -> bool:
    declared = limit.declared
    return (
        limit.covers(award.item_code)
        and declared.declared_at <= award.granted_at
        and (declared.ended_at is None or declared.ended_at > award.granted_at)
        and declared.from_year <= award.year <= (declared.until_year or award.year)
    )


def _kinds(limit: AwardLimit) -> Iterator[tuple[str, Decimal | None]]:
    if limit.per_year is not None:
        yield "per_year", limit.per_year
    if limit.total is not None:
        yield "total", limit.total
    if limit.fact:
        yield "fact", None


def _papers() -> Iterator[Finding]:
    standing = Q(claims__released_at__isnull=True)
    for paper in Paper.objects.annotate(used=Sum("claims__used", filter=standing)).filter(used__gt=F("amount")):
        used = money.from_sum(paper.used)
        problem = f"票面{money.yuan(paper.amount)}元，各申报共使用{money.yuan(used)}元。"
        yield Finding("papers", f"{paper.get_kind_display()} {paper.key}", problem, _PAPER)


def _changes(scope: Scope, *, people: People, counts: Counter[str]) -> Iterator[Finding]:
    changes = BudgetChange.objects.select_related("line").order_by("pk")
    if scope.lines is not None:
        changes = changes.filter(Q(line__in=scope.lines) | Q(to_line__in=scope.lines))
    for change in changes:
        counts["budget_changes"] += 1
        place = f"预算调整 {change.paper_number}（{change.line}）"
        if change.decided_by_id == change.proposed_by_id:
            yield Finding("budget", place, "提出人和决定人是同一人。", _BUDGET)
        if (
            change.approved
            and change.decided_by_id is not None
            and people.lacked_role(
                user_id=change.decided_by_id, role="finance_approver", table="disbursement_budgetchange", pk=change.pk
            )
        ):
            who = people.name(change.decided_by_id)
            yield Finding("budget", place, f"由{who}批准，但其当时没有财务审批职责。", _BUDGET)
        if change.approved and change.amount is not None:
            memo = f"{change.get_kind_display()} {change.paper_number}"
            wanted = 2 if change.to_line_id is not None else 1
            posted = LedgerTransfer.objects.filter(memo=memo[:200], amount=abs(change.amount))
            if posted.count() < wanted:
                yield Finding("budget", place, "已批准，但预算流水中没有相应的记账。", _BUDGET)


def _ends(scope: Scope) -> Iterator[Finding]:
    """A line's appropriation is its ceiling once anything was posted to it; nothing was posted after its year's end."""
    sources = LedgerAccount.objects.filter(kind=AccountKind.SOURCE).select_related("budget_line")
    if scope.lines is not None:
        sources = sources.filter(budget_line__in=scope.lines)
    for source in sources:
        if -source.balance != source.budget_line.ceiling and LedgerTransfer.objects.filter(debit=source).exists():
            problem = f"额度{money.yuan(source.budget_line.ceiling)}元，下达的预算为{money.yuan(-source.balance)}元。"
            yield Finding("budget", f"预算科目 {source.budget_line}", problem, _BUDGET)
    for end in YearEnd.objects.select_related("line"):
        late = LedgerTransfer.objects.filter(debit__budget_line=end.line, posted_at__gt=end.closed_at)
        if late.exists():
            yield Finding("budget", f"预算科目 {end.line}", "年度关账后还有记账。", _BUDGET)
