"""Ratings of the service (好差评): once for each application, after its money came or it ended; a low one must
be answered."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import ApplicationState, PayableState, Role
from disbursement.models import Application, Rating, RatingLevel, Rectification
from disbursement.models.rating import LOWEST_TWO
from disbursement.selectors.calendar import working_calendar
from disbursement.services.application.applications import lock
from matching.days import day_of
from matching.registry import outbox

# Working days within which a department answers a low rating.
RECTIFY_WITHIN = 10

_PAID = (PayableState.PAID.value, PayableState.SETTLED.value)
# Who was refused, or whose money was cancelled, was served, too.
_ENDED = (
    ApplicationState.NOT_ACCEPTED,
    ApplicationState.REJECTED,
    ApplicationState.REJECTION_UPHELD,
    ApplicationState.CLOSED,
)
_ANSWERING = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER)


def is_rateable(*, application: Application) -> bool:
    """Whether the enterprise may rate the application now: it ended or something was paid, and no rating was given."""
    return _is_time(application) and not Rating.objects.filter(application=application).exists()


def may_rate(*, application: Application, actor: Actor) -> bool:
    """Whether it may be rated, and this person's enterprise is the one to do it."""
    return actor.acts_for(application.enterprise_id) and is_rateable(application=application)


def _is_time(application: Application) -> bool:
    return application.status in _ENDED or application.payables.filter(state__in=_PAID).exists()


@transaction.atomic
def rate(*, application_id: int, level: int, actor: Actor, now: datetime, comment: str = "") -> Rating:
    """Rate from 5 (very satisfied) to 1 (very dissatisfied); 2 and 1 open a rectification due in ten working days.

    Emits `rating.given` {application_id, level}. Raises Denied, or Invalid where it is too early or was done before.
    """
    application = lock(application_id=application_id)
    if not actor.acts_for(application.enterprise_id) or actor.user_id is None:
        raise Denied(_("没有这件申报，或者您无权评价。"))
    if level not in RatingLevel.values:
        raise Invalid(Fault("level", _("请在“非常满意”至“非常不满意”五级中选择。")))
    if Rating.objects.filter(application=application).exists():
        raise Invalid(Fault("level", _("这件申报已经评价过，谢谢。")))
    if not _is_time(application):
        raise Invalid(Fault("level", _("资金到账后，或者办理有了结果后，即可评价。")))
    low = level in LOWEST_TWO
    due = working_calendar().add_working_days(day_of(now), RECTIFY_WITHIN) if low else None
    rating = Rating.objects.create(
        application=application,
        level=level,
        comment=comment.strip(),
        rated_by_id=actor.user_id,
        rated_at=now,
        rectify_by=due,
    )
    if due is not None:
        Rectification.objects.create(
            rating=rating, department_id=application.item.department_id, due_on=due, opened_at=now
        )
    outbox.emit(
        topic="rating.given",
        payload={"application_id": application.pk, "level": level},
        now=now,
        dedupe_key=f"rating.given:{application.pk}",
    )
    return rating


@transaction.atomic
def answer(*, rectification_id: int, reply: str, actor: Actor, now: datetime) -> Rectification:
    """The department says what it mended (整改答复), once. Emits `rating.answered` {application_id}."""
    found = (
        Rectification.objects.select_for_update(of=("self",), no_key=True)
        .select_related("rating")
        .filter(pk=rectification_id)
        .first()
    )
    if found is None or not any(actor.holds(role, department_id=found.department_id) for role in _ANSWERING):
        raise Denied(_("没有这件整改，或者它属于其他部门。"))
    if found.answered_at is not None:
        raise Invalid(Fault("reply", _("这件整改已经答复过。")))
    if not reply.strip():
        raise Invalid(Fault("reply", _("请写明整改情况。")))
    found.reply, found.answered_by_id, found.answered_at = reply.strip(), actor.user_id, now
    found.save()
    outbox.emit(
        topic="rating.answered",
        payload={"application_id": found.rating.application_id},
        now=now,
        dedupe_key=f"rating.answered:{found.pk}",
    )
    return found
