"""Sampling for quality (抽查): each month a share of what was decided, and of the promises that stood in for materials,
drawn from a written seed, given to people who took no part, found once and for good.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.cycle import next_month
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.sampling import Thing, band, draw
from disbursement.domain.workflow import Role
from disbursement.models import (
    Application,
    Decision,
    DecisionKind,
    Finding,
    InterestDeclaration,
    MachineDraw,
    Opinion,
    OpinionKind,
    Participation,
    Promise,
    QualityCheck,
    QualityDraw,
)
from disbursement.selectors.evidence import promised_codes
from disbursement.services.application import promises
from disbursement.services.delivery import machine_audit
from disbursement.services.review.staffing import deputies
from matching.days import SHANGHAI, day_of
from matching.registry import outbox

# What is told of a serious finding; of a promise's own check the promise tells.
SERIOUS = "quality.serious"
CHECKERS = (Role.REVIEWER, Role.SECOND_REVIEWER)
Candidates = Callable[[int], Sequence[Actor]]
# Of people (ids), those whose accounts are in use.
InUse = Callable[[Collection[int]], Mapping[int, Actor]]


def draw_month(
    *, month: date, now: datetime, candidates: Candidates, actor: Actor | None = None, seed: str = ""
) -> QualityDraw:
    """Draw the sample of a month that is over (`month`: its first day), once; drawn again it is the same draw.

    `candidates` tells who could check for a department (id). The seed is made now, unless one is given. Raises Invalid
    for a month that still runs.
    """
    if day_of(now) < next_month(month):
        raise Invalid(Fault("month", _("这个月还没有结束，次月起才能抽查。")))
    with transaction.atomic():
        made = QualityDraw.objects.filter(month=month).first()
        if made is not None:
            return made
        seed = seed or secrets.token_hex(16)
        decided, promised = population(month=month)
        share, promise_share = settings.HUIDA_QUALITY_SHARE, settings.HUIDA_PROMISE_SHARE
        made, is_new = QualityDraw.objects.get_or_create(
            month=month,
            defaults={
                "seed": seed,
                "share": share,
                "promise_share": promise_share,
                "population": len(decided),
                "promise_population": len(promised),
                "drawn_at": now,
                "drawn_by_id": None if actor is None else actor.user_id,
            },
        )
        if not is_new:
            return made
        strata = {thing.key: thing.stratum for thing in decided}
        picked = draw(things=decided, share=share, seed=seed)
        promise_strata = {thing.key: thing.stratum for thing in promised}
        kept = Promise.objects.in_bulk(draw(things=promised, share=promise_share, seed=seed))
        pairs: list[tuple[int, int | None, str]] = [(pk, None, strata[pk]) for pk in picked]
        pairs += [(kept[pk].application_id, pk, promise_strata[pk]) for pk in sorted(kept)]
        pairs += [(pk, None, stratum) for pk, stratum in machine_audit.pick(made=made, **_span(month))]
        _give_out(made, pairs, candidates=candidates, now=now)
    return made


def population(*, month: date) -> tuple[list[Thing], list[Thing]]:
    """What a month's draw draws from, both by id: applications decided in it, by item, reviewer and amount; promises of
    applications approved in it that nobody checked yet, by item.
    """
    span = _span(month)
    kinds = [DecisionKind.APPROVED, DecisionKind.REJECTED]
    found = Decision.objects.filter(kind__in=kinds, at__gte=span["since"], at__lt=span["until"])
    found = found.order_by("application_id", "-pk")
    decisions = {row.application_id: row for row in found.select_related("application__item").reverse()}
    # What the machine decided is drawn by each item's own share (`machine_audit`).
    by_nobody = [pk for pk, row in decisions.items() if row.by_id is None]
    for pk in machine_audit.decided_by_machine(application_ids=by_nobody):
        del decisions[pk]
    reviewers = _first_reviewers(decisions)
    decided = [
        Thing(pk, f"{row.application.item.code}/{reviewers.get(pk, 0)}/{band(row.amount)}")
        for pk, row in sorted(decisions.items())
    ]
    approved = [pk for pk, row in decisions.items() if row.kind == DecisionKind.APPROVED]
    open_ones = Promise.objects.filter(application_id__in=approved, kept__isnull=True, quality_check__isnull=True)
    open_ones = open_ones.select_related("application__item", "application__version").order_by("pk")
    open_ones = open_ones.prefetch_related("application__promises")
    # One that the version does not offer in these words stood in for nothing.
    promised = [
        Thing(row.pk, row.application.item.code)
        for row in open_ones
        if row.material_code in promised_codes(application=row.application, version=row.application.version)
    ]
    return decided, promised


def _span(month: date) -> dict[str, datetime]:
    since, until = (datetime.combine(day, time.min, SHANGHAI) for day in (month, next_month(month)))
    return {"since": since, "until": until}


def _first_reviewers(application_ids: Sequence[int] | dict[int, Decision]) -> dict[int, int]:
    opinions = Opinion.objects.filter(
        application_id__in=list(application_ids), kind__in=[OpinionKind.APPROVAL, OpinionKind.REJECTION]
    )
    return dict(opinions.order_by("pk").values_list("application_id", "by_id"))


def _give_out(
    made: QualityDraw, pairs: list[tuple[int, int | None, str]], *, candidates: Candidates, now: datetime
) -> None:
    """Each to the least loaded of the department who took no part and declared no interest; else it waits for one."""
    applications = Application.objects.select_related("item").in_bulk([pk for pk, _promise, _stratum in pairs])
    reviewers = _first_reviewers(list(applications))
    open_checks = QualityCheck.objects.filter(checked_at__isnull=True, assigned_to__isnull=False)
    loads = Counter(open_checks.values_list("assigned_to_id", flat=True))
    for application_id, promise_id, stratum in pairs:
        application = applications[application_id]
        able = [
            person.user_id
            for person in candidates(application.item.department_id)
            if person.user_id is not None and _may_check(application=application, person=person)
        ]
        away = deputies(as_of=day_of(now), people=able)
        able = [pk for pk in able if pk not in away]
        chosen = min(able, key=lambda pk: (loads[pk], pk), default=None)
        if chosen is not None:
            loads[chosen] += 1
        QualityCheck.objects.create(
            draw=made,
            application=application,
            promise_id=promise_id,
            stratum=stratum,
            decided_by_id=reviewers.get(application_id),
            assigned_to_id=chosen,
        )


def _may_check(*, application: Application, person: Actor) -> bool:
    return _able([(application, person)]) == [True]


def _able(pairs: Sequence[tuple[Application, Actor]]) -> list[bool]:
    """Whether each may check each. Two queries, however many."""
    users = [person.user_id for _application, person in pairs if person.user_id is not None]
    took_part = Participation.objects.filter(
        application__in=[application.pk for application, _person in pairs], user_id__in=users
    )
    declared = InterestDeclaration.objects.filter(
        enterprise_id__in=[application.enterprise_id for application, _person in pairs],
        user_id__in=users,
        ended_at__isnull=True,
    )
    parts = set(took_part.values_list("application_id", "user_id"))
    interests = set(declared.values_list("enterprise_id", "user_id"))
    return [
        person.user_id is not None
        and any(person.holds(role, department_id=application.item.department_id) for role in CHECKERS)
        and not person.acts_for(application.enterprise_id)
        and (application.pk, person.user_id) not in parts
        and (application.enterprise_id, person.user_id) not in interests
        for application, person in pairs
    ]


def left_behind(*, checks: Collection[QualityCheck], in_use: InUse) -> set[int]:
    """Open checks (ids) whose assignee can check no longer, for they left, changed departments, declared an interest or
    took part since: whoever may check takes them up. The number of queries is fixed.
    """
    given = {check.pk: check for check in checks if check.checked_at is None and check.assigned_to_id is not None}
    people = in_use({check.assigned_to_id for check in given.values() if check.assigned_to_id is not None})
    there = [check for check in given.values() if check.assigned_to_id in people]
    able = _able([(check.application, people[check.assigned_to_id or 0]) for check in there])
    return set(given) - {check.pk for check, may in zip(there, able, strict=True) if may}


@transaction.atomic
def record(*, check_id: int, finding: Finding, text: str, actor: Actor, now: datetime, in_use: InUse) -> QualityCheck:
    """Write down what the check found, once, by the one it was given to, or by another who took no part where nobody
    was, or that one can no longer (`left_behind`). Of a promise, sound or minor is kept and serious is broken: then it
    goes on the enterprise's record.
    """
    found = QualityCheck.objects.select_for_update(of=("self",)).select_related("application__item")
    check = found.filter(pk=check_id).first()
    if check is None:
        raise Denied(_("没有这项抽查。"))
    if check.checked_at is not None:
        raise Invalid(Fault("finding", _("这项抽查已经登记过结论。")))
    is_mine = check.assigned_to_id in (None, actor.user_id) or bool(left_behind(checks=[check], in_use=in_use))
    if actor.user_id is None or not is_mine or not _may_check(application=check.application, person=actor):
        raise Denied(_("抽查由被指定的、没有办理过这件申报的人员登记。"))
    if not text.strip():
        raise Invalid(Fault("text", _("请写明核查了什么、发现了什么。")))
    check.finding, check.text = finding, text.strip()
    check.checked_by_id, check.checked_at = actor.user_id, now
    check.save(update_fields=["finding", "text", "checked_by", "checked_at"])
    if check.promise_id is not None:
        promises.check(
            promise_id=check.promise_id, kept=finding is not Finding.SERIOUS, finding=text, actor=actor, now=now
        )
    elif finding is Finding.SERIOUS:
        outbox.emit(topic=SERIOUS, payload={"check_id": check.pk}, now=now, dedupe_key=f"{SERIOUS}:{check.pk}")
    return check


def redraw(*, made: QualityDraw) -> tuple[list[int], list[int]]:
    """The applications and promises that the seed draws over what was drawn from then, as far as it still stands: for
    whoever wants to see that nothing was left out or put in.
    """
    decided, _promised = population(month=made.month)
    drawn = draw(things=decided, share=made.share, seed=made.seed)
    by_machine = machine_audit.population(**_span(made.month))
    for row in MachineDraw.objects.filter(draw=made):
        things = by_machine.get(row.item_code, [])
        drawn += machine_audit.redraw_item(things=things, share=row.share, seed=made.seed, code=row.item_code)
    checked = QualityCheck.objects.filter(draw=made, promise__isnull=True).values_list("application_id", flat=True)
    return sorted(drawn), sorted(checked)
