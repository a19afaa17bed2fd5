"""The time limits of an item, in working days: of the review, and of acceptance (受理) and appeal (复核) where the item
names its own. As fields of the page, keys of an item line and rules of a version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

KINDS = ("statutory", "promised")
# The steps that have a pair of their own beside the review's.
STEPS = {"acceptance": gettext_lazy("受理"), "appeal": gettext_lazy("复核")}
# Field of the page → place in an item line.
PLACES = {f"{kind}_days": f"limits.{kind}" for kind in KINDS} | {
    f"{step}_{kind}_days": f"limits.{step}.{kind}" for step in STEPS for kind in KINDS
}


def rules_of(page: Any) -> dict[str, Any]:
    """The limits as a version's rules keep them. A step without its own is left out: reviews then take the usual ones,
    and versions of long ago stay as they are.
    """
    own = {step: {kind: getattr(page, f"{step}_{kind}_days") for kind in KINDS} for step in STEPS}
    return {
        "review": {kind: getattr(page, f"{kind}_days") for kind in KINDS},
        **{step: pair for step, pair in own.items() if any(days is not None for days in pair.values())},
    }


def fields_of(limits: Mapping[str, Any]) -> dict[str, int | None]:
    """What an item line says, as fields of the page."""
    found = {f"{kind}_days": limits.get(kind) for kind in KINDS}
    for step in STEPS:
        found |= {f"{step}_{kind}_days": (limits.get(step) or {}).get(kind) for kind in KINDS}
    return found


def own_of(page: Any) -> list[dict[str, Any]]:
    """The steps that have limits of their own, as a page shows them: {"label", "statutory", "promised"}."""
    return [{"label": STEPS[step], **pair} for step, pair in rules_of(page).items() if step in STEPS]


def problems_of(page: Any) -> Iterator[tuple[str, str]]:
    """(field, message) for each promise that is longer than the law."""
    for prefix in ("", *(f"{step}_" for step in STEPS)):
        statutory, promised = (getattr(page, f"{prefix}{kind}_days") for kind in KINDS)
        if statutory is not None and promised is not None and promised > statutory:
            yield f"{prefix}promised_days", _("承诺时限不能长于法定时限 %(days)s 个工作日") % {"days": statutory}


def check_line(limits: Mapping[str, Any], add: Callable[[str, str], None]) -> None:
    """As `problems_of`, of an item line: `add` is told the place and the message."""
    for path, pair in (("limits", limits), *((f"limits.{step}", limits.get(step) or {}) for step in STEPS)):
        statutory, promised = (pair.get(kind) for kind in KINDS)
        if statutory is not None and promised is not None and promised > statutory:
            add(f"{path}.promised", f"承诺时限不能长于法定时限 {statutory}")
