"""The enterprise's desk: what to do first, what money is coming, what is new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.workflow import ApplicationState, PayableState
from disbursement.models import AccountState, Application, Correction, Payable, PayeeAccount, ToleratedGap
from disbursement.selectors.delivery import open_offers, shown_amounts
from disbursement.selectors.demands import open_demands
from disbursement.selectors.evidence import library
from disbursement.selectors.forms import material_rules
from disbursement.services.application.materials import GAP_WAITS
from disbursement.services.recovery.recoveries import standing_of
from matching.days import day_of
from matching.models import Enterprise
from portal.accounts.access import current_enterprise, enterprise_required
from portal.enterprise.opportunities import Kind, counts_of
from portal.inbox import selectors as inbox
from portal.inbox.models import NotificationKind

_COMING = (
    PayableState.AWAITING,
    PayableState.RESERVED,
    PayableState.SCHEDULED,
    PayableState.HELD,
    PayableState.SEALED,
    PayableState.BOUNCED,  # the money is still owed; only the account was wrong
    PayableState.MENDED,
)
_DONE = (PayableState.PAID, PayableState.SETTLED)
_OVER = (ApplicationState.DRAFT, ApplicationState.CLOSED, ApplicationState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class ToDo:
    title: str
    text: str
    url: str
    action: str
    due: date | None = None


@enterprise_required
def overview(request: HttpRequest) -> HttpResponseBase:
    enterprise = current_enterprise(request)
    today = day_of(timezone.now())
    payables = Payable.objects.filter(enterprise=enterprise)
    coming = list(
        payables.filter(state__in=_COMING).select_related("application__item").order_by("pay_month", "pk")[:20]
    )
    offers = list(open_offers(enterprise_id=enterprise.pk, day=today)[:5])
    context: dict[str, Any] = {
        "enterprise": enterprise,
        "offers": offers,
        "offer_amounts": shown_amounts(offer_ids=[offer.pk for offer in offers]),
        "today": today,
        "todo": [*to_do(enterprise), *unread_pushes(request)],
        "coming": coming,
        "coming_total": payables.filter(state__in=_COMING).aggregate(total=Sum("amount"))["total"],
        "paid_total": payables.filter(state__in=_DONE).aggregate(total=Sum("amount"))["total"],
        "counts": counts_of(enterprise=enterprise),
        "kinds": list(Kind),
        "running": list(
            Application.objects.filter(enterprise=enterprise)
            .exclude(state__in=_OVER)
            .select_related("item__department")
            .order_by("-updated_at")[:10]
        ),
    }
    return render(request, "enterprise/overview.html", context)


def _certificates(enterprise: Enterprise) -> list[ToDo]:
    """Certificates of the library that are no longer to be handed in, or soon will not be."""
    attention = {
        "infected": _("文件查出病毒，已停止使用。请换成干净的文件。"),
        "expired": _("已到期，今后的申报不再取用。请换成新版。"),
        "expiring": _("即将到期。换成新版后，正在填写的申报会自动取用。"),
    }
    entries = library(enterprise_id=enterprise.pk, day=day_of(timezone.now()), with_withdrawn=False)
    return [
        ToDo(
            _("更新证照：%(name)s") % {"name": entry.evidence.kind_name},
            attention[entry.state],
            reverse("enterprise:certificate", args=[entry.evidence.pk]),
            _("去更新"),
            entry.version.valid_until if entry.state == "expiring" else None,
        )
        for entry in entries
        if entry.state in attention and entry.evidence.department_id is None
    ]


def _demands(enterprise: Enterprise) -> list[ToDo]:
    """What is asked back, with the day of the next instalment."""
    found = []
    for demand in open_demands(enterprise_ids=[enterprise.pk]):
        coming = standing_of(demand=demand, as_of=day_of(timezone.now())).next
        if coming is None:
            continue
        found.append(
            ToDo(
                _("退回款项：%(item)s") % {"item": demand.payable.application.item.name},
                _("%(number)s 应退 %(amount)s 元。有困难的，可以申请分期。")
                % {"number": demand.number, "amount": f"{coming.rest:,}"},
                reverse("enterprise:clawback", args=[demand.pk]),
                _("去办理"),
                coming.due.due_on,
            )
        )
    return found


def to_do(enterprise: Enterprise) -> list[ToDo]:
    """What waits for the enterprise: what has a date first, by date, then the rest in order of weight."""
    found: list[ToDo] = []
    corrections = Correction.objects.filter(
        application__enterprise=enterprise, supplied_at__isnull=True, lapsed_at__isnull=True
    ).select_related("application__item")
    found += [
        ToDo(
            _("补正：%(item)s") % {"item": row.application.item.name},
            _("%(number)s 有内容需要补正，逾期视为撤回。") % {"number": row.application},
            reverse("enterprise:respond", args=[row.application_id]),
            _("去补正"),
            row.due_on,
        )
        for row in corrections
    ]
    gaps = ToleratedGap.objects.filter(
        application__enterprise=enterprise,
        application__state__in=[state.value for state in GAP_WAITS],
        filled_at__isnull=True,
        granted_at__isnull=False,
    ).select_related("application__item", "application__version")
    for gap in gaps:
        names = {rule.code: rule.name for rule in material_rules(version=gap.application.version)}
        found.append(
            ToDo(
                _("补齐容缺材料：%(name)s") % {"name": names.get(gap.material_code, gap.material_code)},
                gap.application.item.name,
                reverse("enterprise:application", args=[gap.application_id]),
                _("去补齐"),
                gap.promised_by,
            )
        )
    found += _demands(enterprise)
    found.sort(key=lambda todo: todo.due or date.max)
    bounced = Payable.objects.filter(enterprise=enterprise, state=PayableState.BOUNCED).select_related(
        "application__item"
    )
    found += [
        ToDo(
            _("退票：请更正收款账户"),
            _("%(item)s 的 %(amount)s 元未能付到尾号 %(tail)s 的账户，更正后随下一批支付。")
            % {"item": row.application.item.name, "amount": f"{row.amount:,}", "tail": row.masked_account},
            reverse("enterprise:mend", args=[row.pk]),
            _("更正账户"),
        )
        for row in bounced
    ]
    found += _certificates(enterprise)
    accounts = PayeeAccount.objects.filter(
        enterprise=enterprise, state__in=[AccountState.CHECKED, AccountState.PROPOSED]
    )
    if not accounts.exists():
        found.append(
            ToDo(
                _("登记收款账户"),
                _("登记并核对后，审核通过的资金才能付给您。"),
                reverse("enterprise:account"),
                _("去登记"),
            )
        )
    rateable = (
        Application.objects.filter(enterprise=enterprise, payables__state__in=_DONE, rating__isnull=True)
        .select_related("item")
        .distinct()
    )
    found += [
        ToDo(
            _("评价：%(item)s") % {"item": row.item.name},
            _("资金已到账，请为这次办理打分。"),
            reverse("enterprise:application", args=[row.pk]) + "#rate",
            _("去评价"),
        )
        for row in rateable
    ]
    drafts = Application.objects.filter(enterprise=enterprise, state=ApplicationState.DRAFT).select_related("item")
    found += [
        ToDo(
            _("草稿：%(item)s") % {"item": row.item.name},
            _("填了一半，随时可继续。"),
            reverse("enterprise:edit", args=[row.pk]),
            _("继续填写"),
        )
        for row in drafts
    ]
    return found


def unread_pushes(request: HttpRequest) -> list[ToDo]:
    """Items told to the enterprise that this person has not looked at, as one thing to do."""
    assert request.user.is_authenticated
    rows = inbox.listing(
        user=request.user,
        enterprise_ids=[current_enterprise(request).pk],
        kind=NotificationKind.POLICY,
        unread_only=True,
    )
    count = rows.count()
    if not count:
        return []
    return [
        ToDo(
            _("%(count)s 条政策推送未读") % {"count": count},
            _("适合贵企业的新政策，每条都写明理由。"),
            reverse("inbox:list") + "?show=unread",
            _("去看看"),
        )
    ]
