"""The district is built once for a module's tests, each of which runs in a savepoint inside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from tests.integration.disbursement.tampering import scene


@pytest.fixture(scope="module")
def built(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("treasury")
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(django_settings, "HUIDA_TREASURY_OUTBOX", folder)
        scene.build()
        yield folder
        transaction.set_rollback(True)


@pytest.fixture
def district(built: Path, db: None) -> Path:
    return built
