"""Production settings are complete and safe, or nothing starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "portal.settings.production",
    "SECRET_KEY": "k3y-0f-the-test-that-is-long-enough-and-has-many-different-letters-XYZ",
    "ALLOWED_HOSTS": "huida.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://huida.example.org",
    "HUIDA_PAYER_ACCOUNT": "5105000000000001",
    "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/none",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "CACHE_URL": "rediscache://127.0.0.1:1/1",
    "HUIDA_BASE_URL": "https://huida.example.org",
    "EMAIL_URL": "smtp://127.0.0.1:1",
}


def manage(*arguments: str, without: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    environment = kept | {name: value for name, value in PRODUCTION.items() if name != without} | more
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_check_deploy_has_no_warning_under_production_settings() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "WARNINGS" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "missing",
    [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "CELERY_BROKER_URL",
        "CACHE_URL",
        "HUIDA_BASE_URL",
        "HUIDA_PAYER_ACCOUNT",
    ],
)
def test_production_refuses_to_start_without_a_setting_and_names_it(missing: str) -> None:
    done = manage("check", without=missing)
    assert done.returncode != 0
    assert missing in done.stderr


@pytest.mark.slow
def test_earlier_secrets_are_read_from_the_environment() -> None:
    asked = ("shell", "--no-imports", "-c", "from django.conf import settings; print(settings.SECRET_KEY_FALLBACKS)")
    assert manage(*asked).stdout.strip() == "[]"
    assert manage(*asked, SECRET_KEY_FALLBACKS="the-last-one,one-before").stdout.strip() == (
        "['the-last-one', 'one-before']"
    )
