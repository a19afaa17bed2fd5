"""An item finds its enterprises: a published version is matched with all of them, a withdrawn one with none."""

from datetime import date, datetime

from django.db import transaction

from matching import locks
from matching.models import Match, PolicyItem
from matching.services import run_chunks, run_planning, runs
from matching.services.matches import Progress, Tally


def match_version(
    *,
    version_id: int,
    as_of: date,
    now: datetime,
    occasion: str | None = None,
    on_progress: Progress | None = None,
) -> Tally:
    """Match a published version with every enterprise here and now, and push it. `as_of` is a day in Asia/Shanghai.

    The same run as workers would share (`matching.services.runs`), done by this process alone; it takes as many
    transactions as the caller lets it. Matches of the item's other versions go. A version that is no longer in force,
    listed and open is left alone. Raises what goes wrong; where a run was committed, the schedule goes on with it.
    """
    total = Tally()
    run = runs.begin(version_id=version_id, as_of=as_of, now=now, occasion=occasion)
    if run is None:
        return total
    run_planning.carry_out(run_id=run.pk, now=now)
    while (tally := run_chunks.carry_out_next(run_id=run.pk, now=now)) is not None:
        total.add(tally)
        if on_progress:
            on_progress(tally.enterprises)
    runs.settle(run_id=run.pk, now=now)
    return total


@transaction.atomic
def withdraw_item(*, item_id: int, now: datetime) -> int:
    """Take away the matches of an item that is no longer listed; returns how many. Pushes stay: they were told."""
    locks.matching_alone()
    if PolicyItem.objects.filter(pk=item_id, is_listed=True).exists():  # listed again in the meantime
        return 0
    runs.supersede(item_id=item_id, now=now)
    return Match.objects.filter(version__item_id=item_id).delete()[0]
