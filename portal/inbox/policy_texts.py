"""What officers are told of their pages: what they gave a time to, and did not happen in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from matching.days import day_of
from portal.accounts.models import StaffRole
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link
from portal.inbox.whom import holders, present


def of_page_not_in_time(
    *, page_id: int, title: str, person_id: int | None, ends: bool, problem: str, now: datetime
) -> Iterator[Message]:
    """A page did not go live, or down, when it should: to whoever gave it the time, else to every officer."""
    subject = _("定时下线未成功：%(title)s") if ends else _("定时发布未成功：%(title)s")
    reason = problem or _("系统出错，已记入日志，请联系运维人员。")
    people = [person_id] if person_id is not None else holders([StaffRole.POLICY_OFFICER], None)
    for user_id in present(people, now):
        yield Message(
            key=f"page:{page_id}:not-in-time:{ends}:{day_of(now)}:{user_id}",
            kind=NotificationKind.SERVICE,
            title=subject % {"title": title},
            body=_("%(reason)s 系统每分钟重试；请修改后重新发布，或取消定时。") % {"reason": reason},
            link=link("wagtailadmin_pages:edit", page_id),
            user_id=user_id,
        )
