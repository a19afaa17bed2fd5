"""Telling, reading and muting."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from matching import bulk
from matching.models import PolicyItem
from matching.registry.models import Department
from portal.inbox.models import Mute, Notification, NotificationKind, ReadMark
from portal.inbox.selectors import visible


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told, to an enterprise or to a person. `key` names the occasion."""

    key: str
    kind: NotificationKind
    title: str
    body: str = ""
    link: str = ""
    enterprise_id: int | None = None
    user_id: int | None = None
    item_id: int | None = None
    department_id: int | None = None


def tell(*, messages: Iterable[Message], now: datetime) -> None:
    """Write notifications; one whose occasion was told before is passed over."""
    fields = ("enterprise", "user", "kind", "title", "body", "link", "item", "department", "dedupe_key", "created_at")
    rows = [
        (
            message.enterprise_id,
            message.user_id,
            str(message.kind),
            message.title[:300],
            message.body,
            message.link,
            message.item_id,
            message.department_id,
            message.key,
            now,
        )
        for message in messages
    ]
    bulk.insert(model=Notification, fields=fields, rows=rows, unique=("dedupe_key",))


def mark_read(
    *,
    user: AbstractBaseUser,
    enterprise_ids: Collection[int],
    now: datetime,
    notification_ids: Collection[int] | None = None,
) -> int:
    """Mark notifications that the person may see as read (None: all of them); returns how many were new."""
    rows = visible(user=user, enterprise_ids=enterprise_ids).filter(is_read=False)
    if notification_ids is not None:
        rows = rows.filter(pk__in=notification_ids)
    marks = [ReadMark(notification_id=pk, user_id=user.pk, read_at=now) for pk in rows.values_list("pk", flat=True)]
    ReadMark.objects.bulk_create(marks, batch_size=500, ignore_conflicts=True)
    return len(marks)


@transaction.atomic
def mute(
    *,
    user: AbstractBaseUser,
    now: datetime,
    kind: str = "",
    department: Department | None = None,
    item: PolicyItem | None = None,
) -> None:
    """Stop telling the person of a kind, a department or an item (one of them). Twice is once."""
    row = Mute(user_id=user.pk, kind=kind, department=department, item=item, created_at=now)
    Mute.objects.bulk_create([row], ignore_conflicts=True)


def unmute(
    *,
    user: AbstractBaseUser,
    kind: str = "",
    department: Department | None = None,
    item: PolicyItem | None = None,
) -> None:
    """Tell the person again. What was told meanwhile stands in the inbox."""
    Mute.objects.filter(user_id=user.pk, kind=kind, department=department, item=item).delete()


@transaction.atomic
def set_muted_kinds(*, user: AbstractBaseUser, kinds: Collection[str], now: datetime) -> None:
    """Mute exactly these kinds; departments and items stay as they are."""
    Mute.objects.filter(user_id=user.pk).exclude(kind="").exclude(kind__in=kinds).delete()
    for kind in kinds:
        mute(user=user, kind=kind, now=now)
