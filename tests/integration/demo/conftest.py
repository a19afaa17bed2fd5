"""The story is told once for all tests of this folder: it takes a while."""

from __future__ import annotations

import io
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
