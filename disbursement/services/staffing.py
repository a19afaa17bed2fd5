"""On whose desk an application lies: assigned to whoever has the least, passed on with a reason, or to a deputy.

A deputy holds the same roles in the same departments and acts as themselves; what bars the one who is away bars the
deputy too (`services.standing`). Who is away, and until when, is looked at by day (Asia/Shanghai): nothing has to be
switched back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.conflicts import STAFF, Conflict
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import APPLICATION, ApplicationState, Role
from disbursement.models import (
    Absence,
    Application,
    Handover,
    HandoverKind,
    InterestDeclaration,
    Participation,
)
from disbursement.services import clocks
from disbursement.services.applications import lock
from disbursement.services.standing import roles_for, standing_of
from matching.days import day_of

DESK_ROLES = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER, Role.APPEAL_REVIEWER)
# States that somebody of the department still has on the desk, at work or waiting.
_OPEN = tuple(
    state.value
    for state in ApplicationState
    if state not in (ApplicationState.DRAFT, ApplicationState.APPROVED, ApplicationState.REJECTED)
    and not APPLICATION.is_final(state)
)


def declare_absence(
    *,
    person: Actor,
    deputy: Actor,
    starts_on: date,
    ends_on: date,
    reason: str,
    actor: Actor,
    now: datetime,
    is_administrator: bool = False,
) -> Absence:
    """A person will be away, both days included, and the deputy stands in (离岗代理); declared by the person, or by an
    administrator for them. What is due today moves at once.

    Raises Invalid where the deputy lacks one of the person's review roles in its department, is away too, or the days
    cannot be.
    """
    if actor.user_id is None or (actor.user_id != person.user_id and not is_administrator):
        raise Denied(_("离岗由本人登记，或者由系统管理员代为登记。"))
    assert person.user_id is not None
    assert deputy.user_id is not None
    with transaction.atomic():
        # Two declarations for the same people take turns, in the order of ids.
        list(
            get_user_model().objects.select_for_update().filter(pk__in=[person.user_id, deputy.user_id]).order_by("pk")
        )
        faults = _absence_faults(person=person, deputy=deputy, starts_on=starts_on, ends_on=ends_on, today=day_of(now))
        if not reason.strip():
            faults.append(Fault("reason", _("请写明离岗事由，例如“年休假”。")))
        if faults:
            raise Invalid(faults)
        absence = Absence.objects.create(
            person_id=person.user_id,
            deputy_id=deputy.user_id,
            starts_on=starts_on,
            ends_on=ends_on,
            reason=reason.strip(),
            declared_by_id=actor.user_id,
            declared_at=now,
        )
        if starts_on <= day_of(now):
            _move_to_deputy(absence=absence, now=now)
    return absence


def _absence_faults(*, person: Actor, deputy: Actor, starts_on: date, ends_on: date, today: date) -> list[Fault]:
    faults = []
    if person.user_id == deputy.user_id:
        return [Fault("deputy", _("代理人员不能是本人。"))]
    if ends_on < starts_on or ends_on < today:
        faults.append(Fault("ends_on", _("结束日不能早于开始日，也不能早于今天。")))
    if starts_on < today:
        faults.append(Fault("starts_on", _("开始日不能早于今天：已经过去的日子由本人负责。")))
    mine = {grant for grant in person.grants if grant.role in DESK_ROLES}
    if not mine:
        faults.append(Fault("person", _("该人员没有审核职责，无需登记代理。")))
    lacking = [grant for grant in mine if not deputy.holds(grant.role, department_id=grant.department_id)]
    if lacking:
        roles = "、".join(sorted({grant.role.label for grant in lacking}))
        text = _("代理人员在该部门没有“%(roles)s”职责。请选择同部门、同职责的人员。")
        faults.append(Fault("deputy", text % {"roles": roles}))
    alive = Absence.objects.filter(ended_at__isnull=True, starts_on__lte=ends_on, ends_on__gte=starts_on)
    if alive.filter(person_id=person.user_id).exists():
        faults.append(Fault("starts_on", _("这段时间已登记过离岗，请先结束原来的登记。")))
    if alive.filter(person_id=deputy.user_id).exists():
        faults.append(Fault("deputy", _("代理人员这段时间也不在岗，请另选人员。")))
    if alive.filter(deputy_id=person.user_id).exists():
        faults.append(Fault("person", _("该人员这段时间正代理他人，请先为被代理人另选人员。")))
    return faults


@transaction.atomic
def end_absence(*, absence_id: int, actor: Actor, now: datetime, is_administrator: bool = False) -> Absence:
    """Back early (提前返岗): what the deputy still has is handed back at once."""
    absence = Absence.objects.select_for_update(of=("self",)).filter(pk=absence_id).first()
    if absence is None or (actor.user_id != absence.person_id and not is_administrator):
        raise Denied(_("没有这项登记，或者不是您本人的登记。"))
    if absence.ended_at is None:
        absence.ended_at = now
        absence.save(update_fields=["ended_at"])
        _hand_back(absence=absence, now=now)
    return absence


def deputies(*, as_of: date, people: Collection[int] | None = None) -> dict[int, Absence]:
    """Who is away on a day, by person, with the absence that names the deputy."""
    found = Absence.objects.filter(ended_at__isnull=True, starts_on__lte=as_of, ends_on__gte=as_of)
    if people is not None:
        found = found.filter(person_id__in=people)
    return {absence.person_id: absence for absence in found.order_by("pk")}


def keep_up(*, now: datetime) -> tuple[int, int]:
    """The night's round: move the desks of whoever is away from today on, hand back what was stood in for until
    yesterday; how many applications moved, and came back. Can run twice.
    """
    today = day_of(now)
    over = Absence.objects.filter(ends_on__lt=today, ended_at__isnull=True, handovers__isnull=False).distinct()
    back = sum(_hand_back(absence=absence, now=now) for absence in over.order_by("pk"))
    moved = sum(_move_to_deputy(absence=absence, now=now) for absence in deputies(as_of=today).values())
    return moved, back


def _move_to_deputy(*, absence: Absence, now: datetime) -> int:
    mine = Application.objects.filter(handler_id=absence.person_id, state__in=_OPEN).order_by("pk")
    return sum(_pass_on(application_id=pk, absence=absence, now=now) for pk in mine.values_list("pk", flat=True))


@transaction.atomic
def _pass_on(*, application_id: int, absence: Absence, now: datetime) -> bool:
    application = lock(application_id=application_id)
    if application.handler_id != absence.person_id:
        return False
    taker = None if _is_barred(application=application, user_id=absence.deputy_id) else absence.deputy_id
    kind = HandoverKind.RELEASED if taker is None else HandoverKind.DEPUTISED
    _hand_over(application=application, kind=kind, taker_id=taker, by_id=None, reason="", absence=absence, now=now)
    return True


def _hand_back(*, absence: Absence, now: datetime) -> int:
    lent = Application.objects.filter(
        handler_id=absence.deputy_id, state__in=_OPEN, handovers__absence=absence
    ).distinct()
    back = 0
    for pk in list(lent.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            application = lock(application_id=pk)
            last = Handover.objects.filter(application=application).order_by("-pk").first()
            if application.handler_id != absence.deputy_id or last is None or last.absence_id != absence.pk:
                continue  # taken over in another way meanwhile
            _hand_over(
                application=application,
                kind=HandoverKind.RETURNED,
                taker_id=absence.person_id,
                by_id=None,
                reason="",
                absence=absence,
                now=now,
            )
            back += 1
    return back


def _is_barred(*, application: Application, user_id: int) -> bool:
    """Whether the person could not go on with what lies on the desk: another role before, or an interest."""
    roles = {Role(part.role): part.user_id for part in Participation.objects.filter(application=application)}
    mine = {role for role, person in roles.items() if person == user_id}
    working = _role_at(application)
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
    """Put a locked application back on a person's desk, or on their deputy's; in the caller's transition."""
    absence = deputies(as_of=day_of(now), people=[user_id]).get(user_id) if user_id is not None else None
    if absence is None:
        application.handler_id = user_id
        return
    if application.handler_id != user_id:
        Application.objects.filter(pk=application.pk).update(handler_id=user_id)
        application.handler_id = user_id
    _pass_on_locked(application=application, absence=absence, now=now)


