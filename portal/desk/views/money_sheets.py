"""Payables and a batch's lines, filtered on their pages and taken along as files: CSV and XLSX."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from disbursement.domain.workflow import PayableState
from disbursement.models import AttemptOutcome, Batch, Payable
from matching.registry.models import BudgetLine
from portal.accounts.access import role_required
from portal.desk.sheets import table_file
from portal.desk.views.finance_scope import READERS, visible_batches, visible_payables
from portal.forms import typed

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the page of payables was asked for; what is none of its values filters nothing."""

    query: str
    state: str
    month: str
    line: str

    @classmethod
    def of(cls, request: HttpRequest) -> Filters:
        month, line, state = (typed(request.GET, name, most=20) for name in ("month", "line", "state"))
        return cls(
            query=typed(request.GET, "q", most=60),
            state=state if state in set(PayableState) else "",
            month=month if _MONTH.fullmatch(month) else "",
            line=line if line.isascii() and line.isdigit() and len(line) < 19 else "",
        )

    @property
    def is_set(self) -> bool:
        return bool(self.query or self.state or self.month or self.line)

    def applied(self, found: QuerySet[Payable]) -> QuerySet[Payable]:
        if self.state:
            found = found.filter(state=self.state)
        if self.month:
            found = found.filter(pay_month=date.fromisoformat(f"{self.month}-01"))
        if self.line:
            found = found.filter(budget_line_id=int(self.line))
        if self.query:
            named = Q(enterprise__name__icontains=self.query) | Q(application__number__icontains=self.query)
            found = found.filter(named)
        return found


def lines_of(found: QuerySet[Payable]) -> QuerySet[BudgetLine]:
    """Budget lines on which those payables stand, the latest year first."""
    return BudgetLine.objects.filter(pk__in=found.order_by().values("budget_line")).order_by("-year", "code")


@role_required(*READERS)
def payables_file(request: HttpRequest, form: str) -> HttpResponseBase:
    """The payables that the page shows with the same filters, all of them: `csv` or `xlsx`."""
    filters = Filters.of(request)
    found = filters.applied(visible_payables(request)).order_by("pay_month", "pk")
    name = f"payables-{filters.month or 'all'}"
    return table_file(rows=_payables(found), name=name, title=_("应付款项"), form=form)


def _payables(found: QuerySet[Payable]) -> Iterator[list[Any]]:
    yield [
        *(_("申报编号"), _("期次"), _("企业"), _("统一社会信用代码"), _("事项"), _("部门"), _("科目代码"), _("年度")),
        *(_("应付（元）"), _("实付（元）"), _("兑现月份"), _("原承诺月份"), _("状态"), _("延期或暂缓原因")),
    ]
    labels = dict(PayableState.choices())
    columns = (
        *("application__number", "number", "enterprise__name", "enterprise__credit_code", "application__item__name"),
        *("application__item__department__name", "budget_code", "budget_year", "entitled", "amount", "pay_month"),
        *("promised_month", "state", "hold_reason", "slip_reason"),
    )
    for *said, month, promised, state, held, slipped in found.values_list(*columns).iterator(chunk_size=2000):
        yield [*said, f"{month:%Y-%m}", f"{promised:%Y-%m}", labels.get(state, state), held or slipped]


@role_required(*READERS)
def batch_lines_file(request: HttpRequest, batch_id: int, form: str) -> HttpResponseBase:
    """Every line of a batch with the enterprise and the item that it pays, for whoever signs it: `csv` or `xlsx`."""
    found = get_object_or_404(visible_batches(request), pk=batch_id)
    return table_file(rows=_lines(found), name=f"{found.number}-lines", title=found.number, form=form)


def _lines(batch: Batch) -> Iterator[list[Any]]:
    yield [
        *(_("明细号"), _("申报编号"), _("期次"), _("事项"), _("企业"), _("统一社会信用代码"), _("收款户名")),
        *(_("开户银行"), _("联行号"), _("账号"), _("金额（元）"), _("支付结果"), _("处理日期"), _("说明")),
    ]
    labels = dict(AttemptOutcome.choices)
    columns = (
        *("line_no", "payable__application__number", "payable__number", "payable__application__item__name"),
        *("payable__enterprise__name", "payable__enterprise__credit_code", "payee_name", "bank_name", "bank_code"),
        *("account_number", "amount", "outcome", "outcome_on", "outcome_reason"),
    )
    kept = batch.attempts.exclude(outcome=AttemptOutcome.WITHDRAWN).order_by("line_no", "pk")
    for line_no, *said, outcome, day, reason in kept.values_list(*columns).iterator(chunk_size=2000):
        on = "" if day is None else day.isoformat()
        yield [batch.line_id(line_no or 0), *said, str(labels.get(outcome, outcome)), on, reason]
    yield [_("合计"), *[""] * 9, batch.total, _("%(count)s 笔") % {"count": batch.count}, "", ""]
