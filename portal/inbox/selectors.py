"""What a person sees in the inbox. Each question costs a bounded number of queries."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from portal.accounts.access import access_for
from portal.inbox.models import Mute, Notification, NotificationKind, ReadMark

# Nobody can say that they did not want to hear of a time limit in their charge.
ALWAYS_HEARD = (NotificationKind.SUPERVISION,)


@dataclass(frozen=True, slots=True)
class Muted:
    """What a person does not want to hear of."""

    kinds: frozenset[str]
    departments: frozenset[int]
    items: frozenset[int]

    @property
    def condition(self) -> Q:
        silent = Q(kind__in=self.kinds) | Q(department__in=self.departments) | Q(item__in=self.items)
        return silent & ~Q(kind__in=ALWAYS_HEARD)

    def covers(self, notification: Notification) -> bool:
        return notification.kind not in ALWAYS_HEARD and (
            notification.kind in self.kinds
            or notification.department_id in self.departments
            or notification.item_id in self.items
        )


def muted_by(*, user: AbstractBaseUser) -> Muted:
    rows = list(Mute.objects.filter(user_id=user.pk).values_list("kind", "department_id", "item_id"))
    return Muted(
        frozenset(kind for kind, _, _ in rows if kind),
        frozenset(department for _, department, _ in rows if department is not None),
        frozenset(item for _, _, item in rows if item is not None),
    )


def enterprises_in(*, request: HttpRequest) -> list[int]:
    """The enterprises whose messages are shown: the one acted for, or, before one is chosen, all of the person's."""
    access = access_for(request)
    if access.membership is not None:
        return [access.membership.enterprise_id]
    return [membership.enterprise_id for membership in access.memberships]


def visible(*, user: AbstractBaseUser, enterprise_ids: Collection[int]) -> QuerySet[Any]:
    """Notifications to the person and to these enterprises, with `is_read`. The caller answers for the ids: they are
    those of `enterprises_in`."""
    read = ReadMark.objects.filter(notification=OuterRef("pk"), user_id=user.pk)
    return Notification.objects.filter(Q(user_id=user.pk) | Q(enterprise__in=enterprise_ids)).annotate(
        is_read=Exists(read)
    )


def listing(
    *,
    user: AbstractBaseUser,
    enterprise_ids: Collection[int],
    kind: str = "",
    unread_only: bool = False,
    muted: bool = False,
) -> QuerySet[Any]:
    """The inbox, the latest first: without what is muted, or only that."""
    rows = visible(user=user, enterprise_ids=enterprise_ids).select_related("enterprise", "item", "department")
    silent = muted_by(user=user).condition
    # Not exclude(): an item that is null would make the negated condition null, and the row would be gone.
    rows = rows.filter(silent) if muted else rows.exclude(pk__in=Notification.objects.filter(silent).values("pk"))
    if kind:
        rows = rows.filter(kind=kind)
    if unread_only:
        rows = rows.filter(is_read=False)
    return rows.order_by("-created_at", "-id")


def unread_of(request: HttpRequest, *, kind: str) -> int:
    """How many messages of a kind the person of a request has not read."""
    user = request.user
    if not user.is_authenticated:
        return 0
    return visible(user=user, enterprise_ids=enterprises_in(request=request)).filter(kind=kind, is_read=False).count()


def unread_count(request: HttpRequest) -> int:
    """How many messages the person of a request has not read, muted ones aside."""
    user = request.user
    if not user.is_authenticated:
        return 0
    return listing(user=user, enterprise_ids=enterprises_in(request=request), unread_only=True).count()
