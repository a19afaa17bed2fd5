"""What a page leaves to a worker, and what it says of that."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.models import RunKind
from disbursement.services import runs
from disbursement.tasks import work_off_run
from matching.registry import workers
from portal.accounts.access import actor_for
from portal.refusals import attempt


def leave_to_worker(request: HttpRequest, task: Any, pk: int, *, said: str = "") -> None:
    """Ask a worker to run `task` for a row, and say so; where the queue is away, say that it goes on by itself."""
    if not workers.give(task, pk):
        messages.warning(request, _("后台队列暂时连接不上。系统恢复后自动继续，不用重复操作。"))
    elif said:
        messages.success(request, said)


def in_background(
    request: HttpRequest,
    *,
    kind: RunKind,
    back: str,
    cycle_id: int | None = None,
    file_id: int | None = None,
    year: int | None = None,
    paper_number: str = "",
) -> HttpResponseBase:
    """Ask a worker to do it and lead to the page that shows how far it is; back to `back` where it was refused."""
    run = attempt(
        request,
        lambda: runs.ask(
            kind=kind,
            actor=actor_for(request),
            now=timezone.now(),
            cycle_id=cycle_id,
            file_id=file_id,
            year=year,
            paper_number=paper_number,
        ),
    )
    if run is None:
        return redirect(back, cycle_id or file_id or year)
    leave_to_worker(request, work_off_run, run.pk)
    return redirect("desk:run", run.pk)
