"""The settings of the test suite: SQLite in memory unless DATABASE_URL names a PostgreSQL."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from .base import *  # noqa: F403 - a settings module is its base with changes
from .base import DATABASES, STORAGES, env

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
if "DATABASE_URL" not in env.ENVIRON:
    DATABASES["default"]["NAME"] = ":memory:"
    DATABASES["default"]["OPTIONS"].pop("init_command", None)
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA foreign_keys=ON;"
_scratch = Path(tempfile.mkdtemp(prefix="huida-test-"))


def _sweep(owner: int = os.getpid()) -> None:
    """A fork ends with its parent's folder still in use."""
    if os.getpid() == owner:
        shutil.rmtree(_scratch, ignore_errors=True)


atexit.register(_sweep)
MEDIA_ROOT = _scratch / "media"
STATIC_ROOT = _scratch / "static"
STATIC_ROOT.mkdir()
STORAGES["private"]["OPTIONS"]["location"] = _scratch / "private"
HUIDA_TREASURY_OUTBOX = _scratch / "treasury"
HUIDA_TREASURY_FOLDERS = _scratch / "treasury-folders"
CLAMAV_SOCKET = ""
HUIDA_TREASURY_QUIET_SECONDS = 0.0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
ELASTICSEARCH_INDEX_PREFIX = f"huida-test-{os.getpid()}"  # each test process has its own; see tests/conftest.py
ELASTICSEARCH_TIMEOUT = ELASTICSEARCH_PROBE_TIMEOUT = 60.0  # machines are shared
