"""The audit as the supervisors see it: what the last run found, and the anchors to compare with those on paper."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from disbursement.audit.service import CHECKS, COUNTED
from disbursement.selectors import audits
from portal.accounts.access import role_required
from portal.accounts.models import StaffRole


@role_required(StaffRole.SUPERVISOR)
def audit(request: HttpRequest) -> HttpResponseBase:
    """The last whole audit, the runs before it, and the anchors."""
    last = audits.last_whole_run()
    found = Paginator([] if last is None else last.findings, 50)
    return render(
        request,
        "desk/audit.html",
        {
            "last": last,
            "findings": found.get_page(request.GET.get("page")),
            "checked": [] if last is None else [(COUNTED.get(name, name), n) for name, n in last.checked.items()],
            "checks": list(CHECKS.values()),
            "runs": audits.recent_runs(),
            "anchors": audits.recent_anchors(),
        },
    )
