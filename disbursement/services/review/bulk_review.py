"""The same deed on many applications (批量办理): shown row by row before it is done, done row by row, told row by row.

Nothing is signed unseen: only what the machine calls clear, with no gap, promise, changed material, checklist or step
of its own, and what lies on nobody else's desk. All else is listed, to be opened. Each row has its own transaction; a
run that was cut short goes on where it stopped, and pressed twice it is the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS, Denied, Fault, Invalid
from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from disbursement.models import (
    Application,
    BulkDeed,
    BulkOutcome,
    BulkRow,
    BulkRun,
    JointAnswer,
    MaterialFlag,
    Opinion,
    OpinionKind,
)
from disbursement.selectors.evidence import promised_codes
from disbursement.services.application import judging
from disbursement.services.application.applications import permitted_actions
from disbursement.services.award import awards
from disbursement.services.award.clashes import clashes_for_reviewer
from disbursement.services.month.payment_checks import credit_warnings
from disbursement.services.review import conditions, decisions, publicity, reviews, staffing, steps
from matching.days import day_of

MOST = 100
# The item's list that has to be ticked one by one, where the deed has one.
_STEP = {
    BulkDeed.ACCEPT: "acceptance",
    BulkDeed.RECOMMEND: "review",
    BulkDeed.PUBLICISE: "second_review",
    BulkDeed.APPROVE: "second_review",
}
_WHO = {
    BulkDeed.ACCEPT: frozenset({Role.ACCEPTOR}),
    BulkDeed.RECOMMEND: frozenset({Role.REVIEWER}),
    BulkDeed.PUBLICISE: frozenset({Role.SECOND_REVIEWER}),
    BulkDeed.APPROVE: frozenset({Role.SECOND_REVIEWER}),
    BulkDeed.ASSIGN: frozenset({Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER}),
}
# What a deed asks that the person may do now: one of these.
_ACTIONS = {
    BulkDeed.ACCEPT: frozenset({ApplicationAction.ACCEPT}),
    BulkDeed.RECOMMEND: frozenset({ApplicationAction.RECOMMEND_APPROVAL, ApplicationAction.START_REVIEW}),
    BulkDeed.PUBLICISE: frozenset({ApplicationAction.PUBLICISE}),
    BulkDeed.APPROVE: frozenset({ApplicationAction.APPROVE}),
}
# Decisions, each on the first reviewer's word; an appeal, and what was publicised, are decided one by one.
_DECIDES = frozenset({BulkDeed.PUBLICISE, BulkDeed.APPROVE})
Candidates = Callable[[int], Sequence[Actor]]


def deeds_for(*, actor: Actor) -> list[BulkDeed]:
    """What the person may do to many at once, their own step's deed first; whether to a row, the preview says."""
    return [deed for deed, roles in _WHO.items() if roles & actor.roles]


@dataclass(frozen=True, slots=True)
class Preview:
    """One row before it is done: what stands against it, if anything; for a decision the amount (元) that would be
    granted, and the first reviewer's words.
    """

    application: Application
    why_not: tuple[str, ...]
    amount: Decimal | None = None
    opinion: str = ""

    @property
    def will(self) -> bool:
        return not self.why_not


def preview(
    *, deed: BulkDeed, application_ids: Sequence[int], actor: Actor, now: datetime, candidates: Candidates
) -> list[Preview]:
    """What would happen to each row, in the order given; `candidates` tells whom a department (id) could assign to.

    Raises Invalid for none, or more than MOST. Rows that are not the person's business are left out.
    """
    wanted = list(dict.fromkeys(application_ids))
    if not 1 <= len(wanted) <= MOST:
        raise Invalid(Fault("applications", _("请勾选 1 至 %(most)s 件申报。") % {"most": MOST}))
    found = Application.objects.select_related("item__department", "version__vocabulary", "enterprise", "handler")
    rows = found.in_bulk(wanted)
    told = []
    for pk in wanted:
        application = rows.get(pk)
        if application is not None:
            why_not = _why_not(application, deed, actor=actor, now=now, candidates=candidates)
            opinion = _last_opinion(application) if deed in _DECIDES else None
            amount, words = (None, "") if opinion is None else (opinion.amount, opinion.text)
            told.append(Preview(application, tuple(why_not), amount, words))
    return told


