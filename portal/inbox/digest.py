"""The daily mail: written whole, then sent, at most once. See `portal.inbox.models.Digest` for what a crash leaves."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from portal.accounts.models import Membership, User
from portal.inbox.models import Digest, DigestEntry, DigestState, Notification
from portal.inbox.selectors import listing

logger = logging.getLogger(__name__)

# A message that nobody read for so long is no news any more; it stays in the inbox.
NEWS = timedelta(days=14)
_MOST_SHOWN = 50


@dataclass(slots=True)
class Sent:
    prepared: int = 0
    sent: int = 0
    failed: int = 0


def send_digests(*, day: date, now: datetime) -> Sent:
    """Write the mails of a day (Asia/Shanghai) that are not written yet, and send what is not sent. Twice is once."""
    done = Sent(prepared=prepare(day=day, now=now))
    send_prepared(now=now, done=done)
    return done


def prepare(*, day: date, now: datetime) -> int:
    """Write a mail for each person who has unread news, is not muted against it, and has an address."""
    alive = Membership.objects.filter(user=OuterRef("pk"), revoked_at__isnull=True)
    personal = Notification.objects.filter(user=OuterRef("pk"), created_at__gt=now - NEWS)
    written = Digest.objects.filter(user=OuterRef("pk"), day=day)
    people = (
        User.objects.filter(is_active=True)
        .exclude(email="")
        .filter(Exists(alive) | Exists(personal))
        .filter(~Exists(written))
        .order_by("pk")
    )
    return sum(_prepare_one(user=user, day=day, now=now) for user in people.iterator(chunk_size=200))


@transaction.atomic
def _prepare_one(*, user: User, day: date, now: datetime) -> bool:
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two workers take turns
    if Digest.objects.filter(user=user, day=day).exists():
        return False
    since = dict(Membership.objects.filter(user=user, revoked_at__isnull=True).values_list("enterprise", "granted_at"))
    told = DigestEntry.objects.filter(user=user, notification=OuterRef("pk"))
    # What an enterprise was told before the person came to it is no news to them.
    fresh = Q(user=user)
    for enterprise_id, granted_at in since.items():
        fresh |= Q(enterprise=enterprise_id, created_at__gte=granted_at)
    news = list(
        listing(user=user, enterprise_ids=since, unread_only=True)
        .filter(fresh, created_at__gt=now - NEWS)
        .filter(~Exists(told))
        .order_by("enterprise__name", "kind", "-created_at", "-id")
    )
    if not news:
        return False
    digest = Digest.objects.create(
        user=user,
        day=day,
        recipient=user.email,
        subject=_("【惠达·%(district)s】您有 %(count)s 条新消息")
        % {"district": settings.HUIDA_DISTRICT, "count": len(news)},
        body=write(user=user, news=news),
        prepared_at=now,
    )
    DigestEntry.objects.bulk_create(
        [DigestEntry(digest=digest, user=user, notification=notification) for notification in news], batch_size=500
    )
    return True


def write(*, user: User, news: Iterable[Notification]) -> str:
    """The text of a mail; `news` is in the order of enterprise and kind."""
    news = list(news)
    shown, rest = news[:_MOST_SHOWN], len(news) - _MOST_SHOWN
    lines = [_("%(name)s，您好！") % {"name": user.get_full_name()}, ""]
    for enterprise, group in groupby(shown, key=lambda notification: notification.enterprise):
        lines += [enterprise.name if enterprise else _("给您本人"), "=" * 20]
        for notification in group:
            lines.append(f"· [{notification.get_kind_display()}] {notification.title}")
            if notification.body:
                lines.append(f"  {notification.body}")
            if notification.link:
                lines.append(f"  {settings.HUIDA_BASE_URL.rstrip('/')}{notification.link}")
            lines.append("")
    if rest > 0:
        lines += [_("另有 %(count)s 条，请登录后在“消息”中查看。") % {"count": rest}, ""]
    lines.append(_("不想再收到某类消息？登录后在“消息 › 提醒设置”中可以静音。"))
    return "\n".join(lines)


def send_prepared(*, now: datetime, done: Sent | None = None) -> Sent:
    """Send what is written and unsent. While the mail server cannot be reached nothing is claimed, and the next run
    tries again."""
    done = done or Sent()
    waiting = list(Digest.objects.filter(state=DigestState.PREPARED).order_by("pk").values_list("pk", flat=True))
    if not waiting:
        return done
    connection: BaseEmailBackend = get_connection()
    connection.open()
    try:
        for pk in waiting:
            _send_one(pk, connection, now, done)
    finally:
        connection.close()
    return done


def _send_one(pk: int, connection: BaseEmailBackend, now: datetime, done: Sent) -> None:
    claimed = Digest.objects.filter(pk=pk, state=DigestState.PREPARED).update(state=DigestState.SENDING, claimed_at=now)
    if not claimed:  # another worker has it
        return
    digest = Digest.objects.get(pk=pk)
    mail = EmailMessage(digest.subject, digest.body, to=[digest.recipient], connection=connection)
    try:
        mail.send()
    except Exception as error:  # the reason is kept; one address that fails does not stop the others
        logger.exception("digest %s was not sent", pk)
        Digest.objects.filter(pk=pk).update(state=DigestState.FAILED, error=f"{type(error).__name__}: {error}"[:2000])
        done.failed += 1
        return
    Digest.objects.filter(pk=pk).update(state=DigestState.SENT, sent_at=now)
    done.sent += 1
