"""Decisions on an application, and the appeal against one.

Approval reserves the money in the same transaction (`services.award.awards`). Nothing is approved that the criteria do
not call eligible: where a fact was wrong or missing it is mended (`reviews.confirm_facts`), never overruled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from disbursement.models import (
    Appeal,
    Application,
    Decision,
    DecisionDraft,
    DecisionKind,
    Judgement,
    Occasion,
    Publicity,
)
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.invoices import table_of
from disbursement.services.application import judging
from disbursement.services.application.applications import transition
from disbursement.services.award import awards
from disbursement.services.evidence import following as evidence_following
from disbursement.services.review import conditions, steps
from disbursement.services.review.conditions import Reason, check_ticks
from matching.days import day_of

# Calendar days within which a refusal may be appealed, as long as the law gives for an administrative review.
APPEAL_WITHIN = timedelta(days=60)


def approve(
    *, application_id: int, actor: Actor, now: datetime, summary: str = "", ticks: Collection[str] = ()
) -> Application:
    """Approve (审核通过): judge once more, fix the award, reserve the budget and record the decision, all or nothing.

    From second review, from an appeal, or at the end of a publicity (`services.review.publicity`). Raises Invalid where
    gaps are open, a certificate changed and nobody has settled it, the criteria do not call it eligible, publicity
    is still due, or the money cannot be reserved. `ticks` are the codes of the item's checklist for the decision: all
    of them, unless they were ticked before the public was asked.
    """
    with transition(
        application_id=application_id, action=ApplicationAction.APPROVE, actor=actor, now=now, note=summary
    ) as application:
        days = conditions.publicity_days(application)
        if application.status is not ApplicationState.PUBLICITY and days:
            text = _("该事项须先公示 %(days)s 个工作日，请先发起公示。")
            raise Invalid(Fault("publicity", text % {"days": days}))
        publicised = None
        if application.status is ApplicationState.PUBLICITY:
            publicised = _end_publicity(application=application, now=now)
            checklist = publicised.checklist
        else:
            checklist = check_ticks(application=application, step="second_review", ticks=ticks)
        conditions.check_objections(application)
        conditions.check_gaps(application)
        conditions.check_flags(application)
        steps.check_path(application=application)
        judgement = judging.judge(application=application, occasion=Occasion.DECISION, now=now)
        conditions.check_eligible(judgement)
        award = awards.grant(
            application=application,
            judgement=judgement,
            actor=actor,
            now=now,
            invoices=table_of(application=application),
        )
        if publicised is not None and award.amount > publicised.amount:
            text = _("核定金额 %(amount)s 元高于公示的 %(shown)s 元。请退回审核，按新的金额重新公示。")
            raise Invalid(Fault("publicity", text % {"amount": award.amount, "shown": publicised.amount}))
        application.decided_at = now
        application.approved_amount = award.amount
        role = _role_of_decider(application, actor)
        decide(
            application=application,
            kind=DecisionKind.APPROVED,
            actor=actor,
            role=role,
            now=now,
            summary=summary or _("符合申报条件，审核通过。"),
            amount=award.amount,
            judgement=judgement,
            checklist=checklist,
        )
        drop_draft(application=application, actor=actor)
    return application


def reject(*, application_id: int, reasons: Sequence[Reason], remedy: str, actor: Actor, now: datetime) -> Application:
    """Reject (审核不通过), with structured reasons; the enterprise may appeal once, before another reviewer."""
    with transition(
        application_id=application_id, action=ApplicationAction.REJECT, actor=actor, now=now
    ) as application:
        conditions.check_reasons(application=application, reasons=reasons, remedy=remedy, now=now)
        judgement = judging.judge(application=application, occasion=Occasion.DECISION, now=now)
        application.decided_at = now
        decide(
            application=application,
            kind=DecisionKind.REJECTED,
            actor=actor,
            role=Role.SECOND_REVIEWER,
            now=now,
            reasons=reasons,
            remedy=remedy,
            judgement=judgement,
        )
        drop_draft(application=application, actor=actor)
    return application


def appeal(*, application_id: int, grounds: str, actor: Actor, now: datetime) -> Application:
    """The enterprise asks for another look at a rejection (申请复核), once, within 60 days (Asia/Shanghai): the day of
    the decision does not count, the last day does to its end, and one that is free gives way to the next working day.
    """
    if not grounds.strip():
        raise Invalid(Fault("grounds", _("请写明申请复核的理由。")))
    with transition(
        application_id=application_id, action=ApplicationAction.APPEAL, actor=actor, now=now, role=Role.ENTERPRISE
    ) as application:
        if Appeal.objects.filter(application=application).exists():
            raise Invalid(Fault("grounds", _("每件申报只能申请一次复核，这件已复核过。如仍不服，可依法申请行政复议。")))
        assert application.decided_at is not None
        if day_of(now) > working_calendar().next_working_day(day_of(application.decided_at) + APPEAL_WITHIN):
            raise Invalid(Fault("grounds", _("已超过收到决定之日起 60 日的复核期限。")))
        assert actor.user_id is not None
        application.handler_id = None
        Appeal.objects.create(application=application, grounds=grounds.strip(), filed_by_id=actor.user_id, filed_at=now)
        evidence_following.look_again(application=application, now=now)
    return application


def uphold(*, application_id: int, summary: str, remedy: str, actor: Actor, now: datetime) -> Application:
    """The appeal changes nothing (维持原决定); decided by someone who took no part before."""
    with transition(
        application_id=application_id, action=ApplicationAction.UPHOLD, actor=actor, now=now, note=summary
    ) as application:
        if not summary.strip() or not remedy.strip():
            raise Invalid(Fault("summary", _("请写明维持的理由，以及企业还可以怎样主张权利。")))
        application.decided_at = now
        decide(
            application=application,
            kind=DecisionKind.UPHELD,
            actor=actor,
            role=Role.APPEAL_REVIEWER,
            now=now,
            summary=summary,
            remedy=remedy,
        )
    return application


def revoke(*, application_id: int, reasons: Sequence[Reason], remedy: str, actor: Actor, now: datetime) -> Application:
    """Take an approval back (撤销决定) while nothing of it has left the house; what was reserved becomes free again."""
    with transition(
        application_id=application_id, action=ApplicationAction.REVOKE, actor=actor, now=now
    ) as application:
        conditions.check_reasons(application=application, reasons=reasons, remedy=remedy, now=now)
        awards.revoke(application=application, actor=actor, reason=reasons[0].reason, now=now)
        decide(
            application=application,
            kind=DecisionKind.REVOKED,
            actor=actor,
            role=Role.SECOND_REVIEWER,
            now=now,
            reasons=reasons,
            remedy=remedy,
        )
    return application


def _end_publicity(*, application: Application, now: datetime) -> Publicity:
    publicity = application.publicities.select_for_update(no_key=True).get(closed_at__isnull=True)
    if day_of(now) <= publicity.ends_on:
        raise Invalid(Fault("publicity", _("公示期至 %(day)s 止，期满后才能通过。") % {"day": publicity.ends_on}))
    publicity.closed_at = now
    publicity.save(update_fields=["closed_at"])
    return publicity


def _role_of_decider(application: Application, actor: Actor) -> Role:
    if actor.is_system:
        return Role.SYSTEM
    return Role.APPEAL_REVIEWER if application.status is ApplicationState.APPEAL else Role.SECOND_REVIEWER


def decide(
    *,
    application: Application,
    kind: DecisionKind,
    actor: Actor,
    role: Role,
    now: datetime,
    summary: str = "",
    reasons: Sequence[Reason] = (),
    remedy: str = "",
    amount: Decimal | None = None,
    judgement: Judgement | None = None,
    checklist: Sequence[Mapping[str, str]] = (),
) -> Decision:
    """Write a decision into the caller's transition; without a summary the reasons are it."""
    return Decision.objects.create(
        application=application,
        kind=kind.value,
        summary=summary.strip() or "；".join(reason.reason.strip() for reason in reasons),
        reasons=[reason.to_json() for reason in reasons],
        remedy=remedy.strip(),
        amount=amount,
        judgement=judgement,
        checklist=list(checklist),
        by_id=actor.user_id,
        role=role.value,
        at=now,
    )


def drop_draft(*, application: Application, actor: Actor) -> None:
    """What the person had written and not sent is sent now."""
    if actor.user_id is not None:
        DecisionDraft.objects.filter(application=application, user_id=actor.user_id).delete()
