"""What enterprises and finance are told of money asked back, of the month's preflight and of its moved day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from disbursement.domain.cycle import month_label
from disbursement.domain.workflow import ApplicationState, PayableState
from disbursement.models import Clawback, ClawbackPlan, ClawbackReceipt, CutOffDay, CyclePreflight, ReturnLine, SetOff
from disbursement.services.recovery.recoveries import standing_of
from matching.models import Enterprise
from portal.accounts.access import FINANCE_ROLES
from portal.accounts.models import RoleAssignment, StaffRole
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link, yuan_text

_ENDED = ("draft", "not_accepted", "rejected", "rejection_upheld", "withdrawn", "revoked", "closed", "approved")


def of_plan(*, plan_id: int, event: str) -> Iterator[Message]:
    """A step of a plan: to the enterprise what it means for it; to finance what waits for it."""
    plan = ClawbackPlan.objects.select_related("clawback__payable__application__item__department").get(pk=plan_id)
    demand = plan.clawback
    names = {"number": demand.number}
    told = {
        "approved": (
            _("追回 %(number)s 的分期退回计划已批准"),
            _("请按计划退回，分期退回通知书可在退回款项页面下载。"),
        ),
        "refused": (_("追回 %(number)s 的分期申请未获同意"), _last_note(plan)),
        "defaulted": (_("追回 %(number)s 逾期未退，全部余款已到期"), _last_note(plan)),
    }.get(event)
    if told is not None and (plan.asked_by_id is not None or event != "refused"):
        yield _to_enterprise(demand, key=f"clawback-plan:{plan.pk}:{event}", title=told[0] % names, body=told[1])
    waiting = {
        "asked": (
            _("企业申请分期退回 %(number)s"),
            plan.ask_reason,
            (StaffRole.FINANCE_MAKER, StaffRole.FINANCE_CHECKER),
        ),
        "proposed": (_("分期退回计划待批准：%(number)s"), plan.reason, (StaffRole.FINANCE_APPROVER,)),
    }.get(event)
    if waiting is not None:
        yield from _to_finance(
            roles=waiting[2],
            department_id=demand.payable.application.item.department_id,
            key=f"clawback-plan:{plan.pk}:{event}",
            title=waiting[0] % names,
            body=waiting[1],
            place=link("desk:clawback", demand.pk),
        )


def of_reminder(*, clawback_id: int, due: str, stage: str) -> Iterator[Message]:
    """What is due soon, today, or overdue; of what is overdue finance hears, too."""
    demand = Clawback.objects.select_related("payable__application__item__department", "payable__enterprise").get(
        pk=clawback_id
    )
    day = date.fromisoformat(due)
    how = standing_of(demand=demand, as_of=day)
    following = next((each for each in how.entries if each.due.due_on == day), None)
    amount = yuan_text(how.rest if following is None else following.rest)
    key = f"clawback-reminder:{demand.pk}:{due}:{stage}"
    if not stage.startswith("late"):
        title = _("请于 %(day)s 前退回 %(amount)s") % {"day": due, "amount": amount}
        body = _("追回编号 %(number)s，附言请注明编号。") % {"number": demand.number}
        yield _to_enterprise(demand, key=key, title=title, body=body)
        return
    title = _("应于 %(day)s 退回的 %(amount)s 已经逾期") % {"day": due, "amount": amount}
    body = _("追回编号 %(number)s。请尽快退回；确有困难的，请联系承办部门。") % {"number": demand.number}
    yield _to_enterprise(demand, key=key, title=title, body=body)
    yield from _to_finance(
        roles=(StaffRole.FINANCE_CHECKER, StaffRole.FINANCE_APPROVER),
        department_id=demand.payable.application.item.department_id,
        key=key,
        title=_("%(name)s 的追回款 %(number)s 逾期")
        % {"name": demand.payable.enterprise.name, "number": demand.number},
        body=_("应于 %(day)s 退回 %(amount)s。") % {"day": due, "amount": amount},
        place=link("desk:clawback", demand.pk),
    )


def of_receipt(*, receipt_id: int) -> Message:
    """Part of what is owed came in."""
    receipt = ClawbackReceipt.objects.select_related("clawback__payable__application__item").get(pk=receipt_id)
    demand = receipt.clawback
    how = standing_of(demand=demand, as_of=receipt.received_on)
    title = _("已收到退回款项 %(amount)s") % {"amount": yuan_text(receipt.amount)}
    body = _("追回编号 %(number)s，尚欠 %(rest)s。") % {"number": demand.number, "rest": yuan_text(how.rest)}
    return _to_enterprise(demand, key=f"clawback-receipt:{receipt.pk}", title=title, body=body)


def of_set_off(*, set_off_id: int) -> Message:
    """A coming payment pays back what was owed."""
    made = SetOff.objects.select_related("clawback", "payable__application__item").get(pk=set_off_id)
    item = made.payable.application.item
    title = _("《%(item)s》第 %(part)s 期 %(amount)s 已抵扣追回款") % {
        "item": item.name,
        "part": made.payable.number,
        "amount": yuan_text(made.amount),
    }
    body = _("追回编号 %(number)s。依据：%(reason)s") % {"number": made.clawback.number, "reason": made.reason}
    return _to_enterprise(made.clawback, key=f"set-off:{made.pk}", title=title, body=body)


def of_preflight(*, preflight_id: int) -> Iterator[Message]:
    """What stands in the way of the month, found in the early morning."""
    kept = CyclePreflight.objects.select_related("cycle").get(pk=preflight_id)
    yield from _to_finance(
        roles=tuple(FINANCE_ROLES),
        department_id=None,
        key=f"preflight:{kept.pk}",
        title=_("%(month)s预检：%(stops)s 项须先处理，%(unpaid)s 笔不会支付")
        % {"month": month_label(kept.cycle.month), "stops": kept.stops, "unpaid": kept.unpaid},
        body=_("截止日 %(day)s。请在截止前逐项处理。") % {"day": kept.cycle.cut_off_on.isoformat()},
        place=link("desk:cycle_preflight", kept.cycle_id),
    )


def of_cut_off_day(*, decision_id: int) -> Iterator[Message]:
    """The cut-off day of a month was moved: to whoever has money coming or an application under way, and to finance."""
    made = CutOffDay.objects.get(pk=decision_id)
    names = {"month": month_label(made.month), "day": made.day.isoformat(), "former": made.former.isoformat()}
    title = _("%(month)s兑现截止日调整为 %(day)s") % names
    body = _("原为 %(former)s。原因：%(reason)s") % {**names, "reason": made.reason}
    place = link("public:payday", made.month.year)
    coming = Q(payables__pay_month=made.month, payables__state__in=[PayableState.AWAITING, PayableState.RESERVED])
    under_way = Q(applications__state__in=[s.value for s in ApplicationState if s.value not in _ENDED])
    concerned = Enterprise.objects.filter(coming | under_way).order_by("pk").distinct().values_list("pk", flat=True)
    for enterprise_id in concerned.iterator(chunk_size=2000):
        yield Message(
            key=f"cut-off-day:{made.pk}:{enterprise_id}",
            kind=NotificationKind.PAYMENT,
            title=title,
            body=body,
            link=place,
            enterprise_id=enterprise_id,
        )
    roles = (*FINANCE_ROLES, StaffRole.SECOND_REVIEWER)
    yield from _to_finance(
        roles=roles, department_id=None, key=f"cut-off-day:{made.pk}", title=title, body=body, place=place
    )


def of_old_exception(*, line_id: int) -> Iterator[Message]:
    """An exception that nobody ended for too long; nothing where somebody did meanwhile."""
    line = ReturnLine.objects.select_related("batch__budget_line", "file").defer("file__content").get(pk=line_id)
    if line.resolved_at is not None:
        return
    yield from _to_finance(
        roles=tuple(FINANCE_ROLES),
        department_id=None if line.batch is None else line.batch.budget_line.department_id,
        key=f"old-exception:{line.pk}",
        title=_("回单例外超过10个工作日未处理：%(line)s") % {"line": line.line_id or line.file.name},
        body=line.problem,
        place=link("desk:exceptions") + "?age=old",
    )


def _to_enterprise(demand: Clawback, *, key: str, title: str, body: str) -> Message:
    item = demand.payable.application.item
    return Message(
        key=key,
        kind=NotificationKind.PAYMENT,
        title=title,
        body=body,
        link=link("enterprise:clawback", demand.pk),
        enterprise_id=demand.payable.enterprise_id,
        item_id=item.pk,
        department_id=item.department_id,
    )


def _to_finance(
    *, roles: tuple[str, ...], department_id: int | None, key: str, title: str, body: str, place: str
) -> Iterator[Message]:
    held = RoleAssignment.objects.filter(role__in=roles)
    if department_id is not None:
        held = held.filter(Q(department__isnull=True) | Q(department=department_id))
    for user_id in sorted(set(held.values_list("user_id", flat=True))):
        yield Message(
            key=f"{key}:{user_id}",
            kind=NotificationKind.SERVICE,
            title=title[:200],
            body=body,
            link=place,
            user_id=user_id,
            department_id=department_id,
        )


def _last_note(plan: ClawbackPlan) -> str:
    last = plan.changes.order_by("-pk").first()
    return "" if last is None else last.note
