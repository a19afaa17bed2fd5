"""模拟审批: a draft led through acceptance, review and payment by the very rules that will decide, and then forgotten.

Nothing is kept: everything runs in a transaction that is rolled back, whatever the rules do on their way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import ClockStep
from disbursement.models import Application, Judgement, Occasion
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.limits import limits_of
from disbursement.selectors.pay_month import PayMonth, pay_month
from disbursement.services.application import judging
from disbursement.services.application.drafts import version_in_force
from disbursement.services.application.readiness import readiness_of
from disbursement.services.award.awards import Proposal, propose
from disbursement.services.award.clashes import clashes_of
from matching import review_path
from matching.criteria import canonical_json
from matching.days import day_of
from matching.registry.models import Department


@dataclass(frozen=True, slots=True)
class Stage:
    """One step ahead: its promised and statutory limit in working days, and the last day of each (Asia/Shanghai)."""

    name: str
    promised: int
    promised_on: date
    statutory: int
    statutory_on: date


@dataclass(frozen=True, slots=True)
class OwnStep:
    """A step that the item puts between first and second review, within the review's limit. `days` are working days
    (0: none named); `departments` are the names of those asked for their opinion."""

    name: str
    days: int
    departments: tuple[str, ...]
    silence_consents: bool


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would come of the draft if it were handed in now. `closed`: why it could not be handed in at all."""

    at: datetime
    closed: tuple[str, ...]
    faults: tuple[Fault, ...]
    assessment: judging.Assessment | None
    proposal: Proposal | None
    clashes: tuple[str, ...]
    stages: tuple[Stage, ...]
    steps: tuple[OwnStep, ...]
    pay_month: PayMonth | None

    @property
    def would_be_submitted(self) -> bool:
        return not self.closed and not self.faults

    @property
    def would_be_granted(self) -> bool:
        """Whether all goes through: complete, every condition met, and an amount that can be granted."""
        return (
            self.would_be_submitted
            and self.assessment is not None
            and self.assessment.verdict == "eligible"
            and (self.proposal is None or not self.proposal.problems)
        )


def rehearse(*, application_id: int, actor: Actor, now: datetime) -> Rehearsal:
    """Rehearse a draft as of `now` (aware), for its own enterprise. Raises Denied for anybody else."""
    with transaction.atomic():
        try:
            return _rehearse(application_id=application_id, actor=actor, now=now)
        finally:
            transaction.set_rollback(True)


def _rehearse(*, application_id: int, actor: Actor, now: datetime) -> Rehearsal:
    application = (
        Application.objects.select_related("item__current_version", "enterprise", "version__vocabulary")
        .filter(pk=application_id)
        .first()
    )
    if application is None or not actor.acts_for(application.enterprise_id):
        raise Denied(_("没有这件申报，或者您无权办理。"))
    day = day_of(now)
    closed: tuple[str, ...] = ()
    try:
        application.version = version_in_force(item=application.item, day=day)
    except Invalid as invalid:
        closed = tuple(fault.message for fault in invalid.faults)
    ready = readiness_of(application=application, version=application.version, gaps={}, now=now)
    proposal = None
    if ready.assessment is not None and application.version.rules.get("award"):
        proposal = propose(application=application, judgement=_unsaved(application, ready.assessment, now), now=now)
    return Rehearsal(
        at=now,
        closed=closed,
        faults=ready.faults,
        assessment=ready.assessment,
        proposal=proposal,
        clashes=tuple(clashes_of(application=application, year=day.year)),
        stages=tuple(_stages(application, day)),
        steps=tuple(_steps(application)),
        pay_month=pay_month(application=application, as_of=day, calendar=working_calendar())
        if application.version.rules.get("award")
        else None,
    )


def _unsaved(application: Application, assessment: judging.Assessment, now: datetime) -> Judgement:
    """A judgement as it would be stored, for those who read one."""
    return Judgement(
        application=application,
        version=application.version,
        vocabulary=assessment.vocabulary,
        occasion=Occasion.DECISION,
        as_of=day_of(now),
        verdict=assessment.verdict,
        inputs=canonical_json(assessment.inputs),
        result=canonical_json(assessment.result),
        made_at=now,
    )


def _stages(application: Application, day: date) -> list[Stage]:
    calendar, rules = working_calendar(), application.version.rules
    found: list[Stage] = []
    promised_on = statutory_on = day
    for step in (ClockStep.ACCEPTANCE, ClockStep.REVIEW):
        statutory, promised = limits_of(rules=rules, step=step)
        promised_on = calendar.add_working_days(promised_on, promised)
        statutory_on = calendar.add_working_days(statutory_on, statutory)
        found.append(Stage(step.label, promised, promised_on, statutory, statutory_on))
    publicity = int(rules.get("publicity_days") or 0)
    if publicity:
        promised_on = calendar.add_working_days(promised_on, publicity)
        statutory_on = calendar.add_working_days(statutory_on, publicity)
        found.append(Stage(_("公示"), publicity, promised_on, publicity, statutory_on))
    return found


def _steps(application: Application) -> list[OwnStep]:
    path = review_path.read(application.version.rules)
    codes = {code for step in path.steps for code in step.departments}
    names = dict(Department.objects.filter(code__in=codes).values_list("code", "name"))
    return [
        OwnStep(step.name, step.days, tuple(names.get(code, code) for code in step.departments), step.silence_consents)
        for step in path.steps
    ]
