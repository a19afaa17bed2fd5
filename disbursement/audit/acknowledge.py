"""Findings that a supervisor looked into: a correction in raw SQL that was authorised is reported once, not for ever.

Only what names its evidence can be acknowledged (`Finding.mark`): a link that something other than the platform wrote.
The acknowledgement is for that link alone; what its rows say is checked on, and the next write is another link. A row
put among the acknowledgements behind the platform's back is itself such a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from disbursement.audit.findings import Finding
from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid, invalid
from disbursement.models import AuditRun, FindingAcknowledgement


def digest_of(finding: Finding | Mapping[str, Any]) -> str:
    """What an acknowledgement stands for: check, place, problem and evidence. "" where it cannot be acknowledged."""
    told = finding.to_json() if isinstance(finding, Finding) else finding
    if not told.get("mark"):
        return ""
    text = "\n".join(str(told[name]) for name in ("check", "place", "problem", "mark"))
    return hashlib.sha256(text.encode()).hexdigest()


def acknowledged() -> frozenset[str]:
    """The digests of all findings that were acknowledged."""
    return frozenset(FindingAcknowledgement.objects.values_list("digest", flat=True))


@transaction.atomic
def acknowledge(
    *, run_id: int, digest: str, actor: Actor, now: datetime, reason: str, paper_number: str
) -> FindingAcknowledgement:
    """A supervisor of the whole district says what a finding of a run is, on which paper; said again, it stays.

    Raises Denied for others, Invalid where the run has no such finding or its reason or paper is missing.
    """
    if actor.user_id is None or None not in actor.supervised:
        raise Denied("审计发现须由全区督查人员核查。")
    run = AuditRun.objects.filter(pk=run_id).first()
    told = next((found for found in (run.findings if run else []) if digest and digest_of(found) == digest), None)
    if told is None:
        raise invalid("finding", "没有这项发现，或者它不能以说明了结：与账目、签署不符的，须更正后重新核对。")
    faults = []
    if not reason.strip():
        faults.append(Fault("reason", "请写明核查结论：谁、何时、为何改动，依据是什么。"))
    if not paper_number.strip():
        faults.append(Fault("paper_number", "请填写批准更正的文号。"))
    if faults:
        raise Invalid(faults)
    made, _is_new = FindingAcknowledgement.objects.get_or_create(
        digest=digest,
        defaults={
            "check_name": told["check"][:40],
            "place": told["place"][:300],
            "problem": told["problem"],
            "reason": reason.strip()[:300],
            "paper_number": paper_number.strip()[:80],
            "by_id": actor.user_id,
            "at": now,
        },
    )
    return made
