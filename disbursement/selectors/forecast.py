"""The forecast of budget lines, from the books and from what is under way; a bounded number of queries for all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import TruncMonth

from disbursement.domain import money
from disbursement.domain.forecast import Alert, Forecast, alerts, forecast
from disbursement.domain.workflow import UNDER_WAY, ApplicationState, PayableState
from disbursement.models import Application, BudgetChange, ChangeKind, Judgement, LedgerTransfer, Payable, TransferKind
from disbursement.selectors.applications import with_clocks
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.pay_month import cuts_of, pay_month
from matching.registry.models import BudgetLine

_S, _P = ApplicationState, PayableState
_PAYMENTS = {
    **dict.fromkeys((TransferKind.PAY, TransferKind.HAND_OVER, TransferKind.TAKE_OVER), 1),
    **dict.fromkeys((TransferKind.UNPAY, TransferKind.REFUND, TransferKind.CLAW_BACK), -1),
}
_PART = {
    _P.RESERVED: "reserved",
    _P.SCHEDULED: "reserved",
    _P.HELD: "reserved",
    _P.BOUNCED: "reserved",
    _P.MENDED: "reserved",
    _P.SEALED: "committed",
    _P.AWAITING: "later",
}
_Parts = dict[str, dict[date, Decimal]]


@dataclass(frozen=True, slots=True)
class LineForecast:
    """A line with its forecast, what to warn of, and how many applications are counted among what is expected."""

    line: BudgetLine
    forecast: Forecast
    alerts: list[Alert]
    frozen: str
    applications: int


def forecasts(*, lines: Iterable[BudgetLine], as_of: date) -> list[LineForecast]:
    """The forecast of each line as of a day (Asia/Shanghai), in their order. Expected amounts are those that the rules
    gave at the last judgement, before caps by history: an upper estimate.
    """
    wanted = list(lines)
    parts: dict[tuple[str, int], _Parts] = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    counts: dict[tuple[str, int], int] = defaultdict(int)
    by_pk = {line.pk: (line.code, line.year) for line in wanted}
    _add_paid(parts, by_pk)
    _add_owed(parts, wanted)
    _add_expected(parts, counts, wanted, as_of=as_of)
    frozen = _frozen(wanted)
    found = []
    for line in wanted:
        key = (line.code, line.year)
        told = forecast(year=line.year, ceiling=line.ceiling, parts=parts[key], as_of=as_of)
        found.append(LineForecast(line, told, alerts(told, as_of=as_of), frozen.get(line.pk, ""), counts[key]))
    return found


def _add_paid(parts: dict[tuple[str, int], _Parts], by_pk: dict[int, tuple[str, int]]) -> None:
    rows = (
        LedgerTransfer.objects.filter(debit__budget_line__in=list(by_pk), kind__in=list(_PAYMENTS))
        .order_by()
        .annotate(month=TruncMonth("posted_at"))
        .values_list("debit__budget_line", "kind", "month")
        .annotate(sum=Sum("amount"))
    )
    for line_id, kind, month, amount in rows:
        at = date(month.year, month.month, 1)
        parts[by_pk[line_id]]["paid"][at] += _PAYMENTS[TransferKind(kind)] * money.from_sum(amount)


def _add_owed(parts: dict[tuple[str, int], _Parts], wanted: list[BudgetLine]) -> None:
    codes = {line.code for line in wanted}
    rows = (
        Payable.objects.filter(budget_code__in=codes, state__in=[state.value for state in _PART])
        .order_by()
        .values_list("budget_code", "budget_year", "budget_line__year", "state", "pay_month")
        .annotate(sum=Sum("amount"))
    )
    for code, year, line_year, state, month, amount in rows:
        parts[code, line_year or year][_PART[_P(state)]][month] += money.from_sum(amount)


def _add_expected(
    parts: dict[tuple[str, int], _Parts],
    counts: dict[tuple[str, int], int],
    wanted: list[BudgetLine],
    *,
    as_of: date,
) -> None:
    keys = {(line.code, line.year) for line in wanted}
    latest = Judgement.objects.filter(application=OuterRef("pk")).order_by("-pk").values("result")[:1]
    under_way = Application.objects.filter(state__in=UNDER_WAY, award__isnull=True).annotate(judged=Subquery(latest))
    calendar = working_calendar()
    cuts = cuts_of(as_of=as_of, calendar=calendar)
    for application in with_clocks(under_way).order_by("pk").iterator(chunk_size=500):
        code = str(application.version.rules.get("budget_line") or "")
        amount = _amount(getattr(application, "judged", None))
        month = pay_month(application=application, as_of=as_of, calendar=calendar, cuts=cuts).month
        if not amount or month is None or (code, month.year) not in keys:
            continue
        parts[code, month.year]["expected"][month] += amount
        counts[code, month.year] += 1


def _amount(judged: str | None) -> Decimal:
    """What the rules give the application, in 元; of a range the lower end."""
    figures = None if judged is None else json.loads(judged).get("estimate")
    return money.money(figures["low"]) if figures and money.fits(figures["low"]) else money.ZERO


def _frozen(wanted: list[BudgetLine]) -> dict[int, str]:
    """Of the lines that are frozen now, the paper on which they were."""
    found: dict[int, str] = {}
    turns = BudgetChange.objects.filter(
        line__in=[line.pk for line in wanted], approved=True, kind__in=[ChangeKind.FREEZE, ChangeKind.UNFREEZE]
    )
    for line_id, kind, paper in turns.order_by("decided_at", "pk").values_list("line", "kind", "paper_number"):
        found[line_id] = paper if kind == ChangeKind.FREEZE else ""
    return found
