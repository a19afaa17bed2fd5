"""The life of an application. `transition` is the only place in the house that changes its state.

Each public function takes ids, `actor` and `now` (aware), is atomic, and raises what `domain.errors.REFUSALS` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.conflicts import STAFF, Conflict
from disbursement.domain.errors import Denied
from disbursement.domain.workflow import (
    APPLICATION,
    PAYABLE_DONE,
    ApplicationAction,
    ApplicationState,
    Refused,
    Role,
)
from disbursement.models import (
    Application,
    DraftSheet,
    Participation,
    Payable,
    TransitionLog,
)
from disbursement.services.delivery import after_steps as delivery
from disbursement.services.review.standing import (
    BESIDE_THE_DESK,
    Standing,
    may_see,
    roles_for,
    standing_of,
    stands_in_for,
    stays_on_desk,
)
from disbursement.services.supervision import clocks, pay_month
from matching.registry import outbox

__all__ = [
    "TOPIC",
    "check_conflicts",
    "close_if_settled",
    "close_settled",
    "lock",
    "may_see",
    "permitted_actions",
    "roles_for",
    "standing_of",
    "stands_in_for",
    "take_part",
    "transition",
    "withdraw",
]

TOPIC = "application.changed"


def lock(*, application_id: int) -> Application:
    """The application's row, locked until the transaction ends. Raises Denied where there is none."""
    found = (
        Application.objects.select_for_update(of=("self",), no_key=True)
        .select_related("item", "version", "enterprise")
        .filter(pk=application_id)
        .first()
    )
    if found is None:
        raise Denied(_("没有这件申报。"))
    return found


@contextmanager
def transition(
    *,
    application_id: int,
    action: ApplicationAction,
    actor: Actor,
    now: datetime,
    note: str = "",
    role: Role | None = None,
) -> Iterator[Application]:
    """Lock, check, change, log and announce one transition, all in one transaction.

    The body of the `with` runs between check and change: it sets the other fields and writes the rows that belong to
    the transition; an exception from it undoes everything. `role` names in which of the actor's roles they act; without
    it the table's roles for this step are tried. Raises Denied, WrongState, WrongRole or Conflict.
    """
    with transaction.atomic():
        application = lock(application_id=application_id)
        standing = standing_of(application=application, actor=actor)
        row, acting = standing.permit(action, role)
        _note_part(application=application, standing=standing, role=acting, now=now)
        if acting not in BESIDE_THE_DESK:
            application.handler_id = actor.user_id if stays_on_desk(target=row.target, role=acting) else None
        elif action is ApplicationAction.SUBMIT:
            application.handler_id = None
        yield application
        application.state = row.target.value
        application.revision += 1
        application.updated_at = now
        # The log first: the database lets a state change only if the log says so.
        TransitionLog.objects.create(
            application=application,
            seq=application.revision,
            action=action.value,
            source=row.source.value,
            target=row.target.value,
            role=acting.value,
            actor_id=actor.user_id,
            for_person_id=standing.principal_id if acting in STAFF else None,
            at=now,
            note=note,
        )
        application.save()
        clocks.apply_effects(application=application, effects=row.clock, reason=action.label, now=now)
        pay_month.note(application=application, action=action, now=now)
        delivery.after_step(application=application, action=action, now=now)
        outbox.emit(
            topic=TOPIC,
            payload={
                "application_id": application.pk,
                "action": action.value,
                "state": row.target.value,
                "seq": application.revision,
            },
            now=now,
            dedupe_key=f"{TOPIC}:{application.pk}:{application.revision}",
        )


def permitted_actions(*, application: Application, actor: Actor) -> list[ApplicationAction]:
    """What this person may do with the application now, in table order; for buttons. Conflicts count."""
    if not may_see(application=application, actor=actor):
        return []
    standing = standing_of(application=application, actor=actor)
    found = []
    for row in APPLICATION:
        if row.source != application.status:
            continue
        try:
            standing.permit(row.action)
        except (Refused, Conflict, Denied):
            continue
        found.append(row.action)
    return found


def check_conflicts(*, application: Application, actor: Actor, role: Role) -> None:
    """Raise Conflict where the person may not take part in this role, for what they did before or declared."""
    standing_of(application=application, actor=actor).check(role)


def take_part(*, application: Application, actor: Actor, role: Role, now: datetime) -> None:
    """As `check_conflicts`, and from now on the person has this role on the application and no other.

    For what is done beside a transition. The application is locked by the caller.
    """
    standing = standing_of(application=application, actor=actor)
    standing.check(role)
    _note_part(application=application, standing=standing, role=role, now=now)


def _note_part(*, application: Application, standing: Standing, role: Role, now: datetime) -> None:
    people = [standing.actor.user_id, standing.principal_id if role in STAFF else None]
    for user_id in people:
        if user_id is not None:
            Participation.objects.get_or_create(
                application=application, user_id=user_id, defaults={"role": role.value, "since": now}
            )


@transaction.atomic
def withdraw(*, application_id: int, actor: Actor, now: datetime, reason: str = "") -> Application:
    """The enterprise takes its application back (撤回), at any time before approval."""
    with transition(
        application_id=application_id, action=ApplicationAction.WITHDRAW, actor=actor, now=now, note=reason
    ) as application:
        application.corrections.filter(supplied_at__isnull=True, lapsed_at__isnull=True).update(lapsed_at=now)
        application.publicities.filter(closed_at__isnull=True).update(closed_at=now)
        # How a draft came about goes with it.
        DraftSheet.objects.filter(application=application).delete()
    return application


@transaction.atomic
def close_if_settled(*, application_id: int, now: datetime) -> bool:
    """Close an approved application once each of its payables is done (办结); run again, it changes nothing."""
    application = lock(application_id=application_id)
    states = set(application.payables.values_list("state", flat=True))
    if application.status is not ApplicationState.APPROVED or not states or not states <= PAYABLE_DONE:
        return False
    with transition(
        application_id=application_id, action=ApplicationAction.CLOSE, actor=SYSTEM, now=now
    ) as application:
        application.closed_at = now
    return True


def close_settled(*, now: datetime) -> list[int]:
    """Close whatever is settled and still open; ids of those closed. The nightly net under the events."""
    done = [state.value for state in PAYABLE_DONE]
    waiting = (
        Application.objects.filter(state=ApplicationState.APPROVED.value, payables__isnull=False)
        .exclude(payables__in=Payable.objects.exclude(state__in=done))
        .order_by("pk")
        .distinct()
    )
    return [pk for pk in waiting.values_list("pk", flat=True) if close_if_settled(application_id=pk, now=now)]