def _pass_on_locked(*, application: Application, absence: Absence, now: datetime) -> None:
    barred = _is_barred(application=application, user_id=absence.deputy_id)
    _hand_over(
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
        _hand_over(
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
        _hand_over(
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
    rows = Application.objects.filter(handler_id__in=user_ids, state__in=_OPEN).order_by()
    return Counter(pk for pk in rows.values_list("handler_id", flat=True) if pk is not None)


def can_take(*, application: Application, candidates: Iterable[Actor], now: datetime) -> list[Actor]:
    """Who of them could have the application on the desk now, the least loaded first."""
    fitting = _fitting(application=application, candidates=candidates, now=now)
    loads = load_of(user_ids=[person.user_id or 0 for person in fitting])
    return sorted(fitting, key=lambda person: (loads[person.user_id or 0], person.user_id or 0))


def _fitting(*, application: Application, candidates: Iterable[Actor], now: datetime) -> list[Actor]:
    people = [person for person in candidates if person.user_id is not None]
    away = deputies(as_of=day_of(now), people=[person.user_id or 0 for person in people])
    found = []
    for person in people:
        if person.user_id in away:
            continue
        try:
            _check_can_take(application=application, person=person)
        except (Conflict, Denied, Invalid):
            continue
        found.append(person)
    return found


def _check_can_take(*, application: Application, person: Actor) -> None:
    role = _role_at(application)
    if role not in roles_for(application=application, actor=person):
        raise Invalid(Fault("taker", _("该人员在本部门没有“%(role)s”职责。") % {"role": role.label}))
    standing_of(application=application, actor=person).check(role)


def _check_may_assign(*, application: Application, actor: Actor, only_own: bool = False) -> None:
    held = roles_for(application=application, actor=actor) & STAFF
    is_own = actor.user_id is not None and application.handler_id in (None, actor.user_id)
    if not held & set(DESK_ROLES) or (only_own and not is_own and Role.SECOND_REVIEWER not in held):
        raise Denied(_("分派由本部门人员办理；他人手中的申报由复审人改派。"))
    if application.state not in _OPEN:
        raise Invalid(Fault("application", _("这件申报已经办结或还没有提交，不需要分派。")))


def _hand_over(
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
