"""督办: a supervisor urges in writing, the department answers by a day (整改说明), the supervisor closes it.

Each step is done once and told through the outbox: topics `urging.sent`, `urging.answered`, `urging.closed`, each with
{"urging": id}. Nothing is deleted; an answer that does not do is closed as such, and another urging follows.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor
from disbursement.domain.errors import Denied, Fault, Invalid
from disbursement.domain.workflow import Role
from disbursement.models import Application
from disbursement.models.supervision import SupervisionEntry, Urging
from disbursement.selectors.calendar import working_calendar
from matching.days import day_of
from matching.registry import outbox
from matching.registry.models import Department

# Working days that a department has for its answer, unless another day is set.
DEFAULT_DAYS = 5
ANSWERING = (Role.ACCEPTOR, Role.REVIEWER, Role.SECOND_REVIEWER)


def default_due(*, now: datetime) -> date:
    """The day by which an answer is asked for where the supervisor names none."""
    return working_calendar().add_working_days(day_of(now), DEFAULT_DAYS)


@transaction.atomic
def send(
    *,
    text: str,
    due_on: date,
    actor: Actor,
    now: datetime,
    department_id: int | None = None,
    application_id: int | None = None,
    entry_id: int | None = None,
) -> Urging:
    """Urge a department: because of a line of the ledger (its department and person), of an application, or at large.

    Raises Denied for those who do not supervise it, Invalid with everything wrong.
    """
    entry = SupervisionEntry.objects.filter(pk=entry_id).first() if entry_id is not None else None
    if entry is not None:
        department_id, application_id = entry.department_id, entry.application_id
    application = Application.objects.select_related("item").filter(pk=application_id or 0).first()
    if department_id is None and application is not None:
        department_id = application.item.department_id
    if department_id is None or not Department.objects.filter(pk=department_id).exists():
        raise Invalid(Fault("department", _("请选择要督办的部门。")))
    if actor.user_id is None or not actor.supervises(department_id):
        raise Denied(_("督办由督查人员发出，您没有这个部门的督查职责。"))
    faults = []
    if not text.strip():
        faults.append(Fault("text", _("请写明督办事由和要求。")))
    if due_on < day_of(now):
        faults.append(Fault("due_on", _("答复期限不能早于今天。")))
    if faults:
        raise Invalid(faults)
    urging = Urging.objects.create(
        department_id=department_id,
        person_id=None if entry is None else entry.person_id,
        application=application,
        entry=entry,
        text=text.strip(),
        due_on=due_on,
        sent_by_id=actor.user_id,
        sent_at=now,
    )
    _tell("sent", urging, now)
    return urging


@transaction.atomic
def answer(*, urging_id: int, reply: str, actor: Actor, now: datetime) -> Urging:
    """The department answers, once: what was wrong, what was done, when it will be well (整改说明)."""
    urging = _lock(urging_id)
    if not may_answer(urging=urging, actor=actor):
        raise Denied(_("整改说明由被督办部门的人员提交。"))
    if urging.replied_at is not None or urging.closed_at is not None:
        raise Invalid(Fault("reply", _("这件督办已经答复过。")))
    if not reply.strip():
        raise Invalid(Fault("reply", _("请写明原因、已采取的措施和完成时间。")))
    urging.reply, urging.replied_by_id, urging.replied_at = reply.strip(), actor.user_id, now
    urging.save(update_fields=["reply", "replied_by", "replied_at"])
    _tell("answered", urging, now)
    return urging


@transaction.atomic
def close(*, urging_id: int, is_settled: bool, closing: str, actor: Actor, now: datetime) -> Urging:
    """A supervisor closes an answered urging with an opinion, once; `is_settled` says whether the answer does."""
    urging = _lock(urging_id)
    if actor.user_id is None or not actor.supervises(urging.department_id):
        raise Denied(_("督办由督查人员办结。"))
    if urging.replied_at is None:
        raise Invalid(Fault("closing", _("部门尚未提交整改说明，不能办结。")))
    if urging.closed_at is not None:
        raise Invalid(Fault("closing", _("这件督办已经办结。")))
    if actor.user_id == urging.replied_by_id:
        raise Denied(_("自己提交的整改说明由其他督查人员办结。"))
    if not closing.strip():
        raise Invalid(Fault("closing", _("请写明办结意见。")))
    urging.is_settled, urging.closing = is_settled, closing.strip()
    urging.closed_by_id, urging.closed_at = actor.user_id, now
    urging.save(update_fields=["is_settled", "closing", "closed_by", "closed_at"])
    _tell("closed", urging, now)
    return urging


def may_answer(*, urging: Urging, actor: Actor) -> bool:
    """Whether the person may answer for the department that is urged; not who sent it."""
    if actor.user_id is None or actor.user_id == urging.sent_by_id:
        return False
    return any(actor.holds(role, department_id=urging.department_id) for role in ANSWERING)


def _lock(urging_id: int) -> Urging:
    found = Urging.objects.select_for_update(of=("self",)).filter(pk=urging_id).first()
    if found is None:
        raise Denied(_("没有这件督办。"))
    return found


def _tell(event: str, urging: Urging, now: datetime) -> None:
    key = f"urging.{event}:{urging.pk}"
    outbox.emit(topic=f"urging.{event}", payload={"urging": urging.pk}, now=now, dedupe_key=key)
