"""What the department does with an application before it is decided: claim, accept or not, review, experts, facts.

Decisions themselves, and appeals, are in `decisions`; what experts said in `experts`; corrections in
`services.application.corrections`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import APPLICATION, ApplicationAction, ApplicationState, Role
from disbursement.models import Application, DecisionDraft, DecisionKind, Judgement, Occasion, Opinion, OpinionKind
from disbursement.services.application import judging
from disbursement.services.application.applications import (
    check_conflicts,
    lock,
    may_see,
    roles_for,
    take_part,
    transition,
)
from disbursement.services.review import staffing, steps
from disbursement.services.review.conditions import (
    Reason,
    check_eligible,
    check_gaps,
    check_reasons,
    check_ticks,
    computed_amount,
)
from disbursement.services.review.decisions import decide, drop_draft
from disbursement.services.supervision import clocks
from matching.criteria import InvalidInput, Scope
from matching.days import day_of
from matching.services.facts import NewFact, record_many

_STAFF = frozenset({Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER, Role.APPEAL_REVIEWER})
# Who may find facts in which state: whoever has the step.
_FINDS_FACTS = {
    ApplicationState.SUBMITTED: Role.ACCEPTOR,
    ApplicationState.ACCEPTED: Role.REVIEWER,
    ApplicationState.IN_REVIEW: Role.REVIEWER,
    ApplicationState.SECOND_REVIEW: Role.SECOND_REVIEWER,
    ApplicationState.APPEAL: Role.APPEAL_REVIEWER,
}


def claim(*, application_id: int, actor: Actor, now: datetime) -> Application:
    """Take an application on one's own desk: its running clock is charged to this person from now on.

    Raises Invalid where somebody else has it, Denied where the person has no part in this step, Conflict where they
    have an interest in the enterprise or took an earlier part that bars them.
    """
    with transaction.atomic():
        application = lock(application_id=application_id)
        if not may_see(application=application, actor=actor) or actor.user_id is None:
            raise Denied(_("没有这件申报，或者您无权办理。"))
        fitting = [
            role
            for role in Role
            if role in _STAFF
            and role in roles_for(application=application, actor=actor)
            and APPLICATION.actions(application.status, role)
        ]
        if not fitting:
            raise Denied(_("这件申报现在不在您办理的环节。"))
        if application.handler_id not in (None, actor.user_id):
            raise Invalid(Fault("handler", _("这件申报已由其他人员领取。")))
        check_conflicts(application=application, actor=actor, role=fitting[0])
        application.handler_id = actor.user_id
        application.updated_at = now
        application.save(update_fields=["handler", "updated_at"])
        clocks.hand_over(application=application)
    return application


def accept(
    *, application_id: int, actor: Actor, now: datetime, note: str = "", ticks: Collection[str] = ()
) -> Application:
    """Accept a complete application (受理), or one with promised gaps (容缺受理), which are granted by it.

    `ticks` are the codes of the item's checklist for acceptance that the acceptor has checked: all of them.
    """
    with transaction.atomic():
        gaps = lock(application_id=application_id).gaps.filter(filled_at__isnull=True, granted_at__isnull=True)
        action = ApplicationAction.ACCEPT_WITH_GAP if gaps.exists() else ApplicationAction.ACCEPT
        with transition(application_id=application_id, action=action, actor=actor, now=now, note=note) as application:
            checklist = check_ticks(application=application, step="acceptance", ticks=ticks)
            application.accepted_at = now
            application.gaps.filter(granted_at__isnull=True).update(granted_by=actor.user_id, granted_at=now)
            decide(
                application=application,
                kind=DecisionKind.ACCEPTED,
                actor=actor,
                role=Role.ACCEPTOR,
                now=now,
                summary=note or _("予以受理。"),
                checklist=checklist,
            )
    return application


def not_accept(
    *, application_id: int, reasons: Sequence[Reason], remedy: str, actor: Actor, now: datetime
) -> Application:
    """Do not accept (不予受理), with structured reasons and how to mend (`remedy`); a new application may follow."""
    with transition(
        application_id=application_id, action=ApplicationAction.REFUSE, actor=actor, now=now
    ) as application:
        check_reasons(application=application, reasons=reasons, remedy=remedy, now=now)
        decide(
            application=application,
            kind=DecisionKind.NOT_ACCEPTED,
            actor=actor,
            role=Role.ACCEPTOR,
            now=now,
            reasons=reasons,
            remedy=remedy,
        )
    return application


def start_review(*, application_id: int, actor: Actor, now: datetime) -> Application:
    """The reviewer begins (开始审核)."""
    with transition(
        application_id=application_id, action=ApplicationAction.START_REVIEW, actor=actor, now=now
    ) as application:
        pass
    return application


def ask_expert(*, application_id: int, question: str, actor: Actor, now: datetime) -> Application:
    """Ask experts (提请专家评审); the review clock stands still meanwhile."""
    if not question.strip():
        raise Invalid(Fault("question", _("请写明需要专家评审的问题。")))
    with transition(
        application_id=application_id, action=ApplicationAction.ASK_EXPERT, actor=actor, now=now, note=question
    ) as application:
        steps.check_turn(application=application, kind="expert")
    return application


def confirm_facts(
    *, application_id: int, facts: Mapping[str, Any], note: str, actor: Actor, now: datetime
) -> Judgement:
    """Record facts that the evidence proves (审核认定), valid from the day of submission, and judge anew.

    `facts` is JSON of the criteria language (docs/schemas/), enterprise facts only: what the form asks is the
    enterprise's to mend.
    """
    with transaction.atomic():
        application = lock(application_id=application_id)
        role = _FINDS_FACTS.get(application.status)
        if role is None or role not in roles_for(application=application, actor=actor):
            raise Denied(_("现在不能认定事实：须由正在办理的受理或审核人员进行。"))
        take_part(application=application, actor=actor, role=role, now=now)
        assert application.submitted_at is not None
        rules = judging.rules_of(version=application.version, now=now)
        faults = [
            Fault(f"fact.{key}", _("“%(key)s”不是企业事实，请通过补正由企业更正申报表。") % {"key": key})
            for key in facts
            if key in rules.vocabulary.facts and rules.vocabulary.facts[key].scope is Scope.APPLICATION
        ]
        if faults:
            raise Invalid(faults)
        day = day_of(application.submitted_at)
        source = _("审核认定（%(number)s）%(note)s") % {"number": application.number, "note": note.strip()}
        assert actor.user_id is not None
        user = get_user_model().objects.get(pk=actor.user_id)
        new = [NewFact(application.enterprise_id, key, value, source[:80], day) for key, value in facts.items()]
        try:
            record_many(facts=new, now=now, recorded_by=user)
        except InvalidInput as error:
            raise Invalid([Fault(f"fact.{p.path.partition('.')[2]}", p.message) for p in error.problems]) from error
        return judging.judge(application=application, occasion=Occasion.CORRECTION, now=now)


def save_decision_draft(
    *, application_id: int, content: Mapping[str, Any], actor: Actor, now: datetime
) -> DecisionDraft:
    """Keep what a reviewer has written so far; nobody else sees it."""
    application = Application.objects.select_related("item").filter(pk=application_id).first()
    if application is None or actor.user_id is None or not roles_for(application=application, actor=actor) & _STAFF:
        raise Denied(_("没有这件申报，或者您无权办理。"))
    draft, _is_new = DecisionDraft.objects.update_or_create(
        application=application, user_id=actor.user_id, defaults={"content": dict(content), "saved_at": now}
    )
    return draft


def recommend_approval(
    *, application_id: int, text: str, actor: Actor, now: datetime, ticks: Collection[str] = ()
) -> Application:
    """First review passes it on, in favour (建议通过). Raises Invalid unless the criteria call it eligible today, every
    step that the item asks for was taken, and its checklist is ticked (`ticks`: codes).
    """
    with transition(
        application_id=application_id, action=ApplicationAction.RECOMMEND_APPROVAL, actor=actor, now=now, note=text
    ) as application:
        checklist = check_ticks(application=application, step="review", ticks=ticks)
        steps.check_path(application=application)
        check_gaps(application)
        judgement = judging.judge(application=application, occasion=Occasion.DECISION, now=now)
        check_eligible(judgement)
        opine(
            application=application,
            kind=OpinionKind.APPROVAL,
            text=text,
            actor=actor,
            role=Role.REVIEWER,
            now=now,
            amount=computed_amount(judgement),
            checklist=checklist,
        )
        drop_draft(application=application, actor=actor)
    return application


def recommend_rejection(
    *, application_id: int, text: str, reasons: Sequence[Reason], actor: Actor, now: datetime
) -> Application:
    """First review passes it on, against (建议不通过), with structured reasons."""
    with transition(
        application_id=application_id, action=ApplicationAction.RECOMMEND_REJECTION, actor=actor, now=now, note=text
    ) as application:
        check_reasons(application=application, reasons=reasons, remedy=text, now=now)
        opine(
            application=application,
            kind=OpinionKind.REJECTION,
            text=text,
            actor=actor,
            role=Role.REVIEWER,
            now=now,
            reasons=reasons,
        )
        drop_draft(application=application, actor=actor)
    return application


def send_back(*, application_id: int, text: str, actor: Actor, now: datetime) -> Application:
    """Second review, or the appeal's reviewer, gives it back to the first (退回审核), to the person who had it or who
    stands in for them; a publicity ends with that.
    """
    with transition(
        application_id=application_id, action=ApplicationAction.SEND_BACK, actor=actor, now=now, note=text
    ) as application:
        in_appeal = application.status is ApplicationState.APPEAL
        role = Role.APPEAL_REVIEWER if in_appeal else Role.SECOND_REVIEWER
        opine(application=application, kind=OpinionKind.SEND_BACK, text=text, actor=actor, role=role, now=now)
        application.decided_at = None
        first = application.log.filter(role=Role.REVIEWER).order_by("-seq").first()
        # What a deputy reviewed was their colleague's, who has it again, or whoever stands in for them by now.
        whose = None if first is None else first.for_person_id or first.actor_id
        staffing.give_back(application=application, user_id=whose, now=now)
        application.publicities.filter(closed_at__isnull=True).update(closed_at=now)
        drop_draft(application=application, actor=actor)
    return application


def opine(
    *,
    application: Application,
    kind: OpinionKind,
    text: str,
    actor: Actor,
    role: Role,
    now: datetime,
    reasons: Sequence[Reason] = (),
    amount: Decimal | None = None,
    checklist: Sequence[Mapping[str, str]] = (),
) -> Opinion:
    """Write an opinion into the caller's transition. Raises Invalid for one that says nothing."""
    if not text.strip():
        raise Invalid(Fault("text", _("请写明意见。")))
    assert actor.user_id is not None
    return Opinion.objects.create(
        application=application,
        kind=kind.value,
        text=text.strip(),
        reasons=[reason.to_json() for reason in reasons],
        amount=amount,
        checklist=list(checklist),
        by_id=actor.user_id,
        role=role.value,
        at=now,
    )
