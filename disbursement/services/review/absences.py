"""Who is away and who stands in (离岗代理): declared with its days, moved by day, handed back by itself."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import UNDER_WAY, Role
from disbursement.models import Absence, Application, HandoverKind
from disbursement.services.application.applications import lock
from disbursement.services.review.staffing import DESK_ROLES, deputies, hand_over, pass_on
from disbursement.services.review.standing import loans
from matching.days import day_of

# Whoever holds one of them signs for the office: what waits has no holder of its own.
FINANCE_ROLES = (Role.FINANCE_MAKER, Role.FINANCE_CHECKER, Role.FINANCE_APPROVER)


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

    Batches and payments are nobody's own: for roles of finance the deputy is told in the person's place, and nothing
    moves. Raises Denied for anybody else who declares it, Invalid where the deputy lacks one of the person's roles in
    its department, is away too, or the days cannot be.
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
    mine = {grant for grant in person.grants if grant.role in (*DESK_ROLES, *FINANCE_ROLES)}
    if not mine:
        faults.append(Fault("person", _("该人员没有审核或财务职责，无需登记代理。")))
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


def keep_up(*, now: datetime) -> tuple[int, int]:
    """The night's round: move the desks of whoever is away from today on, hand back what was stood in for until
    yesterday; how many applications moved, and came back. Can run twice.
    """
    today = day_of(now)
    over = Absence.objects.filter(
        ends_on__lt=today,
        ended_at__isnull=True,
        # Only those of which something may lie with the deputy yet, not every absence that ever was.
        handovers__kind=HandoverKind.DEPUTISED,
        handovers__application__handler_id=F("deputy_id"),
        handovers__application__state__in=UNDER_WAY,
    ).distinct()
    back = sum(_hand_back(absence=absence, now=now) for absence in over.order_by("pk"))
    moved = sum(_move_to_deputy(absence=absence, now=now) for absence in deputies(as_of=today).values())
    return moved, back


def _move_to_deputy(*, absence: Absence, now: datetime) -> int:
    mine = Application.objects.filter(handler_id=absence.person_id, state__in=UNDER_WAY).order_by("pk")
    return sum(_pass_on(application_id=pk, absence=absence, now=now) for pk in mine.values_list("pk", flat=True))


@transaction.atomic
def _pass_on(*, application_id: int, absence: Absence, now: datetime) -> bool:
    application = lock(application_id=application_id)
    if application.handler_id != absence.person_id:
        return False
    pass_on(application=application, absence=absence, now=now)
    return True


def _hand_back(*, absence: Absence, now: datetime) -> int:
    lent = Application.objects.filter(
        handler_id=absence.deputy_id,
        state__in=UNDER_WAY,
        handovers__absence=absence,
        handovers__kind=HandoverKind.DEPUTISED,
    ).distinct()
    back = 0
    for pk in list(lent.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            application = lock(application_id=pk)
            loan = loans(application_ids=[pk]).get(pk)
            if loan is None or loan.absence_id != absence.pk or loan.taker_id != absence.deputy_id:
                continue  # taken over in another way meanwhile, or the deputy's own work
            hand_over(
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
