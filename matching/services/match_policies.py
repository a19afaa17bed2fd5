"""An item finds its enterprises: a published version is matched with all of them, a withdrawn one with none."""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction

from matching import locks
from matching.backends.registry import create_backend
from matching.models import Match, PolicyVersion, Profile, PushCause
from matching.services.listed import known_facts, readable
from matching.services.matches import CHUNK, NEAR, MatchRun, Progress, write_matches
from matching.services.vocabulary import current_vocabulary


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
        run.add(write_matches(piece=piece, only_version=version.pk, cause=PushCause.POLICY, as_of=as_of, now=now))
        if on_progress:
            on_progress(len(piece))
    return run


@transaction.atomic
def withdraw_item(*, item_id: int) -> int:
    """Take away the matches of an item that is no longer listed; returns how many. Pushes stay: they were told."""
    locks.matching_alone()
    return Match.objects.filter(version__item_id=item_id, version__item__is_listed=False).delete()[0]


def _is_open(version: PolicyVersion, day: date) -> bool:
    return (version.window_from is None or version.window_from <= day) and (
        version.window_until is None or day <= version.window_until
    )


def _all_profiles() -> Iterator[list[tuple[int, dict[str, object]]]]:
    last = 0
    while rows := list(Profile.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "facts")[:CHUNK]):
        yield rows
        last = rows[-1][0]
