"""Certificates that a department issued and registers, and what it says of a material whose certificate changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.models import Evidence, EvidenceEvent, EvidenceVersion, MaterialFlag
from disbursement.selectors import evidence as library
from disbursement.services.evidence import following as evidence_following
from disbursement.services.evidence import library as service
from matching.days import day_of
from matching.models import Enterprise
from matching.registry.models import Department
from portal.accounts.access import REVIEW_ROLES, access_for, actor_for, role_required
from portal.desk.worklist import visible
from portal.downloads import streamed
from portal.evidence import STATES, DetailsForm, WithdrawForm, initial_of, readings_of, replaced, withdrawn
from portal.forms import RowChoice, typed
from portal.refusals import attempt, lay_on

PER_PAGE = 30


class RegisterForm(DetailsForm):
    credit_code = forms.CharField(label=gettext_lazy("企业统一社会信用代码"), max_length=18)
    kind = forms.ChoiceField(label=gettext_lazy("种类"))
    department = RowChoice(label=gettext_lazy("登记部门"), queryset=Department.objects.none())
    field_order = ["credit_code", "kind", "department", "file"]

    def __init__(self, *args: Any, departments: QuerySet[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", _("请选择")), *library.kinds().items()]  # type: ignore[attr-defined]
        self.fields["department"].queryset = departments  # type: ignore[attr-defined]
        only = list(departments[:2])
        if len(only) == 1:
            self.initial.setdefault("department", only[0].pk)
            self.initial.setdefault("issuer", only[0].name)

    def clean_credit_code(self) -> Enterprise:
        code = str(self.cleaned_data["credit_code"]).strip().upper()
        enterprise = Enterprise.objects.filter(credit_code=code).first()
        if enterprise is None:
            raise forms.ValidationError(_("没有登记过这家企业，请核对统一社会信用代码。"))
        return enterprise


@role_required(*REVIEW_ROLES)
def evidence_list(request: HttpRequest) -> HttpResponseBase:
    """What one's departments registered, the latest first."""
    query = typed(request.GET, "q", most=60)
    found = library.latest_versions().filter(evidence__in=_registered(request))
    if query:
        found = found.filter(
            Q(evidence__enterprise__name__icontains=query)
            | Q(evidence__enterprise__credit_code__iexact=query)
            | Q(number__icontains=query)
        )
    page = Paginator(found.select_related("evidence__enterprise").order_by("-given_at", "-pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    day = day_of(timezone.now())
    entries = [library.Entry(version.evidence, version, day) for version in page.object_list]
    return render(request, "desk/evidence.html", {"page": page, "entries": entries, "states": STATES, "query": query})


@role_required(*REVIEW_ROLES)
def evidence_register(request: HttpRequest) -> HttpResponseBase:
    form = RegisterForm(request.POST or None, request.FILES or None, departments=_departments(request))
    if request.method == "POST" and form.is_valid():
        content, name = form.content()
        try:
            version = service.attest(
                enterprise_id=form.cleaned_data["credit_code"].pk,
                kind=form.cleaned_data["kind"],
                department_id=form.cleaned_data["department"].pk,
                details=form.details(),
                content=content or b"",
                name=name,
                actor=actor_for(request),
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("已登记，并告知企业。它今后申报时优先取用这份证照。"))
            return redirect("desk:certificate", version.evidence_id)
    return render(request, "desk/evidence_register.html", {"form": form}, status=422 if form.errors else 200)


@role_required(*REVIEW_ROLES)
def certificate(request: HttpRequest, evidence_id: int) -> HttpResponseBase:
    return _page(request, get_object_or_404(_registered(request), pk=evidence_id))


@role_required(*REVIEW_ROLES)
@require_POST
def evidence_replace(request: HttpRequest, evidence_id: int) -> HttpResponseBase:
    found = get_object_or_404(_registered(request), pk=evidence_id)
    form = DetailsForm(request.POST, request.FILES, file_required=False)
    if replaced(form, evidence_id=found.pk, actor=actor_for(request), now=timezone.now()):
        messages.success(request, _("已换成新版，并告知企业。"))
        return redirect("desk:certificate", found.pk)
    return _page(request, found, replace_form=form)


@role_required(*REVIEW_ROLES)
@require_POST
def evidence_withdraw(request: HttpRequest, evidence_id: int) -> HttpResponseBase:
    found = get_object_or_404(_registered(request), pk=evidence_id)
    form = WithdrawForm(request.POST)
    if withdrawn(form, evidence_id=found.pk, actor=actor_for(request), now=timezone.now()):
        messages.success(request, _("已停用，并告知企业。正在审核的申报会提示审核人。"))
        return redirect("desk:evidence")
    return _page(request, found, withdraw_form=form)


@role_required(*REVIEW_ROLES)
def evidence_file(request: HttpRequest, version_id: int) -> HttpResponseBase:
    version = get_object_or_404(EvidenceVersion, pk=version_id, evidence__in=_registered(request))
    found = attempt(
        request, lambda: service.open_version(version_id=version.pk, actor=actor_for(request), now=timezone.now())
    )
    if found is None:
        return redirect("desk:certificate", version.evidence_id)
    return streamed(found)


@role_required(*REVIEW_ROLES)
@require_POST
def settle_flag(request: HttpRequest, flag_id: int) -> HttpResponseBase:
    """A reviewer says why a material may stay although its certificate changed."""
    cases = visible(access=access_for(request))
    flag = get_object_or_404(MaterialFlag, pk=flag_id, material__application__in=cases)
    attempt(
        request,
        lambda: evidence_following.settle(
            flag_id=flag.pk, note=typed(request.POST, "note", most=300), actor=actor_for(request), now=timezone.now()
        ),
        done=_("已记录处理意见。"),
    )
    return redirect("desk:application", flag.material.application_id)


def _departments(request: HttpRequest) -> QuerySet[Department]:
    """Where one may register: the departments of one's roles."""
    places = access_for(request).departments_of(REVIEW_ROLES)
    found = Department.objects.order_by("name")
    return found if places is None else found.filter(pk__in=places)


def _registered(request: HttpRequest) -> QuerySet[Evidence]:
    return Evidence.objects.filter(department__in=_departments(request)).select_related("department", "enterprise")


def _page(
    request: HttpRequest,
    found: Evidence,
    *,
    replace_form: forms.Form | None = None,
    withdraw_form: forms.Form | None = None,
) -> HttpResponseBase:
    versions = list(found.versions.select_related("stored", "given_by").order_by("-seq"))
    events = EvidenceEvent.objects.filter(version__evidence=found).select_related("version", "by").order_by("-pk")
    context = {
        "evidence": found,
        "entry": library.Entry(found, versions[0], day_of(timezone.now())),
        "versions": versions,
        "events": list(events),
        "readings": readings_of(found.pk),
        "states": STATES,
        "may_change": found.withdrawn_at is None,
        "replace_form": replace_form or DetailsForm(initial=initial_of(versions[0]), file_required=False),
        "withdraw_form": withdraw_form or WithdrawForm(),
        "names": True,
    }
    refused = replace_form is not None or withdraw_form is not None
    return render(request, "desk/certificate.html", context, status=422 if refused else 200)
