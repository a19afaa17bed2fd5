"""Promised materials (容缺): what the enterprise is told before and after their day, and the desk after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.domain.workflow import APPLICATION, Role
from disbursement.models import ToleratedGap
from disbursement.selectors.attention import GAP_STATES
from disbursement.selectors.forms import material_rules
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link
from portal.inbox.whom import at_desk

_DESK = (Role.REVIEWER, Role.SECOND_REVIEWER)


def of_gap(*, gap_id: int, stage: str, now: datetime) -> Iterator[Message]:
    """A material that is still waited for. `stage`: soon or late. Nobody is told of what came in meanwhile."""
    gap = ToleratedGap.objects.select_related(
        "application__item", "application__version", "application__enterprise"
    ).get(pk=gap_id)
    application = gap.application
    if gap.filled_at is not None or application.status not in GAP_STATES:
        return
    names = {rule.code: rule.name for rule in material_rules(version=application.version)}
    words = {
        "item": application.item.name,
        "material": names.get(gap.material_code, gap.material_code),
        "day": gap.promised_by.isoformat(),
        "number": application.number or "—",
        "enterprise": application.enterprise.name,
    }
    late = stage == "late"
    title = _("容缺材料已逾期：《%(item)s》") if late else _("容缺材料将到期：《%(item)s》")
    body = (
        _("申报编号 %(number)s。“%(material)s”承诺 %(day)s 前补齐，已逾期。补齐前不能通过审核，请尽快上传。")
        if late
        else _("申报编号 %(number)s。“%(material)s”请在 %(day)s 前上传，补齐前不能通过审核。")
    )
    yield Message(
        key=f"gap:{gap.pk}:{stage}",
        kind=NotificationKind.APPLICATION,
        title=title % words,
        body=body % words,
        link=link("enterprise:application", application.pk),
        enterprise_id=application.enterprise_id,
        item_id=application.item_id,
        department_id=application.item.department_id,
    )
    if not late:
        return
    acting = next((role for role in _DESK if APPLICATION.actions(application.status, role)), Role.REVIEWER)
    for user_id in at_desk(application, acting, now):
        yield Message(
            key=f"gap:{gap.pk}:{stage}:{user_id}",
            kind=NotificationKind.APPLICATION,
            title=_("容缺材料逾期未补：%(enterprise)s《%(item)s》") % words,
            body=_(
                "申报编号 %(number)s。“%(material)s”承诺 %(day)s 前补齐，至今未到。可以要求补正，逾期未补正的视为撤回。"
            )
            % words,
            link=link("desk:application", application.pk),
            user_id=user_id,
            item_id=application.item_id,
            department_id=application.item.department_id,
        )
