"""An enterprise finds its items: whose profile changed, and each night everybody, for what dates changed.

Each piece of the work is one transaction: a run that is killed leaves whole pieces, and running again finishes them.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import transaction

from matching import locks
from matching.chunks import chunks
from matching.models import Profile, PushCause
from matching.services import facts as fact_service
from matching.services import night
from matching.services.listed import known_facts, listed_versions
from matching.services.matches import CHUNK, NEAR, Progress, Tally, write_matches
from matching.services.vocabulary import current_vocabulary


def match_enterprises(
    *,
    enterprise_ids: Iterable[int],
    cause: PushCause,
    as_of: date,
    now: datetime,
    on_progress: Progress | None = None,
) -> Tally:
    """Match enterprises with every item that is listed and open on `as_of`, and push what newly fits."""
    run = Tally()
    for ids in chunks(enterprise_ids, CHUNK):
        run.add(_match_piece(ids, cause=cause, as_of=as_of, now=now))
        if on_progress:
            on_progress(len(ids))
    return run


def match_nightly(
    *, as_of: date, now: datetime, on_progress: Progress | None = None, all_whole: bool = False
) -> night.NightTally:
    """What the passing of dates changed: facts that become valid, windows that open and close, periods that run out.

    Enterprises for which nothing changed are passed over, unless `all_whole` (see `matching.services.night`).
    """
    fact_service.refresh_due(day=as_of, now=now)
    return night.match_everybody(as_of=as_of, now=now, on_progress=on_progress, all_whole=all_whole)


@transaction.atomic
def _match_piece(ids: Sequence[int], *, cause: PushCause, as_of: date, now: datetime) -> Tally:
    locks.matching_together()
    vocabulary = current_vocabulary()
    profiles = (
        Profile.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk", "facts")
    )
    typed = [(pk, known_facts(facts=facts, vocabulary=vocabulary)) for pk, facts in profiles]
    found = dict(listed_versions().match(typed, as_of=as_of, near=NEAR))
    piece = [(pk, facts, found[pk]) for pk, facts in typed]
    return write_matches(piece=piece, only_version=None, cause=cause, as_of=as_of, now=now)
