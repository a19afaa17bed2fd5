"""Decisions by machine (免申即享, 即申即享): what it verifies, how far it goes, and when it leaves a case to people.

The same states, the same caps, budget and publicity as for people; never the finance chain. What it verified is written
down before it acts, and the database lets it take no other step. Where anything stands against it, or the money cannot
be reserved, the application goes the ordinary way and says why.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import SYSTEM
from disbursement.domain.delivery import Lane, Obstacle, Seen, obstacles
from disbursement.domain.errors import REFUSALS, Fault, Invalid
from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from disbursement.models import (
    AccountState,
    Application,
    DecisionKind,
    Judgement,
    MachineVerification,
    PayeeAccount,
)
from disbursement.selectors.delivery import proofs_of, terms_of
from disbursement.services.application import judging
from disbursement.services.application.applications import lock, transition
from disbursement.services.award import awards
from disbursement.services.award.clashes import clashes_of
from disbursement.services.delivery import lanes
from disbursement.services.delivery.earlier_cases import left_to_people
from disbursement.services.review import conditions, decisions, publicity, steps
from matching.days import day_of
from matching.delivery_terms import BY_MACHINE, MACHINE_STEPS, Terms


@transaction.atomic
def carry(*, application_id: int, now: datetime) -> Application | None:
    """Take a submitted application as far as its item lets the machine go; None where the item lets it do nothing.

    Run again it changes nothing: a case is verified once. Raises nothing that people cause; what stands in the way is
    written down (`LaneChoice`), and the application waits for the acceptor.
    """
    application = lock(application_id=application_id)
    terms = terms_of(version=application.version)
    if terms is None or terms.mode not in BY_MACHINE or application.status is not ApplicationState.SUBMITTED:
        return None
    if MachineVerification.objects.filter(application=application).exists():
        return None
    judgement = application.judgements.latest("pk")
    seen = look(application=application, judgement=judgement, terms=terms, now=now)
    against = obstacles(seen, most=terms.most)
    if not against:
        try:
            with transaction.atomic():
                _verify(application, judgement, terms, seen, [], now=now)
                lanes.choose(application=application, mode=terms.mode, lane=Lane.MACHINE, now=now)
                _walk(application, terms, amount=seen.amount or Decimal(0), now=now)
        except REFUSALS as refusal:
            against = [Obstacle("refused", line) for line in str(refusal).splitlines()]
    if against:
        _verify(application, judgement, terms, seen, against, now=now)
        lanes.choose(application=application, mode=terms.mode, lane=Lane.ORDINARY, now=now, reasons=against)
    return Application.objects.select_related("item", "version", "enterprise").get(pk=application_id)


def look(*, application: Application, judgement: Judgement, terms: Terms, now: datetime) -> Seen:
    """All that the machine sees of a submitted application at `now` (aware). Changes nothing."""
    gaps = application.gaps.filter(filled_at__isnull=True).values_list("material_code", flat=True)
    evidence = lanes.evidence_of(application=application, judgement=judgement, terms=terms, gaps=list(gaps), now=now)
    proposal = awards.propose(application=application, judgement=judgement, now=now)
    earlier = left_to_people(application=application, amount=proposal.amount, most=terms.most, now=now)
    return Seen(
        verdict=evidence.verdict,
        in_the_way=evidence.in_the_way,
        unproved=evidence.unproved,
        gaps=evidence.gaps,
        promises=evidence.promises,
        changed=evidence.changed,
        conflicts=(*clashes_of(application=application, year=day_of(now).year), *earlier),
        problems=tuple(proposal.problems),
        amount=proposal.amount,
        account_checked=checked_account(enterprise_id=application.enterprise_id) is not None,
        is_paused=not settings.HUIDA_MACHINE_DECIDES,
    )


def checked_account(*, enterprise_id: int) -> PayeeAccount | None:
    """The account that a second person has checked."""
    return PayeeAccount.objects.filter(enterprise_id=enterprise_id, state=AccountState.CHECKED).first()


def _verify(
    application: Application,
    judgement: Judgement,
    terms: Terms,
    seen: Seen,
    against: list[Obstacle],
    *,
    now: datetime,
) -> MachineVerification:
    proofs = proofs_of(
        terms=terms,
        rules=judging.rules_of(version=application.version, now=now),
        facts=judging.judgement_inputs(judgement=judgement)["facts"],
        enterprise_id=application.enterprise_id,
        day=day_of(now),
    )
    passed = not against
    return MachineVerification.objects.create(
        application=application,
        mode=terms.mode,
        judgement=judgement,
        passed=passed,
        accepts=passed and "acceptance" in terms.machine,
        reviews=passed and "review" in terms.machine,
        decides=passed and "decision" in terms.machine,
        amount=seen.amount if passed else None,
        most=terms.most,
        proofs=list(proofs.proved),
        reasons=[reason.to_json() for reason in against],
        made_at=now,
    )


def _walk(application: Application, terms: Terms, *, amount: Decimal, now: datetime) -> None:
    """The steps that the machine may take, one after the other, each a transition of its own."""
    note = _("%(mode)s：条件逐项由数据核验，%(steps)s由系统办理。") % {
        "mode": terms.label,
        "steps": "、".join(MACHINE_STEPS[step] for step in terms.machine),
    }
    pk = application.pk
    with transition(application_id=pk, action=ApplicationAction.ACCEPT, actor=SYSTEM, now=now, note=note) as accepted:
        if steps.path_of(application=accepted).checks("acceptance"):
            raise Invalid(Fault("ticks", _("受理有须由人员勾选的核对清单。")))
        accepted.accepted_at = now
        decisions.decide(
            application=accepted,
            kind=DecisionKind.ACCEPTED,
            actor=SYSTEM,
            role=Role.SYSTEM,
            now=now,
            summary=_("经数据核验，予以受理。"),
        )
    if "review" not in terms.machine:
        return
    with transition(application_id=pk, action=ApplicationAction.START_REVIEW, actor=SYSTEM, now=now, note=note):
        pass
    with transition(
        application_id=pk, action=ApplicationAction.RECOMMEND_APPROVAL, actor=SYSTEM, now=now, note=note
    ) as reviewed:
        if steps.path_of(application=reviewed).checks("review"):
            raise Invalid(Fault("ticks", _("初审有须由人员勾选的核对清单。")))
        steps.check_path(application=reviewed)
    if "decision" not in terms.machine:
        return
    if conditions.publicity_days(application):
        shown = publicity.publicise(application_id=pk, actor=SYSTEM, now=now)
        granted: Decimal | None = shown.amount
    else:
        summary = _("经数据核验，符合申报条件，审核通过。")
        granted = decisions.approve(application_id=pk, actor=SYSTEM, now=now, summary=summary).approved_amount
    if granted != amount:
        raise Invalid(Fault("award", _("办理中核定金额有变化，请由人员核对。")))
