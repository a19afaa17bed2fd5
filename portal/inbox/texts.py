"""What messages say of applications, money and service: what happened, why, and what to do now. They are written once,
as things stand when told. What they say of policies that fit stands in `push_texts`."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.cycle import month_label
from disbursement.domain.workflow import ApplicationAction as Act
from disbursement.models import (
    Application,
    Clawback,
    Decision,
    Objection,
    Payable,
    PayeeAccount,
    Rectification,
    TransitionLog,
)
from disbursement.services.application import ratings
from portal.inbox.models import NotificationKind
from portal.inbox.services import Message


def of_application(*, application_id: int, action: str, seq: int) -> Message | None:
    """What a step means for the enterprise; None for a step that is the desk's own business, or its own doing."""
    write = _APPLICATION.get(Act(action))
    if write is None:
        return None
    application = Application.objects.select_related("item__department").get(pk=application_id)
    title, body = write(application)
    return Message(
        key=f"application:{application.pk}:{seq}",
        kind=NotificationKind.APPLICATION,
        title=title % {"item": application.item.name},
        body=_("申报编号 %(number)s。") % {"number": application.number or "—"} + body,
        link=link("enterprise:application", application.pk),
        enterprise_id=application.enterprise_id,
        item_id=application.item_id,
        department_id=application.item.department_id,
    )


def _correction(application: Application) -> tuple[str, str]:
    correction = application.corrections.prefetch_related("items").order_by("-pk").first()
    title = _("《%(item)s》的申报需要补正")
    if correction is None:
        return title, ""
    asked = "；".join(f"{item.label}：{_bare(item.problem)}" for item in correction.items.all())
    return title, _("请在 %(day)s 前补正：%(asked)s。补正期间不计入办理时限。") % {
        "day": correction.due_on.isoformat(),
        "asked": asked,
    }


def _refusal(title: str | Promise) -> Callable[[Application], tuple[str, str]]:
    def write(application: Application) -> tuple[str, str]:
        decision = application.decisions.order_by("-pk").first()
        body = "" if decision is None else _why(decision)
        if ratings.is_rateable(application=application):
            body = (f"{_bare(body)}。" if body else "") + _("您也可以在申报详情中为这次办理打分。")
        return str(title), body

    return write


def _why(decision: Decision) -> str:
    reasons = "；".join(_bare(entry["reason"]) for entry in decision.reasons if entry.get("reason"))
    body = _("原因：%(reasons)s。") % {"reasons": reasons} if reasons else ""
    if decision.remedy:
        body += _("您可以：%(remedy)s") % {"remedy": decision.remedy}
    return body


def _approved(application: Application) -> tuple[str, str]:
    lines = [
        _("第 %(number)s 期 %(amount)s，%(month)s兑现")
        % {"number": payable.number, "amount": yuan_text(payable.entitled), "month": month_label(payable.pay_month)}
        for payable in application.payables.order_by("number")
    ]
    total = "" if application.approved_amount is None else yuan_text(application.approved_amount)
    body = _("核定金额 %(total)s。") % {"total": total} if total else ""
    return _("《%(item)s》的申报审核通过"), body + ("；".join(lines) + "。" if lines else "")


def _visit(application: Application) -> tuple[str, str]:
    plan = _note_of(application, Act.ARRANGE_VISIT)
    body = _("核查安排：%(plan)s。") % {"plan": _bare(plan)} if plan else ""
    return _("《%(item)s》的申报将进行现场核查"), body + _("请安排人员在场，备好相关原件。")


def _publicised(application: Application) -> tuple[str, str]:
    shown = application.publicities.order_by("-pk").first()
    if shown is None:
        return _("《%(item)s》的申报进入公示"), ""
    place = link("publicity:detail", shown.pk)
    body = _("公示期 %(first)s 至 %(last)s，拟兑现 %(amount)s。公示期满无异议或异议不成立的，予以通过。") % {
        "first": shown.starts_on.isoformat(),
        "last": shown.ends_on.isoformat(),
        "amount": yuan_text(shown.amount),
    }
    where = _("公示网址：%(address)s") % {"address": f"{settings.HUIDA_BASE_URL.rstrip('/')}{place}"} if place else ""
    return _("《%(item)s》的申报进入公示"), body + where


def _objected(application: Application) -> tuple[str, str]:
    sustained = Objection.objects.filter(publicity__application=application, sustained=True)
    objection = sustained.order_by("-answered_at", "-pk").first()
    body = "" if objection is None else _("处理意见：%(answer)s。") % {"answer": _bare(objection.answer)}
    return _("《%(item)s》的公示异议成立"), body + _("申报退回重新审核，结果另行告知。")


