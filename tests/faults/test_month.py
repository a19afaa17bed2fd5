"""A month under fire: the processes of production are killed, or their network is, while people do the month's work.

Each round is a small district with a database of its own, on a PostgreSQL of its own that keeps production's
durability; gunicorn, a Celery worker, beat and Redis serve it, and a bank that misbehaves answers it over HTTP. Evils
are drawn from the round's seed; people repeat their clicks; what died is started again. Then nobody clicks any more,
and everything must have come to its end: each payment made once and told rightly, the bank's book equal to ours, sealed
bytes equal, the ledger balanced, four figures agreed, nothing found by the audit, nothing waiting.

The suite runs some thirty evils; `make faults` runs FAULTS (200) of each kind. FAULTS_SEED=… FAULTS_ONLY=3 repeats a
round: its evils come at the same steps, those at a statement at the same statement of the first process to reach it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from disbursement.treasury.simulator import Mischief
from tests import database
from tests.faults.month import checks
from tests.faults.month.lab import Lab
from tests.faults.month.plan import Evils, Kills, Network, Peace
from tests.faults.month.servers import Unavailable
from tests.faults.month.story import Month

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SEED = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(2**32))
IS_WHOLE = "FAULTS" in os.environ
KILLS = CUTS = int(os.environ.get("FAULTS", "15"))
ONLY = os.environ.get("FAULTS_ONLY")
# Evils that a round is drawn; not all of them meet anybody. The fewer, the more rounds; the suite has time for two.
EACH = int(os.environ.get("FAULTS_EACH") or (9 if IS_WHOLE else 20))


@pytest.fixture(scope="module")
def lab(django_db_setup: None, django_db_blocker: Any) -> Iterator[Lab]:
    with django_db_blocker.unblock():
        before = dict(connection.settings_dict)
        connection.close()
        wanted = settings.DATABASES["default"]
        source = {"host": wanted["HOST"], "port": str(wanted["PORT"] or 5432)}
        try:
            made = Lab()
        except Unavailable as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(str(error))
        untouched = database.untouched_copy_of(str(before["NAME"]))
        try:
            made.start({**source, "user": wanted["USER"], "password": wanted["PASSWORD"], "name": untouched})
            yield made
        finally:
            made.end()
            connection.settings_dict.update({name: before[name] for name in ("HOST", "PORT", "USER", "NAME")})
            database.drop_postgresql_database(untouched)


def one_round(lab: Lab, seed: str, make: Callable[[Lab, str], Evils], *, proxied: bool) -> Counter[str]:
    """What befell it; AssertionError, with the seed, where something did not hold."""
    dice = random.Random(f"bank:{seed}")
    often = ("duplicate", "repeat", "partial", "wrong_amount", "wrong_payee", "out_of_order", "strangers")
    mischief = Mischief(
        lost_answer=0.3,
        lost_request=0.2,
        error=0.2,
        bounce=0.3,
        late_bounce=0.15,
        refund=0.1,
        **{name: dice.choice((0, 0.5)) for name in often},
    )
    with lab.round(seed=seed, mischief=mischief, proxied=proxied, background=dice.random() < 0.5) as bank:
        evils = make(lab, seed)
        month = Month(lab, bank, evils, seed)
        try:
            month.live()
            met = evils.end()
            checks.come_to_rest(lab)
            checks.hold(lab, bank)
        except AssertionError as error:
            evils.end()
            told = "\n".join(evils.told)
            raise AssertionError(f"round {seed}, at “{month.steps[-1]}”:\n{told}\n{error}") from error
    return met


def rounds(lab: Lab, kind: str, wanted: int, make: Callable[[Lab, str], Evils], *, proxied: bool) -> None:
    """As many rounds as it takes until so many evils were met."""
    met: Counter[str] = Counter()
    number, began = 0, time.monotonic()
    numbers = iter([int(ONLY)]) if ONLY else iter(range(10_000))
    for number in numbers:
        met += one_round(lab, f"{SEED}-{kind}-{number}", make, proxied=proxied)
        if IS_WHOLE:
            sys.stdout.write(f"{kind}: {met.total()} of {wanted} met in {number + 1} rounds\n")
            sys.stdout.flush()
        if met.total() >= wanted:
            break
    spent = time.monotonic() - began
    sys.stdout.write(
        f"\nfaults, {kind}: FAULTS_SEED={SEED}, rounds 0 to {number}, {met.total()} met in {spent:.0f} s"
        f" ({spent / max(1, met.total()):.1f} s each): {dict(sorted(met.items()))}\n"
    )
    assert ONLY or met.total() >= wanted


@pytest.mark.skipif(not IS_WHOLE, reason="the first thing to look at when a round fails: make faults")
def test_a_month_in_peace_comes_to_its_end(lab: Lab) -> None:
    one_round(lab, f"{SEED}-peace", lambda lab, seed: Peace(), proxied=False)


def test_processes_killed_at_any_point_lose_double_and_stick_no_payment(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        rounds(lab, "kills", KILLS, lambda lab, seed: Kills(lab, seed, EACH), proxied=False)


def test_a_network_that_delays_swallows_and_cuts_loses_doubles_and_sticks_no_payment(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        rounds(lab, "network", CUTS, lambda lab, seed: Network(lab, seed, EACH), proxied=True)
