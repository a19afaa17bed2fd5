"""Wagtail tells when a page went live or down; the services do the rest, in the same transaction."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone
from wagtail.signals import page_published, page_unpublished

from cms.models import PolicyDocumentPage, PolicyItemPage, ReadingPage
from cms.services import search_writes
from cms.services.publishing import page_went_down, page_went_live
from cms.services.search_index import ItemKind
from matching.registry import workers
from matching.services.index_kinds import register
from matching.tasks import mend_index, wake_writer

OURS = (PolicyItemPage, PolicyDocumentPage, ReadingPage)


def _wake_mender() -> None:
    """Ask a worker, without waiting for a broker that is away: the schedule asks again."""
    workers.give(mend_index, expires=300)


register(ItemKind())
search_writes.wake_with(writer=wake_writer, mender=_wake_mender)


@receiver(page_published, dispatch_uid="cms.page_published")
def on_page_published(sender: Any, instance: Any, **options: Any) -> None:
    if isinstance(instance, OURS):
        page_went_live(page=instance, now=timezone.now())


@receiver(page_unpublished, dispatch_uid="cms.page_unpublished")
def on_page_unpublished(sender: Any, instance: Any, **options: Any) -> None:
    page = instance.specific
    if isinstance(page, OURS):
        page_went_down(page=page, now=timezone.now())
