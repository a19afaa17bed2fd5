"""kill -9 at seeded points of cut-off, seal and returns on PostgreSQL: run again, and everything is as if
uninterrupted.

Each point starts from a copy of the same database. The process is killed there, killed again at another point of its
second run, then left alone; what then stands is compared with an undisturbed run: no payment lost or doubled, the same
bytes in the sealed file and in the treasury's folder, the same ledger, the same log.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
SEED = 20260320
POINTS = int(os.environ.get("KILL_POINTS", "5"))  # for each of the three commands; other ones with each seed


@dataclass
class Lab:
    """A launcher, and databases to run it on."""

    process: subprocess.Popen[str]
    server: dict[str, Any]
    template: str
    folder: Path

    def ask(self, database: str, do: str, *argv: str, kill_at: int | str | None = None) -> dict[str, Any]:
        request = {"database": database, "outbox": str(self.folder / database), "do": do, "argv": list(argv)}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**request, "kill_at": kill_at}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    def copy(self, name: str, source: str) -> str:
        """A copy of a database and of what was delivered from it."""
        target = f"{self.template}_{name}"
        with psycopg.connect(**self.server, autocommit=True) as admin:
            for database in (target, source):
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(target)))
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source))
            )
        (self.folder / target).mkdir(exist_ok=True)
        for old in (self.folder / target).iterdir():
            old.unlink()
        if (self.folder / source).is_dir():
            for file in (self.folder / source).iterdir():
                (self.folder / target / file.name).write_bytes(file.read_bytes())
        return target

    def drop(self, *names: str) -> None:
        with psycopg.connect(**self.server, autocommit=True) as admin:
            for name in names:
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def lab(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with django_db_blocker.unblock():
        connection.close()
    conf = connection.settings_dict
    server = {k: conf[v] for k, v in (("host", "HOST"), ("user", "USER"), ("password", "PASSWORD")) if conf[v]}
    if conf["PORT"]:
        server["port"] = conf["PORT"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.launcher"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings.test"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    made = Lab(process, {**server, "dbname": "postgres"}, str(conf["NAME"]), tmp_path_factory.mktemp("faults"))
    yield made
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    process.wait(timeout=30)


@dataclass
class Scene:
    """A command with the database that it starts from, what an undisturbed run leaves, and how many statements it
    takes.
    """

    start: str
    argv: list[list[str]]
    statements: list[int]
    expected: dict[str, Any]


@pytest.fixture(scope="module")
def scenes(lab: Lab) -> Iterator[dict[str, Scene]]:
    files = lab.folder / "bank"
    files.mkdir()
    approved = lab.copy("approved", lab.template)
    lab.ask(approved, "build_approved")
    signed = lab.copy("signed", approved)
    lab.ask(signed, "build_signed")
    sent = lab.copy("sent", signed)
    lab.ask(sent, "build_sent", str(files))
    answers = sorted(str(path) for path in files.iterdir())
    commands = {
        "cutoff": (approved, [["cutoff", "--as-of", "2026-03-20T17:00"]]),
        "seal": (signed, [["seal", "--as-of", "2026-03-20T18:00"]]),
        "returns": (sent, [["returns", *answers, "--as-of", "2026-03-25"]]),
    }
    found = {}
    for name, (start, argv) in commands.items():
        quiet = lab.copy("quiet", start)
        statements = [int(lab.ask(quiet, "cycle", *args)["statements"]) for args in argv]
        found[name] = Scene(start, argv, statements, lab.ask(quiet, "picture")["result"])
    yield found
    lab.drop(approved, signed, sent, f"{lab.template}_quiet", f"{lab.template}_point")


def points(scene: Scene, name: str) -> list[int | str]:
    """Statement numbers spread by the seed; for the seal also two between disk and database."""
    rng = random.Random(f"{SEED}-{name}")
    special: list[int | str] = ["part", "delivered"] if name == "seal" else []
    return [*special, *rng.sample(range(1, scene.statements[0] + 1), POINTS - len(special))]


@pytest.mark.parametrize("index", range(POINTS))
@pytest.mark.parametrize("name", ["cutoff", "seal", "returns"])
def test_a_killed_command_run_again_leaves_what_an_undisturbed_one_does(
    lab: Lab, scenes: dict[str, Scene], name: str, index: int
) -> None:
    scene = scenes[name]
    point = points(scene, name)[index]
    database = lab.copy("point", scene.start)
    [argv] = scene.argv
    assert lab.ask(database, "cycle", *argv, kill_at=point) == {"killed": True}
    # The second run may be over before it reaches its own point; the third always ends.
    lab.ask(database, "cycle", *argv, kill_at=random.Random(f"{SEED}{name}{index}").randint(1, scene.statements[0]))
    lab.ask(database, "cycle", *argv)
    assert lab.ask(database, "picture")["result"] == scene.expected, f"killed at {point}"


def test_an_undisturbed_run_pays_what_was_approved(scenes: dict[str, Scene]) -> None:
    """What the killed runs are compared with is itself a month that was paid."""
    expected = scenes["returns"].expected
    assert "settled" in expected["payables"]
    assert "bounced" in expected["payables"]
    assert "held" in scenes["cutoff"].expected["payables"]
    assert expected["delivered"] == expected["sealed"] != "[]"
    assert expected["findings"] == "[[], []]"
