"""What must stand before a deed of the review may be done: the criteria, gaps, changed materials, reasons, lists.

Each raises Invalid with a fault for each thing in the way, in words that say how to mend it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from disbursement.domain import money
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.reasons import REASONS
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application, Judgement, Objection
from disbursement.selectors import evidence
from disbursement.selectors.forms import material_rules
from disbursement.services.application import judging
from disbursement.services.review import steps
from matching.criteria import leaves
from matching.review_path import Check


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
    if not money.fits(amount):
        text = _("按规则计算的金额 %(amount)s 元超出范围，请核对申报所填的数字。")
        raise Invalid(Fault("award", text % {"amount": amount}))
    if amount <= 0:
        raise Invalid(Fault("award", _("按规则测算的奖补金额为 0 元，不能通过。请核对测算过程。")))
    return amount


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


def check_objections(application: Application) -> None:
    """Raise Invalid while an objection is not answered, of whichever publicity: one that was closed on the way back to
    review keeps its objections.
    """
    if open_objections(application):
        raise Invalid(Fault("publicity", _("还有公示异议没有处理，请先逐件处理。")))


def open_objections(application: Application) -> bool:
    return Objection.objects.filter(publicity__application=application, sustained__isnull=True).exists()


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


def checks_due(*, application: Application, step: str) -> tuple[Check, ...]:
    """The item's checklist for `step` (`matching.review_path.LISTS`, or "" for a deed without one), as far as it is
    still to be ticked: what was shown to the public was ticked before.
    """
    if not step or application.status is ApplicationState.PUBLICITY:
        return ()
    return steps.path_of(application=application).checks(step)


def check_ticks(*, application: Application, step: str, ticks: Collection[str]) -> list[dict[str, str]]:
    """The item's checklist for `step` as it is kept with the decision. Raises Invalid, a fault for each line that was
    not ticked.
    """
    checks = checks_due(application=application, step=step)
    text = _("核对清单中“%(line)s”没有勾选：核对无误后勾选；核对不符的，要求补正或不予通过。")
    faults = [Fault(f"ticks.{check.code}", text % {"line": check.text}) for check in checks if check.code not in ticks]
    if faults:
        raise Invalid(faults)
    return [{"code": check.code, "text": check.text} for check in checks]
