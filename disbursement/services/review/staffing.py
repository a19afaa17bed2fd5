"""On whose desk an application lies: assigned to whoever has the least, passed on with a reason, or to a deputy.

A deputy holds the same roles in the same departments and acts as themselves; what bars the one who is away bars the
deputy too (`services.review.standing`). Who is away, and until when, is looked at by day (Asia/Shanghai): nothing has
to be switched back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import STAFF, Conflict
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import APPLICATION, UNDER_WAY, ApplicationState, Role
from disbursement.models import (
    Absence,
    Application,
    Handover,
    HandoverKind,
    InterestDeclaration,
    Participation,
)
from disbursement.services.application.applications import lock
from disbursement.services.review import interests
from disbursement.services.review.standing import Past, loans, past_of, roles_for, standing_of
from disbursement.services.supervision import clocks
from matching.days import day_of

DESK_ROLES = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER, Role.APPEAL_REVIEWER)


def deputies(*, as_of: date, people: Collection[int] | None = None) -> dict[int, Absence]:
    """Who is away on a day, by person, with the absence that names the deputy."""
    found = Absence.objects.filter(ended_at__isnull=True, starts_on__lte=as_of, ends_on__gte=as_of)
    if people is not None:
        found = found.filter(person_id__in=people)
    return {absence.person_id: absence for absence in found.order_by("pk")}


def principals(*, application_ids: Collection[int]) -> dict[int, str]:
    """In whose place the applications lie on a deputy's desk now, by application: the name. At most two queries."""
    return {pk: str(loan.giver) for pk, loan in loans(application_ids=application_ids).items()}


def _is_barred(*, application: Application, user_id: int, working: Role) -> bool:
    """Whether the person could not go on, in that role, with what lies on the desk: another role before, or an
    interest.
    """
    roles = {Role(part.role): part.user_id for part in Participation.objects.filter(application=application)}
    mine = {role for role, person in roles.items() if person == user_id}
    if mine and working not in mine:
        return True
    return InterestDeclaration.objects.filter(
        user_id=user_id, enterprise_id=application.enterprise_id, ended_at__isnull=True
    ).exists()


def _role_at(application: Application) -> Role:
    """The staff role that has the application now; of a state that waits, the one it goes back to."""
    waiting = {
        ApplicationState.CORRECTION: Role.ACCEPTOR,
        ApplicationState.REVIEW_CORRECTION: Role.REVIEWER,
        ApplicationState.JOINT_REVIEW: Role.REVIEWER,
        ApplicationState.PUBLICITY: Role.SECOND_REVIEWER,
    }
    state = application.status
    if state in waiting:
        return waiting[state]
    return next((role for role in DESK_ROLES if APPLICATION.actions(state, role)), Role.SECOND_REVIEWER)


def give_back(*, application: Application, user_id: int | None, now: datetime) -> None:
    """Put a locked application back on a reviewer's desk, or on their deputy's; in the caller's transition."""
    absence = deputies(as_of=day_of(now), people=[user_id]).get(user_id) if user_id is not None else None
    if absence is None:
        application.handler_id = user_id
        return
    if application.handler_id != user_id:
        Application.objects.filter(pk=application.pk).update(handler_id=user_id)
        application.handler_id = user_id
    # The state is still that of whoever sends it back.
    pass_on(application=application, absence=absence, now=now, working=Role.REVIEWER)


def pass_on(*, application: Application, absence: Absence, now: datetime, working: Role | None = None) -> None:
    working = working or _role_at(application)
    barred = _is_barred(application=application, user_id=absence.deputy_id, working=working)
    hand_over(
        application=application,
        kind=HandoverKind.RELEASED if barred else HandoverKind.DEPUTISED,
        taker_id=None if barred else absence.deputy_id,
        by_id=None,
        reason="",
        absence=absence,
        now=now,
    )


def assign(*, application_id: int, candidates: Iterable[Actor], actor: Actor, now: datetime) -> Application:
    """Give an unclaimed application to whoever has the least (分派): of `candidates`, those who hold the step's role in
    the department, are there today, and are barred by nothing; ties go to the lower id.

    Raises Invalid where somebody has it, or nobody could take it.
    """
    with transaction.atomic():
        application = lock(application_id=application_id)
        _check_may_assign(application=application, actor=actor)
        if application.handler_id is not None:
            raise Invalid(Fault("handler", _("这件申报已在经办人员手中，需要换人请使用“改派”。")))
        fitting = _fitting(application=application, candidates=candidates, now=now)
        if not fitting:
            raise Invalid(Fault("candidates", _("没有可以分派的人员：都不在岗、须回避，或者没有这一环节的职责。")))
        loads = load_of(user_ids=[person.user_id or 0 for person in fitting])
        chosen = min(fitting, key=lambda person: (loads[person.user_id or 0], person.user_id or 0))
        hand_over(
            application=application,
            kind=HandoverKind.ASSIGNED,
            taker_id=chosen.user_id,
            by_id=actor.user_id,
            reason="",
            absence=None,
            now=now,
        )
    return application


