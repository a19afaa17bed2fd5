"""The audit as the supervisors see it: what the last run found, and the anchors to compare with those on paper."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from disbursement.audit.acknowledge import acknowledge, digest_of
from disbursement.audit.service import CHECKS, TOLD
from disbursement.models import FindingAcknowledgement
from disbursement.selectors import audits
from portal.accounts.access import actor_for, role_required
from portal.accounts.models import StaffRole
from portal.forms import typed
from portal.refusals import attempt


@role_required(StaffRole.SUPERVISOR)
def audit(request: HttpRequest) -> HttpResponseBase:
    """The last whole audit, the runs before it, and the anchors."""
    last = audits.last_whole_run()
    page = Paginator([] if last is None else last.findings, 50).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/audit.html",
        {
            "last": last,
            "findings": page,
            "rows": [(finding, digest_of(finding)) for finding in page.object_list],
            "known": FindingAcknowledgement.objects.select_related("by")[:50],
            "checked": [] if last is None else [(TOLD.get(name, name), n) for name, n in last.checked.items()],
            "checks": list(CHECKS.values()),
            "runs": audits.recent_runs(),
            "anchors": audits.recent_anchors(),
        },
    )


@role_required(StaffRole.SUPERVISOR)
@require_POST
def audit_acknowledge(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """A supervisor looked into a finding and says what it is."""
    attempt(
        request,
        lambda: acknowledge(
            run_id=run_id,
            digest=typed(request.POST, "digest", most=64),
            actor=actor_for(request),
            now=timezone.now(),
            reason=typed(request.POST, "reason", most=300),
            paper_number=typed(request.POST, "paper_number", most=80),
        ),
        done=_("已登记核查结论，下次核对起不再列为发现。"),
    )
    return redirect("desk:audit")
