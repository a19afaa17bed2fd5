"""Production's settings for processes that are to be killed: on loopback without TLS, by a clock that tests can move,
with a schedule in seconds instead of minutes and nights.
"""

from django.utils import timezone

from portal.settings.production import *  # noqa: F403 - a settings module is its base with changes
from portal.settings.production import CELERY_BEAT_SCHEDULE, STORAGES
from tests.faults.month import clock

timezone.now = clock.now

SECURE_SSL_REDIRECT = False
SESSION_COOKIE_SECURE = False
CSRF_COOKIE_SECURE = False
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

# The same tasks as in production, as often as a test has patience for. What has no line here is of another subject.
_SECONDS = {
    "deliver-outbox": 2.0,
    "treasury-round": 1.0,
    "cycle-daily": 2.0,
    "applications-nightly": 4.0,
    "resume-cycle-runs": 2.0,
}
CELERY_BEAT_SCHEDULE = {
    name: {**entry, "schedule": _SECONDS[name], "options": {"expires": 5}}
    for name, entry in CELERY_BEAT_SCHEDULE.items()
    if name in _SECONDS
}
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
