"""Work for a worker: whoever asks does not wait for a broker that is away.

What is to be done stands in the database, and the schedule looks for it again: a lost request costs time alone.
"""

from __future__ import annotations

import logging
from typing import Any

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def give(task: Any, *args: object, expires: int | None = None) -> bool:
    """Ask a worker to run a Celery task with these arguments, within `expires` seconds or not at all.

    Whether a broker took it. Without one (`CELERY_TASK_ALWAYS_EAGER`) it has been done when this returns.
    """
    try:
        task.apply_async(args, retry=False, expires=expires)
    except OperationalError as error:
        logger.warning("%s%s could not be put to a worker: %s", task.name, args, error)
        return False
    return True
