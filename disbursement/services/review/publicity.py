"""Publicity (公示): a gate of working days in which anyone may object, opened by a person, ended by the calendar."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import SYSTEM, Actor
from disbursement.domain.errors import REFUSALS, Denied, Fault, Invalid
from disbursement.domain.workflow import (
    ApplicationAction,
    ApplicationState,
    ClockAct,
    ClockEffect,
    ClockStep,
    Role,
)
from disbursement.models import Application, Objection, Occasion, Publicity
from disbursement.selectors.calendar import working_calendar
from disbursement.services.application import judging
from disbursement.services.application.applications import lock, roles_for, take_part, transition
from disbursement.services.award import awards
from disbursement.services.review import conditions, decisions, steps
from disbursement.services.supervision import clocks
from matching.days import day_of
from matching.registry import outbox

logger = logging.getLogger(__name__)
# Somebody objected; the days are over and it could not be approved.
RAISED, HELD = "objection.raised", "publicity.held"
_RESUME = ClockEffect(ClockAct.RESUME, ClockStep.REVIEW)


def publicise(
    *, application_id: int, actor: Actor, now: datetime, days: int | None = None, ticks: Collection[str] = ()
) -> Publicity:
    """Open publicity from the next working day on, for the item's number of working days (or `days`, if more).

    Raises Invalid where the application could not be approved as it stands. `ticks` are the codes of the item's
    checklist for the decision, all of them: what is public is as good as decided.
    """
    with transition(
        application_id=application_id, action=ApplicationAction.PUBLICISE, actor=actor, now=now
    ) as application:
        asked = conditions.publicity_days(application)
        length = max(days or 0, asked)
        if length < 1:
            raise Invalid(Fault("days", _("该事项不要求公示；如需公示，请填写公示的工作日数。")))
        checklist = conditions.check_ticks(application=application, step="second_review", ticks=ticks)
        conditions.check_gaps(application)
        conditions.check_flags(application)
        steps.check_path(application=application)
        judgement = judging.judge(application=application, occasion=Occasion.DECISION, now=now)
        conditions.check_eligible(judgement)
        proposal = awards.propose(application=application, judgement=judgement, now=now)
        if proposal.problems:
            raise Invalid([Fault("award", problem) for problem in proposal.problems])
        calendar = working_calendar()
        starts_on = calendar.add_working_days(day_of(now), 1)
        application.decided_at = None
        decisions.drop_draft(application=application, actor=actor)
        return Publicity.objects.create(
            application=application,
            starts_on=starts_on,
            ends_on=calendar.add_working_days(starts_on, length - 1),
            amount=proposal.amount,
            checklist=checklist,
            opened_by_id=actor.user_id,
            opened_at=now,
        )


@transaction.atomic
def object_to(*, publicity_id: int, name: str, contact: str, text: str, now: datetime) -> Objection:
    """Anyone objects while the publicity lasts (提出异议); real name and a way to answer are asked for.

    The same words from the same person are the same objection. Whoever decides on it is told.
    """
    publicity = Publicity.objects.select_for_update(no_key=True).filter(pk=publicity_id).first()
    if publicity is None:
        raise Denied(_("没有这项公示。"))
    if publicity.closed_at is not None or not publicity.starts_on <= day_of(now) <= publicity.ends_on:
        raise Invalid(Fault("publicity", _("这项公示不在公示期内，不能再提异议。")))
    faults = [
        Fault(place, _("请填写%(label)s。") % {"label": label})
        for place, value, label in (
            ("name", name, _("姓名或单位")),
            ("contact", contact, _("联系方式")),
            ("text", text, _("异议内容")),
        )
        if not value.strip()
    ]
    if faults:
        raise Invalid(faults)
    told = {"name": name.strip(), "contact": contact.strip(), "text": text.strip()}
    same = publicity.objections.filter(**told).first()
    if same is not None:
        return same  # pressed twice
    objection = Objection.objects.create(publicity=publicity, received_at=now, **told)
    outbox.emit(topic=RAISED, payload={"objection": objection.pk}, now=now, dedupe_key=f"{RAISED}:{objection.pk}")
    return objection


@transaction.atomic
def answer_objection(*, objection_id: int, sustained: bool, answer: str, actor: Actor, now: datetime) -> Objection:
    """Decide on an objection; a sustained one takes the application back into second review (异议成立)."""
    objection = Objection.objects.select_related("publicity").filter(pk=objection_id).first()
    if objection is None:
        raise Denied(_("没有这件异议。"))
    application = lock(application_id=objection.publicity.application_id)
    if Role.SECOND_REVIEWER not in roles_for(application=application, actor=actor):
        raise Denied(_("公示异议由复审人处理。"))
    if objection.sustained is not None:
        raise Invalid(Fault("objection", _("这件异议已经处理过。")))
    if not answer.strip():
        raise Invalid(Fault("answer", _("请写明处理意见。")))
    if sustained and application.approved_amount is not None and application.status is not ApplicationState.PUBLICITY:
        raise Invalid(Fault("sustained", _("这件申报已审核通过。异议成立的，请撤销决定并追回款项，不能在此退回审核。")))
    take_part(application=application, actor=actor, role=Role.SECOND_REVIEWER, now=now)
    objection.sustained, objection.answer = sustained, answer.strip()
    objection.answered_by_id, objection.answered_at = actor.user_id, now
    objection.save()
    if sustained and application.status is ApplicationState.PUBLICITY:
        with transition(
            application_id=application.pk,
            action=ApplicationAction.SUSTAIN_OBJECTION,
            actor=actor,
            now=now,
            note=answer,
        ) as locked:
            locked.publicities.filter(closed_at__isnull=True).update(closed_at=now)
    return objection


def end_due(*, now: datetime) -> list[int]:
    """Approve what was publicised to the end without open objections; ids of those approved.

    What cannot be approved (an objection is open, no longer eligible, no budget) stays, for the second reviewer to see
    why: they are told once, and the review's clock, which stood still for the public, runs on.
    """
    approved = []
    due = Publicity.objects.filter(closed_at__isnull=True, ends_on__lt=day_of(now)).order_by("ends_on", "pk")
    for publicity_id, application_id in due.values_list("pk", "application_id"):
        try:
            decisions.approve(
                application_id=application_id,
                actor=SYSTEM,
                now=now,
                summary=_("公示期满，无异议或异议不成立，审核通过。"),
            )
        except REFUSALS as refusal:
            logger.warning("application %s stays in publicity: %s", application_id, refusal)
            _take_up(publicity_id=publicity_id, application_id=application_id, why=str(refusal), now=now)
            continue
        approved.append(application_id)
    return approved


@transaction.atomic
def _take_up(*, publicity_id: int, application_id: int, why: str, now: datetime) -> None:
    """The days of the public are over: the time runs for the department again. Can run twice."""
    application = lock(application_id=application_id)
    still = application.publicities.filter(pk=publicity_id, closed_at__isnull=True).exists()
    if application.status is not ApplicationState.PUBLICITY or not still:
        return
    clocks.apply_effects(application=application, effects=[_RESUME], reason=_("公示期满"), now=now)
    outbox.emit(
        topic=HELD, payload={"publicity": publicity_id, "why": why}, now=now, dedupe_key=f"{HELD}:{publicity_id}"
    )


def stays_because(*, application: Application, now: datetime) -> list[str]:
    """Why a publicised application could not be approved now; for the second reviewer. Empty where it could."""
    publicity = application.publicities.filter(closed_at__isnull=True).first()
    if publicity is None:
        return []
    reasons = []
    if day_of(now) <= publicity.ends_on:
        reasons.append(_("公示期至 %(day)s 止。") % {"day": publicity.ends_on})
    if conditions.open_objections(application):
        reasons.append(_("还有公示异议没有处理。"))
    missing = steps.path_of(application=application).missing(steps.taken(application=application))
    reasons += [_("尚未进行“%(name)s”。") % {"name": step.name} for step in missing]
    reasons += conditions.open_flags(application)
    try:
        assessment = judging.assess(application=application, now=now)
    except Invalid as invalid:
        return [*reasons, *(fault.message for fault in invalid.faults)]
    if assessment.verdict != "eligible":
        blocking = (*assessment.result["unmet"], *assessment.result["unknown"])
        reasons += [leaf["comparison"] for leaf in assessment.leaves if leaf["id"] in blocking]
    return reasons
