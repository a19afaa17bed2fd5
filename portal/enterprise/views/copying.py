"""Answers taken over from an earlier application: seen first, and chosen one by one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.copying import Outcome
from disbursement.models import Application
from disbursement.services.application import copying, judging
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.enterprise.answers import value_lines
from portal.enterprise.views.apply import handed_in, own_application, up_to_date
from portal.refusals import attempt


@enterprise_required
def copy(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Which application to take over from; with `from`, what of it; a POST takes over what is ticked."""
    application = own_application(request, application_id)
    if (led_on := handed_in(request, application)) is not None:
        return led_on
    if request.method != "POST":
        application = up_to_date(request, application)
    now = timezone.now()
    chosen = request.POST.get("from") or request.GET.get("from") or ""
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 18):
        found = copying.sources(application=application, now=now)
        return render(request, "enterprise/copy_sources.html", {"application": application, "sources": found})
    source = get_object_or_404(
        Application.objects.select_related("item", "version__vocabulary"),
        pk=int(chosen),
        enterprise=current_enterprise(request),
        number__isnull=False,
    )
    if request.method == "POST":
        taken = attempt(
            request,
            lambda: copying.copy(
                application_id=application.pk,
                source_id=source.pk,
                keys=set(request.POST.getlist("key")),
                actor=enterprise_actor(request),
                now=now,
            ),
        )
        if taken is not None:
            messages.success(request, _("已沿用 %(count)s 项，请核对。") % {"count": len(taken)})
        return redirect("enterprise:edit", application.pk)
    rules, was = (judging.rules_of(version=one.version, now=now) for one in (application, source))
    rows = []
    for row in copying.preview(application=application, source=source, now=now):
        old, new = was.form.get(row.key), rules.form.get(row.key)
        present = application.form.get(row.key)
        rows.append(
            {
                "row": row,
                "lines": value_lines(old, row.value, was) if old else [str(row.value)],
                "present": value_lines(new, present, rules) if new and row.outcome is Outcome.OTHER else [],
            }
        )
    context = {"application": application, "source": source, "rows": rows}
    return render(request, "enterprise/copy_preview.html", context)
