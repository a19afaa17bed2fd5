"""What matching found, as rows: what changed is written, what no longer comes up goes, what newly fits is pushed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q

from matching import bulk
from matching.backends.base import Match as Found
from matching.criteria import Facts
from matching.models import Match, PushCause
from matching.services import push

NEAR = 1  # a pair that is ineligible by one unmet leaf is kept and shown as nearly fitting
CHUNK = 200
_WRITTEN = ("verdict", "form_only", "unmet", "unknown", "as_of")

Progress = Callable[[int], None]


@dataclass(slots=True)
class Tally:
    """What matching did: enterprises looked at, pairs that come up and those of them that fit, rows written and taken
    away, pushes made, enterprises newly in and fallen out (where a version replaced another)."""

    enterprises: int = 0
    pairs: int = 0
    written: int = 0
    removed: int = 0
    pushed: int = 0
    fitting: int = 0
    newly_in: int = 0
    fell_out: int = 0

    def add(self, other: "Tally") -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def fits(match: Found) -> bool:
    """Whether the enterprise is told: it fits, or fits subject to what the item's form asks."""
    return match.verdict == "eligible" or match.form_only


def write_matches(
    *,
    piece: Sequence[tuple[int, Facts, list[Found]]],
    only_version: int | None,
    cause: PushCause,
    as_of: date,
    now: datetime,
) -> Tally:
    """Bring the rows of these enterprises (for one version, or for all) to what was found, and push what fits.

    The caller holds the enterprises' profiles locked since before it read their facts. Rows of a version that another
    has replaced are left to the run of that other version, which compares them with its own.
    """
    before = _stored([pk for pk, _, _ in piece], only_version)
    changed: list[bulk.Row] = []
    fitting: list[push.Fitting] = []
    pairs = 0
    for pk, facts, matches in piece:
        for match in matches:
            pairs += 1
            version_id = int(match.policy)
            unmet, unknown = list(match.unmet), list(match.unknown)
            _, known = before.pop((pk, version_id), (None, None))
            if known != (match.verdict, match.form_only, unmet, unknown):
                changed.append((pk, version_id, str(match.verdict), match.form_only, unmet, unknown, as_of))
            if fits(match):
                fitting.append(push.Fitting(pk, version_id, str(match.verdict), facts))
    bulk.insert(
        model=Match,
        fields=("enterprise", "version", *_WRITTEN),
        rows=changed,
        unique=("enterprise", "version"),
        update=_WRITTEN,
    )
    if before:
        Match.objects.filter(bulk.Among("id", [pk for pk, _ in before.values()])).delete()
    pushed = push.push_fitting(fitting=fitting, cause=cause, as_of=as_of, now=now)
    return Tally(len(piece), pairs, len(changed), len(before), pushed, len(fitting))


def _stored(enterprises: Sequence[int], only_version: int | None) -> dict[tuple[int, int], tuple[int, tuple[Any, ...]]]:
    """The rows there are, by enterprise and version: id, and what they say."""
    if not enterprises:
        return {}
    if only_version is not None:  # many enterprises: one stretch of an index
        rows = Match.objects.filter(
            version=only_version, enterprise_id__gte=min(enterprises), enterprise_id__lte=max(enterprises)
        )
    else:
        rows = Match.objects.filter(bulk.Among("enterprise_id", enterprises)).exclude(
            Q(version__item__is_listed=True) & ~Q(version__item__current_version=F("version"))
        )
    wanted = set(enterprises)
    found = rows.values_list("pk", "enterprise_id", "version_id", "verdict", "form_only", "unmet", "unknown")
    return {(row[1], row[2]): (row[0], row[3:]) for row in found if row[1] in wanted}
