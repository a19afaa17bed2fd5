"""Decisions on an application, and the appeal against one.

Approval reserves the money in the same transaction (`services.award.awards`). Nothing is approved that the criteria do
not call eligible: where a fact was wrong or missing it is mended (`reviews.confirm_facts`), never overruled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.reasons import REASONS
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
from disbursement.selectors import evidence
from disbursement.selectors.forms import material_rules
from disbursement.selectors.invoices import table_of
from disbursement.services.application import judging
from disbursement.services.application.applications import transition
from disbursement.services.award import awards
from disbursement.services.review import steps
from matching.criteria import leaves
from matching.days import day_of

# Calendar days within which a refusal may be appealed, as long as the law gives for an administrative review.
APPEAL_WITHIN = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: in words, and what it points at: a condition (leaf id), a material (code), or neither."""

    reason: str
    leaf: str = ""
    material: str = ""
    code: str = ""  # of `domain.reasons.REASONS`; empty for one in words alone

    def to_json(self) -> dict[str, str]:
        told = {"leaf": self.leaf, "material": self.material, "reason": self.reason.strip()}
        return told | {"code": self.code} if self.code else told


def approve(*, application_id: int, actor: Actor, now: datetime, summary: str = "") -> Application:
    """Approve (审核通过): judge once more, fix the award, reserve the budget and record the decision, all or nothing.

    From second review, from an appeal, or at the end of a publicity (`services.review.publicity`). Raises Invalid where
    gaps are open, a certificate changed and nobody has settled it, the criteria do not call it eligible, publicity
    is still due, or the money cannot be reserved.
    """
    with transition(
        application_id=application_id, action=ApplicationAction.APPROVE, actor=actor, now=now, note=summary
    ) as application:
        days = publicity_days(application)
        if application.status is not ApplicationState.PUBLICITY and days:
            text = _("该事项须先公示 %(days)s 个工作日，请先发起公示。")
            raise Invalid(Fault("publicity", text % {"days": days}))
        publicised = None
        if application.status is ApplicationState.PUBLICITY:
            publicised = _end_publicity(application=application, now=now)
        check_gaps(application)
        check_flags(application)
        steps.check_path(application=application)
        judgement = judging.judge(application=application, occasion=Occasion.DECISION, now=now)
        check_eligible(judgement)
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
        )
        drop_draft(application=application, actor=actor)
    return application


def reject(*, application_id: int, reasons: Sequence[Reason], remedy: str, actor: Actor, now: datetime) -> Application:
    """Reject (审核不通过), with structured reasons; the enterprise may appeal once, before another reviewer."""
    with transition(
        application_id=application_id, action=ApplicationAction.REJECT, actor=actor, now=now
    ) as application:
        check_reasons(application=application, reasons=reasons, remedy=remedy, now=now)
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
    """The enterprise asks for another look at a rejection (申请复核), once, within 60 days."""
    if not grounds.strip():
        raise Invalid(Fault("grounds", _("请写明申请复核的理由。")))
    with transition(
        application_id=application_id, action=ApplicationAction.APPEAL, actor=actor, now=now, role=Role.ENTERPRISE
    ) as application:
        if Appeal.objects.filter(application=application).exists():
            raise Invalid(Fault("grounds", _("每件申报只能申请一次复核，这件已复核过。如仍不服，可依法申请行政复议。")))
        assert application.decided_at is not None
        if now > application.decided_at + APPEAL_WITHIN:
            raise Invalid(Fault("grounds", _("已超过收到决定之日起 60 日的复核期限。")))
        assert actor.user_id is not None
        application.handler_id = None
        Appeal.objects.create(application=application, grounds=grounds.strip(), filed_by_id=actor.user_id, filed_at=now)
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
        check_reasons(application=application, reasons=reasons, remedy=remedy, now=now)
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


def publicity_days(application: Application) -> int:
    """Working days of publicity (公示) that the item asks for; 0: none."""
    return int(application.version.rules.get("publicity_days") or 0)


def check_eligible(judgement: Judgement) -> None:
    """Raise Invalid, a fault for each leaf in the way, unless the judgement is eligible."""
    if judgement.verdict == "eligible":
        return
    outcome = judgement.outcome
    blocking = [leaf for leaf in outcome["leaves"] if leaf["id"] in (*outcome["unmet"], *outcome["unknown"])]
    raise Invalid([Fault(f"leaf.{leaf['id']}", leaf["comparison"]) for leaf in blocking])


