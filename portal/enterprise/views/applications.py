"""The enterprise's applications: how far they are, what is asked of it, what it gets and when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import ApplicationAction, ApplicationState
from disbursement.models import Application, Document, RatingLevel
from disbursement.selectors.applications import lines, with_clocks
from disbursement.selectors.invoices import rows_of
from disbursement.services.application import applications, corrections, judging, ratings
from disbursement.services.application.correction_answers import known_of, wanted_by
from disbursement.services.review import decisions
from matching.days import day_of
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.dossier import Dossier
from portal.downloads import attachment
from portal.enterprise.answers import answer_lines
from portal.enterprise.drafts import drafts_of
from portal.enterprise.invoices import table_for
from portal.enterprise.materials import material_rows, take_material
from portal.enterprise.sheet import SheetForm
from portal.enterprise.views.apply import own_application
from portal.facts.fields import PREFIX
from portal.refusals import attempt, lay_on

PER_PAGE = 20


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("撤回原因"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class WordsForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("情况说明"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("对申报条件的疑问，可以上传证明材料、更正申报内容，也可以在这里写明。"),
    )


class GroundsForm(forms.Form):
    grounds = forms.CharField(
        label=gettext_lazy("复核理由"),
        max_length=2000,
        widget=forms.Textarea,
        help_text=gettext_lazy("说明哪一条理由与事实不符、有什么依据。复核由未参与此前办理的人员进行，每件一次。"),
    )


class RatingForm(forms.Form):
    level = forms.TypedChoiceField(
        label=gettext_lazy("您对这次办理满意吗"),
        choices=[(level.value, level.label) for level in sorted(RatingLevel, reverse=True)],
        coerce=int,
        widget=forms.RadioSelect,
    )
    comment = forms.CharField(
        label=gettext_lazy("想说的话"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("评为“不满意”或“非常不满意”的，主管部门须限期整改并答复您。"),
    )


@enterprise_required
def application_list(request: HttpRequest) -> HttpResponseBase:
    enterprise, now = current_enterprise(request), timezone.now()
    found = Application.objects.filter(enterprise=enterprise).exclude(state=ApplicationState.DRAFT.value)
    found = found.order_by("-created_at", "-pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    shown: Any = page
    shown.object_list = lines(applications=list(with_clocks(shown.object_list)), as_of=day_of(now))
    drafts = drafts_of(enterprise=enterprise, now=now)
    return render(request, "enterprise/applications.html", {"page": page, "drafts": drafts})


@enterprise_required
def application(request: HttpRequest, application_id: int) -> HttpResponseBase:
    found = own_application(request, application_id)
    if found.status is ApplicationState.DRAFT:
        return redirect("enterprise:edit", found.pk)
    return _page(request, found)


@enterprise_required
def respond(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Answer a correction (补正): new materials, corrected answers, and hand it in again."""
    found = own_application(request, application_id)
    now = timezone.now()
    dossier = Dossier(found, day_of(now))
    correction = dossier.open_correction
    if correction is None:
        messages.info(request, _("这件申报现在没有待补正的内容。"))
        return redirect("enterprise:application", found.pk)
    if request.method == "POST" and not {"supply", "more"} & request.POST.keys():
        take_material(request, found)
        return redirect("enterprise:respond", found.pk)
    rules = judging.rules_of(version=found.version, now=now)
    wanted = wanted_by(application=found, correction=correction, rules=rules)
    data = request.POST if request.method == "POST" else None
    words = WordsForm(data) if wanted.words else None
    invoices = table_for(application=found, rules=rules, data=data) if wanted.invoices else None
    invoices_fit = data is None or invoices is None or invoices.read(now=now)
    states = {key: {"value": value} for key, value in found.form.items()}
    known = known_of(application=found, rules=rules)
    form = SheetForm(data, rules=rules, states=states, known=known, as_of=day_of(now), only=wanted.fields)
    typed = {} if data is None else form.typed_states(whole=True)
    for key, state in typed.items():
        if state and "raw" in state and f"{PREFIX}{key}" not in form.errors:
            form.add_error(f"{PREFIX}{key}", state["messages"])
    words_fit = words is None or data is None or words.is_valid()
    if "supply" in request.POST and form.is_valid() and invoices_fit and words_fit:
        try:
            corrections.supply(
                application_id=found.pk,
                actor=enterprise_actor(request),
                now=now,
                # What is on file is not taken out by leaving it as it is.
                form={
                    key: state["value"] if state else None for key, state in typed.items() if state or key not in known
                },
                invoices=None if invoices is None else invoices.typed,
                note=words.cleaned_data["note"] if words is not None else "",
            )
        except REFUSALS as refusal:
            lay_on(form, refusal, {f"form.{key}": f"{PREFIX}{key}" for key in form.asked})
        else:
            messages.success(request, _("补正已提交，办理时限继续计算。"))
            return redirect("enterprise:application", found.pk)
    return render(
        request,
        "enterprise/respond.html",
        {
            "application": found,
            "correction": correction,
            "form": form,
            "invoices": invoices,
            "words": words,
            "rows": [row for row in material_rows(found) if row["rule"].code in wanted.materials],
        },
    )


