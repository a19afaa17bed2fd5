"""Who × what, in the database: a version finds its enterprises, an enterprise its items, the night what dates changed.

Each run writes its matches by statement (what changed, nothing else), takes away what no longer comes up, and pushes
what newly fits, all in one transaction for each piece of the work: a run that is killed leaves whole pieces, and
running again finishes them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from matching import locks
from matching.backends.base import Match as Found
from matching.backends.registry import create_backend
from matching.chunks import chunks
from matching.criteria import Facts
from matching.models import Enterprise, Match, PolicyVersion, Profile, PushCause
from matching.services import facts as fact_service
from matching.services import push
from matching.services.listed import known_facts, listed_versions, readable
from matching.services.vocabulary import current_vocabulary

NEAR = 1  # a pair that is ineligible by one unmet leaf is kept and shown as nearly fitting
_CHUNK = 200
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


@transaction.atomic
def match_version(*, version_id: int, as_of: date, now: datetime, on_progress: Progress | None = None) -> MatchRun:
    """Match a version that was published with every enterprise, and push it. `as_of` is a day in Asia/Shanghai.

    Matches of the item's other versions go. A version that is no longer in force, listed and open is left alone.
    """
    locks.matching_alone()
    version = PolicyVersion.objects.select_related("item").get(pk=version_id)
    run = MatchRun()
    item = version.item
    if not item.is_listed or item.current_version_id != version.pk:
        return run
    run.removed += Match.objects.filter(version__item=item).exclude(version=version).delete()[0]
    vocabulary = current_vocabulary()
    listed = readable(version_id=version.pk, rules=version.rules, vocabulary=vocabulary)
    if listed is None or not _is_open(version, as_of):
        run.removed += Match.objects.filter(version=version).delete()[0]
        return run
    backend = create_backend("memory")  # one policy against all: no index helps, and the answer is the same
    for profiles in _all_profiles():
        typed = [(str(pk), known_facts(facts=facts, vocabulary=vocabulary)) for pk, facts in profiles]
        found = {int(pk): [match] for pk, match in backend.match_policy(listed, iter(typed), as_of=as_of, near=NEAR)}
        piece = [(int(pk), facts, found.get(int(pk), [])) for pk, facts in typed]
        run.add(_write(piece, only_version=version.pk, cause=PushCause.POLICY, as_of=as_of, now=now))
        if on_progress:
            on_progress(len(piece))
    return run


@transaction.atomic
def withdraw_item(*, item_id: int) -> int:
    """Take away the matches of an item that is no longer listed; returns how many. Pushes stay: they were told."""
    locks.matching_alone()
    return Match.objects.filter(version__item_id=item_id, version__item__is_listed=False).delete()[0]


def match_enterprises(
    *,
    enterprise_ids: Iterable[int],
    cause: PushCause,
    as_of: date,
    now: datetime,
    on_progress: Progress | None = None,
) -> MatchRun:
    """Match enterprises with every item that is listed and open on `as_of`, and push what newly fits."""
    run = MatchRun()
    for ids in chunks(enterprise_ids, _CHUNK):
        run.add(_match_piece(ids, cause=cause, as_of=as_of, now=now))
        if on_progress:
            on_progress(len(ids))
    return run


def match_enterprise(*, enterprise_id: int, as_of: date, now: datetime) -> MatchRun:
    """Match one enterprise whose profile changed."""
    return match_enterprises(enterprise_ids=[enterprise_id], cause=PushCause.PROFILE, as_of=as_of, now=now)


def match_nightly(*, as_of: date, now: datetime, on_progress: Progress | None = None) -> MatchRun:
    """What the passing of dates changed: facts that become valid, windows that open and close, periods that run out."""
    fact_service.refresh_due(day=as_of, now=now)
    ids = Enterprise.objects.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=_CHUNK)
    return match_enterprises(
        enterprise_ids=list(ids), cause=PushCause.DATE, as_of=as_of, now=now, on_progress=on_progress
    )


@transaction.atomic
def _match_piece(ids: Sequence[int], *, cause: PushCause, as_of: date, now: datetime) -> MatchRun:
    locks.matching_together()
    vocabulary = current_vocabulary()
    profiles = (
        Profile.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk", "facts")
    )
    typed = [(pk, known_facts(facts=facts, vocabulary=vocabulary)) for pk, facts in profiles]
    found = dict(listed_versions().match(typed, as_of=as_of, near=NEAR))
    piece = [(pk, facts, found[pk]) for pk, facts in typed]
    return _write(piece, only_version=None, cause=cause, as_of=as_of, now=now)


def _write(
    piece: Sequence[tuple[int, Facts, list[Found]]],
    *,
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


def _is_open(version: PolicyVersion, day: date) -> bool:
    return (version.window_from is None or version.window_from <= day) and (
        version.window_until is None or day <= version.window_until
    )


def _all_profiles() -> Iterator[list[tuple[int, dict[str, object]]]]:
    last = 0
    while rows := list(Profile.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "facts")[:_CHUNK]):
        yield rows
        last = rows[-1][0]
