"""The life of an application. `transition` is the only place in the house that changes its state.

Each public function takes ids, `actor` and `now` (aware), is atomic, and raises what `domain.errors.REFUSALS` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.conflicts import Conflict, Deed, check_person
from disbursement.domain.errors import Denied
from disbursement.domain.workflow import (
    APPLICATION,
    PAYABLE_DONE,
    ApplicationAction,
    ApplicationState,
    Refused,
    Role,
    Transition,
)
from disbursement.models import Application, InterestDeclaration, Material, Participation, Payable, TransitionLog
from disbursement.services import clocks
from matching.registry import outbox

TOPIC = "application.changed"

# States in which the application waits for someone else while the same member of staff keeps it.
_KEPT = frozenset(
    {
        ApplicationState.CORRECTION,
        ApplicationState.REVIEW_CORRECTION,
        ApplicationState.EXPERT,
        ApplicationState.PUBLICITY,
    }
)


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
        row, acting = _standing(application=application, actor=actor).permit(action, role)
        _note_part(application=application, actor=actor, role=acting, now=now)
        if acting not in (Role.ENTERPRISE, Role.SYSTEM):
            stays = row.target in _KEPT or bool(APPLICATION.actions(row.target, acting))
            application.handler_id = actor.user_id if stays else None
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
            at=now,
            note=note,
        )
        application.save()
        clocks.apply_effects(application=application, effects=row.clock, reason=action.label, now=now)
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
    standing = _standing(application=application, actor=actor)
    found = []
    for row in APPLICATION:
        if row.source != application.status:
            continue
        try:
            standing.permit(row.action)
        except (Refused, Conflict):
            continue
        found.append(row.action)
    return found


def may_see(*, application: Application, actor: Actor) -> bool:
    """Whether the application is any of this person's business: their enterprise's, or their department's."""
    if actor.is_system or actor.acts_for(application.enterprise_id):
        return True
    return any(grant.department_id in (None, application.item.department_id) for grant in actor.grants)


def roles_for(*, application: Application, actor: Actor) -> frozenset[Role]:
    """The roles in which this person could act on the application, conflicts aside."""
    department_id = application.item.department_id
    if actor.is_system:
        return frozenset({Role.SYSTEM})
    held = {role for role in Role if role is not Role.SYSTEM and actor.holds(role, department_id=department_id)}
    held.discard(Role.ENTERPRISE)
    if actor.acts_for(application.enterprise_id):
        held.add(Role.ENTERPRISE)
    if Role.SECOND_REVIEWER in held:
        # An appeal goes to another second reviewer: no grant of its own is needed, taking part before is excluded.
        held.add(Role.APPEAL_REVIEWER)
    return frozenset(held)


def check_conflicts(*, application: Application, actor: Actor, role: Role) -> None:
    """Raise Conflict where the person may not take part in this role, for what they did before or declared."""
    _standing(application=application, actor=actor).check(role)


def take_part(*, application: Application, actor: Actor, role: Role, now: datetime) -> None:
    """As `check_conflicts`, and from now on the person has this role on the application and no other.

    For what is done beside a transition. The application is locked by the caller.
    """
    check_conflicts(application=application, actor=actor, role=role)
    _note_part(application=application, actor=actor, role=role, now=now)


@dataclass(frozen=True, slots=True)
class _Standing:
    """How a person stands to an application: roles held there, the role taken before, an interest declared."""

    application: Application
    actor: Actor
    held: frozenset[Role]
    earlier: Role | None
    interests: frozenset[int]

    def permit(
        self, action: ApplicationAction, role: Role | None = None
    ) -> tuple[Transition[ApplicationState, ApplicationAction], Role]:
        """The table's row and the role acted in; raises what is in the way."""
        state = self.application.status
        held = self.held if role is None else self.held & {role}
        wanted = next((r.roles for r in APPLICATION if (r.source, r.action) == (state, action)), frozenset())
        fitting = [r for r in Role if r in held and r in wanted]
        if self.earlier in fitting:
            acting = self.earlier
        elif fitting:
            acting = fitting[0]
        else:
            acting = next((r for r in Role if r in held), role or Role.ENTERPRISE)
        row = APPLICATION.find(state, action, acting)
        if not fitting:
            # The table would let this role do it, but the person does not hold it here.
            raise Denied(_("您没有办理这一步的职责。请换由有该职责的人员办理。"))
        self.check(acting)
        return row, acting

    def check(self, role: Role) -> None:
        actor, application = self.actor, self.application
        if actor.user_id is None:
            return
        if role is Role.ENTERPRISE:
            if self.earlier not in (None, role):
                raise Conflict(_("您已以工作人员身份办理过这件申报，不能再以企业身份办理。请由企业其他人员办理。"))
            return
        if self.earlier is Role.ENTERPRISE or actor.acts_for(application.enterprise_id):
            raise Conflict(_("您是这家企业的办理人员，不能以工作人员身份办理它的申报。请由其他人员办理。"))
        check_person(
            person=actor.user_id,
            role=role,
            deeds=[Deed(actor.user_id, self.earlier)] if self.earlier else [],
            interests=self.interests,
            enterprises={application.enterprise_id: application.enterprise.name},
            subject=_("这件申报"),
        )


def _standing(*, application: Application, actor: Actor) -> _Standing:
    if not may_see(application=application, actor=actor):
        raise Denied(_("没有这件申报，或者您无权办理。"))
    earlier, interests = None, frozenset[int]()
    if actor.user_id is not None:
        roles = Participation.objects.filter(application=application, user_id=actor.user_id)
        earlier = next((Role(role) for role in roles.values_list("role", flat=True)), None)
        if earlier is None and actor.grants and _wrote(application=application, user_id=actor.user_id):
            earlier = Role.ENTERPRISE
        declared = InterestDeclaration.objects.filter(
            user_id=actor.user_id, enterprise_id=application.enterprise_id, ended_at__isnull=True
        )
        interests = frozenset(declared.values_list("enterprise_id", flat=True))
    held = roles_for(application=application, actor=actor)
    return _Standing(application=application, actor=actor, held=held, earlier=earlier, interests=interests)


def _wrote(*, application: Application, user_id: int) -> bool:
    """Whether the person began the application or handed in materials for it, as an agent then, and never submitted."""
    return (
        application.created_by_id == user_id
        or Material.objects.filter(application=application, uploaded_by_id=user_id).exists()
    )


def _note_part(*, application: Application, actor: Actor, role: Role, now: datetime) -> None:
    if actor.user_id is not None:
        Participation.objects.get_or_create(
            application=application, user_id=actor.user_id, defaults={"role": role.value, "since": now}
        )


@transaction.atomic
def withdraw(*, application_id: int, actor: Actor, now: datetime, reason: str = "") -> Application:
    """The enterprise takes its application back (撤回), at any time before approval."""
    with transition(
        application_id=application_id, action=ApplicationAction.WITHDRAW, actor=actor, now=now, note=reason
    ) as application:
        application.corrections.filter(supplied_at__isnull=True, lapsed_at__isnull=True).update(lapsed_at=now)
        application.publicities.filter(closed_at__isnull=True).update(closed_at=now)
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
