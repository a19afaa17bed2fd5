"""A treasury folder, and a bank of its own, for each test."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from disbursement.treasury.simulator import Bank
from disbursement.treasury.simulator.server import Server


@pytest.fixture(autouse=True)
def treasury(settings: Any, tmp_path: Path) -> Path:
    settings.HUIDA_TREASURY_OUTBOX = tmp_path / "treasury"
    settings.HUIDA_TREASURY_FOLDERS = tmp_path / "folders"
    settings.HUIDA_TREASURY_QUIET_SECONDS = 0.0
    return tmp_path / "treasury"


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return Bank(tmp_path / "bank")


@pytest.fixture
def server(bank: Bank) -> Iterator[Server]:
    with Server(bank, token="the-secret").running() as running:
        yield running
