"""What officers set a time for (定时发布): pages go live, and down, when it has come.

Wagtail's own `publish_scheduled` takes down first, and with a page that ends forgets what is to follow it; it takes
down in no transaction, so that a page could be gone and its item still listed; and it stops at the first that fails.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from wagtail.models import Page, Revision

from matching.days import day_of
from matching.registry import outbox

logger = logging.getLogger(__name__)


def keep_times(*, now: datetime) -> dict[str, int]:
    """Publish what is due, then take down what has ended; how many of each. Run again it finds nothing.

    Every page is a transaction of its own. One that breaks is logged, told once a day (topic `page.not_in_time` {page,
    title, person, ends, problem}) and tried again the next time; when all others are done, what broke first is raised.
    """
    broken: list[Exception] = []
    # What follows goes live first: then what it replaces has not ended, but gone on.
    due = Revision.objects.filter(approved_go_live_at__lte=now).order_by("approved_go_live_at", "pk")
    live = _each(due.values_list("pk", flat=True), _go_live, _of_revision, broken, now)
    ended = Page.objects.filter(live=True, expire_at__lte=now).order_by("expire_at", "pk")
    down = _each(ended.values_list("pk", flat=True), _go_down, _of_page, broken, now)
    if broken:
        raise broken[0]
    return {"live": live, "down": down}


def _each(
    ids: Iterable[int],
    step: Callable[[int, datetime], bool],
    whose: Callable[[int], dict[str, Any]],
    broken: list[Exception],
    now: datetime,
) -> int:
    done = 0
    for pk in list(ids):
        try:
            with transaction.atomic():
                done += step(pk, now)
        except Exception as error:
            logger.exception("%s broke for %s; the others go on", step, pk)
            broken.append(error)
            _tell(whose, pk, key=f"{step.__name__}:{pk}:{day_of(now)}", error=error, now=now)
    return done


def _tell(whose: Callable[[int], dict[str, Any]], pk: int, *, key: str, error: Exception, now: datetime) -> None:
    try:
        with transaction.atomic():
            is_for_people = isinstance(error, PermissionDenied | ValidationError)
            problem = "；".join(error.messages) if isinstance(error, ValidationError) else str(error)
            outbox.emit(
                topic="page.not_in_time",
                payload={**whose(pk), "problem": problem if is_for_people else ""},
                now=now,
                dedupe_key=f"page.not_in_time:{key}",
            )
    except Exception:
        # The page went meanwhile, or the database does: what broke is logged and raised either way.
        logger.exception("nobody could be told of %s", key)


def _of_revision(revision_id: int) -> dict[str, Any]:
    """Whose wish it is that a revision goes live, and of which page."""
    due = Revision.objects.get(pk=revision_id)
    page = Page.objects.get(pk=due.object_id)
    return {"page": page.pk, "title": page.title, "person": due.user_id, "ends": False}


def _of_page(page_id: int) -> dict[str, Any]:
    """Whose wish it is that a page is taken down: who edited it last."""
    page = Page.objects.get(pk=page_id)
    last = Revision.objects.filter(object_id=str(page_id), user__isnull=False).order_by("-pk").first()
    return {"page": page.pk, "title": page.title, "person": None if last is None else last.user_id, "ends": True}


def _go_live(revision_id: int, now: datetime) -> bool:
    due = Revision.objects.select_for_update().filter(pk=revision_id, approved_go_live_at__lte=now).first()
    if due is None:  # called off, or done by another, a moment ago
        return False
    due.publish(log_action="wagtail.publish.scheduled")
    return True


def _go_down(page_id: int, now: datetime) -> bool:
    ended = Page.objects.select_for_update().filter(pk=page_id, live=True, expire_at__lte=now).first()
    if ended is None:
        return False
    # Also what is due and broke: it is tried again. What went live has no time any more.
    to_follow = list(ended.revisions.filter(approved_go_live_at__isnull=False))
    ended.specific.unpublish(set_expired=True, log_action="wagtail.unpublish.scheduled")
    for revision in to_follow:  # who takes a page down by hand calls them off; its last day does not
        revision.save(update_fields=["approved_go_live_at"])
    return True
