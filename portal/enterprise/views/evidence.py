"""The enterprise's evidence library (我的证照): given once, used by every application that asks for its kind."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.models import Evidence, EvidenceEvent, EvidenceSource, EvidenceVersion, Material
from disbursement.selectors import evidence as library
from disbursement.services.evidence import library as service
from matching.days import day_of
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.downloads import streamed
from portal.evidence import STATES, DetailsForm, WithdrawForm, initial_of, readings_of, replaced, withdrawn
from portal.forms import typed
from portal.refusals import attempt, lay_on


class AddForm(DetailsForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("种类"), help_text=gettext_lazy("各事项会向您要的证照。申报时自动取用，不必再传。")
    )
    field_order = ["kind", "file"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [("", _("请选择")), *library.kinds().items()]  # type: ignore[attr-defined]


@enterprise_required
def evidence_list(request: HttpRequest) -> HttpResponseBase:
    """All certificates, those that need attention first."""
    enterprise = current_enterprise(request)
    entries = library.library(enterprise_id=enterprise.pk, day=day_of(timezone.now()))
    there = {entry.evidence.kind for entry in entries if entry.is_usable}
    return render(
        request,
        "enterprise/evidence.html",
        {
            "entries": entries,
            "states": STATES,
            "wanted": [(code, name) for code, name in library.kinds().items() if code not in there],
        },
    )


@enterprise_required
def evidence_add(request: HttpRequest) -> HttpResponseBase:
    """A new certificate: an upload, or a file that was handed in with an application already."""
    enterprise = current_enterprise(request)
    chosen = typed(request.GET, "material", most=18)
    material = None
    if chosen.isascii() and chosen.isdigit():
        material = Material.objects.filter(
            pk=int(chosen), application__enterprise=enterprise, replaced_at__isnull=True
        ).first()
    kind = material.code if material is not None else typed(request.GET, "kind", most=80)
    form = AddForm(request.POST or None, request.FILES or None, initial={"kind": kind}, file_required=material is None)
    if request.method == "POST" and form.is_valid():
        actor, now = enterprise_actor(request), timezone.now()
        content, name = form.content()
        try:
            if content is None and material is not None:
                version = service.add_material(material_id=material.pk, details=form.details(), actor=actor, now=now)
            else:
                version = service.add(
                    enterprise_id=enterprise.pk,
                    kind=form.cleaned_data["kind"],
                    details=form.details(),
                    content=content or b"",
                    name=name,
                    actor=actor,
                    now=now,
                )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("已存入证照库。今后申报需要它时自动取用，不必再传。"))
            return redirect("enterprise:certificate", version.evidence_id)
    return render(
        request,
        "enterprise/evidence_add.html",
        {"form": form, "material": material},
        status=422 if form.errors else 200,
    )


@enterprise_required
def certificate(request: HttpRequest, evidence_id: int) -> HttpResponseBase:
    return _page(request, _own(request, evidence_id))


@enterprise_required
@require_POST
def evidence_replace(request: HttpRequest, evidence_id: int) -> HttpResponseBase:
    found = _own(request, evidence_id)
    form = DetailsForm(request.POST, request.FILES, file_required=False)
    if replaced(form, evidence_id=found.pk, actor=enterprise_actor(request), now=timezone.now()):
        messages.success(request, _("已换成新版。草稿中的旧版自动换新，已提交的申报仍用提交时的版本。"))
        return redirect("enterprise:certificate", found.pk)
    return _page(request, found, replace_form=form)


@enterprise_required
@require_POST
def evidence_withdraw(request: HttpRequest, evidence_id: int) -> HttpResponseBase:
    found = _own(request, evidence_id)
    form = WithdrawForm(request.POST)
    if withdrawn(form, evidence_id=found.pk, actor=enterprise_actor(request), now=timezone.now()):
        messages.success(request, _("已停用，今后的申报不再取用。"))
        return redirect("enterprise:evidence")
    return _page(request, found, withdraw_form=form)


@enterprise_required
def evidence_file(request: HttpRequest, version_id: int) -> HttpResponseBase:
    version = get_object_or_404(EvidenceVersion, pk=version_id, evidence__enterprise=current_enterprise(request))
    found = attempt(
        request,
        lambda: service.open_version(version_id=version.pk, actor=enterprise_actor(request), now=timezone.now()),
    )
    if found is None:
        return redirect("enterprise:certificate", version.evidence_id)
    return streamed(found)


def _own(request: HttpRequest, evidence_id: int) -> Evidence:
    found = Evidence.objects.select_related("department").filter(enterprise=current_enterprise(request))
    return get_object_or_404(found, pk=evidence_id)


def _page(
    request: HttpRequest,
    found: Evidence,
    *,
    replace_form: forms.Form | None = None,
    withdraw_form: forms.Form | None = None,
) -> HttpResponseBase:
    versions = list(found.versions.select_related("stored", "given_by").order_by("-seq"))
    entry = library.Entry(found, versions[0], day_of(timezone.now()))
    events = EvidenceEvent.objects.filter(version__evidence=found).select_related("version", "by").order_by("-pk")
    context = {
        "evidence": found,
        "entry": entry,
        "versions": versions,
        "events": list(events),
        "uses": library.uses(evidence=found),
        "readings": readings_of(found.pk),
        "states": STATES,
        "may_change": found.source == EvidenceSource.OWN and found.withdrawn_at is None,
        "replace_form": replace_form or DetailsForm(initial=initial_of(versions[0]), file_required=False),
        "withdraw_form": withdraw_form or WithdrawForm(),
    }
    refused = replace_form is not None or withdraw_form is not None
    return render(request, "enterprise/certificate.html", context, status=422 if refused else 200)