def _closed(application: Application) -> tuple[str, str]:
    # Often it was rated when the money came.
    asked = _("请为这次办理打分，您的评价会公开督办。") if ratings.is_rateable(application=application) else ""
    return _("《%(item)s》的申报已办结"), asked


def _note_of(application: Application, action: Act) -> str:
    """What was written with the last step of this kind."""
    row = TransitionLog.objects.filter(application=application, action=action.value).order_by("-seq").first()
    return "" if row is None else row.note


def _plain(title: str | Promise, body: str | Promise = "") -> Callable[[Application], tuple[str, str]]:
    return lambda _application: (str(title), str(body))


_APPLICATION: dict[Act, Callable[[Application], tuple[str, str]]] = {
    Act.SUBMIT: _plain(gettext_lazy("已收到《%(item)s》的申报"), gettext_lazy("受理结果将在承诺时限内告知。")),
    Act.ASK_CORRECTION: _correction,
    Act.LAPSE: _plain(
        gettext_lazy("《%(item)s》的申报逾期未补正，本次办理终止"), gettext_lazy("材料备齐后可以重新申报。")
    ),
    Act.ACCEPT: _plain(gettext_lazy("《%(item)s》的申报已受理"), gettext_lazy("审核时限自今日起计算。")),
    Act.ACCEPT_WITH_GAP: _plain(
        gettext_lazy("《%(item)s》的申报已容缺受理"), gettext_lazy("请按承诺的日期补齐所缺材料，补齐前不能通过审核。")
    ),
    Act.REFUSE: _refusal(gettext_lazy("《%(item)s》的申报不予受理")),
    Act.ASK_EXPERT: _plain(
        gettext_lazy("《%(item)s》的申报进入专家评审"), gettext_lazy("专家评审期间不计入办理时限。")
    ),
    Act.CANCEL_EXPERT: _plain(
        gettext_lazy("《%(item)s》的申报不再进行专家评审"), gettext_lazy("审核继续进行，办理时限恢复计算。")
    ),
    Act.ARRANGE_VISIT: _visit,
    Act.CANCEL_VISIT: _plain(
        gettext_lazy("《%(item)s》的现场核查已取消"), gettext_lazy("审核继续进行，需要另行核查时会再通知。")
    ),
    Act.ASK_DEPARTMENTS: _plain(
        gettext_lazy("《%(item)s》的申报进入部门会审"), gettext_lazy("各部门同时办理，会审期间不计入审核时限。")
    ),
    Act.PUBLICISE: _publicised,
    Act.SUSTAIN_OBJECTION: _objected,
    Act.APPROVE: _approved,
    Act.REJECT: _refusal(gettext_lazy("《%(item)s》的申报审核不通过")),
    Act.UPHOLD: _refusal(gettext_lazy("《%(item)s》的复核维持原决定")),
    Act.REVOKE: _refusal(gettext_lazy("《%(item)s》的审核决定已撤销")),
    Act.CLOSE: _closed,
}


def _held(payable: Payable) -> tuple[str, str]:
    return _("《%(item)s》第 %(number)s 期暂缓兑现"), _("原因：%(reason)s。问题解决后列入下一批。") % {
        "reason": _bare(payable.hold_reason or _("待核实"))
    }


def _slipped(payable: Payable) -> tuple[str, str]:
    return _("《%(item)s》第 %(number)s 期改在%(month)s兑现"), payable.slip_reason


def _reduced(payable: Payable) -> tuple[str, str]:
    return _("《%(item)s》第 %(number)s 期按预算比例兑现 %(amount)s"), _(
        "本期预算不足，按事项约定比例分配，应付 %(entitled)s。"
    ) % {"entitled": yuan_text(payable.entitled)}


def _bounced(payable: Payable) -> tuple[str, str]:
    attempt = payable.attempts.filter(outcome="bounced").order_by("-pk").first()
    reason = (attempt.outcome_reason if attempt else "") or _("银行未说明原因")
    return _("《%(item)s》第 %(number)s 期 %(amount)s 被银行退回"), _(
        "原因：%(reason)s。请更正收款账户，核对后随下一批支付，不影响金额。"
    ) % {"reason": _bare(reason)}


def _clawback(payable: Payable) -> tuple[str, str]:
    demand = Clawback.objects.filter(payable=payable).first()
    body = (
        ""
        if demand is None
        else _("原因：%(reason)s。请在 %(day)s 前退回 %(amount)s，通知编号 %(number)s。")
        % {
            "reason": _bare(demand.reason),
            "day": demand.due_on.isoformat(),
            "amount": yuan_text(demand.amount),
            "number": demand.number,
        }
    )
    return _("请退回《%(item)s》第 %(number)s 期款项"), body


