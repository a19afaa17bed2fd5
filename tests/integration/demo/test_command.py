"""`manage.py demo` as make calls it: its own folder, run twice, and nothing else touched."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from portal.demo.management.commands import demo
from tests.integration.demo.conftest import TODAY, Told

ROOT = Path(__file__).resolve().parents[3]


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")}
    return subprocess.run(
        [sys.executable, "manage.py", "demo", *arguments],
        cwd=ROOT,
        env={**clean, "HUIDA_VAR_DIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


def story_of(text: str) -> str:
    """The telling up to the accounts, without what two runs may differ in: hashes, sizes, folders."""
    told = text.partition("可以用这些账户登录")[0]
    told = re.sub(r"[0-9a-f]{12,64}", "#", told)
    told = re.sub(r"PDF 已写到[^：]+：", "", "".join(told.split()))
    return re.sub(r"-[0-9a-f]{7,8}\.|\d+KB|PDF已写到[^：]+：", "", told)


@pytest.mark.slow
@pytest.mark.django_db
def test_a_second_run_resets_what_the_first_left_and_tells_the_same_story(tmp_path: Path, told: Told):
    folder = tmp_path / "demo"
    # What a run leaves that was killed in the middle.
    folder.mkdir()
    (folder / ".huida-demo").touch()
    (folder / "huida.sqlite3").write_bytes(b"half a database")
    (folder / "treasury").mkdir()
    (folder / "treasury" / "202609001.csv").write_bytes(b"of another telling")

    again = run(tmp_path, "--as-of", TODAY.isoformat())

    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
    assert story_of(again.stdout) == story_of(told.text)
    assert not (folder / "treasury" / "202609001.csv").exists()
    assert (folder / "told.txt").read_text() == f"{TODAY}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "demo.lock"]


def test_another_database_is_not_touched_unless_told_so(tmp_path: Path):
    database = tmp_path / "mine.sqlite3"
    refused = run(tmp_path, DATABASE_URL=f"sqlite:///{database}")
    assert refused.returncode == 2
    assert "--yes-really" in refused.stderr
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_the_demo_did_not_make_is_left_alone(tmp_path: Path):
    (tmp_path / "letters").write_text("mine")
    with pytest.raises(CommandError, match="不会清空"):
        demo._reset(tmp_path)
    assert (tmp_path / "letters").read_text() == "mine"


def test_the_demos_own_folder_is_emptied(tmp_path: Path):
    demo._reset(tmp_path / "demo")
    (tmp_path / "demo" / "huida.sqlite3").write_text("old")
    demo._reset(tmp_path / "demo")
    assert [path.name for path in (tmp_path / "demo").iterdir()] == [".huida-demo"]


def test_a_demo_that_is_being_served_is_not_rebuilt(tmp_path: Path):
    serving = demo._lock(tmp_path / "demo", alone=False)
    with pytest.raises(CommandError, match="Ctrl-C"):
        demo._lock(tmp_path / "demo", alone=True)
    os.close(serving)
    os.close(demo._lock(tmp_path / "demo", alone=True))


def test_a_port_in_use_is_said_before_anything_is_built():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"端口 {port} 不能用"):
            demo._check_port(port)


def test_serving_without_a_demo_says_what_to_do(tmp_path: Path):
    refused = run(tmp_path, "--serve-only", "--port", "0")
    assert refused.returncode == 2
    assert "make demo" in refused.stderr
