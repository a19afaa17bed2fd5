"""What finance is told of its own work: batches to sign, files that did not reach the bank, accounts to check, changes
of budgets to decide. Whoever is away hears nothing: their deputy does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from disbursement.domain.cycle import month_label
from disbursement.domain.workflow import BatchAction, BatchState
from disbursement.models import (
    AccountState,
    BankInquiry,
    Batch,
    BatchApproval,
    BudgetChange,
    Cycle,
    Delivery,
    DeliveryState,
    Payable,
    PayeeAccount,
    Reissue,
    StateChange,
)
from portal.accounts.access import FINANCE_ROLES
from portal.accounts.models import Membership, MembershipKind, RoleAssignment, StaffRole
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message
from portal.inbox.texts import link, yuan_text
from portal.inbox.whom import holders, present, unconcerned

# What a step of a batch leaves to do: the state in which it waits, and for whom.
_SIGNING: dict[BatchAction, tuple[BatchState, StaffRole]] = {
    BatchAction.MAKE: (BatchState.MADE, StaffRole.FINANCE_CHECKER),
    BatchAction.VERIFY: (BatchState.VERIFIED, StaffRole.FINANCE_APPROVER),
    BatchAction.CO_APPROVE: (BatchState.VERIFIED, StaffRole.FINANCE_APPROVER),
    BatchAction.SEND_BACK: (BatchState.CHECKED, StaffRole.FINANCE_MAKER),
}


def of_cut_off(*, cycle_id: int, now: datetime) -> Iterator[Message]:
    """The month was cut off: to each maker, with the batches of their own departments that wait for them."""
    cycle = Cycle.objects.get(pk=cycle_id)
    batches = list(cycle.batches.filter(state=BatchState.CHECKED).select_related("budget_line"))
    places = {batch.budget_line.department_id for batch in batches}
    people = {pk for place in places for pk in holders([StaffRole.FINANCE_MAKER], place)}
    for user_id in present(sorted(people), now):
        mine = [batch for batch in batches if _answers(user_id, batch.budget_line.department_id)] or batches
        yield Message(
            key=f"cycle:{cycle.pk}:cut-off:{user_id}",
            kind=NotificationKind.PAYMENT,
            title=_("%(month)s已截止，%(count)s 个批次待经办")
            % {"month": month_label(cycle.month), "count": len(mine)},
            body="；".join(
                _("%(number)s：%(count)s 笔，%(total)s")
                % {"number": batch.number, "count": batch.count, "total": yuan_text(batch.total)}
                for batch in mine[:20]
            ),
            link=link("desk:cycle", cycle.pk),
            user_id=user_id,
        )


def of_batch(*, batch_id: int, action: str, occasion: int, now: datetime) -> Iterator[Message]:
    """A batch was signed or sent back: to whoever signs next, or, with all signatures, to whoever may have it sealed.
    Nothing where it has moved on since. `occasion` is the event's number.
    """
    batch = Batch.objects.select_related("budget_line").get(pk=batch_id)
    act = BatchAction(action)
    if act is BatchAction.APPROVE and batch.state == BatchState.APPROVED:
        yield from _of_batch(
            batch,
            people=holders(FINANCE_ROLES, batch.budget_line.department_id),
            key=f"batch:{batch.pk}:{occasion}",
            title=_("批次 %(number)s 签署齐全，待封存并发送"),
            now=now,
        )
        return
    waits = _SIGNING.get(act)
    if waits is None or batch.state != waits[0]:
        return
    role = waits[1]
    signed: set[int] = set()
    if act is BatchAction.SEND_BACK:
        change = StateChange.objects.filter(batch=batch, action=act.value).order_by("-pk").first()
        body = _("原因：%(reason)s") % {"reason": "" if change is None else change.note}
        title = _("批次 %(number)s 被退回，请核对后重新提交")
    else:
        title, body = _("批次 %(number)s 待%(role)s签署"), ""
        signed = set(BatchApproval.objects.filter(batch=batch, round=batch.round).values_list("person_id", flat=True))
    people = holders([role], batch.budget_line.department_id)
    yield from _of_batch(
        batch,
        people=[pk for pk in people if pk not in signed],
        key=f"batch:{batch.pk}:{occasion}",
        title=title,
        now=now,
        extra=body,
        role=str(role.label),
    )


def of_stuck_delivery(*, delivery_id: int, occasion: int, now: datetime) -> Iterator[Message]:
    """A sealed file is not at the bank: refused, nobody knows, or it has to be taken there."""
    delivery = (
        Delivery.objects.select_related("sealed_file__batch__budget_line", "gateway")
        .defer("sealed_file__content")
        .get(pk=delivery_id)
    )
    batch = delivery.sealed_file.batch
    title = {
        DeliveryState.REFUSED: _("银行拒收批次 %(number)s 的付款文件"),
        DeliveryState.UNSURE: _("不能确定银行是否收到批次 %(number)s 的付款文件"),
        DeliveryState.BY_HAND: _("批次 %(number)s 的付款文件待人工交银行"),
    }.get(DeliveryState(delivery.state))
    if title is None:
        return
    advice = {
        DeliveryState.REFUSED: _("请处理后再次发送，或改用其他通道。"),
        DeliveryState.UNSURE: _(
            "系统会继续向银行查询，同一文件不会重复发送；请与银行联系，一直查不清的在批次页发起书面核实。"
        ),
        DeliveryState.BY_HAND: _("请下载封存文件交银行，并在批次页登记。"),
    }[DeliveryState(delivery.state)]
    yield from _of_batch(
        batch,
        people=holders(FINANCE_ROLES, batch.budget_line.department_id),
        key=f"delivery:{delivery.pk}:{occasion}",
        title=title,
        now=now,
        extra=(f"{delivery.problem}" if delivery.problem else "") + advice,
    )


def of_bank_inquiry(*, inquiry_id: int, now: datetime) -> Iterator[Message]:
    """A bank's letter about a file in doubt: entered, to the approvers; decided, to whoever entered it."""
    found = (
        BankInquiry.objects.select_related("delivery__sealed_file__batch__budget_line")
        .defer("delivery__sealed_file__content")
        .get(pk=inquiry_id)
    )
    batch = found.delivery.sealed_file.batch
    if found.ended_at is None:
        approvers = holders([StaffRole.FINANCE_APPROVER], batch.budget_line.department_id)
        people = [pk for pk in approvers if pk != found.entered_by_id]
        title, body = _("批次 %(number)s 的银行书面材料待审批"), f"{found.paper_number}：{found.text}"
    else:
        people = [pk for pk in (found.entered_by_id or found.asked_by_id,) if pk != found.ended_by_id]
        title = (
            _("批次 %(number)s 已按银行书面材料办理")
            if found.approved
            else _("批次 %(number)s 的书面核实已结束，系统继续查询")
        )
        body = found.note
    yield from _of_batch(
        batch, people=people, key=f"inquiry:{found.pk}:{found.approved}", title=title, now=now, extra=body
    )


