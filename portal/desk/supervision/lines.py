"""The ledger as a page and as a file, and one of its lines: contested by whom it charges, decided by a supervisor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.supervision import CARDS, EntryKind
from disbursement.models import SupervisionEntry
from disbursement.selectors import desk
from disbursement.selectors import supervision as figures
from disbursement.selectors.calendar import working_calendar
from disbursement.services.supervision import ledger as supervision
from disbursement.services.supervision import urgings
from matching.days import day_of
from portal.accounts.access import REVIEW_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.sheets import table_file
from portal.desk.supervision.forms import DecisionForm, GroundsForm, UrgeForm
from portal.desk.supervision.scope import filters, places
from portal.refusals import carry_out

_SEE = (StaffRole.SUPERVISOR, *REVIEW_ROLES)
_ENDS = {"open": gettext_lazy("在办"), "in_time": gettext_lazy("按时办结"), "late": gettext_lazy("超时办结"), "": ""}


# A line of a list: the entry, how what it is about ended and in how many working days, whether it was struck out.
Row = tuple[SupervisionEntry, tuple[str, int | None], bool]


def shown(request: HttpRequest, lines: QuerySet[SupervisionEntry], *, per_page: int) -> dict[str, Any]:
    """A page of lines as `_lines.html` lists them."""
    page = Paginator(lines, per_page).get_page(request.GET.get("page"))
    calendar = working_calendar()
    rows: list[Row] = [(entry, figures.outcome(entry, calendar=calendar), figures.is_struck(entry)) for entry in page]
    return {"page": page, "rows": rows}


@role_required(StaffRole.SUPERVISOR)
def ledger(request: HttpRequest) -> HttpResponseBase:
    """The lines of a span, filtered, the open cards on top."""
    today = day_of(timezone.now())
    chosen = filters(request, today=today)
    return render(
        request,
        "desk/supervision/ledger.html",
        {
            "filters": chosen,
            **shown(request, figures.ledger(span=chosen.span), per_page=50),
            "stuck": desk.stuck(as_of=today, department_ids=places(request))[:10],
        },
    )


@role_required(StaffRole.SUPERVISOR)
def ledger_file(request: HttpRequest, form: str) -> HttpResponseBase:
    """The same lines as `csv` or `xlsx`."""
    chosen = filters(request, today=day_of(timezone.now()))
    return table_file(
        rows=_table(figures.ledger(span=chosen.span)),
        name=f"supervision-{chosen.span.since}-{chosen.span.until}",
        title=_("监察台账"),
        form=form,
    )


def _table(lines: QuerySet[SupervisionEntry]) -> Iterator[list[Any]]:
    yield [
        *(_("发生日期"), _("类别"), _("部门"), _("责任人"), _("企业"), _("事项"), _("申报编号"), _("时限"), _("已用")),
        *(_("情况"), _("结果"), _("办结用时"), _("申辩"), _("处理理由")),
    ]
    calendar = working_calendar()
    for entry in lines.iterator(chunk_size=2000):
        end, used = figures.outcome(entry, calendar=calendar)
        appeal = getattr(entry, "appeal", None)
        standing = "" if appeal is None else _("待处理")
        if appeal is not None and appeal.is_struck is not None:
            standing = _("已撤销") if appeal.is_struck else _("不成立")
        yield [
            *(entry.happened_on.isoformat(), entry.get_kind_display(), str(entry.department), str(entry.person or "")),
            *(entry.application.enterprise.name, entry.application.item.name, entry.application.number or ""),
            *(entry.limit, entry.used, entry.text, str(_ENDS[end]), used),
            *(standing, "" if appeal is None else appeal.decision),
        ]


@role_required(*_SEE)
def entry(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """One line: what happened, how it ended, what was said against it, what was urged because of it."""
    return _page(request, _visible(request, entry_id))


@role_required(*_SEE)
@require_POST
def contest(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    found = _visible(request, entry_id)
    form = GroundsForm(request.POST)
    deed = partial(supervision.contest, entry_id=found.pk, actor=actor_for(request), now=timezone.now())
    if carry_out(request, form, deed, done=_("申辩已提交，由督查人员处理。")) is not None:
        return redirect("desk:ledger_entry", found.pk)
    return _page(request, found, grounds=form, status=422)


@role_required(StaffRole.SUPERVISOR)
@require_POST
def decide(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    found = _visible(request, entry_id)
    form = DecisionForm(request.POST)
    deed = partial(
        supervision.decide,
        entry_id=found.pk,
        strike=request.POST.get("strike") == "yes",
        actor=actor_for(request),
        now=timezone.now(),
    )
    if carry_out(request, form, deed, done=_("已处理，申辩人会收到。")) is not None:
        return redirect("desk:ledger_entry", found.pk)
    return _page(request, found, decision=form, status=422)


@role_required(StaffRole.SUPERVISOR)
@require_POST
def urge(request: HttpRequest, entry_id: int) -> HttpResponseBase:
    """Urge the department and the person of a line."""
    found = _visible(request, entry_id)
    form = UrgeForm(request.POST, prefix="urge")
    deed = partial(urgings.send, entry_id=found.pk, actor=actor_for(request), now=timezone.now())
    made = carry_out(request, form, deed, done=_("督办已发出，部门会收到。"))
    if made is not None:
        return redirect("desk:urging", made.pk)
    return _page(request, found, urging=form, status=422)


def _visible(request: HttpRequest, entry_id: int) -> SupervisionEntry:
    """A supervisor's departments' lines; of others their own, and those of their departments that charge nobody."""
    rows = SupervisionEntry.objects.select_related(
        *("application__item", "application__enterprise", "department", "person", "clock"),
        *("appeal__filed_by", "appeal__decided_by"),
    )
    access = access_for(request)
    if access.has({StaffRole.SUPERVISOR}):
        own = places(request)
        seen = rows if own is None else rows.filter(department_id__in=own)
        if access.has(REVIEW_ROLES) and own is not None:
            seen = seen | _own(rows, request)
        return get_object_or_404(seen, pk=entry_id)
    return get_object_or_404(_own(rows, request), pk=entry_id)


def _own(rows: QuerySet[SupervisionEntry], request: HttpRequest) -> QuerySet[SupervisionEntry]:
    mine = figures.own_lines(
        user_id=request.user.pk or 0, department_ids=access_for(request).departments_of(REVIEW_ROLES)
    )
    return rows.filter(pk__in=mine.values("pk"))


def _page(
    request: HttpRequest,
    found: SupervisionEntry,
    *,
    grounds: GroundsForm | None = None,
    decision: DecisionForm | None = None,
    urging: UrgeForm | None = None,
    status: int = 200,
) -> HttpResponseBase:
    actor = actor_for(request)
    appeal = getattr(found, "appeal", None)
    oversees = actor.supervises(found.department_id)
    end, used = figures.outcome(found, calendar=working_calendar())
    first = UrgeForm(prefix="urge", initial={"due_on": urgings.default_due(now=timezone.now())})
    return render(
        request,
        "desk/supervision/entry.html",
        {
            "entry": found,
            "appeal": appeal,
            "end": _ENDS[end],
            "used": used,
            "is_card": EntryKind(found.kind) in CARDS,
            "urgings": found.urgings.select_related("department").order_by("pk"),
            "oversees": oversees,
            "may_contest": appeal is None and supervision.may_contest(entry=found, actor=actor),
            "may_decide": oversees
            and appeal is not None
            and appeal.is_struck is None
            and request.user.pk not in (appeal.filed_by_id, found.person_id),
            "grounds": grounds or GroundsForm(),
            "decision": decision or DecisionForm(),
            "urge": urging or first,
            "names": oversees,
        },
        status=status,
    )
