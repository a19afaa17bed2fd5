"""Long work in the background: asked for from a page, and how far it has come."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from disbursement.models import CycleRun, RunKind
from disbursement.services.month import runs
from disbursement.tasks import work_off_run
from portal.accounts.access import FINANCE_ROLES, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.refusals import attempt

_READERS = (*FINANCE_ROLES, StaffRole.SUPERVISOR)


def in_background(
    request: HttpRequest, *, kind: RunKind, back: str, cycle_id: int | None = None, file_id: int | None = None
) -> HttpResponseBase:
    """Ask a worker to do it and lead to the page that shows how far it is; back to `back` where it was refused."""
    run = attempt(
        request,
        lambda: runs.ask(kind=kind, actor=actor_for(request), now=timezone.now(), cycle_id=cycle_id, file_id=file_id),
    )
    if run is None:
        return redirect(back, cycle_id or file_id)
    work_off_run.delay(run.pk)
    return redirect("desk:run", run.pk)


@role_required(*_READERS)
@never_cache
def run(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """One run: a bar that moves by itself, or with each loading of the page where there is no JavaScript."""
    found = get_object_or_404(CycleRun.objects.select_related("cycle", "asked_by"), pk=run_id)
    is_silent = not found.is_over and timezone.now() - found.beat_at > runs.SILENCE
    template = "desk/_run.html" if request.headers.get("HX-Request") else "desk/run.html"
    return render(request, template, {"run": found, "is_silent": is_silent})
