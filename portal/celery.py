"""The Celery application. Tasks live in each app's `tasks.py`; the schedule is in `CELERY_BEAT_SCHEDULE`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.dev")

app = Celery("huida")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