def reassign(*, application_id: int, taker: Actor, reason: str, actor: Actor, now: datetime) -> Application:
    """Pass an application to another person of the department, with a reason (改派), by whoever has it or a second
    reviewer. Raises Conflict where the taker is barred, Invalid without a reason or where the taker is away.
    """
    with transaction.atomic():
        application = lock(application_id=application_id)
        _check_may_assign(application=application, actor=actor, only_own=True)
        assert taker.user_id is not None
        if not reason.strip():
            raise Invalid(Fault("reason", _("请写明改派理由。")))
        if taker.user_id == application.handler_id:
            raise Invalid(Fault("taker", _("这件申报已在该人员手中。")))
        if taker.user_id in deputies(as_of=day_of(now), people=[taker.user_id]):
            raise Invalid(Fault("taker", _("该人员今天不在岗，请改派给其他人员。")))
        _check_can_take(application=application, person=taker)
        hand_over(
            application=application,
            kind=HandoverKind.REASSIGNED,
            taker_id=taker.user_id,
            by_id=actor.user_id,
            reason=reason.strip(),
            absence=None,
            now=now,
        )
    return application


def load_of(*, user_ids: Sequence[int]) -> Counter[int]:
    """How many open applications each person has on the desk. One query."""
    rows = Application.objects.filter(handler_id__in=user_ids, state__in=UNDER_WAY).order_by()
    return Counter(pk for pk in rows.values_list("handler_id", flat=True) if pk is not None)


def can_take(*, application: Application, candidates: Iterable[Actor], now: datetime) -> list[Actor]:
    """Who of them could have the application on the desk now, the least loaded first."""
    fitting = _fitting(application=application, candidates=candidates, now=now)
    loads = load_of(user_ids=[person.user_id or 0 for person in fitting])
    return sorted(fitting, key=lambda person: (loads[person.user_id or 0], person.user_id or 0))


def _fitting(*, application: Application, candidates: Iterable[Actor], now: datetime) -> list[Actor]:
    people = [person for person in candidates if person.user_id is not None]
    ids = [person.user_id or 0 for person in people]
    away = deputies(as_of=day_of(now), people=ids)
    past = past_of(application=application, user_ids=ids)
    found = []
    for person in people:
        if person.user_id in away:
            continue
        try:
            _check_can_take(application=application, person=person, past=past)
        except (Conflict, Denied, Invalid):
            continue
        found.append(person)
    return found


def _check_can_take(*, application: Application, person: Actor, past: Past | None = None) -> None:
    role = _role_at(application)
    if role not in roles_for(application=application, actor=person):
        raise Invalid(Fault("taker", _("该人员在本部门没有“%(role)s”职责。") % {"role": role.label}))
    standing_of(application=application, actor=person, past=past).check(role)


def _check_may_assign(*, application: Application, actor: Actor, only_own: bool = False) -> None:
    held = roles_for(application=application, actor=actor) & STAFF
    is_own = actor.user_id is not None and application.handler_id in (None, actor.user_id)
    if not held & set(DESK_ROLES) or (only_own and not is_own and Role.SECOND_REVIEWER not in held):
        raise Denied(_("分派由本部门人员办理；他人手中的申报由复审人改派。"))
    if application.state not in UNDER_WAY:
        raise Invalid(Fault("application", _("这件申报已经办结或还没有提交，不需要分派。")))
    # Who has to keep away does not choose who decides either; but what is on their own desk they must get rid of.
    if application.handler_id is None or application.handler_id != actor.user_id:
        interests.keep_away(actor=actor, enterprise=application.enterprise, subject=_("分派这件申报"))


def hand_over(
    *,
    application: Application,
    kind: HandoverKind,
    taker_id: int | None,
    by_id: int | None,
    reason: str,
    absence: Absence | None,
    now: datetime,
) -> None:
    # The log first: the database checks that it was the giver's to give.
    Handover.objects.create(
        application=application,
        kind=kind,
        giver_id=application.handler_id,
        taker_id=taker_id,
        absence=absence,
        reason=reason[:300],
        by_id=by_id,
        at=now,
    )
    application.handler_id = taker_id
    application.updated_at = now
    Application.objects.filter(pk=application.pk).update(handler_id=taker_id, updated_at=now)
    clocks.hand_over(application=application)
