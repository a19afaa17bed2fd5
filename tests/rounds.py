"""What belongs to the suite's two rounds (`bin/test`) and to the quick tests, and what is begun first.

The second round repeats on PostgreSQL what touches a database. What asks nothing of it in which two databases could
differ, and takes long, is left out there: what only permissions, pages, processes or a command of SQLite decide. Where
there is no PostgreSQL the first round is all there is, so each test runs at least once.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from hypothesis import settings

first_round_only = pytest.mark.skipif(
    "config.getoption('database_only')", reason="asks nothing of a database that the first round has not asked"
)

FIRST_ROUND = (
    # Every page is asked for on PostgreSQL, too, by test_every_address.py, and every deed by the services' own tests.
    *(
        f"tests/integration/portal/test_{pages}.py"
        for pages in (
            "accounts",
            "apply_steps",
            "budget_pages",
            "delivery_pages",
            "draft_pages",
            "enterprise_case",
            "evidence_pages",
            "lists",
            "money_sheets",
            "month_pages",
            "objections",
            "pages",
            "review_desk",
            "supervision_pages",
        )
    ),
    # The demo is embedded: it lives on SQLite.
    "tests/integration/demo/test_story.py",
    # What a search server's indices suffer is no matter of the database.
    "tests/faults/test_elastic_indices.py",
)
"""Files that are left out of the second round whole, for the same reason as tests marked `first_round_only`."""

LONGEST = (
    "tests/integration/portal/test_every_address.py",
    "tests/integration/demo/test_story.py",
    "tests/cluster/test_outages.py",
    "tests/faults/test_month.py",
    "tests/cluster/test_push_survives.py",
    "tests/faults/test_kill.py",
    "tests/cluster/test_reindex_survives.py",
    "tests/journeys/test_from_policy_to_payment.py",
    "tests/faults/test_push_kill.py",
    "tests/search_quality/test_quality.py",
)
"""Files that take longest, or set a scene that takes long, the longest first."""


# How many examples a property is tried with that asks for no number of its own; the quick tests try a quarter.
WHOLE, QUICK = 100, 25


def take_fewer_examples() -> None:
    settings.register_profile("quick", settings(), max_examples=QUICK)
    settings.load_profile("quick")


def examples(whole: int) -> int:
    """How many to try now where the whole suite tries so many."""
    return max(1, whole * settings().max_examples // WHOLE)


def is_of_second_round(item: Any) -> bool:
    return _file(item) not in FIRST_ROUND


def longest_first(items: list[Any], *, processes: int, touches_database: Callable[[Any], bool]) -> None:
    """Deal the longest files out to the processes as what each begins with, whole; the rest follows as it stood.

    So no scene is set twice, and no process does a long test while the others have ended. Processes are given an
    eighth of all at first where they are two, a sixteenth where four, and then what is left, piece by piece. The first
    process makes the database that the others will copy; these begin with what needs none, instead of waiting for it.
    """
    places = {name: place for place, name in enumerate(LONGEST)}
    hands: list[list[Any]] = [[] for _ in range(processes)]
    rest: list[Any] = []
    for item in sorted(items, key=lambda item: places.get(_file(item), len(LONGEST))):
        place = places.get(_file(item))
        (rest if place is None else hands[place % processes]).append(item)
    given = len(items) // (4 * processes)
    dealt: list[Any] = []
    for number, hand in enumerate(hands):
        room = max(0, given - len(hand))
        needs_none = [] if number == 0 else _take(rest, room, lambda item: not touches_database(item))
        needs_it = _take(rest, room, touches_database) if number == 0 else []
        filling = _take(rest, room - len(needs_none) - len(needs_it), lambda item: True)
        dealt += [*needs_none, *hand, *needs_it, *filling]
    items[:] = [*dealt, *rest]


def _take(rest: list[Any], count: int, wanted: Callable[[Any], bool]) -> list[Any]:
    """The first `count` that are wanted, taken out of `rest`."""
    taken = list(islice(filter(wanted, rest), count))
    gone = set(taken)
    rest[:] = [item for item in rest if item not in gone]
    return taken


def _file(item: Any) -> str:
    return str(item.nodeid).partition("::")[0]
