"""What matching found, as rows: what changed is written, what no longer comes up goes, what newly fits is pushed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from matching.backends.base import Match as Found
from matching.chunks import chunks
from matching.criteria import Facts
from matching.models import Match, PushCause
from matching.services import push

NEAR = 1  # a pair that is ineligible by one unmet leaf is kept and shown as nearly fitting
CHUNK = 200
_WRITTEN = ("verdict", "form_only", "unmet", "unknown", "as_of")

Progress = Callable[[int], None]


@dataclass(slots=True)
class MatchRun:
    """What a run did: enterprises looked at, pairs that come up, rows written and taken away, pushes made."""

    enterprises: int = 0
    pairs: int = 0
    written: int = 0
    removed: int = 0
    pushed: int = 0

    def add(self, other: "MatchRun") -> None:
        self.enterprises += other.enterprises
        self.pairs += other.pairs
        self.written += other.written
        self.removed += other.removed
        self.pushed += other.pushed


def write_matches(
    *,
    piece: Sequence[tuple[int, Facts, list[Found]]],
    only_version: int | None,
    cause: PushCause,
    as_of: date,
    now: datetime,
) -> MatchRun:
    """Bring the rows of these enterprises (for one version, or for all) to what was found, and push what fits."""
    stored = Match.objects.filter(enterprise_id__in=[pk for pk, _, _ in piece])
    if only_version is not None:
        stored = stored.filter(version_id=only_version)
    before = {
        (row[1], row[2]): (row[0], row[3:])
        for row in stored.values_list("pk", "enterprise_id", "version_id", "verdict", "form_only", "unmet", "unknown")
    }
    changed: list[Match] = []
    fitting: list[push.Fitting] = []
    pairs = 0
    for pk, facts, matches in piece:
        for match in matches:
            pairs += 1
            version_id = int(match.policy)
            unmet, unknown = list(match.unmet), list(match.unknown)
            _, known = before.pop((pk, version_id), (None, None))
            if known != (match.verdict, match.form_only, unmet, unknown):
                changed.append(
                    Match(
                        enterprise_id=pk,
                        version_id=version_id,
                        verdict=str(match.verdict),
                        form_only=match.form_only,
                        unmet=unmet,
                        unknown=unknown,
                        as_of=as_of,
                    )
                )
            if match.verdict == "eligible" or match.form_only:
                fitting.append(push.Fitting(pk, version_id, str(match.verdict), facts))
    Match.objects.bulk_create(
        changed,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["enterprise", "version"],
        update_fields=_WRITTEN,
    )
    for gone in chunks((pk for pk, _ in before.values()), 5000):
        Match.objects.filter(pk__in=gone).delete()
    pushed = push.push_fitting(fitting=fitting, cause=cause, as_of=as_of, now=now)
    return MatchRun(len(piece), pairs, len(changed), len(before), pushed)
