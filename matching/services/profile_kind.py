"""The profile index as a kind of index: written from what is pending, built anew, compared with the database.

All comparing is one walk along both sides in the order of ids, so that memory stays flat however many there are. What
was built is what does not differ, so a rebuild that was stopped goes on with what differs, and one under which profiles
change looks for what differs again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from matching.backends import patience
from matching.backends.elastic.aliases import MissingIndex
from matching.backends.elastic.profiles.index import Head, ProfileIndex
from matching.backends.elastic.rebuild import RebuildFailed
from matching.chunks import chunks
from matching.models import Profile
from matching.services import indexing
from matching.services.index_kinds import Built, Compared, Progress
from matching.services.profile_readings import Reading, Stored, current_reading

_PIECE = 1000
_STREAMED = 10_000
_SAMPLE = 200
_PASSES = 10
_SECONDS = 600.0

T = TypeVar("T")


class ProfileKind:
    """See `IndexKind`. Its objects are enterprises."""

    name = indexing.PROFILES

    @property
    def label(self) -> str:
        return _("企业画像")

    @property
    def in_use(self) -> bool:
        return indexing.in_use()

    def write(self, ids: Sequence[int]) -> None:
        """In the index in service and in one that is being built. Raises MissingIndex where there is none."""
        index = ProfileIndex()
        # Asked before the profiles are read: what is begun later reads them later too.
        also = index.building()
        _write(index, ids, also)

    def rebuild(self, *, now: datetime, on_progress: Progress) -> Built:
        """What changes meanwhile is written to the new index too, by whoever drains, and looked for before the end."""
        service = ProfileIndex()
        name = service.unfinished()
        if name is None:
            name = f"{service.base}-{now:%Y%m%d%H%M%S%f}"
            service.begin(name)
        target = ProfileIndex(target=name)
        with patience.unhurried(_SECONDS):
            target.hurry(True)
            target.refresh()
            found = _fill(target, on_progress)
            self._catch_up(target)
            target.hurry(False)
            target.tidy()
            target.refresh()
            _verify(target)
            service.switch(name)
            for other in service.names():
                if other != name:
                    service.delete(other)
            return Built(name, target.total(), found)

    def check(self, *, on_progress: Progress) -> Compared:
        """Every document's content by its digest."""
        index = ProfileIndex()
        rows = Profile.objects.count()
        lacking = surplus = wrong = done = 0
        example = ""
        with patience.unhurried(_SECONDS):
            for pk, digest, head in _beside(_digests(current_reading()), _heads_of(index)):
                if digest is None:
                    surplus += 1
                elif head is None:
                    lacking += 1
                elif head.digest != digest:
                    wrong += 1
                if digest is None or head is None or head.digest != digest:
                    example = example or str(pk)
                done += digest is not None
                if done % _PIECE == 0:
                    on_progress(done, rows)
        on_progress(done, done)
        return Compared(done, lacking, surplus, wrong, example)

    def mend(self) -> int:
        """What differs becomes pending; where there is no index the first is made, and everything is."""
        index = ProfileIndex()
        if not index.stands():
            indexing.note_all_profiles()  # before there is an index: whoever dies between leaves nothing unsaid
            index.ensure()
            return Profile.objects.count()
        index.refresh()
        pending = set(indexing.pending_ids(kind=self.name))
        found = [pk for pk in differing(index=index, reading=current_reading()) if pk not in pending]
        indexing.note(kind=self.name, ids=found)
        return len(found)

    def _catch_up(self, target: ProfileIndex) -> None:
        """Until nothing differs but what is pending right now."""
        in_service = ProfileIndex().current() is not None
        for _pass in range(_PASSES):
            if in_service:
                indexing.drain(kind=self)
            target.refresh()
            left = list(differing(index=target, reading=current_reading()))
            if not left:
                return
            for ids in chunks(left, _PIECE):
                _write(target, ids)
        if set(left).difference(indexing.pending_ids(kind=self.name)):
            raise RebuildFailed(f"新索引 {target.read} 一再落后于数据库；没有切换，请稍后重试")


