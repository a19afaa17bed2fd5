"""The time limits of an item's steps."""

from __future__ import annotations

from typing import Any

from disbursement.domain.workflow import ClockStep

# (statutory, promised) working days where an item names none.
DEFAULT_LIMITS = {ClockStep.ACCEPTANCE: (5, 2), ClockStep.REVIEW: (20, 10), ClockStep.APPEAL: (20, 15)}


def limits_of(*, rules: dict[str, Any], step: ClockStep) -> tuple[int, int]:
    """(statutory, promised) limit in working days of a step, by a version's rules; no promise exceeds the law."""
    named = (rules.get("limits") or {}).get(step.value) or {}
    default_statutory, default_promised = DEFAULT_LIMITS[step]
    statutory = int(named.get("statutory") or max(default_statutory, int(named.get("promised") or 0)))
    promised = int(named.get("promised") or min(default_promised, statutory))
    return statutory, min(promised, statutory)