PAYABLE_EVENTS: dict[str, Callable[[Payable], tuple[str, str]]] = {
    "held": _held,
    "released": lambda _payable: (
        _("《%(item)s》第 %(number)s 期已解除暂缓"),
        _("将列入下一批兑现。"),
    ),
    "slipped": _slipped,
    "reduced": _reduced,
    "paid": lambda _payable: (
        _("《%(item)s》第 %(number)s 期 %(amount)s 已到账"),
        _("银行已确认支付，兑现通知书可在申报详情中下载。"),
    ),
    "bounced": _bounced,
    "reissued": lambda _payable: (
        _("《%(item)s》第 %(number)s 期 %(amount)s 将按原账户重新支付"),
        _("经向银行核实，退回不是收款账户的问题，不需要更正账户；款项列入下一批兑现。"),
    ),
    "still_bounced": lambda _payable: (
        _("《%(item)s》第 %(number)s 期 %(amount)s 仍在等您更正收款账户"),
        _("款项被银行退回后还没有新的收款账户。请登记正确的账户，核对后随下一批支付，不影响金额。"),
    ),
    "refunded": lambda _payable: (_("已收到《%(item)s》第 %(number)s 期退款 %(amount)s"), ""),
    "clawback": _clawback,
    "recovered": lambda _payable: (_("《%(item)s》第 %(number)s 期追回款项已到账"), _("追回事项已了结。")),
    "cancelled": lambda payable: (_("《%(item)s》第 %(number)s 期不再兑现"), payable.hold_reason),
}


def of_payables(*, payable_ids: Sequence[int], event: str, occasion: int) -> Iterator[Message]:
    """One message for each payable of an event; `occasion` is the event's number."""
    write = PAYABLE_EVENTS[event]
    payables = Payable.objects.select_related("application__item__department").filter(pk__in=payable_ids)
    for payable in payables.order_by("pk"):
        title, body = write(payable)
        item = payable.application.item
        names = {
            "item": item.name,
            "number": payable.number,
            "amount": yuan_text(payable.amount),
            "month": month_label(payable.pay_month),
        }
        place = link("enterprise:application", payable.application_id)
        if event in ("bounced", "still_bounced"):
            place = link("enterprise:mend", payable.pk)
        yield Message(
            key=f"payable:{payable.pk}:{event}:{occasion}",
            kind=NotificationKind.PAYMENT,
            title=title % names,
            body=body,
            link=place,
            enterprise_id=payable.enterprise_id,
            item_id=item.pk,
            department_id=item.department_id,
        )


def of_account(*, account_id: int, accepted: bool) -> Message:
    """A second person looked at a payee account."""
    account = PayeeAccount.objects.get(pk=account_id)
    tail = account.account_number[-4:]
    if accepted:
        title = _("尾号 %(tail)s 的收款账户核对通过") % {"tail": tail}
        body = _("今后的款项将付至该账户；退回的款项随下一批支付。")
    else:
        title = _("尾号 %(tail)s 的收款账户核对未通过") % {"tail": tail}
        body = _("原因：%(note)s。请重新提交账户。") % {"note": _bare(account.note or _("未说明"))}
    return Message(
        key=f"account:{account.pk}:{'accepted' if accepted else 'refused'}",
        kind=NotificationKind.PAYMENT,
        title=title,
        body=body,
        link=link("enterprise:account"),
        enterprise_id=account.enterprise_id,
    )


def of_answered_rating(*, application_id: int) -> Message | None:
    """The department answered a low rating."""
    found = (
        Rectification.objects.select_related("rating__application__item", "department")
        .filter(rating__application=application_id)
        .first()
    )
    if found is None:
        return None
    application = found.rating.application
    return Message(
        key=f"rectification:{found.pk}",
        kind=NotificationKind.SERVICE,
        title=_("您对《%(item)s》办理的评价已有整改答复") % {"item": application.item.name},
        body=_("%(department)s答复：%(reply)s") % {"department": found.department.name, "reply": found.reply},
        link=link("enterprise:application", application.pk),
        enterprise_id=application.enterprise_id,
        item_id=application.item_id,
        department_id=found.department_id,
    )


def _bare(text: str) -> str:
    """What somebody wrote, to be put into a sentence that ends by itself."""
    return text.strip().rstrip("。；;.")


def yuan_text(amount: Decimal) -> str:
    """An amount as messages say it."""
    return f"{amount:,.2f} 元"


def link(name: str, *arguments: object) -> str:
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:  # a room that this installation does not serve
        return ""
