"""kill -9 at seeded points of a run on PostgreSQL, in its planning and in its chunks: a worker that comes after
finishes it, and everybody was told exactly once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.test_kill import Lab, lab

__all__ = ["lab"]
pytestmark = [pytest.mark.postgres, pytest.mark.slow]

SEED = 20261122
POINTS = 14


@dataclass
class Scene:
    start: str
    statements: int
    expected: dict[str, Any]


@pytest.fixture(scope="module")
def scene(lab: Lab) -> Iterator[Scene]:
    start = lab.copy("district", lab.template)
    lab.ask(start, "build_district")
    quiet = lab.copy("undisturbed", start)
    statements = int(lab.ask(quiet, "worker")["statements"])
    yield Scene(start, statements, lab.ask(quiet, "push_picture")["result"])
    lab.drop(start, quiet, f"{lab.template}_pushpoint")


def test_an_undisturbed_run_tells_those_that_fit(scene: Scene) -> None:
    """What the killed runs are compared with is itself right."""
    expected = scene.expected
    assert expected["run"] == ["done", 24, 14, 14, 8, 6, ""]
    assert expected["covers"]
    assert expected["events"]
    assert len([push for push in expected["pushes"] if push[0] == 2]) == 14
    assert len(expected["notifications"]) == 12 + 14
    assert {row[0] for row in expected["matches"]} == {2}
    assert expected["waiting"] == 0


@pytest.mark.parametrize("index", range(POINTS))
def test_a_killed_worker_is_followed_by_another_and_nobody_is_told_twice_or_not_at_all(
    lab: Lab,
    scene: Scene,
    index: int,
) -> None:
    rng = random.Random(f"{SEED}-{index}")
    # Spread over all statements: of the beginning, the planning, the chunks and the telling.
    step = scene.statements // POINTS
    point = min(index * step + rng.randint(1, step), scene.statements)
    database = lab.copy("pushpoint", scene.start)
    assert lab.ask(database, "worker", kill_at=point) == {"killed": True}
    # The second may be over before it reaches its own point; the third always ends.
    lab.ask(database, "worker", kill_at=rng.randint(1, scene.statements))
    lab.ask(database, "worker")
    assert lab.ask(database, "push_picture")["result"] == scene.expected, f"seed {SEED}-{index}, killed at {point}"
