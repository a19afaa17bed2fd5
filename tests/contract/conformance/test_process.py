"""The commands as processes: exit codes, terminals, files that cannot be read or written."""

import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from .world import AS_OF, VOCABULARY, call, enterprise, lines, policy

pytestmark = pytest.mark.slow


def pair(p: str, e: str) -> str:
    return f'{{"policy": "{p}", "enterprise": "{e}", "verdict": "eligible", "unmet": [], "unknown": []}}\n'


def test_a_good_run_says_nothing_of_errors_and_shows_no_bar_off_a_terminal(tmp_path: Path):
    """A progress bar on a terminal. Exit 0."""
    done = process(tmp_path, "match")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "M.jsonl").read_bytes() == pair("p", "e").encode()


def test_a_bad_file_ends_the_process_with_2_and_no_traceback(tmp_path: Path):
    """Exit 0; 2 with every error found."""
    done = process(tmp_path, "match", policies=[policy({})])
    assert done.returncode == 2
    assert b"P.jsonl:1: criteria: " in done.stderr
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "M.jsonl").exists()


def test_a_progress_bar_is_drawn_on_a_terminal(tmp_path: Path):
    """A progress bar on a terminal."""
    command = prepare(tmp_path, "match")
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    process = subprocess.Popen(
        command, stdout=follower, stderr=follower, stdin=subprocess.DEVNULL, cwd=tmp_path, env=ENV
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # the other side of a closed pseudo-terminal
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    assert process.wait() == 0
    assert b"\r" in shown.replace(b"\r\n", b"\n")
    assert (tmp_path / "M.jsonl").read_bytes() == pair("p", "e").encode()


ENV = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings.test"}


def prepare(place: Path, command: str, policies: list[Any] | None = None) -> list[str]:
    (place / "P.jsonl").write_bytes(lines(policies or [policy()]))
    (place / "E.jsonl").write_bytes(lines([enterprise()]))
    (place / "V.json").write_text(json.dumps(VOCABULARY), encoding="utf-8")
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    return [
        sys.executable,
        manage,
        command,
        "--policies",
        "P.jsonl",
        "--enterprises",
        "E.jsonl",
        "--as-of",
        AS_OF,
        "--vocabulary",
        "V.json",
        "--out",
        "M.jsonl",
    ]


def process(place: Path, command: str, **files: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(prepare(place, command, **files), capture_output=True, cwd=place, env=ENV, check=False)


def test_a_missing_file_and_an_output_that_cannot_be_written_are_told(tmp_path: Path):
    """Exit 0; 2 with every error found."""
    (tmp_path / "P.jsonl").write_bytes(lines([policy()]))
    (tmp_path / "E.jsonl").write_bytes(lines([enterprise()]))
    here = {"policies": tmp_path / "P.jsonl", "enterprises": tmp_path / "E.jsonl", "as_of": AS_OF}
    out = str(tmp_path / "M.jsonl")
    for missing in ("policies", "enterprises", "vocabulary"):
        done = call("match", out=out, **(here | {missing: tmp_path / "nowhere"}))
        assert (done.code, done.out) == (2, None), missing
        assert "nowhere" in done.err
    both = call("match", out=out, **(here | {"policies": tmp_path / "gone", "enterprises": tmp_path / "lost"}))
    assert "gone" in both.err
    assert "lost" in both.err
    for bad in (tmp_path / "no" / "M.jsonl", tmp_path):
        done = call("match", out=str(bad), **here)
        assert done.code == 2
        assert str(bad) in done.err
    done = call("match", out=out, **(here | {"policies": tmp_path}))  # a directory
    assert done.code == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["E.jsonl", "P.jsonl"]  # nothing half-written
