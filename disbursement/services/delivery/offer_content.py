"""What an offer of an item without application (免申即享) would show an enterprise now, worked out from what is on
file: verdict, amount with its working, account, proofs, and what stands against offering it. Stores nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.domain.delivery import Content, Obstacle, Seen, obstacles
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Judgement, Occasion, OfferEdition, PayeeAccount
from disbursement.selectors.delivery import Proofs, proofs_of, terms_of
from disbursement.selectors.evidence import usable, verified_by_data
from disbursement.selectors.forms import Rules, material_rules
from disbursement.services.application import judging
from disbursement.services.application.drafts import version_in_force
from disbursement.services.award import awards
from disbursement.services.award.clashes import clashes_of
from disbursement.services.delivery.earlier_cases import refused_by_people
from disbursement.services.delivery.machine import checked_account
from matching.criteria import canonical_json
from matching.days import day_of
from matching.models import Enterprise, PolicyItem, PolicyVersion

# What passes without the enterprise losing anything: the offer stays, and consent waits for it.
_WAITS = frozenset({"account", "paused", "ceiling"})
_OVER = (
    ApplicationState.DRAFT,
    ApplicationState.NOT_ACCEPTED,
    ApplicationState.WITHDRAWN,
    ApplicationState.REJECTED,
    ApplicationState.REJECTION_UPHELD,
    ApplicationState.REVOKED,
    ApplicationState.CLOSED,
)


@dataclass(frozen=True, slots=True)
class Composed:
    """What an offer would show now. `against` says why none is made; `content` is None where nothing could be worked
    out."""

    version: PolicyVersion
    assessment: judging.Assessment
    working: list[str]
    account: PayeeAccount | None
    proofs: Proofs
    content: Content | None
    against: list[Obstacle]
    labels: dict[str, str]


def compose(*, enterprise: Enterprise, item: PolicyItem, now: datetime) -> Composed:
    """Work out an offer from what is on file at `now` (aware), storing nothing. Raises Invalid where the item takes no
    applications, or does without application no longer.
    """
    version = version_in_force(item=item, day=day_of(now))
    terms = terms_of(version=version)
    if terms is None or terms.mode != "automatic":
        raise Invalid(Fault("item", _("“%(item)s”现在不是免申即享事项。") % {"item": item.name}))
    assessment = judging.rehearse(version=version, enterprise=enterprise, form={}, now=now)
    rules = judging.rules_of(version=version, now=now)
    labels = {key: definition.label for key, definition in rules.vocabulary.facts.items()}
    facts = assessment.inputs["facts"]
    proofs = proofs_of(terms=terms, rules=rules, facts=facts, enterprise_id=enterprise.pk, day=day_of(now))
    # As an application would stand that nobody has begun: nothing of it is stored.
    case = Application(pk=0, enterprise=enterprise, item=item, version=version, state=ApplicationState.DRAFT.value)
    proposal = awards.propose(application=case, judgement=_unsaved(case, assessment, now), now=now)
    account = checked_account(enterprise_id=enterprise.pk)
    # Without an account the offer is made all the same, and asks for one.
    problems = [text for text in proposal.problems if account is not None or "收款账户" not in text]
    blocking = (*assessment.result["unmet"], *assessment.result["unknown"])
    seen = Seen(
        verdict=assessment.verdict,
        in_the_way=tuple(leaf["comparison"] for leaf in assessment.leaves if leaf["id"] in blocking),
        unproved=proofs.unproved,
        missing=tuple(_missing(version=version, enterprise=enterprise, rules=rules, now=now)),
        conflicts=(
            *_under_way(enterprise=enterprise, item=item, now=now),
            *refused_by_people(enterprise_id=enterprise.pk, item_id=item.pk, now=now),
            *clashes_of(application=case, year=day_of(now).year),
        ),
        problems=tuple(problems),
        amount=proposal.amount,
        account_checked=account is not None,
    )
    against = [found for found in obstacles(seen, most=terms.most) if found.code not in _WAITS]
    content = None
    if proposal.amount > 0:
        content = Content(
            version=_("第 %(n)s 版") % {"n": version.number},
            rule_hash=version.rule_hash,
            facts=facts,
            amount=proposal.amount,
            account="" if account is None else f"{account.account_name}/{account.bank_name}/{account.account_number}",
        )
    return Composed(version, assessment, list(proposal.working), account, proofs, content, against, labels)


def _unsaved(case: Application, assessment: judging.Assessment, now: datetime) -> Judgement:
    return Judgement(
        application=case,
        version=case.version,
        vocabulary=assessment.vocabulary,
        occasion=Occasion.DECISION,
        as_of=day_of(now),
        verdict=assessment.verdict,
        inputs=canonical_json(assessment.inputs),
        result=canonical_json(assessment.result),
        made_at=now,
    )


def _missing(*, version: PolicyVersion, enterprise: Enterprise, rules: Rules, now: datetime) -> Iterator[str]:
    """Required materials that neither data nor the evidence library brings."""
    day = day_of(now)
    wanted = [rule for rule in material_rules(version=version) if rule.required and rule.is_brought]
    if not wanted:
        return
    covered = verified_by_data(version=version, rules=rules, enterprise_id=enterprise.pk, day=day)
    library = usable(enterprise_id=enterprise.pk, day=day, kinds=[rule.code for rule in wanted])
    for rule in wanted:
        if rule.code not in covered and (rule.origin != "library" or rule.code not in library):
            yield _("“%(name)s”没有数据或证照可用，须由企业提交。") % {"name": rule.name}


def _under_way(*, enterprise: Enterprise, item: PolicyItem, now: datetime) -> Iterator[str]:
    """Cases of the same item that are not over. What was approved in an earlier calendar year, and is still being paid,
    is that year's: this year's is offered beside it.
    """
    found = (
        Application.objects.filter(enterprise=enterprise, item=item)
        .exclude(state__in=[state.value for state in _OVER])
        .exclude(state=ApplicationState.APPROVED, award__year__lt=day_of(now).year)
    )
    for application in found.order_by("pk"):
        yield _("企业已有同一事项的申报 %(number)s（%(state)s）。") % {
            "number": application.number,
            "state": application.get_state_display(),
        }


def content_of(*, edition: OfferEdition) -> Content:
    """What an edition says, as it was compared and hashed."""
    account = edition.account
    return Content(
        version=_("第 %(n)s 版") % {"n": edition.version.number},
        rule_hash=edition.version.rule_hash,
        facts=edition.facts,
        amount=edition.amount,
        account="" if account is None else f"{account.account_name}/{account.bank_name}/{account.account_number}",
    )


def replay(*, edition: OfferEdition) -> judging.Replay:
    """Judge an edition again from nothing but what was stored, as a decision is."""
    stored = Judgement(
        version=edition.version,
        vocabulary=edition.vocabulary,
        inputs=edition.inputs,
        result=edition.result,
        inputs_sha256=edition.inputs_sha256,
        result_sha256=edition.result_sha256,
    )
    return judging.replay(judgement=stored)
