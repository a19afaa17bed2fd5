"""Figures of a span of days by department and by person; and what each person sees of their own time limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.supervision import EntryKind, Tally
from disbursement.selectors import supervision as selectors
from matching.days import day_of
from portal.accounts.access import REVIEW_ROLES, access_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.sheets import table_file
from portal.desk.supervision.lines import shown
from portal.desk.supervision.scope import filters, without_kind

# How far back one's own figures go.
_OWN_DAYS = 90


@role_required(StaffRole.SUPERVISOR)
def figures(request: HttpRequest) -> HttpResponseBase:
    """Who is in time, who is not, and how far: by department, and by person."""
    chosen = filters(request, today=day_of(timezone.now()))
    found = selectors.figures(span=without_kind(chosen))
    return render(request, "desk/supervision/figures.html", {"filters": chosen, "figures": found})


@role_required(StaffRole.SUPERVISOR)
def figures_file(request: HttpRequest, form: str) -> HttpResponseBase:
    """The same figures as `csv` or `xlsx`."""
    chosen = filters(request, today=day_of(timezone.now()))
    found = selectors.figures(span=without_kind(chosen))
    return table_file(
        rows=_table(found),
        name=f"time-limits-{chosen.span.since}-{chosen.span.until}",
        title=_("时限统计"),
        form=form,
    )


def _table(found: selectors.Figures) -> Iterator[list[Any]]:
    yield [
        *(
            _("部门"),
            _("责任人"),
            _("办结环节"),
            _("在办环节"),
            _("平均用时"),
            _("平均承诺"),
            _("中位数"),
            _("九成用时"),
        ),
        *(_("按时率（%）"), _("预警"), _("黄牌"), _("红牌"), _("每百件牌数"), _("其他问题"), _("已撤销")),
    ]
    for row in found.departments:
        yield [row.department, "", *_cells(row.tally)]
    for row in found.people:
        yield [row.department, row.name or _("无人领取"), *_cells(row.tally)]
    yield [_("合计"), "", *_cells(found.whole)]


def _cells(tally: Tally) -> list[Any]:
    return [
        *(len(tally.done), tally.running, tally.mean, tally.promise, tally.median, tally.p90, tally.in_time_share),
        *(tally.counts.get(EntryKind.WARNING, 0), tally.yellow, tally.red, tally.cards_per_hundred),
        *(tally.others, tally.struck),
    ]


@role_required(*REVIEW_ROLES)
def own(request: HttpRequest) -> HttpResponseBase:
    """A person's own figures and lines, and what their departments are urged to."""
    today = day_of(timezone.now())
    user_id = request.user.pk or 0
    places = access_for(request).departments_of(REVIEW_ROLES)
    span = selectors.Span(today - timedelta(days=_OWN_DAYS), today, person_id=user_id)
    lines = selectors.own_lines(user_id=user_id, department_ids=places)
    lines = lines.select_related("application__item", "application__enterprise", "department", "clock", "appeal")
    return render(
        request,
        "desk/supervision/own.html",
        {
            "tally": selectors.figures(span=span).whole,
            "span": span,
            **shown(request, lines.prefetch_related("clock__pauses").order_by("-happened_on", "-pk"), per_page=30),
            "urgings": selectors.urgings(department_ids=places, open_only=True)[:20],
            "today": today,
        },
    )
