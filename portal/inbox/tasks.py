"""Tasks of the inbox: each may run twice."""

from celery import shared_task
from django.utils import timezone

from matching.days import day_of
from portal.inbox import digest


@shared_task(name="inbox.send_digests")
def send_digests() -> int:
    """Write and send today's digests (Asia/Shanghai); returns how many mails went out."""
    now = timezone.now()
    return digest.send_digests(day=day_of(now), now=now).sent
