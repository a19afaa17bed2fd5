"""What is due in a month, gone through by the cut-off's own checks and shares, without doing any of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property

from disbursement.domain import money, shortage
from disbursement.domain.preflight import Issue, LineOutlook, Severity, Unpaid
from disbursement.domain.shortage import Claim, Key
from disbursement.domain.workflow import PayableState
from disbursement.ledger.posting import free_on
from disbursement.models import Payable
from disbursement.services.month.payment_checks import Checks
from disbursement.services.month.preparation import CHECKED_AGAIN, approvers_of, claims_of, due_payables
from disbursement.services.payment.bulk import PIECE
from matching.chunks import chunks
from matching.registry.models import BudgetLine

# Hears how many of how many payables were looked at.
OnProgress = Callable[[int, int], None]
_S, _P = Severity, PayableState

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
    "hold.recovery": (
        "有款项正在追回或逾期未退",
        "请在款项页面抵扣追回款；核实后仍应支付的，由财务复核或审批人员解除暂缓。",
        "payables",
    ),
    "hold.contradiction": ("银行结果前后矛盾", "请向银行核实后，在款项页面登记结果。", "exceptions"),
    "hold.person": ("人工暂缓", "暂缓的原因消除后，由财务复核或审批人员解除暂缓。", "payables"),
    "bounced": ("退票，待企业更正账户", "请联系企业在“收款账户”中登记正确的账户。", "payables"),
    "mended": ("已更正账户，待核对", "请财务复核人员核对新账户，核对后列入本月。", "accounts"),
    "short.first_come": ("预算不足（先到先得）", "请追加或调剂预算；否则顺延至下月，仍按先后安排。", "budget_lines"),
    "short.defer": ("预算不足（顺延）", "请追加或调剂预算；否则顺延，企业会收到通知。", "budget_lines"),
    "short.pro_rata": ("预算不足（按比例，没有余额）", "请追加或调剂预算；本月没有可分配的额度。", "budget_lines"),
}


class Book:
    """What is due, line by line, as it is gone through."""

    def __init__(self, *, month: date, today: date, on_progress: OnProgress | None = None) -> None:
        self._month = month
        self._on_progress = on_progress
        self._looked_at = 0
        self._checks = Checks(today=today, as_listed=True)
        self._lines = {line.pk: line for line in BudgetLine.objects.all()}
        self._by_key: dict[Key, BudgetLine] = {(line.code, line.year): line for line in self._lines.values()}
        self._outlooks: dict[int, LineOutlook] = {}
        self._free: dict[Key, Decimal] = {}
        self.issues: dict[str, Issue] = {}

    @cached_property
    def _to_look_at(self) -> int:
        waiting = Payable.objects.filter(state=_P.AWAITING, pay_month__lte=self._month)
        return due_payables(month=self._month).count() + waiting.count()

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
        self._looked_at += len(rows)
        if self._on_progress is not None:
            self._on_progress(self._looked_at, max(self._looked_at, self._to_look_at))
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
            Payable.objects.filter(pk__among=piece).order_by("pk").values_list(*columns)
        ):
            yield Unpaid(pk, number or "", name, amount, reason)
