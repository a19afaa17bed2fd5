"""Each test has its own treasury folder."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Path) -> Path:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"
    return tmp_path / "treasury"