@enterprise_required
@require_POST
def fill_gap(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Bring a material that was promised at acceptance (容缺)."""
    found = own_application(request, application_id, draft=False)
    take_material(request, found)
    return redirect("enterprise:application", found.pk)


@enterprise_required
@require_POST
def withdraw(request: HttpRequest, application_id: int) -> HttpResponseBase:
    found = own_application(request, application_id)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    attempt(
        request,
        lambda: applications.withdraw(
            application_id=found.pk, actor=enterprise_actor(request), now=timezone.now(), reason=reason
        ),
        done=_("已撤回。需要时可重新申报。"),
    )
    found.refresh_from_db(fields=["state"])
    if found.number is None:
        return redirect("enterprise:applications")
    return redirect("enterprise:application", found.pk)


@enterprise_required
@require_POST
def appeal(request: HttpRequest, application_id: int) -> HttpResponseBase:
    found = own_application(request, application_id, draft=False)
    form = GroundsForm(request.POST)
    if form.is_valid():
        try:
            decisions.appeal(
                application_id=found.pk,
                grounds=form.cleaned_data["grounds"],
                actor=enterprise_actor(request),
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("复核申请已提交，将由未参与此前办理的人员复核。"))
            return redirect("enterprise:application", found.pk)
    return _page(request, found, appeal_form=form, status=422)


@enterprise_required
@require_POST
def rate(request: HttpRequest, application_id: int) -> HttpResponseBase:
    found = own_application(request, application_id, draft=False)
    form = RatingForm(request.POST)
    if form.is_valid():
        try:
            ratings.rate(
                application_id=found.pk,
                level=form.cleaned_data["level"],
                comment=form.cleaned_data["comment"],
                actor=enterprise_actor(request),
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("谢谢您的评价。"))
            return redirect("enterprise:application", found.pk)
    return _page(request, found, rating_form=form, status=422)


@enterprise_required
def download_document(request: HttpRequest, document_id: int) -> HttpResponseBase:
    document = get_object_or_404(Document, pk=document_id, application__enterprise=current_enterprise(request))
    return attachment(content=bytes(document.content), name=f"{document.number}.pdf", content_type="application/pdf")


def _page(request: HttpRequest, found: Application, *, status: int = 200, **forms_in_error: Any) -> HttpResponseBase:
    now = timezone.now()
    actions = applications.permitted_actions(application=found, actor=enterprise_actor(request))
    rules = judging.rules_of(version=found.version, now=now)
    answers = answer_lines(application=found, rules=rules, day=day_of(found.submitted_at or now))
    context = {
        "application": found,
        "dossier": Dossier(found, day_of(now)),
        "answers": answers,
        "invoices": rows_of(application=found),
        "rows": material_rows(found),
        "may_withdraw": ApplicationAction.WITHDRAW in actions,
        "may_appeal": ApplicationAction.APPEAL in actions,
        "may_rate": ratings.may_rate(application=found, actor=enterprise_actor(request)),
        "withdraw_form": ReasonForm(),
        "appeal_form": GroundsForm(),
        "rating_form": RatingForm(),
        **forms_in_error,
    }
    return render(request, "enterprise/application.html", context, status=status)
