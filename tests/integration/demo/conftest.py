"""The story is told once for all tests of this folder: it takes a while."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings

from portal.demo import story
from portal.demo.narrator import Narrator

TODAY = date(2026, 11, 22)
ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Told:
    stage: story.Stage
    text: str
    folder: Path

    @property
    def flat(self) -> str:
        """The text without what the layout puts in: line breaks and indents."""
        return "".join(self.text.split())


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker, tmp_path_factory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("demo")
    out = io.StringIO()
    with (
        django_db_blocker.unblock(),
        override_settings(HUIDA_TREASURY_OUTBOX=folder / "treasury", HUIDA_BASE_URL="http://localhost:8000"),
        transaction.atomic(),
    ):
        stage = story.tell(today=TODAY, narrator=Narrator(out, io.StringIO()), folder=folder)
        yield Told(stage, out.getvalue(), folder)
        transaction.set_rollback(True)


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
