"""Step two of applying: materials, each uploaded, promised, taken from the evidence library, or not needed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from disbursement.models import Material
from disbursement.services.application import materials
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.downloads import streamed
from portal.enterprise.materials import material_rows, page_of, take_material
from portal.enterprise.views.apply import handed_in, own_application, up_to_date
from portal.refusals import attempt


@enterprise_required
def bring_materials(request: HttpRequest, application_id: int) -> HttpResponseBase:
    application = own_application(request, application_id)
    if (led_on := handed_in(request, application)) is not None:
        return led_on
    if request.method == "POST":
        take_material(request, application)
        return redirect("enterprise:materials", application.pk)
    application = up_to_date(request, application)
    return render(
        request,
        "enterprise/apply_materials.html",
        {"application": application, "rows": material_rows(application)},
    )


@enterprise_required
@require_POST
def remove_material(request: HttpRequest, application_id: int, material_id: int) -> HttpResponseBase:
    application = own_application(request, application_id)
    material = get_object_or_404(Material, pk=material_id, application=application)
    attempt(
        request,
        lambda: materials.remove(material_id=material.pk, actor=enterprise_actor(request), now=timezone.now()),
        done=_("已移除“%(name)s”。") % {"name": material.name},
    )
    return redirect(page_of(application), application.pk)


@enterprise_required
def download_material(request: HttpRequest, material_id: int) -> HttpResponseBase:
    material = get_object_or_404(Material, pk=material_id, application__enterprise=current_enterprise(request))
    found = attempt(
        request,
        lambda: materials.open_material(material_id=material.pk, actor=enterprise_actor(request), now=timezone.now()),
    )
    if found is None:
        return redirect(page_of(material.application), material.application_id)
    return streamed(found)
