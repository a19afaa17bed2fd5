"""The lane of an application: 快申快享 while all evidence is there, the ordinary way with its reason where it is not.

Written beside the application, never over an earlier choice. What a lane changes (shorter limits, steps left out) is
read from the latest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from disbursement.domain.delivery import Lane, Obstacle, Seen, evidence_lacking
from disbursement.models import Application, Judgement, LaneChoice
from disbursement.selectors.delivery import lane_of, proofs_of, terms_of
from disbursement.selectors.evidence import open_flags, promised_codes
from disbursement.selectors.forms import material_rules
from disbursement.services.application import judging
from matching.days import day_of
from matching.delivery_terms import Terms


def choose(
    *, application: Application, mode: str, lane: Lane, now: datetime, reasons: Sequence[Obstacle] = ()
) -> LaneChoice:
    """Write down the lane that a locked application takes from now on."""
    last = lane_of(application=application)
    return LaneChoice.objects.create(
        application=application,
        seq=1 if last is None else last.seq + 1,
        mode=mode,
        lane=lane.value,
        reasons=[reason.to_json() for reason in reasons],
        at=now,
    )


def enter(*, application: Application, judgement: Judgement, gaps: Mapping[str, date], now: datetime) -> None:
    """At submission: the fast lane where the item has one and all evidence is there, else the ordinary way and why.

    Before the first clock starts, which takes its limit from the lane.
    """
    terms = terms_of(version=application.version)
    if terms is None or terms.mode != "fast":
        return
    seen = evidence_of(application=application, judgement=judgement, terms=terms, gaps=list(gaps), now=now)
    lacking = evidence_lacking(seen)
    lane = Lane.ORDINARY if lacking else Lane.FAST
    choose(application=application, mode=terms.mode, lane=lane, now=now, reasons=lacking)


def evidence_of(
    *, application: Application, judgement: Judgement, terms: Terms, gaps: Sequence[str], now: datetime
) -> Seen:
    """What there is of evidence for a submitted application, as the terms ask for it. `gaps`: codes of materials."""
    inputs, outcome = judging.judgement_inputs(judgement=judgement), judgement.outcome
    rules = judging.rules_of(version=application.version, now=now)
    facts: dict[str, Any] = inputs["facts"]
    # On the fast lane people look at everything: only what the officer names must be proved by data.
    needed = list(facts) if terms.mode != "fast" else list(terms.verified)
    proofs = proofs_of(terms=terms, rules=rules, facts=needed, enterprise_id=application.enterprise_id, day=day_of(now))
    names = {rule.code: rule.name for rule in material_rules(version=application.version)}
    blocking = (*outcome["unmet"], *outcome["unknown"])
    # A promise that the version does not offer stands in for nothing.
    promised = promised_codes(application=application, version=application.version)
    return Seen(
        verdict=judgement.verdict,
        in_the_way=tuple(leaf["comparison"] for leaf in outcome["leaves"] if leaf["id"] in blocking),
        unproved=proofs.unproved,
        gaps=tuple(names.get(code, code) for code in gaps),
        promises=tuple(name for code, name in names.items() if code in promised),
        changed=tuple(
            names.get(flag.material.code, flag.material.code) for flag in open_flags(application_id=application.pk)
        ),
    )
