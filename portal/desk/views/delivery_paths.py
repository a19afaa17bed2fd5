"""How the ways of delivery fare (免申即享, 即申即享, 快申快享, 限时即享): for each item who was found, told, agreed or
declined, what the machine decided, what was audited, which promises were kept."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.delivery import OfferState
from disbursement.models import LaneChoice, MachineVerification, Offer, PassedOver, QualityCheck, TimePromise
from disbursement.selectors.delivery import figures, items_with_terms, shown_amounts
from matching.days import day_of
from matching.models import PolicyItem
from portal.accounts.access import REVIEW_ROLES, access_for, role_required
from portal.accounts.models import StaffRole
from portal.forms import typed

PER_PAGE = 50
_STATES = frozenset(state.value for state in OfferState)
_SEE = (*REVIEW_ROLES, StaffRole.SUPERVISOR, StaffRole.POLICY_OFFICER)


def _items(request: HttpRequest) -> list[PolicyItem]:
    return items_with_terms(department_ids=access_for(request).departments_of(set(_SEE)))


@role_required(*_SEE)
def paths(request: HttpRequest) -> HttpResponseBase:
    """Every item with terms of delivery, in figures of this calendar year."""
    year = day_of(timezone.now()).year
    told = figures(items=_items(request), year=year)
    return render(
        request,
        "desk/delivery/paths.html",
        {
            "year": year,
            "by_offer": [one for one in told if one.terms.mode == "automatic"],
            "by_machine": [one for one in told if one.terms.mode in ("automatic", "instant")],
            "by_lane": [one for one in told if one.terms.mode == "fast"],
            "by_promise": [one for one in told if one.terms.mode == "window"],
        },
    )


@role_required(*_SEE)
def path_item(request: HttpRequest, code: str) -> HttpResponseBase:
    """One item: its offers by state, who was passed over and why, what fell to people and why, open promises."""
    item = next((one for one in _items(request) if one.code == code), None)
    if item is None:
        raise Http404
    year = day_of(timezone.now()).year
    [told] = figures(items=[item], year=year)
    tabs = _tabs(told.terms.mode)
    show = typed(request.GET, "show", most=20)
    show = show if show in dict(tabs) else tabs[0][0]
    page: Any = Paginator(_rows(item, show, year), PER_PAGE).get_page(request.GET.get("page"))
    amounts: dict[int, Any] = {}
    findings: dict[int, QualityCheck] = {}
    if show in _STATES:
        amounts = shown_amounts(offer_ids=[offer.pk for offer in page.object_list])
        ids = [offer.application_id for offer in page.object_list if offer.application_id]
        checks = QualityCheck.objects.filter(application__in=ids, promise__isnull=True).order_by("pk")
        findings = {check.application_id: check for check in checks}
    return render(
        request,
        "desk/delivery/item.html",
        {
            "item": item,
            "f": told,
            "tabs": tabs,
            "show": show,
            "page": page,
            "amounts": amounts,
            "findings": findings,
            "is_offer": show in _STATES,
        },
    )


def _tabs(mode: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if mode == "automatic":
        found += [(state.value, state.label) for state in OfferState] + [("passed_over", _("未告知"))]
    if mode in ("automatic", "instant"):
        found += [("machine", _("系统办理")), ("fallen", _("转人员办理"))]
    if mode == "fast":
        found += [("fast", _("快审通道")), ("ordinary", _("转普通流程"))]
    if mode == "window":
        found += [("promises", _("限时承诺"))]
    return found


def _rows(item: PolicyItem, show: str, year: int) -> Any:
    if show in _STATES:
        found = Offer.objects.filter(item=item, year=year, state=show)
        return found.select_related("enterprise", "answered_by", "application").order_by("-opened_at", "-pk")
    if show == "passed_over":
        return PassedOver.objects.filter(item=item, year=year).select_related("enterprise").order_by("enterprise__name")
    if show in ("machine", "fallen"):
        verified = MachineVerification.objects.filter(application__item=item, made_at__year=year)
        return verified.filter(passed=show == "machine").select_related("application__enterprise").order_by("-pk")
    if show == "promises":
        promised = TimePromise.objects.filter(application__item=item, promised_on__year=year)
        return promised.select_related("application__enterprise").order_by("ended_on", "due_on", "pk")
    lanes = LaneChoice.objects.filter(application__item=item, at__year=year, lane=show)
    return lanes.select_related("application__enterprise").order_by("-pk")
