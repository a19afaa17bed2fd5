"""What officers give a time in the editor goes live and down when the beat comes by."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from wagtail.models import Revision

from cms.models import PolicyItemPage, SearchRow
from matching.criteria import canonical_json
from matching.models import PolicyItem, PolicyVersion
from matching.registry import outbox
from matching.services import vocabulary as vocabulary_service
from portal.inbox.models import Notification
from tests.factories import cms
from tests.factories.matching import NOW
from tests.integration.portal.conftest import official

pytestmark = pytest.mark.django_db


def beat() -> Any:
    """What the schedule's entry wakes up."""
    current_app.loader.import_default_modules()
    entry = settings.CELERY_BEAT_SCHEDULE["publish-scheduled"]
    return current_app.tasks[entry["task"]].delay().get()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let so many days pass."""

    def pass_days(days: int) -> None:
        moment = timezone.now() + timedelta(days=days)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    return pass_days


def in_days(days: int) -> datetime:
    return timezone.now() + timedelta(days=days)


def schedule(page: Any, **changes: Any) -> None:
    """What the editor does when an officer sets times, among other changes, and publishes."""
    draft = page.get_latest_revision_as_object()
    for name, value in changes.items():
        setattr(draft, name, value)
    draft.save_revision().publish()


def test_an_item_goes_live_when_its_time_has_come_and_not_before(later: Any) -> None:
    schedule(cms.item_page(code="kj-one"), go_live_at=in_days(1))
    assert beat() == {"live": 0, "down": 0}
    assert not PolicyVersion.objects.exists()
    later(2)
    assert beat() == {"live": 1, "down": 0}
    assert PolicyVersion.objects.get().item.code == "kj-one"
    assert SearchRow.objects.exists()
    assert beat() == {"live": 0, "down": 0}


def test_an_item_whose_time_is_over_is_taken_down_and_listed_no_longer(later: Any) -> None:
    schedule(cms.published_item(), expire_at=in_days(1))
    assert beat() == {"live": 0, "down": 0}
    assert PolicyItem.objects.get().is_listed
    later(2)
    assert beat() == {"live": 0, "down": 1}
    assert not PolicyItem.objects.get().is_listed
    assert not SearchRow.objects.exists()
    assert PolicyItemPage.objects.get().expired
    assert beat() == {"live": 0, "down": 0}


@pytest.mark.parametrize("gap", [0, 3])
def test_the_end_of_an_item_does_not_call_off_what_was_scheduled_to_follow_it(gap: int, later: Any) -> None:
    page = cms.published_item()
    schedule(page, expire_at=in_days(10))
    schedule(page, title="下一年", go_live_at=in_days(10 + gap), expire_at=in_days(300))
    later(11)
    beat()
    later(gap)
    beat()
    found = PolicyItemPage.objects.get()
    assert (found.live, found.title, PolicyItem.objects.get().is_listed) == (True, "下一年", True)


def test_a_page_that_cannot_be_published_keeps_no_other_waiting(later: Any) -> None:
    vocabulary_service.save_fact(definition={"key": "robots", "label": "机器人", "type": "number"}, now=NOW)
    schedule(cms.item_page(criteria={"fact": "robots", "gte": "1"}), go_live_at=in_days(1))
    schedule(cms.item_page(code="kj-two"), go_live_at=in_days(1))
    vocabulary_service.remove_fact(key="robots", now=NOW)
    later(2)
    for _again in range(2):
        with pytest.raises(PermissionDenied, match="robots"):
            beat()
    assert PolicyVersion.objects.get().item.code == "kj-two"


@pytest.mark.django_db(transaction=True)
def test_whoever_gave_the_time_is_told_once_a_day_why_a_page_is_not_published(later: Any) -> None:
    officer, other = official("policy_officer"), official("policy_officer")
    vocabulary_service.save_fact(definition={"key": "robots", "label": "机器人", "type": "number"}, now=NOW)
    page = cms.item_page(criteria={"fact": "robots", "gte": "1"})
    schedule(page, go_live_at=in_days(1))
    Revision.objects.update(user=officer)
    vocabulary_service.remove_fact(key="robots", now=NOW)
    later(2)
    for _again in range(2):
        with pytest.raises(PermissionDenied, match="robots"):
            beat()
    outbox.deliver(now=timezone.now())
    [told] = Notification.objects.filter(title__startswith="定时发布未成功")
    assert (told.user, page.title in told.title, "robots" in told.body) == (officer, True, True)
    later(3)
    Revision.objects.update(user=None)
    with pytest.raises(PermissionDenied, match="robots"):
        beat()
    outbox.deliver(now=timezone.now())
    assert set(Notification.objects.exclude(pk=told.pk).values_list("user", flat=True)) == {officer.pk, other.pk}


def test_what_broke_when_it_was_to_follow_is_tried_again_after_the_end_of_what_it_follows(later: Any) -> None:
    definition = {"key": "robots", "label": "机器人", "type": "number"}
    vocabulary_service.save_fact(definition=definition, now=NOW)
    page = cms.published_item()
    schedule(page, expire_at=in_days(10))
    criteria = canonical_json({"fact": "robots", "gte": "1"})
    schedule(page, criteria=criteria, go_live_at=in_days(10), expire_at=in_days(300))
    vocabulary_service.remove_fact(key="robots", now=NOW)
    later(11)
    with pytest.raises(PermissionDenied, match="robots"):
        beat()
    assert not PolicyItemPage.objects.get().live
    vocabulary_service.save_fact(definition=definition, now=NOW)
    assert beat() == {"live": 1, "down": 0}
    assert (PolicyItemPage.objects.get().live, PolicyItem.objects.get().is_listed) == (True, True)