def differing(*, index: ProfileIndex, reading: Reading) -> Iterator[int]:
    """The enterprises, ascending, whose document is lacking, of another version, or one too many."""
    for pk, version, head in _beside(_versions(reading), index.heads()):
        if version is None or head is None or head.version != version:
            yield pk


def _fill(target: ProfileIndex, on_progress: Progress) -> int:
    """Writes what differs, the reading of each piece being the present one; returns how many documents were there."""
    rows = Profile.objects.count()
    done = found = 0
    beside = _beside(_versions(current_reading()), target.heads())
    while piece := list(islice(beside, _PIECE)):
        wrong = [pk for pk, version, head in piece if version is None or head is None or head.version != version]
        _write(target, wrong)
        done += len(piece)
        found += len(piece) - len(wrong)
        on_progress(done, max(rows, done))
    return found


def _write(index: ProfileIndex, ids: Sequence[int], also: Sequence[str] = ()) -> None:
    """Brings documents to the database's present state, read here and now."""
    if not ids:
        return
    # The reading is asked for after the pending writes that name these: theirs, or a later one.
    stored: Iterable[Stored] = Profile.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "revision", "facts")
    rows = list(current_reading().rows(stored))
    index.put(rows, also=also)
    gone = set(ids).difference(row.id for row in rows)
    if gone:
        index.drop(sorted(gone), also=also)


def _verify(target: ProfileIndex) -> None:
    there, held = Profile.objects.count(), target.total()
    pending = len(indexing.pending_ids(kind=indexing.PROFILES))
    if abs(there - held) > pending:
        raise RebuildFailed(f"新索引 {target.read} 有 {held} 份企业画像，应有 {there} 份；没有切换，请重试")
    sample = list(Profile.objects.order_by("pk").values_list("pk", flat=True)[:: max(1, there // _SAMPLE)])
    digests = {head.id: head.digest for head in target.heads(among=sample)}
    waiting = set(indexing.pending_ids(kind=indexing.PROFILES))
    stored = Profile.objects.filter(pk__in=sample).order_by("pk").values_list("pk", "revision", "facts")
    wrong = [
        row.id for row in current_reading().rows(stored) if digests.get(row.id) != row.digest and row.id not in waiting
    ]
    if wrong:
        raise RebuildFailed(
            f"新索引 {target.read} 抽查有 {len(wrong)} 份企业画像不符（如企业 {wrong[0]}）；没有切换，请重试"
        )


def _heads_of(index: ProfileIndex) -> Iterator[Head]:
    """The heads, none where there is no index."""
    try:
        index.refresh()
        yield from index.heads()
    except MissingIndex:
        return


def _versions(reading: Reading) -> Iterator[tuple[int, int]]:
    for rows in _streamed("pk", "revision"):
        yield from ((pk, reading.version_of(revision)) for pk, revision in rows)


def _digests(reading: Reading) -> Iterator[tuple[int, str]]:
    for rows in _streamed("pk", "revision", "facts"):
        yield from ((row.id, row.digest) for row in reading.rows(rows))


def _streamed(*fields: str) -> Iterator[list[Any]]:
    """All profiles by ascending id; a page at a time, so that no transaction has to stay open."""
    after = 0
    size = _STREAMED if len(fields) == 2 else _PIECE
    while rows := list(Profile.objects.filter(pk__gt=after).order_by("pk").values_list(*fields)[:size]):
        yield rows
        after = rows[-1][0]


def _beside(stored: Iterator[tuple[int, T]], heads: Iterator[Head]) -> Iterator[tuple[int, T | None, Head | None]]:
    """Both sides by id, ascending: what the database has and what the index has, None where it has nothing."""
    row, head = next(stored, None), next(heads, None)
    while row is not None or head is not None:
        if head is None or (row is not None and row[0] < head.id):
            assert row is not None
            yield row[0], row[1], None
            row = next(stored, None)
        elif row is None or head.id < row[0]:
            yield head.id, None, head
            head = next(heads, None)
        else:
            yield row[0], row[1], head
            row, head = next(stored, None), next(heads, None)