def of_unsent(*, batch_id: int, day: str, now: datetime) -> Iterator[Message]:
    """A batch is signed, and not at the bank the day after."""
    batch = Batch.objects.select_related("budget_line").get(pk=batch_id)
    if batch.state not in (BatchState.APPROVED, BatchState.SEALED):
        return
    title = (
        _("批次 %(number)s 签署齐全，仍未封存发送")
        if batch.state == BatchState.APPROVED
        else _("批次 %(number)s 已封存，仍未送达银行")
    )
    yield from _of_batch(
        batch,
        people=holders(FINANCE_ROLES, batch.budget_line.department_id),
        key=f"batch:{batch.pk}:unsent:{day}",
        title=title,
        now=now,
        extra=_("其中的款项在送达前不会到账。"),
    )


def of_proposed_account(*, account_id: int, now: datetime) -> Iterator[Message]:
    """An account waits for its check: to those who check, with what waits for it."""
    account = PayeeAccount.objects.select_related("enterprise").get(pk=account_id)
    if account.state != AccountState.PROPOSED:
        return
    waiting = Payable.objects.filter(enterprise=account.enterprise_id, state="mended").count()
    body = _("开户银行 %(bank)s，账号尾号 %(tail)s。") % {
        "bank": account.bank_name,
        "tail": account.account_number[-4:],
    }
    if waiting:
        body += _("%(count)s 笔退回的款项等待核对。") % {"count": waiting}
    people = present(holders([StaffRole.FINANCE_CHECKER], None), now)
    for user_id in unconcerned(people, account.enterprise_id):
        yield Message(
            key=f"account:{account.pk}:proposed:{user_id}",
            kind=NotificationKind.PAYMENT,
            title=_("收款账户待核对：%(name)s") % {"name": account.enterprise.name},
            body=body,
            link=link("desk:accounts"),
            user_id=user_id,
        )


