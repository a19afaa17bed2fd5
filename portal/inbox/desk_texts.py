"""What reviewers are told of their own work: what came to their desk, from where, and by when it is promised.

A message tells of work that waits. Where it was done before anybody could be told (the machine decided, somebody was
quicker) nobody is. Whoever is away hears nothing: their deputy does; who has to keep away from it hears nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.workflow import ApplicationAction as Act
from disbursement.domain.workflow import ApplicationState as State
from disbursement.domain.workflow import Role
from disbursement.models import Appeal, Application, JointReview, Rectification, TransitionLog
from disbursement.models.rating import LOWEST_TWO
from portal.accounts.access import REVIEW_ROLES
from portal.accounts.people import joint_reviewers
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link
from portal.inbox.whom import at_desk, free, holders, present

# What a step leaves to do, in the state that it led to: as which role it is then acted, and the words for it.
_WORK: dict[tuple[Act, State], tuple[Role, str | Promise]] = {
    (Act.SUBMIT, State.SUBMITTED): (Role.ACCEPTOR, gettext_lazy("新申报待受理")),
    (Act.SUPPLY, State.SUBMITTED): (Role.ACCEPTOR, gettext_lazy("补正已提交，待受理")),
    (Act.SUPPLY, State.IN_REVIEW): (Role.REVIEWER, gettext_lazy("补正已提交，待审核")),
    (Act.ACCEPT, State.ACCEPTED): (Role.REVIEWER, gettext_lazy("已受理的申报待审核")),
    (Act.ACCEPT_WITH_GAP, State.ACCEPTED): (Role.REVIEWER, gettext_lazy("容缺受理的申报待审核")),
    (Act.GATHER_OPINIONS, State.IN_REVIEW): (Role.REVIEWER, gettext_lazy("部门会审意见已收齐，请继续审核")),
    (Act.RECOMMEND_APPROVAL, State.SECOND_REVIEW): (Role.SECOND_REVIEWER, gettext_lazy("初审建议通过，待复审")),
    (Act.RECOMMEND_REJECTION, State.SECOND_REVIEW): (Role.SECOND_REVIEWER, gettext_lazy("初审建议不通过，待复审")),
    (Act.SEND_BACK, State.IN_REVIEW): (Role.REVIEWER, gettext_lazy("复审退回，请重新审核")),
    (Act.APPEAL, State.APPEAL): (Role.APPEAL_REVIEWER, gettext_lazy("企业申请复核，由另一名复审人办理")),
}


def of_step(*, application_id: int, action: str, seq: int, now: datetime) -> Iterator[Message]:
    """A step of an application: to whoever has it on the desk now, or could take it up."""
    application = Application.objects.select_related("item", "enterprise").get(pk=application_id)
    if Act(action) is Act.ASK_DEPARTMENTS:
        yield from _asked(application, seq=seq, now=now)
        return
    work = _WORK.get((Act(action), application.status))
    if work is None or application.revision != seq:
        return
    acting, title = work
    log = TransitionLog.objects.filter(application=application, seq=seq).first()
    but = None if log is None else log.actor_id
    reason = log.note if log is not None and Act(action) is Act.SEND_BACK else ""
    if Act(action) is Act.APPEAL:
        reason = "".join(Appeal.objects.filter(application=application).values_list("grounds", flat=True))
    for user_id in at_desk(application, acting, now):
        if user_id == but:
            continue  # whoever has just done it
        yield _message(
            application,
            key=f"desk:{application.pk}:{seq}:{user_id}",
            title=str(title),
            body=_("原因：%(reason)s") % {"reason": reason} if reason else "",
            user_id=user_id,
            department_id=application.item.department_id,
        )


def _asked(application: Application, *, seq: int, now: datetime) -> Iterator[Message]:
    """Departments that are asked for an opinion: to their reviewers."""
    if application.status is not State.JOINT_REVIEW:
        return
    for asked in JointReview.objects.filter(application=application, at__isnull=True).order_by("pk"):
        people = present(joint_reviewers(department_id=asked.department_id), now)
        for user_id in free(people, application, Role.JOINT_REVIEWER):
            if user_id == asked.asked_by_id:
                continue
            yield _message(
                application,
                key=f"desk:{application.pk}:{seq}:asked:{asked.department_id}:{user_id}",
                title=_("请在 %(days)s 个工作日内出具会审意见") % {"days": asked.limit},
                body=_("会审事项：%(question)s") % {"question": asked.question},
                user_id=user_id,
                department_id=asked.department_id,
            )


def of_low_rating(*, application_id: int, level: int, now: datetime) -> Iterator[Message]:
    """A low rating has to be answered: to the reviewers of the department."""
    found = (
        Rectification.objects.select_related("rating__application__item", "rating__application__enterprise")
        .filter(rating__application=application_id, answered_at__isnull=True)
        .first()
    )
    if level not in LOWEST_TWO or found is None:
        return
    application = found.rating.application
    for user_id in present(holders(REVIEW_ROLES, found.department_id), now):
        yield _message(
            application,
            key=f"rectification:{found.pk}:opened:{user_id}",
            title=_("收到差评，请于 %(day)s 前答复") % {"day": found.due_on.isoformat()},
            body=found.rating.comment,
            user_id=user_id,
            department_id=found.department_id,
            place=link("desk:rectification", found.pk),
            kind=NotificationKind.SERVICE,
        )


def _message(
    application: Application,
    *,
    key: str,
    title: str,
    body: str,
    user_id: int,
    department_id: int,
    place: str = "",
    kind: NotificationKind = NotificationKind.APPLICATION,
) -> Message:
    subject = _("%(enterprise)s《%(item)s》") % {
        "enterprise": application.enterprise.name,
        "item": application.item.name,
    }
    number = _("申报编号 %(number)s。") % {"number": application.number or "—"}
    return Message(
        key=key,
        kind=kind,
        title=f"{title}：{subject}",
        body=number + body,
        link=place or link("desk:application", application.pk),
        user_id=user_id,
        item_id=application.item_id,
        department_id=department_id,
    )
