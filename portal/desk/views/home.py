"""The first page of each desk: what waits, by role; where things are stuck; what was complained of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import UNDER_WAY, BatchState, PayableState, Role
from disbursement.models import (
    AccountState,
    Application,
    BudgetChange,
    DeliveryState,
    EntryAppeal,
    LineStatus,
    Payable,
    PaymentAttempt,
    Rating,
    Rectification,
    Reissue,
    RepaymentAccount,
    RepaymentDecision,
    ReturnLine,
)
from disbursement.selectors import desk
from disbursement.selectors import supervision as supervision_figures
from disbursement.selectors.attention import Attention, attention
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.standing_still import standing_still
from disbursement.services.application import ratings
from matching.days import day_of
from portal.accounts.access import DESK_ROLES, FINANCE_ROLES, REVIEW_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.views.finance_scope import visible_accounts, visible_batches
from portal.desk.worklist import visible
from portal.inbox.models import NotificationKind
from portal.inbox.selectors import unread_of
from portal.refusals import lay_on

_SIGNING = {
    StaffRole.FINANCE_MAKER: (BatchState.CHECKED,),
    StaffRole.FINANCE_CHECKER: (BatchState.MADE,),
    StaffRole.FINANCE_APPROVER: (BatchState.VERIFIED,),
}


# What the list of batches shows: its title, and what it says where there is none.
_LISTS = {
    "": (gettext_lazy("待签署的批次"), gettext_lazy("没有等您签署的批次。")),
    BatchState.APPROVED.value: (gettext_lazy("待封存的批次"), gettext_lazy("签署齐全的批次都已封存。")),
    BatchState.SEALED.value: (gettext_lazy("已封存未送达银行"), gettext_lazy("封存的批次都已送达银行。")),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    label: str
    count: int
    url: str
    note: str = ""


class ReplyForm(forms.Form):
    reply = forms.CharField(
        label=gettext_lazy("整改答复"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("写明原因、已采取的措施和结果；企业会看到。"),
    )


@role_required(*DESK_ROLES)
def home(request: HttpRequest) -> HttpResponseBase:
    access = access_for(request)
    if access.roles == {StaffRole.ADMINISTRATOR}:
        return redirect("desk:admin_home")  # nothing here could wait for one who only administers
    today = day_of(timezone.now())
    waiting: list[Waiting] = []
    if access.has(REVIEW_ROLES):
        mine = desk.worklist(actor=actor_for(request), as_of=today)
        red = sum(1 for line in mine if line.reading is not None and line.reading.colour == "red")
        yellow = sum(1 for line in mine if line.reading is not None and line.reading.colour == "yellow")
        waiting.append(
            Waiting(
                _("待我办理的申报"),
                len(mine),
                reverse("desk:worklist"),
                _("红牌 %(red)s，黄牌 %(yellow)s") % {"red": red, "yellow": yellow} if red or yellow else "",
            )
        )
        waiting.append(_second_look(request))
        waiting.append(_own_limits(request))
        open_ones = desk.rectifications(actor=actor_for(request))
        waiting.append(Waiting(_("待答复的差评整改"), len(open_ones), reverse("desk:rectifications")))
    if access.has(FINANCE_ROLES):
        states = [state for role, found in _SIGNING.items() if role in access.roles for state in found]
        batches = visible_batches(request).filter(state__in=states)
        waiting.append(Waiting(_("待签署的批次"), batches.count(), reverse("desk:batches_waiting")))
        waiting.extend(_not_at_the_bank(request))
        exceptions = ReturnLine.objects.filter(status=LineStatus.EXCEPTION, resolved_at__isnull=True).count()
        torn = PaymentAttempt.objects.filter(contradicted=True).count()
        waiting.append(Waiting(_("回单例外"), exceptions + torn, reverse("desk:exceptions")))
        if actor_for(request).holds(Role.FINANCE_CHECKER):
            proposed = visible_accounts(request).filter(state=AccountState.PROPOSED).count()
            waiting.append(Waiting(_("待核对的收款账户"), proposed, reverse("desk:accounts")))
        if access.has({StaffRole.FINANCE_APPROVER}):
            asked = Reissue.objects.filter(approved__isnull=True).count()
            place = reverse("desk:payables") + f"?state={PayableState.BOUNCED.value}"
            waiting.append(Waiting(_("待审批的重新支付"), asked, place))
            proposed = RepaymentAccount.objects.filter(decision=RepaymentDecision.NONE).count()
            waiting.append(Waiting(_("待批准的退款账户"), proposed, reverse("desk:repayment_account")))
            undecided = BudgetChange.objects.filter(approved__isnull=True).count()
            waiting.append(Waiting(_("待批准的预算调整"), undecided, reverse("desk:budget_changes")))
    if access.has({StaffRole.SUPERVISOR}):
        waiting.append(Waiting(_("超时或将超时"), len(desk.stuck(as_of=today)), reverse("desk:supervision")))
        waiting.extend(_supervised(request))
    return render(
        request,
        "desk/home.html",
        {"waiting": waiting, "warnings": working_calendar().warnings(today)},
    )


def _second_look(request: HttpRequest) -> Waiting:
    """Objections, publicity that is over, promised materials and experts past their day."""
    seen = attention(
        applications=visible(access=access_for(request)).filter(state__in=UNDER_WAY), as_of=day_of(timezone.now())
    )
    counts = Counter(what for found in seen.values() for what in found)
    told = [f"{what.label} {counts[what]}" for what in Attention if counts[what]]
    return Waiting(_("需关注的申报"), len(seen), reverse("desk:worklist") + "?show=attention", "，".join(told))


def _not_at_the_bank(request: HttpRequest) -> Iterator[Waiting]:
    """Signed batches whose files somebody still has to bring on their way."""
    found = visible_batches(request)
    place = reverse("desk:batches_waiting")
    approved = found.filter(state=BatchState.APPROVED).count()
    yield Waiting(_("待封存的批次"), approved, f"{place}?show={BatchState.APPROVED.value}")
    unsent = found.filter(state=BatchState.SEALED)
    states = unsent.order_by().values_list("sealed_file__delivery__state").annotate(count=Count("pk"))
    told = [
        f"{DeliveryState(state).label} {count}" for state, count in states if state and state != DeliveryState.PLANNED
    ]
    yield Waiting(_("已封存未送达银行"), unsent.count(), f"{place}?show={BatchState.SEALED.value}", "，".join(told))


def _own_limits(request: HttpRequest) -> Waiting:
    """What a reviewer is warned of and urged to."""
    places = access_for(request).departments_of(REVIEW_ROLES)
    urged = supervision_figures.urgings(department_ids=places, open_only=True).filter(replied_at__isnull=True).count()
    told = unread_of(request, kind=NotificationKind.SUPERVISION)
    note = _("本部门督办 %(count)s 件待答复") % {"count": urged} if urged else ""
    return Waiting(_("我的时限提醒"), told, reverse("desk:own_limits"), note)


def _supervised(request: HttpRequest) -> Iterator[Waiting]:
    """What waits for a supervisor: lines that are contested, urgings that were answered."""
    places = access_for(request).departments_of({StaffRole.SUPERVISOR})
    contested = EntryAppeal.objects.filter(is_struck__isnull=True)
    if places is not None:
        contested = contested.filter(entry__department_id__in=places)
    answered = supervision_figures.urgings(department_ids=places, open_only=True).filter(replied_at__isnull=False)
    yield Waiting(_("待处理的申辩"), contested.count(), reverse("desk:ledger") + "?contested=1")
    yield Waiting(_("已答复待办结的督办"), answered.count(), reverse("desk:urgings"))


@role_required(*FINANCE_ROLES)
def batches_waiting(request: HttpRequest) -> HttpResponseBase:
    """Batches that wait for this person's signature; with `show`, those that wait to be sealed, or to be sent."""
    access = access_for(request)
    show = request.GET.get("show", "")
    title, empty = _LISTS.get(show, _LISTS[""])
    if show in _LISTS and show:
        states = [BatchState(show)]
    else:
        states = [state for role, found in _SIGNING.items() if role in access.roles for state in found]
    found = visible_batches(request).filter(state__in=states).order_by("cycle__month", "number")
    found = found.select_related("sealed_file__delivery__gateway").defer("sealed_file__content")
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/batches.html",
        {"page": page, "title": title, "empty": empty, "is_unsent": show == BatchState.SEALED.value},
    )