def _why_not(
    application: Application, deed: BulkDeed, *, actor: Actor, now: datetime, candidates: Candidates
) -> list[str]:
    if deed is BulkDeed.ASSIGN:
        if application.handler_id is not None:
            return [_("已由%(name)s经办，需要换人请单独改派。") % {"name": application.handler}]
        people = candidates(application.item.department_id)
        if not staffing.can_take(application=application, candidates=people, now=now):
            return [_("没有可以分派的人员：都不在岗、须回避，或者没有这一环节的职责。")]
        return []
    fits = bool(_ACTIONS[deed] & set(permitted_actions(application=application, actor=actor)))
    if deed in _DECIDES and application.status is not ApplicationState.SECOND_REVIEW:
        fits = False
    if not fits:
        return [_("现在不在您办理的这一环节，或者您须回避。")]
    told = []
    if application.handler_id not in (None, actor.user_id):
        told.append(_("已由其他人员领取。"))
    if deed in _STEP and steps.path_of(application=application).checks(_STEP[deed]):
        told.append(_("有核对清单，须打开逐项勾选。"))
    if deed is not BulkDeed.ACCEPT:
        missing = steps.path_of(application=application).missing(steps.taken(application=application))
        told += [_("尚未进行“%(name)s”。") % {"name": step.name} for step in missing]
    told += _unclear(application, now)
    if deed in _DECIDES:
        told += _undecidable(application, deed, now)
    return told


def _last_opinion(application: Application) -> Opinion | None:
    kinds = [OpinionKind.APPROVAL, OpinionKind.REJECTION, OpinionKind.SEND_BACK]
    return application.opinions.filter(kind__in=kinds).order_by("-pk").first()


def _undecidable(application: Application, deed: BulkDeed, now: datetime) -> list[str]:
    """What stands against a decision that nobody opens: another opinion of the first reviewer, another amount."""
    days = conditions.publicity_days(application)
    if deed is BulkDeed.APPROVE and days:
        return [_("该事项须先公示 %(days)s 个工作日。") % {"days": days}]
    if deed is BulkDeed.PUBLICISE and not days:
        return [_("该事项不要求公示。")]
    opinion = _last_opinion(application)
    if opinion is None or opinion.kind != OpinionKind.APPROVAL:
        return [_("初审意见不是“建议通过”。")]
    judgement = application.judgements.order_by("-pk").first()
    if judgement is None:
        return [_("还没有判定，须打开审核。")]
    told = []
    if application.opinions.filter(kind=OpinionKind.SEND_BACK).exists():
        told.append(_("曾被退回审核，须打开核对。"))
    if application.joint_reviews.filter(answer=JointAnswer.DISAGREE).exists():
        told.append(_("有部门会审意见为“不同意”。"))
    if application.visits.filter(is_confirmed=False).exists():
        told.append(_("现场核查与申报不一致。"))
    proposal = awards.propose(application=application, judgement=judgement, now=now)
    told += proposal.problems
    if opinion.amount != proposal.amount:
        text = _("现在核定 %(now)s 元，与初审建议的 %(then)s 元不同。")
        told.append(text % {"now": proposal.amount, "then": opinion.amount})
    return told


def _unclear(application: Application, now: datetime) -> list[str]:
    """What a person has to look at, whatever the machine says."""
    told = []
    try:
        assessment = judging.assess(application=application, now=now)
    except REFUSALS as refusal:
        return [str(refusal)]
    if assessment.verdict != "eligible":
        told.append(_("机器判定不是“符合”，须打开逐条审核。"))
    if application.gaps.filter(filled_at__isnull=True).exists():
        told.append(_("有容缺材料。"))
    promised = promised_codes(application=application, version=application.version)
    if promised and not settings.HUIDA_BULK_WITH_PROMISES:
        told.append(_("有材料以告知承诺代替。"))
    if application.corrections.exists():
        told.append(_("补正过，须打开核对补正内容。"))
    told += clashes_for_reviewer(application=application, year=day_of(now).year)
    told += credit_warnings(enterprise_id=application.enterprise_id, day=day_of(now))
    flags = MaterialFlag.objects.filter(material__application=application, settled_at__isnull=True)
    if flags.filter(material__replaced_at__isnull=True).exists():
        told.append(_("有材料发生变动。"))
    return told


