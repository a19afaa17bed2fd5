"""The night: what the passing of dates changed, for every enterprise, at the cost of those for whom something did.

How an enterprise for which nothing changed is known without reading its matches:

1. What comes up for an enterprise, and why (verdict, unmet, unknown, `form_only`), is worked out from nothing but the
   versions held and what each of their leaves says of it. `MemoryBackend.digest` stands for the latter, all leaves of
   all versions, each true, false, unknown, or unknown only for want of what a form asks; that includes the facts, the
   day, and the code lists. A `MatchedListing` stands for the former: versions with the hashes of their rules, the
   vocabulary, and the source of the engine, so that a deploy that mends the engine proves nothing for what was before.
2. A `MatchedState` (listing, digest) is written last in the transaction that brought an enterprise's matches to what
   the engine said. Every insert, update or delete of a match takes the enterprise's state away, in the database, by
   whomever: a version's own run, a withdrawal, a statement typed by hand.
3. So where a state stands and the same listing gives the same digest today, the matches are today's, and what fits was
   pushed when they were written. Where the list changed since, the digest is asked of the list *of that night*: if it
   is the same, the matches of all versions in both lists are today's; only the versions that are new to the list are
   matched, and the rows of those that left it go.

Whoever fails this, or has no state, is matched whole. The worst that a wrong state could do is undone by `--all`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count

from matching import bulk, locks
from matching.backends.memory import MemoryBackend
from matching.chunks import chunks
from matching.criteria import Facts
from matching.models import Match, MatchedListing, MatchedState, Profile, PushCause
from matching.services.listed import known_facts
from matching.services.listing import Content, Gone, Listing, content_on
from matching.services.matches import CHUNK, NEAR, Progress, Tally, write_matches

_READ = 2000
# With more versions come and gone than this, matching whole is not slower.
_MOST_MOVED = 200

NO_STATE = (None, None)
Row = tuple[int, Any, int | None, str | None]


@dataclass(slots=True)
class NightTally(Tally):
    """`unchanged` are those of the enterprises for which nothing changed, and nothing was read or written."""

    unchanged: int = 0


def match_everybody(*, as_of: date, now: datetime, on_progress: Progress | None, all_whole: bool) -> NightTally:
    """Match every enterprise that has a profile with what is listed and open on `as_of` (Asia/Shanghai).

    `all_whole` matches all enterprises whole, whatever is known of them. Each piece is one transaction: a run that is
    killed leaves whole pieces, and running again finishes them.
    """
    night = _Night(as_of, now, all_whole)
    last = 0
    while rows := _read(last):
        if last:
            night.bring_up_to_date()
        night.look_at(rows, on_progress)
        last = rows[-1][0]
    MatchedListing.objects.filter(pk__lt=night.today.pk, states__isnull=True).delete()
    return NightTally(**asdict(night.tally), unchanged=night.unchanged)


def _read(after: int) -> list[Row]:
    """Profiles with their states, in one statement and so of one moment; no lock, because most are left alone."""
    states = ("enterprise__matched_state__listing_id", "enterprise__matched_state__digest")
    return list(Profile.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "facts", *states)[:_READ])


class _Night:
    def __init__(self, as_of: date, now: datetime, all_whole: bool) -> None:
        self.as_of, self.now, self.all_whole = as_of, now, all_whole
        self.tally = Tally()
        self.unchanged = 0
        self.today = Listing(content_on(day=as_of))
        self.before = None if all_whole else _listing_before(self.today)
        self._new = self._newly_listed()

    def look_at(self, rows: Sequence[Row], on_progress: Progress | None) -> None:
        moved: list[int] = []
        changed: list[int] = []
        unchanged = 0
        for row in rows:
            pile = self._pile(row)
            if pile is None:
                unchanged += 1
            else:
                (moved if pile else changed).append(row[0])
        self.tally.enterprises += unchanged
        self.unchanged += unchanged
        if on_progress:
            on_progress(unchanged)
        for ids, work in ((moved, self._match_moved), (changed, self._match_whole)):
            for piece in chunks(ids, CHUNK):
                self._piece(piece, work)
                if on_progress:
                    on_progress(len(piece))

    def _pile(self, row: Row) -> bool | None:
        """None where nothing changed, True where only the list did, False where it has to be matched whole."""
        _, facts, listing, digest = row
        held = None if self.all_whole else self.today if listing == self.today.pk else self.before
        if held is None or listing != held.pk:
            return False
        if self._digest(held, self._typed(facts)) != digest:
            return False
        return None if held is self.today else True

    @transaction.atomic
    def _piece(self, ids: Sequence[int], work: Callable[[list[tuple[int, Facts]]], None]) -> None:
        locks.matching_together()
        self.bring_up_to_date()
        locked = Profile.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        rows = list(locked.values_list("pk", "facts"))
        typed = [(pk, self._typed(facts)) for pk, facts in rows]
        if work == self._match_moved:
            # Between the first look and the lock somebody may have written.
            held = MatchedState.objects.filter(pk__in=ids).values_list("pk", "listing", "digest")
            states = {pk: state for pk, *state in held}
            overtaken = {pk for pk, facts in rows if self._pile((pk, facts, *states.get(pk, NO_STATE))) is not True}
            if overtaken:
                self._match_whole([(pk, facts) for pk, facts in typed if pk in overtaken])
            typed = [(pk, facts) for pk, facts in typed if pk not in overtaken]
        work(typed)

    def _match_whole(self, typed: list[tuple[int, Facts]]) -> None:
        piece = [(pk, facts, self.today.engine.match(facts, as_of=self.as_of, near=NEAR)) for pk, facts in typed]
        self._write(piece, None)
        self._remember(typed)

    def _match_moved(self, typed: list[tuple[int, Facts]]) -> None:
        """Only the versions that are new to the list, and the rows of those that left it."""
        assert self.before is not None
        enterprises = self.tally.enterprises
        for version_id, engine in self._new.items():
            piece = [(pk, facts, engine.match(facts, as_of=self.as_of, near=NEAR)) for pk, facts in typed]
            self._write(piece, version_id)
        self.tally.enterprises = enterprises + len(typed)
        left = self.before.content.versions.keys() - self.today.content.versions.keys()
        if left:
            rows = Match.objects.filter(version_id__in=left, enterprise_id__in=[pk for pk, _ in typed])
            self.tally.removed += rows.delete()[0]
        self._remember(typed)

    def _write(self, piece: Sequence[tuple[int, Facts, Any]], only_version: int | None) -> None:
        self.tally.add(
            write_matches(piece=piece, only_version=only_version, cause=PushCause.DATE, as_of=self.as_of, now=self.now)
        )

    def _remember(self, typed: Sequence[tuple[int, Facts]]) -> None:
        """Last in the transaction: what was written just now has taken the states away."""
        bulk.insert(
            model=MatchedState,
            fields=("enterprise", "listing", "digest"),
            rows=[(pk, self.today.pk, self._digest(self.today, facts)) for pk, facts in typed],
            unique=("enterprise",),
            update=("listing", "digest"),
        )

    def _typed(self, facts: dict[str, Any]) -> Facts:
        return known_facts(facts=facts, vocabulary=self.today.content.vocabulary)

    def _digest(self, listing: Listing, facts: Facts) -> str:
        return listing.engine.digest(facts, as_of=self.as_of).hex()

    def bring_up_to_date(self) -> None:
        """What is published or withdrawn while the night runs counts from the next piece on."""
        content = content_on(day=self.as_of)
        if content.is_that_of(self.today.content):
            return
        self.today = Listing(content, self.today)
        if self.before is not None and self.before.content.basis != content.basis:
            self.before = None
        self._new = self._newly_listed()

    def _newly_listed(self) -> dict[int, MemoryBackend]:
        """An engine for each version that the list before did not hold, or held with other rules."""
        if self.before is None:
            return {}
        held = self.before.content.versions
        new = [pk for pk, digest in self.today.content.versions.items() if held.get(pk) != digest]
        if len(new) > _MOST_MOVED:
            self.before = None
            return {}
        engines = {}
        for pk in new:
            engines[pk] = MemoryBackend()
            if pk in self.today.policies:
                engines[pk].put([self.today.policies[pk]])
        return engines


def _listing_before(today: Listing) -> Listing | None:
    """The list by which most enterprises were matched, where it is another than today's and comparable."""
    counted = (
        MatchedState.objects.exclude(listing=today.pk)
        .values("listing")
        .annotate(states=Count("pk"))
        .order_by("-states")
        .values_list("listing", flat=True)
    )
    row = MatchedListing.objects.filter(pk__in=counted[:1]).first()
    if row is None:
        return None
    content = Content(today.content.vocabulary, {int(pk): digest for pk, digest in row.content["versions"].items()})
    if row.content != content.as_json():
        return None  # another vocabulary, or another engine
    if len(content.versions.keys() ^ today.content.versions.keys()) > _MOST_MOVED:
        return None
    try:
        return Listing(content, today)
    except Gone:
        return None
