"""What the supervisors' page shows of audits."""

from __future__ import annotations

from collections.abc import Sequence

from disbursement.models import Anchor, AuditRun


def recent_runs(*, number: int = 10) -> Sequence[AuditRun]:
    """The last runs, newest first."""
    return list(AuditRun.objects.select_related("run_by", "anchor").defer("findings")[:number])


def last_whole_run() -> AuditRun | None:
    """The last run that looked at everything."""
    return AuditRun.objects.filter(scope={}).first()


def recent_anchors(*, number: int = 10) -> Sequence[Anchor]:
    """The last anchors, newest first."""
    return list(Anchor.objects.all()[:number])