def computed_amount(judgement: Judgement) -> Decimal:
    """The award in 元 that the rules give, before history. Raises Invalid where it is not known, or is nothing."""
    figures = judgement.outcome["estimate"]
    if figures is None:
        raise Invalid(Fault("award", _("该事项没有奖补规则，不能核定金额。请联系政策专员。")))
    if figures["low"] != figures["high"]:
        text = _("奖补金额还不能确定（至少 %(low)s 元），请先补全测算所需的信息。")
        raise Invalid(Fault("award", text % {"low": figures["low"]}))
    amount = Decimal(figures["low"])
    if amount <= 0:
        raise Invalid(Fault("award", _("按规则测算的奖补金额为 0 元，不能通过。请核对测算过程。")))
    return amount


def _end_publicity(*, application: Application, now: datetime) -> Publicity:
    publicity = application.publicities.select_for_update(no_key=True).get(closed_at__isnull=True)
    if day_of(now) <= publicity.ends_on:
        raise Invalid(Fault("publicity", _("公示期至 %(day)s 止，期满后才能通过。") % {"day": publicity.ends_on}))
    if publicity.objections.filter(sustained__isnull=True).exists():
        raise Invalid(Fault("publicity", _("还有公示异议没有处理，请先逐件处理。")))
    publicity.closed_at = now
    publicity.save(update_fields=["closed_at"])
    return publicity


def check_gaps(application: Application) -> None:
    """Raise Invalid, a fault for each promised material that is not in yet."""
    names = {rule.code: rule.name for rule in material_rules(version=application.version)}
    waiting = application.gaps.filter(filled_at__isnull=True).values_list("material_code", flat=True)
    faults = [
        Fault(f"material.{code}", _("容缺材料“%(name)s”尚未补齐。") % {"name": names.get(code, code)})
        for code in waiting
    ]
    if faults:
        raise Invalid(faults)


def open_flags(application: Application) -> list[str]:
    """What happened to certificates that the application stands on and nobody has settled, in Chinese."""
    names = {rule.code: rule.name for rule in material_rules(version=application.version)}
    text = _("材料“%(name)s”有变动（%(reason)s）：请先写明为什么可以保留，或者要求企业更换。")
    return [
        text % {"name": names.get(flag.material.code, flag.material.code), "reason": flag.get_reason_display()}
        for flag in evidence.open_flags(application_id=application.pk)
    ]


def check_flags(application: Application) -> None:
    """Raise Invalid, a fault for each material whose certificate changed while nobody has said why it may stay."""
    if told := open_flags(application):
        raise Invalid([Fault("material", line) for line in told])


def check_reasons(*, application: Application, reasons: Sequence[Reason], remedy: str, now: datetime) -> None:
    """Raise Invalid unless there are reasons, each points at something that the item has, and a way on is told."""
    known_leaves = {leaf.id for leaf in leaves(judging.rules_of(version=application.version, now=now).tree)}
    known_materials = {rule.code for rule in material_rules(version=application.version)}
    faults = []
    if not reasons:
        faults.append(Fault("reasons", _("请至少写明一条理由。")))
    if not remedy.strip():
        faults.append(Fault("remedy", _("请写明企业可以怎样补救或主张权利。")))
    for index, reason in enumerate(reasons):
        if not reason.reason.strip():
            faults.append(Fault(f"reasons.{index}", _("第 %(n)s 条理由没有内容。") % {"n": index + 1}))
        if reason.code and reason.code not in REASONS:
            faults.append(Fault(f"reasons.{index}", _("没有理由代码“%(code)s”。") % {"code": reason.code}))
        if reason.leaf and reason.leaf not in known_leaves:
            faults.append(Fault(f"reasons.{index}", _("该事项没有条件“%(leaf)s”。") % {"leaf": reason.leaf}))
        if reason.material and reason.material not in known_materials:
            faults.append(Fault(f"reasons.{index}", _("该事项没有材料“%(code)s”。") % {"code": reason.material}))
    if faults:
        raise Invalid(faults)


def check_ticks(*, application: Application, step: str, ticks: Collection[str]) -> list[dict[str, str]]:
    """The item's checklist for `step` (acceptance, review) as it is kept with the decision. Raises Invalid, a fault for
    each line that was not ticked.
    """
    checks = steps.path_of(application=application).checks(step)
    text = _("核对清单中“%(line)s”没有勾选：核对无误后勾选；核对不符的，要求补正或不予通过。")
    faults = [Fault(f"ticks.{check.code}", text % {"line": check.text}) for check in checks if check.code not in ticks]
    if faults:
        raise Invalid(faults)
    return [{"code": check.code, "text": check.text} for check in checks]


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