def of_changed_account(*, account_id: int) -> Iterator[Message]:
    """An account was entered in an enterprise's name: to its legal representatives, wherever the money should go."""
    account = PayeeAccount.objects.select_related("enterprise", "proposed_by").get(pk=account_id)
    leading = Membership.objects.filter(
        enterprise=account.enterprise_id, kind=MembershipKind.LEGAL_REPRESENTATIVE, revoked_at__isnull=True
    ).exclude(user=account.proposed_by_id)
    for user_id in sorted(set(leading.values_list("user_id", flat=True))):
        yield Message(
            key=f"account:{account.pk}:entered:{user_id}",
            kind=NotificationKind.PAYMENT,
            title=_("%(who)s为%(name)s登记了新的收款账户")
            % {"who": account.proposed_by, "name": account.enterprise.name},
            body=_("%(bank)s，账号尾号 %(tail)s，待财务人员核对。如非本企业所为，请立即联系财务部门并停用该经办人。")
            % {"bank": account.bank_name, "tail": account.account_number[-4:]},
            link=link("enterprise:account"),
            user_id=user_id,
        )


def of_reissue(*, reissue_id: int, now: datetime) -> Iterator[Message]:
    """Paying again to the same account: asked for, to the approvers; refused, to whoever asked."""
    found = Reissue.objects.select_related("payable__enterprise", "payable__budget_line").get(pk=reissue_id)
    payable = found.payable
    department_id = None if payable.budget_line is None else payable.budget_line.department_id
    names = {"name": payable.enterprise.name, "amount": yuan_text(payable.amount)}
    if found.approved is None:
        people = present(holders([StaffRole.FINANCE_APPROVER], department_id), now)
        told = [pk for pk in unconcerned(people, payable.enterprise_id) if pk != found.proposed_by_id]
        title, body = _("%(name)s %(amount)s 申请按原账户重新支付"), found.reason
    elif not found.approved:
        told, title, body = [found.proposed_by_id], _("%(name)s %(amount)s 未同意按原账户重新支付"), found.note
    else:
        return
    for user_id in told:
        yield Message(
            key=f"reissue:{found.pk}:{found.approved}:{user_id}",
            kind=NotificationKind.PAYMENT,
            title=title % names,
            body=body,
            link=link("desk:payable", payable.pk),
            user_id=user_id,
            department_id=department_id,
        )


def of_proposed_change(*, change_id: int, now: datetime) -> Iterator[Message]:
    """A change of a budget waits for its decision: to the approvers, save whoever proposed it."""
    change = BudgetChange.objects.select_related("line", "to_line").get(pk=change_id)
    if change.approved is not None:
        return
    amount = "" if change.amount is None else _("金额 %(amount)s。") % {"amount": yuan_text(change.amount)}
    for user_id in present(holders([StaffRole.FINANCE_APPROVER], None), now):
        if user_id == change.proposed_by_id:
            continue
        yield Message(
            key=f"budget-change:{change.pk}:proposed:{user_id}",
            kind=NotificationKind.SERVICE,
            title=_("%(kind)s待批准：%(line)s") % {"kind": change.get_kind_display(), "line": change.line},
            body=_("文号 %(paper)s。%(amount)s原因：%(reason)s")
            % {"paper": change.paper_number, "amount": amount, "reason": change.reason},
            link=link("desk:budget_line", change.line_id),
            user_id=user_id,
            department_id=change.line.department_id,
        )


def _answers(user_id: int, department_id: int) -> bool:
    found = RoleAssignment.objects.filter(user_id=user_id, role=StaffRole.FINANCE_MAKER)
    return any(place in (None, department_id) for place in found.values_list("department_id", flat=True))


def _of_batch(
    batch: Batch,
    *,
    people: Collection[int],
    key: str,
    title: str,
    now: datetime,
    extra: str = "",
    role: str = "",
) -> Iterator[Message]:
    body = _("%(line)s，%(count)s 笔，%(total)s。") % {
        "line": batch.budget_line,
        "count": batch.count,
        "total": yuan_text(batch.total),
    }
    for user_id in present(people, now):
        yield Message(
            key=f"{key}:{user_id}",
            kind=NotificationKind.PAYMENT,
            title=title % {"number": batch.number, "role": role},
            body=body + extra,
            link=link("desk:batch", batch.pk),
            user_id=user_id,
            department_id=batch.budget_line.department_id,
        )
