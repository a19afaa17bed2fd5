"""The forecast of a year's budget, as a page with a chart, as CSV and as XLSX."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.forecast import PARTS, Forecast
from disbursement.selectors.forecast import LineForecast, forecasts
from matching.days import day_of
from matching.registry.models import BudgetLine, Fund
from portal.accounts.access import role_required
from portal.desk.budget.changes import READERS
from portal.desk.sheets import table_file

# The chart's plane, in its own units: a column for each month, the height that the dearest has.
_WIDTH, _HEIGHT, _COLUMN = 720, 180, 36


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a month's column in the chart: where it stands, and what it is."""

    part: str
    x: int
    y: int
    height: int


@role_required(*READERS)
def forecast(request: HttpRequest) -> HttpResponseBase:
    """Every line of a year by month: what is paid, bound, and may come; what to warn of."""
    year, rows = _rows(request)
    months = [sum((row.forecast.months[i].total for row in rows), Decimal("0.00")) for i in range(12)]
    return render(
        request,
        "desk/budget/forecast.html",
        {
            "year": year,
            "years": sorted(set(BudgetLine.objects.order_by().values_list("year", flat=True)) | {year}),
            "fund": request.GET.get("fund", ""),
            "funds": Fund.choices,
            "rows": rows,
            "alerts": [(row.line, alert) for row in rows for alert in row.alerts],
            "parts": list(PARTS.items()),
            "table": [
                (
                    number,
                    [
                        sum((getattr(row.forecast.months[number - 1], part) for row in rows), Decimal("0.00"))
                        for part in PARTS
                    ],
                    months[number - 1],
                )
                for number in range(1, 13)
            ],
            "totals": [sum((row.forecast.sum_of(part) for row in rows), Decimal("0.00")) for part in PARTS],
            "total": sum(months, Decimal("0.00")),
            "ceiling": sum((row.forecast.ceiling for row in rows), Decimal("0.00")),
            "bars": _bars([row.forecast for row in rows]),
            "labels": [(i * (_WIDTH // 12) + _WIDTH // 24, i + 1) for i in range(12)],
        },
    )


@role_required(*READERS)
def forecast_file(request: HttpRequest, form: str) -> HttpResponseBase:
    """The same figures: `csv` (UTF-8 with a mark, as spreadsheets want it) or `xlsx`."""
    year, rows = _rows(request)
    return table_file(rows=_table(rows), name=f"forecast-{year}", title=_("全年预测"), form=form)


def _rows(request: HttpRequest) -> tuple[int, list[LineForecast]]:
    today = day_of(timezone.now())
    text = request.GET.get("year", "")
    year = int(text) if len(text) == 4 and text.isascii() and text.isdigit() else today.year
    lines = BudgetLine.objects.filter(year=year).select_related("department").order_by("code")
    fund = request.GET.get("fund", "")
    if fund in Fund.values:
        lines = lines.filter(fund=fund)
    return year, forecasts(lines=lines, as_of=today)


def _table(rows: list[LineForecast]) -> Iterator[list[Any]]:
    yield [
        *(_("科目代码"), _("科目"), _("年度"), _("部门"), _("资金级次"), _("额度"), _("月份")),
        *(_(label) for label in PARTS.values()),
        _("合计"),
    ]
    for row in rows:
        line = row.line
        for month in row.forecast.months:
            yield [
                line.code,
                line.name,
                line.year,
                str(line.department),
                line.get_fund_display(),
                line.ceiling,
                month.month.isoformat()[:7],
                *(getattr(month, part) for part in PARTS),
                month.total,
            ]


def _bars(found: list[Forecast]) -> list[Bar]:
    """The columns of the chart, whole units; the dearest month is as high as the plane."""
    sums = [
        {part: sum((getattr(each.months[i], part) for each in found), Decimal("0.00")) for part in PARTS}
        for i in range(12)
    ]
    top = max((sum(month.values(), Decimal(0)) for month in sums), default=Decimal(0))
    bars = []
    for i, month in enumerate(sums):
        x, foot = i * (_WIDTH // 12) + (_WIDTH // 12 - _COLUMN) // 2, _HEIGHT
        for part, amount in month.items():
            height = int(amount * _HEIGHT / top) if top and amount > 0 else 0
            if height:
                foot -= height
                bars.append(Bar(part, x, foot, height))
    return bars
