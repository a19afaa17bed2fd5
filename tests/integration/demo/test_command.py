"""`manage.py demo` as make calls it: its own folder, run twice, and nothing else touched."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from portal.demo.management.commands import demo
from tests.integration.demo.conftest import run


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
