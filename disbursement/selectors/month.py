"""One month's figures: what was paid, by whom and for what, how promptly, and what came back or waits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, Q, QuerySet, Sum

from disbursement.domain.money import from_sum
from disbursement.ledger.posting import balances
from disbursement.models import AccountKind, AttemptOutcome, Cycle, HoldKind, Payable, PaymentAttempt
from matching.registry.models import BudgetLine


@dataclass(frozen=True, slots=True)
class Total:
    """So many payments with so much money (元)."""

    label: str
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LineFigures:
    """A budget line as it stands now (元): what it was given, what is bound, paid, and free."""

    label: str
    ceiling: Decimal
    bound: Decimal
    paid: Decimal
    free: Decimal


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """`prompt` are payments made in the month that was promised or earlier; `late` gives the reason for the others."""

    sent: Total
    paid: Total
    bounced: Total
    held: Total
    enterprises: int
    prompt: int
    late: list[tuple[str, int]]
    by_department: list[Total]
    by_item: list[Total]
    bounces: list[Total]
    holds: list[Total]
    lines: list[LineFigures]

    @property
    def prompt_share(self) -> Decimal | None:
        """Payments that came as promised, in %, to one place; None where nothing was paid."""
        return None if not self.paid.count else (Decimal(self.prompt * 100) / self.paid.count).quantize(Decimal("0.1"))


def month_figures(*, cycle: Cycle) -> MonthFigures:
    """The figures of a cycle, from its batches' payment attempts and from what it left waiting."""
    sent = PaymentAttempt.objects.filter(batch__cycle=cycle).exclude(outcome=AttemptOutcome.WITHDRAWN).order_by()
    paid = sent.filter(outcome=AttemptOutcome.PAID)
    bounced = sent.filter(outcome=AttemptOutcome.BOUNCED)
    held = Payable.objects.filter(state="held", pay_month__lte=cycle.month).order_by()
    prompt = Q(payable__promised_month__gte=cycle.month)
    late = paid.exclude(prompt).values("payable__slip_reason").annotate(count=Count("pk")).order_by("-count")
    kinds = dict(HoldKind.choices)
    lines = BudgetLine.objects.filter(batches__cycle=cycle).distinct().order_by("year", "code")
    return MonthFigures(
        sent=_sum("", sent),
        paid=_sum("", paid),
        bounced=_sum("", bounced),
        held=_sum("", held),
        enterprises=paid.values("payable__enterprise").distinct().count(),
        prompt=paid.filter(prompt).count(),
        late=[(row["payable__slip_reason"], row["count"]) for row in late],
        by_department=_by(paid, "payable__application__item__department__name"),
        by_item=_by(paid, "payable__application__item__name"),
        bounces=_by(bounced, "outcome_reason"),
        holds=[Total(str(kinds.get(row.label, row.label)), row.count, row.amount) for row in _by(held, "hold_kind")],
        lines=[_line(line) for line in lines],
    )


def _sum(label: str, rows: QuerySet[PaymentAttempt] | QuerySet[Payable]) -> Total:
    found = rows.aggregate(count=Count("pk"), sum=Sum("amount"))
    return Total(label, found["count"], from_sum(found["sum"]))


def _by(rows: QuerySet[PaymentAttempt] | QuerySet[Payable], column: str) -> list[Total]:
    """The largest sum first; equal ones by name."""
    found = rows.values(label=F(column)).annotate(count=Count("pk"), sum=Sum("amount"))
    sums = [Total(row["label"], row["count"], from_sum(row["sum"])) for row in found]
    return sorted(sums, key=lambda row: (-row.amount, row.label))


def _line(line: BudgetLine) -> LineFigures:
    found = balances(line=line)
    bound = found[AccountKind.RESERVED] + found[AccountKind.COMMITTED]
    return LineFigures(str(line), line.ceiling, bound, found[AccountKind.PAID], found[AccountKind.APPROPRIATED])
