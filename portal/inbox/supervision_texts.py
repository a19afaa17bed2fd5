"""What people of the district are told of time limits: warnings, cards, urgings, contested lines; no enterprise is.

Whoever is away hears nothing: their deputy does. Cards go to those who lead and who supervise the department, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.domain.clocks import Colour
from disbursement.domain.supervision import WarningLevel
from disbursement.domain.workflow import ClockStep
from disbursement.models import ClockCard, ClockWarning, EntryAppeal, StepClock, Urging
from portal.accounts.access import REVIEW_ROLES
from portal.accounts.models import StaffRole
from portal.accounts.people import joint_reviewers
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link
from portal.inbox.whom import holders, present

# Who could take up a step that nobody has.
_WORKING = {
    ClockStep.ACCEPTANCE: StaffRole.ACCEPTOR,
    ClockStep.REVIEW: StaffRole.REVIEWER,
    ClockStep.APPEAL: StaffRole.SECOND_REVIEWER,
}


def of_warning(*, warning_id: int, now: datetime) -> Iterator[Message]:
    """There is still time: to whoever holds the step, or could."""
    warning = ClockWarning.objects.select_related("clock__application__item", "clock__application__enterprise").get(
        pk=warning_id
    )
    clock = warning.clock
    label = WarningLevel(warning.level).label
    yield from _to(
        _holding(clock, holder_id=warning.holder_id, now=now),
        clock,
        key=f"warning:{warning.pk}",
        title=_("%(level)s：%(step)s还剩 %(left)s 个工作日"),
        body=_("%(subject)s：%(step)s已用 %(used)s 个工作日，承诺 %(limit)s 个。请及时办理。"),
        words={"level": label, "used": warning.used, "limit": warning.limit, "left": warning.limit - warning.used},
    )


def of_card(*, card_id: int, now: datetime) -> Iterator[Message]:
    """A yellow or red card: to whoever it charges, to the department's second reviewers, and to its supervisors."""
    card = ClockCard.objects.select_related("clock__application__item", "clock__application__enterprise").get(
        pk=card_id
    )
    people = [
        *_holding(card.clock, holder_id=card.holder_id, now=now),
        *present(holders({StaffRole.SECOND_REVIEWER, StaffRole.SUPERVISOR}, card.department_id), now),
    ]
    yield from _to(
        people,
        card.clock,
        key=f"card:{card.pk}",
        title=_("%(colour)s：%(step)s已用 %(used)s 个工作日"),
        body=_("%(subject)s：%(step)s已用 %(used)s 个工作日，承诺 %(limit)s 个，已记入监察台账。"),
        words={"colour": Colour(card.colour).label, "used": card.used, "limit": card.limit},
    )


def of_urging(*, urging_id: int, event: str, now: datetime) -> Iterator[Message]:
    """Sent and closed: to the person urged, or to the department; answered: to the supervisor who sent it."""
    urging = Urging.objects.select_related("department").get(pk=urging_id)
    title = {
        "sent": _("督办：请于 %(day)s 前提交整改说明"),
        "answered": _("%(department)s已提交整改说明"),
        "closed": _("督办已办结：整改到位") if urging.is_settled else _("督办已办结：整改未到位"),
    }[event] % {"day": urging.due_on.isoformat(), "department": urging.department}
    body = {"sent": urging.text, "answered": urging.reply, "closed": urging.closing}[event]
    if event == "answered":
        people = [urging.sent_by_id]
    else:
        own = [] if urging.person_id is None else present([urging.person_id], now)
        people = [*own, *present(holders(set(REVIEW_ROLES), urging.department_id), now)]
    for user_id in dict.fromkeys(people):
        yield Message(
            key=f"urging:{urging.pk}:{event}:{user_id}",
            kind=NotificationKind.SUPERVISION,
            title=title,
            body=body,
            link=link("desk:urging", urging.pk),
            user_id=user_id,
            department_id=urging.department_id,
        )


def of_appeal(*, appeal_id: int, decided: bool) -> Iterator[Message]:
    """A line is contested: to the supervisors of its department; decided: to whoever contested it."""
    appeal = EntryAppeal.objects.select_related("entry__department").get(pk=appeal_id)
    entry = appeal.entry
    if decided:
        title = _("申辩成立，记录已撤销") if appeal.is_struck else _("申辩不成立，记录保留")
        people, body = [appeal.filed_by_id], appeal.decision
    else:
        title = _("%(department)s对一条监察记录提出申辩") % {"department": entry.department}
        people, body = holders({StaffRole.SUPERVISOR}, entry.department_id), appeal.grounds
    for user_id in dict.fromkeys(people):
        yield Message(
            key=f"entry-appeal:{appeal.pk}:{'decided' if decided else 'filed'}:{user_id}",
            kind=NotificationKind.SUPERVISION,
            title=title,
            body=body,
            link=link("desk:ledger_entry", entry.pk),
            user_id=user_id,
            department_id=entry.department_id,
        )


def _to(
    people: Iterable[int], clock: StepClock, *, key: str, title: str, body: str, words: dict[str, object]
) -> Iterator[Message]:
    application = clock.application
    names = {
        **words,
        "step": ClockStep(clock.step).label,
        "subject": f"{application.enterprise.name}《{application.item.name}》{application.number or ''}",
    }
    for user_id in dict.fromkeys(people):
        yield Message(
            key=f"{key}:{user_id}",
            kind=NotificationKind.SUPERVISION,
            title=title % names,
            body=body % names,
            link=link("desk:application", application.pk),
            user_id=user_id,
            item_id=application.item_id,
            department_id=clock.department_id,
        )


def _holding(clock: StepClock, *, holder_id: int | None, now: datetime) -> list[int]:
    if holder_id is not None:
        return present([holder_id], now)
    if clock.step == ClockStep.JOINT:
        return present(joint_reviewers(department_id=clock.department_id), now)
    return present(holders({_WORKING[ClockStep(clock.step)]}, clock.department_id), now)
