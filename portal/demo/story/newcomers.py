"""Enterprises that come into the story without a name: cast for an item, given an account, sent on their way."""

from __future__ import annotations

from datetime import date, datetime

from portal.demo import accounts
from portal.demo.story import acts
from portal.demo.story.casting import Casting
from portal.demo.story.stage import Stage, enterprise
from portal.demo.story.timeline import at

# Where years have turned since the enterprises were drawn up, what asks for last year's figures fits nobody: the later
# items of each list look at other things.
RESEARCH = ("kj-transfer", "kj-rd", "kj-hightech", "zs-standard", "zs-award", "rc-disabled")


def newcomer(
    stage: Stage,
    casting: Casting,
    codes: tuple[str, ...],
    *,
    day: date,
    minute: int,
    until: str = "approved",
    own_pace: bool = False,
) -> str:
    """Cast an enterprise for one of the items, open its account a day before, and plan its way."""
    external_id, code = casting.one_of(*codes, day=day)
    _send(stage, external_id, code, day=day, minute=minute, until=until, own_pace=own_pace)
    return external_id


def cast(stage: Stage, codes: tuple[str, ...], *, day: date, minute: int, until: str) -> tuple[str, str] | None:
    """The same for a scene that the story can do without: (enterprise, item), None where nobody fits any more."""
    found = next(((who, code) for code in codes if (who := stage.casting.take(code, day=day)) is not None), None)
    if found is not None:
        _send(stage, *found, day=day, minute=minute, until=until, own_pace=True)
    return found


def _send(stage: Stage, external_id: str, code: str, *, day: date, minute: int, until: str, own_pace: bool) -> None:
    eve = stage.time.before(day, 1)
    stage.planned.append((external_id, code))

    def arrive(now: datetime) -> None:
        accounts.open_enterprise(enterprise=enterprise(external_id), now=now)
        acts.give_account(stage=stage, external_id=external_id, now=now)

    stage.plan(at(eve, 15, minute % 60), arrive)
    if own_pace:
        acts.plan_at_once(stage=stage, external_id=external_id, item_code=code, day=day, until=until, minute=minute)
    else:
        acts.plan_usual_way(stage=stage, external_id=external_id, item_code=code, day=day, until=until, minute=minute)


def then(stage: Stage, key: tuple[str, str], day: date, act: acts.Step) -> None:
    stage.plan(at(day, 16), lambda now: act(stage, stage.applications[key], now))
