"""Beside the decision: visits on the spot, drafts of what is being written, and on whose desk it lies."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import ApplicationAction
from disbursement.models import Application, VisitPhoto
from disbursement.models.steps import ExpertPaper
from disbursement.services.application import applications
from disbursement.services.evidence import stored
from disbursement.services.review import reviews, staffing, steps
from matching.days import SHANGHAI, day_of
from portal.accounts import people
from portal.accounts.access import REVIEW_ROLES, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.actions import BY_NAME
from portal.desk.context import drafts_of
from portal.desk.views.review import desk_application
from portal.downloads import attachment
from portal.forms import DateInput, FilesField, FilesInput, typed
from portal.refusals import attempt, lay_on

# Forms whose words are kept while they are being written, beside the deeds of the application's page.
_DRAFTED = {"correction", "refuse", "recommend-rejection", "reject", "revoke"}
_MOST_TYPED = 40_000
_MOST_FIELDS = 600


class VisitForm(forms.Form):
    visited_on = forms.DateField(label=gettext_lazy("核查日期"), widget=DateInput())
    place = forms.CharField(label=gettext_lazy("核查地点"), max_length=200)
    visitors = forms.CharField(
        label=gettext_lazy("核查人员"),
        max_length=200,
        help_text=gettext_lazy("两人以上，用顿号隔开，例如“李某、王某”。"),
    )
    met = forms.CharField(label=gettext_lazy("企业在场人员"), max_length=200, required=False)
    is_confirmed = forms.TypedChoiceField(
        label=gettext_lazy("结论"),
        choices=[("yes", gettext_lazy("与申报一致")), ("no", gettext_lazy("与申报不一致"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    finding = forms.CharField(
        label=gettext_lazy("核查情况"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("看了什么、核对了什么、与申报是否一致。"),
    )
    photos = FilesField(
        label=gettext_lazy("现场照片"),
        required=False,
        widget=FilesInput(attrs={"accept": "image/jpeg,image/png"}),
        help_text=gettext_lazy("JPG 或 PNG，可一次选多张，最多 20 张。"),
    )


@role_required(*REVIEW_ROLES)
def visit(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Put on record what was found on the spot."""
    found = desk_application(request, application_id)
    actor, now = actor_for(request), timezone.now()
    permitted = applications.permitted_actions(application=found, actor=actor)
    form = VisitForm(request.POST or None, request.FILES or None, initial={"visited_on": day_of(now)})
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        photos = [(photo.name, photo.read()) for photo in told.pop("photos")]
        try:
            steps.record_visit(application_id=found.pk, actor=actor, now=now, photos=photos, **told)
        except REFUSALS as refusal:
            lay_on(form, refusal, {"file": "photos"})
        else:
            messages.success(request, _("现场核查结果已登记。"))
            return redirect("desk:application", found.pk)
    return render(
        request,
        "desk/visit.html",
        {"application": found, "form": form, "possible": ApplicationAction.RECORD_VISIT in permitted},
        status=422 if form.errors else 200,
    )


@role_required(*REVIEW_ROLES, StaffRole.SUPERVISOR)
def photo(request: HttpRequest, photo_id: int) -> HttpResponseBase:
    """A photograph of a visit, as a download."""
    row = get_object_or_404(VisitPhoto.objects.select_related("visit", "stored"), pk=photo_id)
    found = desk_application(request, row.visit.application_id)
    return _opened(request, found, row)


@role_required(*REVIEW_ROLES, StaffRole.SUPERVISOR)
def expert_paper(request: HttpRequest, paper_id: int) -> HttpResponseBase:
    """What experts signed, as a download."""
    row = get_object_or_404(ExpertPaper.objects.select_related("opinion", "stored"), pk=paper_id)
    return _opened(request, desk_application(request, row.opinion.application_id), row)


def _opened(request: HttpRequest, found: Application, row: VisitPhoto | ExpertPaper) -> HttpResponseBase:
    opened = None
    if row.stored.may_be_opened:
        opened = attempt(request, lambda: stored.read(stored=row.stored))
    else:
        messages.error(request, _("这个文件还没有通过查毒，不能打开。"))
    if opened is None:
        return redirect("desk:application", found.pk)
    return attachment(content=opened, name=row.name, content_type=row.stored.content_type)


@role_required(*REVIEW_ROLES)
@require_POST
def keep_draft(request: HttpRequest, application_id: int, name: str) -> HttpResponseBase:
    """Keep what is being written; the page says when. Sent by the page itself while one types, or by a button."""
    found = desk_application(request, application_id)
    if name not in BY_NAME and name not in _DRAFTED:
        raise Http404
    prefix = f"{name}-" if name in BY_NAME else ""
    typed_so_far = {
        key.removeprefix(prefix): [_clean(value) for value in values] if key.endswith("ticks") else _clean(values[-1])
        for key, values in list(request.POST.lists())[:_MOST_FIELDS]
        if key.startswith(prefix) and key != "csrfmiddlewaretoken" and "\0" not in key
    }
    content = drafts_of(request, found) | {name: typed_so_far}
    now = timezone.now()
    kept = attempt(
        request,
        lambda: reviews.save_decision_draft(
            application_id=found.pk, content=content, actor=actor_for(request), now=now
        ),
    )
    if request.headers.get("HX-Request") == "true":
        text = _("草稿已存 %(at)s") % {"at": now.astimezone(SHANGHAI).strftime("%H:%M:%S")}
        return HttpResponse(text if kept is not None else _("草稿没有保存，请用“存草稿”按钮重试。"))
    if kept is not None:
        messages.success(request, _("草稿已保存，只有您能看到。"))
    return redirect("desk:application", found.pk)


def _clean(text: str) -> str:
    """As typed, without what no database takes."""
    return text[:_MOST_TYPED].replace("\0", "")


@role_required(*REVIEW_ROLES)
@require_POST
def assign(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Give it to whoever has the least."""
    found = desk_application(request, application_id)
    given = attempt(
        request,
        lambda: staffing.assign(
            application_id=found.pk,
            candidates=people.reviewers(department_id=found.item.department_id),
            actor=actor_for(request),
            now=timezone.now(),
        ),
    )
    if given is not None and given.handler_id is not None:
        name = people.names(user_ids=[given.handler_id])[given.handler_id]
        messages.success(request, _("已分派给%(name)s。") % {"name": name})
    return redirect("desk:application", found.pk)


@role_required(*REVIEW_ROLES)
@require_POST
def reassign(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Pass it to a person, with a reason."""
    found = desk_application(request, application_id)
    taker = typed(request.POST, "taker", most=18)
    candidates = {str(person.user_id): person for person in people.reviewers(department_id=found.item.department_id)}
    if taker not in candidates:
        messages.error(request, _("请从列表中选择改派给谁。"))
        return redirect("desk:application", found.pk)
    attempt(
        request,
        lambda: staffing.reassign(
            application_id=found.pk,
            taker=candidates[taker],
            reason=typed(request.POST, "reason", most=300),
            actor=actor_for(request),
            now=timezone.now(),
        ),
        done=_("已改派，办理时限由新的经办人负责。"),
    )
    return redirect("desk:application", found.pk)