@role_required(StaffRole.SUPERVISOR, StaffRole.ADMINISTRATOR)
def supervision(request: HttpRequest) -> HttpResponseBase:
    """Where it is stuck and whose it is, the cards of the month, and the figures."""
    now = timezone.now()
    today = day_of(now)
    places = access_for(request).departments_of({StaffRole.SUPERVISOR, StaffRole.ADMINISTRATOR})
    applications = Application.objects.filter(number__isnull=False)
    payables = Payable.objects.all()
    rated = Rating.objects.filter(rated_at__gte=now - timedelta(days=90))
    cards = desk.card_counts(since=today.replace(day=1), until=today)
    if places is not None:
        applications = applications.filter(item__department_id__in=places)
        payables = payables.filter(application__item__department_id__in=places)
        rated = rated.filter(application__item__department_id__in=places)
        cards = [count for count in cards if count.department_id in places]
    ratings_found = dict(rated.order_by().values_list("level").annotate(count=Count("pk")))
    total = sum(ratings_found.values())
    overdue = Rectification.objects.filter(answered_at__isnull=True).select_related(
        "department", "rating__application__item"
    )
    if places is not None:
        overdue = overdue.filter(department_id__in=places)
    states = payables.order_by().values("state").annotate(count=Count("pk"), sum=Sum("amount"))
    still = standing_still(as_of=today, department_ids=places)
    return render(
        request,
        "desk/supervision.html",
        {
            "today": today,
            "still": still[:50],
            "still_count": len(still),
            "late_corrections": desk.late_corrections(since=now - timedelta(days=90), department_ids=places),
            "stuck": Paginator(desk.stuck(as_of=today, department_ids=places), 50).get_page(request.GET.get("page")),
            "cards": cards,
            "open_count": applications.filter(state__in=UNDER_WAY).count(),
            "month_count": applications.filter(submitted_at__gte=now - timedelta(days=30)).count(),
            "paid": payables.filter(state__in=[PayableState.PAID, PayableState.SETTLED]).aggregate(
                count=Count("pk"), sum=Sum("amount")
            ),
            "slipped": payables.exclude(slip_reason="").count(),
            "payables": [(PayableState(row["state"]).label, row["count"], row["sum"]) for row in states],
            "satisfied": 100 * sum(n for level, n in ratings_found.items() if level >= 3) // total if total else None,
            "rating_total": total,
            "rectifications": overdue.order_by("due_on")[:50],
        },
    )


@role_required(*REVIEW_ROLES)
def rectifications(request: HttpRequest) -> HttpResponseBase:
    """Low ratings that this person's departments must answer."""
    show_all = request.GET.get("show") == "all"
    found = desk.rectifications(actor=actor_for(request), open_only=not show_all)
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/rectifications.html",
        {"page": page, "show_all": show_all, "today": day_of(timezone.now())},
    )


@role_required(*REVIEW_ROLES)
def rectification(request: HttpRequest, rectification_id: int) -> HttpResponseBase:
    places = access_for(request).departments_of(REVIEW_ROLES)
    rows = Rectification.objects.select_related(
        "rating__application__item", "rating__application__enterprise", "department", "answered_by"
    )
    if places is not None:
        rows = rows.filter(department_id__in=places)
    found = get_object_or_404(rows, pk=rectification_id)
    form = ReplyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            ratings.answer(
                rectification_id=found.pk,
                reply=form.cleaned_data["reply"],
                actor=actor_for(request),
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("已答复，企业会收到。"))
            return redirect("desk:rectifications")
    return render(request, "desk/rectification.html", {"row": found, "form": form})
