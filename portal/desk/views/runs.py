"""Long work in the background: asked for from a page, and how far it has come."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from disbursement.models import BackgroundRun
from disbursement.services import runs
from portal.accounts.access import FINANCE_ROLES, role_required
from portal.accounts.models import StaffRole

_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR, StaffRole.ADMINISTRATOR)


@role_required(*_READERS)
@never_cache
def run(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One run: a bar that moves by itself, or with each loading of the page where there is no JavaScript."""
    found = get_object_or_404(BackgroundRun.objects.select_related("cycle", "asked_by"), pk=run_id)
    is_silent = not found.is_over and timezone.now() - found.beat_at > runs.SILENCE
    template = "desk/_run.html" if request.headers.get("HX-Request") else "desk/run.html"
    return render(request, template, {"run": found, "is_silent": is_silent})
