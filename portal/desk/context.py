"""What the page of one application tells beside its papers: the steps of its review, who could have it, drafts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from disbursement.models import Application, DecisionDraft
from disbursement.selectors.aftermath import aftermath_of
from disbursement.selectors.attention import step_due
from disbursement.services.application import applications
from disbursement.services.review import staffing, steps
from portal.accounts import people
from portal.accounts.access import actor_for
from portal.dossier import Dossier

_S, _A = ApplicationState, ApplicationAction
_WORKED = {"site_visit": _S.SITE_VISIT, "joint": _S.JOINT_REVIEW, "expert": _S.EXPERT}
_ASSIGNED = (
    _S.SUBMITTED,
    _S.ACCEPTED,
    _S.IN_REVIEW,
    _S.SITE_VISIT,
    _S.EXPERT,
    _S.SECOND_REVIEW,
    _S.PUBLICITY,
    _S.APPEAL,
)


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of the review's path: `state` is done, now or todo."""

    name: str
    state: str
    note: str = ""


def path_stops(found: Application) -> list[Stop]:
    """The way that the item's review goes, as the page shows it; empty for the plain one."""
    path = steps.path_of(application=found)
    if not path.steps:
        return []
    done = steps.taken(application=found)
    due = step_due(application=found)
    status = found.status
    reviewing = (_S.ACCEPTED, _S.IN_REVIEW, _S.REVIEW_CORRECTION, *_WORKED.values())
    accepted = status not in (_S.SUBMITTED, _S.CORRECTION)
    told = [
        Stop(_("受理"), "done" if accepted else "now"),
        Stop(_("初审"), "now" if status in reviewing else "done" if accepted else "todo"),
    ]
    for step in path.steps:
        state = "done" if step.kind in done else "now" if status is _WORKED[step.kind] else "todo"
        note = ""
        if step.kind == "joint" and step.silence_consents:
            note = _("%(days)s 个工作日，逾期视为同意") % {"days": step.days}
        elif state == "now" and due is not None:
            note = _("应于 %(day)s 前完成") % {"day": due.isoformat()}
        elif step.days:
            note = _("%(days)s 个工作日") % {"days": step.days}
        told.append(Stop(step.name, state, note))
    second = "now" if status is _S.SECOND_REVIEW else "todo" if status in (*reviewing, _S.SUBMITTED) else "done"
    return [*told, Stop(_("复审"), second)]


def review_context(
    request: HttpRequest, found: Application, dossier: Dossier, permitted: list[ApplicationAction], *, now: datetime
) -> dict[str, Any]:
    actor = actor_for(request)
    held = applications.roles_for(application=found, actor=actor)
    own = found.handler_id in (None, actor.user_id)
    may_move = found.status in _ASSIGNED and bool(held & set(staffing.DESK_ROLES))
    candidates = []
    if may_move and (own or Role.SECOND_REVIEWER in held):
        fitting = staffing.can_take(
            application=found, candidates=people.reviewers(department_id=found.item.department_id), now=now
        )
        ids = [person.user_id or 0 for person in fitting if person.user_id != found.handler_id]
        names, loads = people.names(user_ids=ids), staffing.load_of(user_ids=ids)
        candidates = [(pk, names[pk], loads[pk]) for pk in ids]
    deputised = next(iter(dossier.handovers), None)
    principal = None
    if deputised is not None and deputised.kind == "deputised" and deputised.taker_id == found.handler_id:
        principal = deputised.giver
    return {
        "stops": path_stops(found),
        "candidates": candidates,
        "may_assign": bool(candidates) and found.handler_id is None,
        "may_record_visit": _A.RECORD_VISIT in permitted,
        "principal": principal,
        "aftermath": aftermath_of(application=found),
    }


def drafts_of(request: HttpRequest, found: Application) -> dict[str, dict[str, Any]]:
    """What the person wrote so far and did not send, by the form's name."""
    draft = DecisionDraft.objects.filter(application=found, user_id=request.user.pk or 0).first()
    return dict(draft.content) if draft is not None else {}
