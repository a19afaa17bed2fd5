"""What a worker is woken up for. It takes nothing, may run twice, and leaves the same state."""

from celery import shared_task
from django.utils import timezone

from cms.services import scheduled


@shared_task(name="cms.publish_scheduled")
def publish_scheduled() -> dict[str, int]:
    """Publish pages whose time has come, and take down those whose time is over; how many of each."""
    return scheduled.keep_times(now=timezone.now())
