"""What the department is told of a publicity: somebody objects, or its days are over and nothing was decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.domain.workflow import ApplicationState, Role
from disbursement.models import Application, Objection, Publicity
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link
from portal.inbox.whom import at_desk


def of_objection(*, objection_id: int, now: datetime) -> Iterator[Message]:
    """An objection that is still open: to whoever decides on it."""
    found = Objection.objects.select_related("publicity__application__item", "publicity__application__enterprise")
    objection = found.get(pk=objection_id)
    if objection.sustained is not None:
        return
    body = _("%(name)s：%(text)s。请在公示期满前处理：%(day)s。")
    words = {
        "name": objection.name,
        "text": objection.text.strip().rstrip("。"),
        "day": objection.publicity.ends_on.isoformat(),
    }
    yield from _to_second(
        objection.publicity.application,
        key=f"objection:{objection.pk}",
        title=_("收到公示异议"),
        body=body % words,
        now=now,
    )


def of_held(*, publicity_id: int, why: str, now: datetime) -> Iterator[Message]:
    """The days are over and it could not be approved: why, to whoever decides."""
    publicity = Publicity.objects.select_related("application__item", "application__enterprise").get(pk=publicity_id)
    if publicity.closed_at is not None or publicity.application.status is not ApplicationState.PUBLICITY:
        return
    body = _("公示已于 %(day)s 期满，未能通过：%(why)s 办理时限已恢复计算，请处理。")
    words = {"day": publicity.ends_on.isoformat(), "why": why}
    yield from _to_second(
        publicity.application, key=f"held:{publicity.pk}", title=_("公示期满未能通过"), body=body % words, now=now
    )


def _to_second(application: Application, *, key: str, title: str, body: str, now: datetime) -> Iterator[Message]:
    for user_id in at_desk(application, Role.SECOND_REVIEWER, now):
        yield Message(
            key=f"{key}:{user_id}",
            kind=NotificationKind.APPLICATION,
            title=f"{title}：{application.enterprise.name}《{application.item.name}》",
            body=_("申报编号 %(number)s。") % {"number": application.number or "—"} + body,
            link=link("desk:application", application.pk),
            user_id=user_id,
            item_id=application.item_id,
            department_id=application.item.department_id,
        )
