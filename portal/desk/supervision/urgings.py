"""督办 on the pages: the supervisor's list and form, the department's answer, the closing."""

from __future__ import annotations

from datetime import date
from functools import partial

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from disbursement.models import Application, Urging
from disbursement.selectors import supervision as selectors
from disbursement.services.supervision import urgings as service
from matching.days import day_of
from matching.registry.models import Department
from portal.accounts.access import REVIEW_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.supervision.forms import CloseForm, NewUrgeForm, ReplyForm
from portal.desk.supervision.scope import places
from portal.refusals import carry_out

_SEE = (StaffRole.SUPERVISOR, *REVIEW_ROLES)


@role_required(*_SEE)
def urging_list(request: HttpRequest) -> HttpResponseBase:
    """What is urged: a supervisor sees their departments', the others their own."""
    open_only = request.GET.get("show") != "all"
    found = selectors.urgings(department_ids=_places(request), open_only=open_only)
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/supervision/urgings.html",
        {
            "page": page,
            "open_only": open_only,
            "today": day_of(timezone.now()),
            "oversees": access_for(request).has({StaffRole.SUPERVISOR}),
        },
    )


@role_required(StaffRole.SUPERVISOR)
def urging_new(request: HttpRequest) -> HttpResponseBase:
    """Urge a department at large, or because of an application."""
    now = timezone.now()
    form = NewUrgeForm(request.POST or None, own=places(request), initial={"due_on": service.default_due(now=now)})

    def send(*, department: Department, number: Application | None, text: str, due_on: date) -> Urging:
        return service.send(
            department_id=department.pk,
            application_id=number.pk if number else None,
            text=text,
            due_on=due_on,
            actor=actor_for(request),
            now=now,
        )

    if request.method == "POST":
        made = carry_out(request, form, send, done=_("督办已发出，部门会收到。"))
        if made is not None:
            return redirect("desk:urging", made.pk)
    return render(request, "desk/supervision/urging_new.html", {"form": form}, status=422 if form.errors else 200)


@role_required(*_SEE)
def urging(request: HttpRequest, urging_id: int) -> HttpResponseBase:
    """One urging: what was asked, answered and concluded."""
    return _page(request, _visible(request, urging_id))


@role_required(*REVIEW_ROLES)
@require_POST
def urging_answer(request: HttpRequest, urging_id: int) -> HttpResponseBase:
    found = _visible(request, urging_id)
    form = ReplyForm(request.POST)
    deed = partial(service.answer, urging_id=found.pk, actor=actor_for(request), now=timezone.now())
    if carry_out(request, form, deed, done=_("整改说明已提交。")) is not None:
        return redirect("desk:urging", found.pk)
    return _page(request, found, reply=form, status=422)


@role_required(StaffRole.SUPERVISOR)
@require_POST
def urging_close(request: HttpRequest, urging_id: int) -> HttpResponseBase:
    found = _visible(request, urging_id)
    form = CloseForm(request.POST)
    deed = partial(service.close, urging_id=found.pk, actor=actor_for(request), now=timezone.now())
    if carry_out(request, form, deed, done=_("督办已办结。")) is not None:
        return redirect("desk:urging", found.pk)
    return _page(request, found, closing=form, status=422)


def _places(request: HttpRequest) -> frozenset[int] | None:
    return access_for(request).departments_of(set(_SEE))


def _visible(request: HttpRequest, urging_id: int) -> Urging:
    return get_object_or_404(selectors.urgings(department_ids=_places(request)), pk=urging_id)


def _page(
    request: HttpRequest,
    found: Urging,
    *,
    reply: ReplyForm | None = None,
    closing: CloseForm | None = None,
    status: int = 200,
) -> HttpResponseBase:
    actor = actor_for(request)
    oversees = actor.supervises(found.department_id)
    return render(
        request,
        "desk/supervision/urging.html",
        {
            "urging": found,
            "today": day_of(timezone.now()),
            "oversees": oversees,
            "may_answer": found.replied_at is None and service.may_answer(urging=found, actor=actor),
            "may_close": oversees
            and found.replied_at is not None
            and found.is_open
            and request.user.pk != found.replied_by_id,
            "reply": reply or ReplyForm(),
            "closing": closing or CloseForm(),
        },
        status=status,
    )
