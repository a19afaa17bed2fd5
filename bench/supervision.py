"""``python -m bench.supervision``: what a night's look at pay months and a month's figures cost, on processor time.

Pure parts only, in one process: a forecast against one reading of its clock, and the figures of a district's month
against the sort that a median needs at least. Ratios, so that a slower machine gives the same answer.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from datetime import date, timedelta

from disbursement.domain import calendar, clocks, pay_month
from disbursement.domain.clocks import Clock, Pause
from disbursement.domain.pay_month import Cause, Cuts, Situation, Waiting
from disbursement.domain.states import ApplicationState
from disbursement.domain.supervision import Done, Tally

_TODAY = date(2026, 3, 2)
_AT_WORK = [ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW, ApplicationState.SECOND_REVIEW]


def situations(number: int, *, seed: int) -> list[Situation]:
    """Applications in every state of review, a third of them waiting for a correction."""
    dice = random.Random(seed)
    found = []
    for index in range(number):
        start = _TODAY - timedelta(days=dice.randrange(1, 30))
        limit = dice.randrange(2, 20)
        if index % 3:
            state = dice.choice(
                [ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW, ApplicationState.SECOND_REVIEW]
            )
            found.append(Situation(state, Clock(start, limit), "审核", ahead=dice.randrange(0, 12)))
            continue
        clock = Clock(start, limit, (Pause(min(start + timedelta(days=2), _TODAY)),))
        waiting = Waiting(Cause.CORRECTION, _TODAY + timedelta(days=dice.randrange(1, 15)))
        found.append(Situation(ApplicationState.CORRECTION, clock, "受理", ahead=10, waiting=waiting))
    return found


def processor(work: Callable[[], object], *, rounds: int = 3) -> float:
    """The least processor time of some rounds, in seconds."""
    best = float("inf")
    for _round in range(rounds):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.supervision", description=__doc__)
    parser.add_argument("--applications", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    days = calendar.shipped()
    cuts = Cuts(days)
    made = situations(options.applications, seed=options.seed)
    read = processor(
        lambda: [clocks.read(one.clock, as_of=_TODAY, calendar=days) for one in made if one.clock is not None]
    )
    told = processor(lambda: [pay_month.forecast(one, as_of=_TODAY, cuts=cuts) for one in made])
    dice = random.Random(options.seed)
    tally = Tally(done=[Done(dice.randrange(1, 30), 10) for _one in made])
    figures = processor(lambda: (tally.mean, tally.median, tally.p90, tally.in_time_share))
    print(f"seed {options.seed}, {len(made)} applications")
    print(f"reading a clock      {read / len(made) * 1e6:8.1f} µs")
    print(f"forecasting a month  {told / len(made) * 1e6:8.1f} µs   {told / read:.1f} readings")
    print(f"figures of them all  {figures * 1e3:8.1f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
