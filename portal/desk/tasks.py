"""What needs to know the district's people, woken by the beat."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from disbursement.services.review import quality
from matching.days import day_of
from portal.accounts import people


@shared_task(name="desk.draw_quality_sample")
def draw_quality_sample() -> str:
    """Draw last month's sample where it was not drawn yet; its month."""
    now = timezone.now()
    last = (day_of(now).replace(day=1) - timedelta(days=1)).replace(day=1)
    made = quality.draw_month(
        month=last, now=now, candidates=lambda department_id: people.reviewers(department_id=department_id)
    )
    return f"{made.month:%Y-%m}"