@transaction.atomic
def begin(
    *, key: UUID, deed: BulkDeed, revisions: Mapping[int, int], note: str, actor: Actor, now: datetime
) -> BulkRun:
    """Write down what is to be done: application id → revision that the preview showed. With the same key again it is
    the same run. Raises Invalid without an opinion where one is to be signed, Denied for somebody else's key.
    """
    if actor.user_id is None:
        raise Denied(_("批量办理须由人员发起。"))
    if deed is BulkDeed.RECOMMEND and not note.strip():
        raise Invalid(Fault("note", _("请写明审核意见，将写入每一件。")))
    if not 1 <= len(revisions) <= MOST:
        raise Invalid(Fault("applications", _("请勾选 1 至 %(most)s 件申报。") % {"most": MOST}))
    run, is_new = BulkRun.objects.get_or_create(
        key=key, defaults={"deed": deed, "note": note.strip(), "asked_by_id": actor.user_id, "asked_at": now}
    )
    if run.asked_by_id != actor.user_id:
        raise Denied(_("没有这次批量办理。"))
    if is_new:
        known = set(Application.objects.filter(pk__in=revisions).values_list("pk", flat=True))
        BulkRow.objects.bulk_create(
            BulkRow(run=run, application_id=pk, revision=revision)
            for pk, revision in sorted(revisions.items())
            if pk in known
        )
    return run


def work_off(*, run_id: int, actor: Actor, now: datetime, candidates: Candidates) -> int:
    """Do the rows that still wait, each by itself; how many were done now. Only by whoever began the run."""
    run = BulkRun.objects.filter(pk=run_id, asked_by_id=actor.user_id).first()
    if run is None:
        raise Denied(_("没有这次批量办理。"))
    waiting = run.rows.filter(outcome=BulkOutcome.WAITING).order_by("pk").values_list("pk", flat=True)
    return sum(_do(row_id=pk, run=run, actor=actor, now=now, candidates=candidates) for pk in list(waiting))


@transaction.atomic
def _do(*, row_id: int, run: BulkRun, actor: Actor, now: datetime, candidates: Candidates) -> bool:
    row = BulkRow.objects.select_for_update(of=("self",)).get(pk=row_id)
    if row.outcome != BulkOutcome.WAITING:
        return False  # another worker of the same run was here
    try:
        with transaction.atomic():
            _act(row=row, run=run, actor=actor, now=now, candidates=candidates)
    except REFUSALS as refusal:
        row.outcome, row.message = BulkOutcome.REFUSED, str(refusal)
    else:
        row.outcome = BulkOutcome.DONE
    row.done_at = now
    row.save(update_fields=["outcome", "message", "done_at"])
    return row.outcome == BulkOutcome.DONE


def _act(*, row: BulkRow, run: BulkRun, actor: Actor, now: datetime, candidates: Candidates) -> None:
    application = Application.objects.select_related("item__department", "version__vocabulary", "enterprise").get(
        pk=row.application_id
    )
    if application.revision != row.revision:
        raise Invalid(Fault("revision", _("预览之后这件申报有了变化，请打开查看后再办理。")))
    deed = BulkDeed(run.deed)
    why_not = _why_not(application, deed, actor=actor, now=now, candidates=candidates)
    if why_not:
        raise Invalid([Fault("row", text) for text in why_not])
    if deed is BulkDeed.ACCEPT:
        reviews.accept(application_id=application.pk, actor=actor, now=now, note=run.note)
    elif deed is BulkDeed.ASSIGN:
        people = candidates(application.item.department_id)
        staffing.assign(application_id=application.pk, candidates=people, actor=actor, now=now)
    elif deed is BulkDeed.PUBLICISE:
        publicity.publicise(application_id=application.pk, actor=actor, now=now)
    elif deed is BulkDeed.APPROVE:
        decisions.approve(application_id=application.pk, actor=actor, now=now, summary=run.note)
    else:
        if application.status is ApplicationState.ACCEPTED:
            reviews.start_review(application_id=application.pk, actor=actor, now=now)
        reviews.recommend_approval(application_id=application.pk, text=run.note, actor=actor, now=now)
