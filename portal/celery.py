"""The Celery application. Tasks live in each app's `tasks.py`; the schedule is in `CELERY_BEAT_SCHEDULE`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.dev")

app = Celery("huida")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def load_what_notices_use(**_kwargs: Any) -> None:
    """Once in the worker that forks, for all of its children: the fonts, the style and the engine of notices."""
    from disbursement.documents import render

    render.make_ready()
