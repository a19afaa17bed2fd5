"""What belongs to the suite's two rounds (`bin/test`), and what is begun first.

The second round repeats on PostgreSQL what touches a database. What asks nothing of it in which two databases could
differ, and takes long, is left out there: what only permissions, pages, processes or a command of SQLite decide. Where
there is no PostgreSQL the first round is all there is, so each test runs at least once.
"""

from __future__ import annotations

from typing import Any

import pytest

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


def is_of_second_round(item: Any) -> bool:
    return _file(item) not in FIRST_ROUND


def longest_first(items: list[Any], *, processes: int) -> None:
    """Deal the longest files out to the processes as what each begins with, whole; the rest follows as it stood.

    So no scene is set twice, and no process does a long test while the others have ended. Processes are given an
    eighth of all at first where they are two, a sixteenth where four, and then what is left, piece by piece.
    """
    places = {name: place for place, name in enumerate(LONGEST)}
    hands: list[list[Any]] = [[] for _ in range(processes)]
    rest: list[Any] = []
    for item in sorted(items, key=lambda item: places.get(_file(item), len(LONGEST))):
        place = places.get(_file(item))
        (rest if place is None else hands[place % processes]).append(item)
    given = len(items) // (4 * processes)
    dealt: list[Any] = []
    for hand in hands:
        filled = max(0, given - len(hand))
        dealt += [*hand, *rest[:filled]]
        del rest[:filled]
    items[:] = [*dealt, *rest]


def _file(item: Any) -> str:
    return str(item.nodeid).partition("::")[0]
