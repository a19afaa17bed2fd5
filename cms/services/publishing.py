"""What happens when a page goes live or is taken down: the item's version, the public list."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import transaction
from wagtail.models import Page

from cms.models.item import PolicyItemPage
from cms.services import listing
from matching.services.publish import criteria_words, form_words, publish_version, withdraw_item

_moment: ContextVar[datetime | None] = ContextVar("cms_publication_moment", default=None)


@contextmanager
def published_at(*, moment: datetime) -> Iterator[None]:
    """Publications inside are dated `moment` (aware) in versions, events and the list."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def moment_or(*, now: datetime) -> datetime:
    """The moment set by `published_at`, else `now`."""
    return _moment.get() or now


@transaction.atomic
def page_went_live(*, page: Any, now: datetime) -> None:
    """Make the version of an item page, and its row in the list. Nothing for a page that only will go live later."""
    now = moment_or(now=now)
    if not page.live or page.alias_of_id:
        return
    if isinstance(page, PolicyItemPage):
        rules = page.rules()
        publish_version(
            item_code=page.code,
            name=page.title,
            department=page.department,
            rules=rules,
            details=page.details(),
            words=criteria_words(criteria=rules["criteria"]) | form_words(form=rules.get("form")),
            now=now,
        )
    listing.refresh_row(page=page, now=now)


@transaction.atomic
def page_went_down(*, page: Page, now: datetime) -> None:
    """Withdraw an item whose page was unpublished or deleted, and drop the page from the list."""
    now = moment_or(now=now)
    if isinstance(page, PolicyItemPage):
        withdraw_item(item_code=page.code, now=now)
    listing.remove_row(page_id=page.pk)
