"""Experts (专家评审): who they are, that no interest binds them, what they signed, and the opinion taken from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Fault, Invalid
from disbursement.domain.workflow import ApplicationAction, Role
from disbursement.models import Application, OpinionKind
from disbursement.models.steps import ExpertPaper, ExpertVoice
from disbursement.services.application.applications import transition
from disbursement.services.evidence import stored
from disbursement.services.review.reviews import opine

MOST_EXPERTS = 15
MOST_PAPERS = 10
_LONGEST = {"name": 40, "unit": 100, "title": 60}


@dataclass(frozen=True, slots=True)
class Expert:
    """One person who was asked: name and unit are needed, the title is not."""

    name: str
    unit: str
    title: str = ""


def read_experts(text: str) -> list[Expert]:
    """One a line, as 姓名，单位，职称. Raises Invalid, a fault for each line that cannot be used."""
    found: list[Expert] = []
    faults = []
    for number, line in enumerate((line for line in text.splitlines() if line.strip()), start=1):
        parts = [part.strip() for part in line.replace(",", "，").replace("、", "，").replace("\t", "，").split("，")]
        name, unit, title = (*parts, "", "", "")[:3]
        long = any(len(value) > _LONGEST[key] for key, value in (("name", name), ("unit", unit), ("title", title)))
        if not name or not unit or len(parts) > 3 or long:
            faults.append(Fault("experts", _("第 %(n)s 位专家请按“姓名，单位，职称”填写。") % {"n": number}))
        elif any((one.name, one.unit) == (name, unit) for one in found):
            faults.append(Fault("experts", _("专家“%(name)s”填写了两次。") % {"name": name}))
        else:
            found.append(Expert(name, unit, title))
    if faults:
        raise Invalid(faults)
    return found


def record_report(
    *,
    application_id: int,
    text: str,
    experts: Sequence[Expert],
    unconcerned: bool,
    actor: Actor,
    now: datetime,
    papers: Sequence[tuple[str, bytes]] = (),
) -> Application:
    """Put the experts' opinion on record (登记专家意见) with who gave it; the clock runs on.

    `unconcerned`: each of them declared that no interest binds them to the enterprise. `papers` are what they signed,
    as (name, bytes). Raises Invalid with everything wrong; none of them may be of the enterprise itself.
    """
    if len(papers) > MOST_PAPERS:
        raise Invalid(Fault("papers", _("评审材料最多 %(most)s 份。") % {"most": MOST_PAPERS}))
    examined = [stored.examine(content=content, name=name) for name, content in papers]
    with transition(
        application_id=application_id, action=ApplicationAction.EXPERT_REPORT, actor=actor, now=now
    ) as application:
        faults = []
        if not 1 <= len(experts) <= MOST_EXPERTS:
            text_ = _("请填写参加评审的专家，1 至 %(most)s 位。")
            faults.append(Fault("experts", text_ % {"most": MOST_EXPERTS}))
        if not unconcerned:
            faults.append(Fault("unconcerned", _("专家须声明与申报企业无利害关系；不能声明的应当回避，另请专家。")))
        own = application.enterprise.name
        faults += [
            Fault("experts", _("专家“%(name)s”是申报企业的人员，应当回避。") % {"name": one.name})
            for one in experts
            if one.unit == own
        ]
        if faults:
            raise Invalid(faults)
        opinion = opine(
            application=application, kind=OpinionKind.EXPERT, text=text, actor=actor, role=Role.REVIEWER, now=now
        )
        ExpertVoice.objects.bulk_create(
            ExpertVoice(opinion=opinion, name=one.name, unit=one.unit, title=one.title, is_unconcerned=True)
            for one in experts
        )
        for found in examined:
            row = stored.keep(examined=found, now=now)
            ExpertPaper.objects.get_or_create(opinion=opinion, stored=row, defaults={"name": found.name})
    return application
