"""The month's preflight (预检): what the cut-off would do now, by its own rules, without doing any of it.

`look` writes nothing and locks nothing: it takes the very checks and the very sharing-out of the cut-off to what is due
now. `keep` stores what was seen, so that the cut-off can be held against it; each early morning of the days before the
cut-off does so by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, Sum

from disbursement.documents.preflight import preflight_report
from disbursement.documents.render import render_pdf
from disbursement.domain import money, shortage
from disbursement.domain.actors import Actor
from disbursement.domain.cycle import month_of
from disbursement.domain.preflight import (
    Actual,
    Issue,
    LineOutlook,
    Outlook,
    Severity,
    Unpaid,
    differences,
    sorted_issues,
)
from disbursement.domain.shortage import Claim, Key
from disbursement.domain.workflow import CycleState, PayableState
from disbursement.ledger.posting import free_on
from disbursement.models import AttemptOutcome, Cycle, CyclePreflight, Payable
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.cut_off import cut_off_day
from disbursement.services.month.payment_checks import Checks
from disbursement.services.month.preflight_surroundings import issues_of_lines, issues_of_surroundings
from disbursement.services.month.preparation import CHECKED_AGAIN, approvers_of, claims_of, due_payables
from disbursement.services.payment.bulk import PIECE
from matching.chunks import chunks
from matching.days import day_of
from matching.registry import outbox
from matching.registry.models import BudgetLine

# Kept by itself on so many working days up to the cut-off day.
_DAYS_BEFORE = 5
_S, _P = Severity, PayableState
Staff = Callable[[], Sequence[Actor]]

# What a payable waits for, by code: what is wrong, what to do, and the page on which it is done.
_UNPAID: dict[str, tuple[str, str, str]] = {
    "hold.account": ("收款账户没有核对", "请企业登记收款账户，由财务复核人员核对。", "accounts"),
    "hold.credit": (
        "信用校验不通过",
        "请企业按信用修复程序处理；修复后的信用信息到达后，下次截止自动复核。",
        "payables",
    ),
    "hold.conflict": ("收款账号与其他企业相同", "请两家企业说明，由财务复核人员核实后更正账户。", "accounts"),
    "hold.cap": ("超过年度上限", "请核对核定金额；确属超限的，由财务审批人员取消该期款项。", "payables"),
    "hold.contradiction": ("银行结果前后矛盾", "请向银行核实后，在款项页面登记结果。", "exceptions"),
    "hold.person": ("人工暂缓", "暂缓的原因消除后，由财务复核或审批人员解除暂缓。", "payables"),
    "bounced": ("退票，待企业更正账户", "请联系企业在“收款账户”中登记正确的账户。", "payables"),
    "mended": ("已更正账户，待核对", "请财务复核人员核对新账户，核对后列入本月。", "accounts"),
    "short.first_come": ("预算不足（先到先得）", "请追加或调剂预算；否则顺延至下月，仍按先后安排。", "budget_lines"),
    "short.defer": ("预算不足（顺延）", "请追加或调剂预算；否则顺延，企业会收到通知。", "budget_lines"),
    "short.pro_rata": ("预算不足（按比例，没有余额）", "请追加或调剂预算；本月没有可分配的额度。", "budget_lines"),
}


def look(*, month: date, now: datetime, staff: Staff, probe: bool = False) -> Outlook:
    """What the cut-off of a month (its first day) would do if it ran at `now`. Writes nothing.

    `staff` gives the people of finance; `probe` asks the gateways themselves whether they answer.
    """
    month, today = month_of(month), day_of(now)
    cycle = Cycle.objects.filter(month=month).first()
    found = Outlook(month, today, cycle.cut_off_on if cycle is not None else cut_off_day(month=month))
    book = _Book(month=month, today=today)
    book.take_reserved()
    book.take_waiting()
    book.take_the_rest()
    found.lines = book.lines()
    found.issues = sorted_issues(
        [
            *book.issues.values(),
            *issues_of_lines(lines=found.lines, month=month, day=max(found.cut_off_on, today), staff=staff()),
            *issues_of_surroundings(month=month, today=today, lines=found.lines, probe=probe),
        ]
    )
    return found


class _Book:
    """What is due, line by line, as it is gone through."""

    def __init__(self, *, month: date, today: date) -> None:
        self._month = month
        self._checks = Checks(today=today, as_listed=True)
        self._lines = {line.pk: line for line in BudgetLine.objects.all()}
        self._by_key: dict[Key, BudgetLine] = {(line.code, line.year): line for line in self._lines.values()}
        self._outlooks: dict[int, LineOutlook] = {}
        self._free: dict[Key, Decimal] = {}
        self.issues: dict[str, Issue] = {}

    def take_reserved(self) -> None:
        """What is reserved, or held for a reason that the cut-off looks at again."""
        due = due_payables(month=self._month)
        last = 0
        columns = ("pk", "budget_line_id", "amount")
        while rows := list(due.filter(pk__gt=last).order_by("pk").values_list(*columns)[:PIECE]):
            last = rows[-1][0]
            self._check([(pk, line, amount) for pk, line, amount in rows if line is not None])

    def take_waiting(self) -> None:
        """What waits for budget, shared out as the cut-off shares it out."""
        waiting = Payable.objects.filter(state=_P.AWAITING, pay_month__lte=self._month)
        firm = claims_of(query=waiting.exclude(award__shortfall="pro_rata"), column="amount")
        shared = claims_of(query=waiting.filter(award__shortfall="pro_rata"), column="entitled")
        self._free = {key: free_on(line=self._by_key[key]) for key in self._keys([*firm, *shared])}
        amounts = {claim.pk: claim.amount for claim in firm}
        served = shortage.first_come(firm, free=self._free, month=self._month)
        for key, ids in served.served.items():
            self._reserve(key, [(pk, amounts[pk]) for pk in ids])
        rules = dict(waiting.filter(pk__in=served.short).values_list("pk", "award__shortfall"))
        for rule in sorted(set(rules.values())):
            self._leave(f"short.{rule}", [pk for pk in served.short if rules[pk] == rule])
        divided = shortage.pro_rata(shared, free=self._free, month=self._month)
        for key, shares in divided.served.items():
            self._reserve(key, [(share.pk, share.amount) for share in shares])
            reduced = {share.pk: share.amount for share in shares if share.is_reduced}
            if key in self._free:
                self._free[key] -= money.total(share.amount for share in shares)
            self._reduce(key, reduced)
        self._leave("short.pro_rata", divided.short)

    def take_the_rest(self) -> None:
        """What is due and waits for a person."""
        rest = Payable.objects.filter(pay_month__lte=self._month)
        by_hand = rest.filter(state=_P.HELD).exclude(hold_kind__in=CHECKED_AGAIN)
        for kind in sorted(set(by_hand.order_by().values_list("hold_kind", flat=True))):
            self._leave(f"hold.{kind}", by_hand.filter(hold_kind=kind).values_list("pk", flat=True))
        for state in (_P.BOUNCED, _P.MENDED):
            self._leave(state.value, rest.filter(state=state).values_list("pk", flat=True))

    def lines(self) -> list[LineOutlook]:
        for pk, outlook in self._outlooks.items():
            line = self._lines[pk]
            key = (line.code, line.year)
            outlook.free = self._free[key] if key in self._free else free_on(line=line)
            outlook.approvals_needed = approvers_of(total=outlook.total)
        return sorted(self._outlooks.values(), key=lambda found: found.label)

    def _keys(self, claims: Iterable[Claim]) -> list[Key]:
        wanted = {key for c in claims for key in shortage.lines_for(c.code, c.year, month=self._month)}
        return sorted(wanted & self._by_key.keys())

    def _reserve(self, key: Key, rows: Sequence[tuple[int, Decimal]]) -> None:
        line = self._by_key[key]
        for piece in chunks(rows, PIECE):
            self._check([(pk, line.pk, amount) for pk, amount in piece])
        self._outlook(line.pk).newly_reserved += len(rows)

    def _reduce(self, key: Key, amounts: dict[int, Decimal]) -> None:
        if not amounts:
            return
        line = self._by_key[key]
        self._outlook(line.pk).reduced += len(amounts)
        issue = Issue(
            code=f"reduced.{line.pk}",
            severity=_S.NOTE,
            place=str(line),
            problem="预算不足，按比例分配：每笔将得的金额见明细",
            remedy="按事项规定办理，企业会收到通知；要足额支付，请在截止前追加或调剂预算。",
            target=("budget_line", line.pk),
        )
        self.issues[issue.code] = issue
        for row in _rows(amounts):
            given = amounts[row.payable]
            told = f"应付{money.yuan(row.amount)}元，将得{money.yuan(given)}元"
            issue.add(Unpaid(row.payable, row.application, row.enterprise, given, told))

    def _check(self, rows: Sequence[tuple[int, int, Decimal]]) -> None:
        findings = self._checks.findings(payable_ids=[pk for pk, _, _ in rows])
        told: dict[str, dict[int, str]] = defaultdict(dict)
        for pk, line_id, amount in rows:
            outlook = self._outlook(line_id)
            if pk in findings:
                kind, reason = findings[pk]
                told[f"hold.{kind.value}"][pk] = reason
                outlook.held_count += 1
                outlook.held_total += amount
            else:
                outlook.count += 1
                outlook.total += amount
        for code, reasons in told.items():
            self._leave(code, reasons, details=reasons)

    def _leave(self, code: str, ids: Iterable[int], *, details: dict[int, str] | None = None) -> None:
        """Payables that would not be paid, under what they wait for."""
        for row in _rows(ids):
            issue = self.issues.get(code)
            if issue is None:
                problem, remedy, page = _UNPAID.get(code, (code, "请查明原因后办理。", "payables"))
                issue = Issue(code, _S.UNPAID, "应付款项", problem, remedy, (page, None))
                self.issues[code] = issue
            detail = (details or {}).get(row.payable, row.detail)
            issue.add(Unpaid(row.payable, row.application, row.enterprise, row.amount, detail))

    def _outlook(self, line_id: int) -> LineOutlook:
        if line_id not in self._outlooks:
            line = self._lines[line_id]
            self._outlooks[line_id] = LineOutlook(line.pk, line.code, str(line))
        return self._outlooks[line_id]


def _rows(ids: Iterable[int]) -> Iterator[Unpaid]:
    """Those payables as people know them, with what is noted on each."""
    columns = ("pk", "application__number", "enterprise__name", "amount", "hold_reason")
    for piece in chunks(sorted(ids), PIECE):
        for pk, number, name, amount, reason in (
            Payable.objects.filter(pk__in=piece).order_by("pk").values_list(*columns)
        ):
            yield Unpaid(pk, number or "", name, amount, reason)


@transaction.atomic
def keep(*, cycle: Cycle, outlook: Outlook, now: datetime, actor: Actor | None = None) -> CyclePreflight:
    """Store what was seen; `actor` None: by the machine, which then tells finance of what stops a batch."""
    kept = CyclePreflight.objects.create(
        cycle=cycle,
        content=outlook.to_json(),
        stops=len(outlook.of(_S.STOPS)),
        unpaid=outlook.unpaid_count,
        made_at=now,
        made_by_id=None if actor is None else actor.user_id,
    )
    if actor is None and (kept.stops or kept.unpaid):
        outbox.emit(
            topic="cycle.preflight",
            payload={"preflight": kept.pk},
            now=now,
            dedupe_key=f"cycle.preflight:{kept.pk}",
        )
    return kept


def keep_daily(*, now: datetime, staff: Staff) -> list[CyclePreflight]:
    """Keep one a day of each open cycle whose cut-off is near; for the early morning. Run again it keeps none."""
    today = day_of(now)
    made = []
    calendar = working_calendar()
    for cycle in Cycle.objects.filter(state=CycleState.OPEN, cut_at__isnull=True).order_by("month"):
        if calendar.working_days_between(today, cycle.cut_off_on) > _DAYS_BEFORE:
            continue
        if cycle.preflights.filter(made_by__isnull=True, content__day=today.isoformat()).exists():
            continue
        made.append(keep(cycle=cycle, outlook=look(month=cycle.month, now=now, staff=staff), now=now))
    return made


def last_before(*, cycle: Cycle) -> CyclePreflight | None:
    """The last preflight of a cycle: after its cut-off, the last one before that."""
    found = cycle.preflights.order_by("-pk")
    return found.filter(made_at__lte=cycle.cut_at).first() if cycle.cut_at is not None else found.first()


def compare(*, cycle: Cycle) -> list[str] | None:
    """What the cut-off did otherwise than its last preflight said; None where there is none, or no cut-off yet."""
    kept = last_before(cycle=cycle)
    if kept is None or cycle.state == CycleState.OPEN:
        return None
    return differences(Outlook.from_json(kept.content), _actual(cycle))


def _actual(cycle: Cycle) -> dict[int, Actual]:
    """Each line's batch as the checks left it. What a person took out afterwards counts as paid still: it was not the
    cut-off's doing.
    """
    # The cut-off dates all that it does with the moment at which it began.
    held = Q(outcome=AttemptOutcome.WITHDRAWN, payable__changes__made_at=cycle.cut_at) & Q(
        payable__changes__action="hold", payable__changes__role="system"
    )
    found: dict[int, Actual] = {}
    for batch in cycle.batches.select_related("budget_line").order_by("pk"):
        every = batch.attempts.aggregate(count=Count("pk"), sum=Sum("amount"))
        out = batch.attempts.filter(pk__in=batch.attempts.filter(held).values("pk")).aggregate(
            count=Count("pk"), sum=Sum("amount")
        )
        total, held_total = money.from_sum(every["sum"]), money.from_sum(out["sum"])
        found[batch.budget_line_id] = Actual(
            str(batch.budget_line), every["count"] - out["count"], total - held_total, out["count"], held_total
        )
    return found


def printed(*, outlook: Outlook, made_at: datetime, now: datetime) -> bytes:
    """The report as PDF bytes, rendered each time: a working paper."""
    return render_pdf(
        preflight_report(
            outlook=outlook,
            district=settings.HUIDA_DISTRICT,
            made_at=made_at,
            address=f"{settings.HUIDA_BASE_URL.rstrip('/')}/desk/cycles/",
            today=day_of(now),
        )
    )
