"""The time limits of an item's steps."""

from __future__ import annotations

from typing import Any

from disbursement.domain.delivery import Lane
from disbursement.domain.workflow import ClockStep
from disbursement.models import Application
from disbursement.selectors.delivery import lane_of
from matching import delivery_terms

# (statutory, promised) working days where an item names none.
DEFAULT_LIMITS = {ClockStep.ACCEPTANCE: (5, 2), ClockStep.REVIEW: (20, 10), ClockStep.APPEAL: (20, 15)}


def limits_of(*, rules: dict[str, Any], step: ClockStep) -> tuple[int, int]:
    """(statutory, promised) limit in working days of a step, by a version's rules; no promise exceeds the law.

    An item that promises its decision by a day (限时即享) promises that for the review.
    """
    named = dict((rules.get("limits") or {}).get(step.value) or {})
    terms = delivery_terms.read(rules)
    if step is ClockStep.REVIEW and terms is not None and terms.decide_within is not None:
        named["promised"] = terms.decide_within
    default_statutory, default_promised = DEFAULT_LIMITS[step]
    statutory = int(named.get("statutory") or max(default_statutory, int(named.get("promised") or 0)))
    promised = int(named.get("promised") or min(default_promised, statutory))
    return statutory, min(promised, statutory)


def limits_for(*, application: Application, step: ClockStep) -> tuple[int, int]:
    """As `limits_of`, for one application: on the fast lane (快申快享) its shorter promise counts."""
    statutory, promised = limits_of(rules=application.version.rules, step=step)
    terms = delivery_terms.read(application.version.rules)
    if terms is None or terms.mode != "fast":
        return statutory, promised
    fast = {ClockStep.ACCEPTANCE: terms.acceptance_days, ClockStep.REVIEW: terms.review_days}.get(step)
    lane = lane_of(application=application) if fast is not None else None
    if fast is None or lane is None or lane.lane != Lane.FAST:
        return statutory, promised
    return statutory, min(fast, promised)
