"""The main navigation: what a person may open, by role and membership."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from portal.accounts.access import DESK_ROLES, FINANCE_ROLES, REVIEW_ROLES, access_for
from portal.accounts.models import StaffRole


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    current: bool
    count: int = 0


def for_request(request: HttpRequest) -> list[Entry]:
    """Entries in order; the one under whose address the request lies is current (the longest one wins)."""
    found: list[tuple[str, str, int]] = []
    places: list[tuple[str, str]] = []

    def offer(name: str, label: str, count: int = 0, also: tuple[str, ...] = ()) -> None:
        try:
            url = reverse(name)
            found.append((label, url, count))
            places.extend((prefix, url) for prefix in (url, *map(reverse, also)))
        except NoReverseMatch:  # a room that this installation does not serve
            return

    access = access_for(request)
    offer("public:policy_list", _("政策"))
    offer("publicity:list", _("公示"))
    if not access.has(DESK_ROLES):
        offer("public:payday_now", _("兑现日历"))
    if access.membership:
        offer("enterprise:overview", _("工作台"))
        offer("enterprise:opportunities", _("可享政策"), also=("enterprise:choices",))
        offer("enterprise:applications", _("我的申报"))
        offer("enterprise:evidence", _("我的证照"))
        offer("enterprise:profile", _("企业画像"))
        offer("inbox:list", _("消息"), _unread(request))
    elif access.memberships:
        offer("accounts:choose", _("选择企业"))
    if access.has(DESK_ROLES):
        offer("desk:home", _("工作台") if not access.membership else _("区级工作台"))
    if access.has({*DESK_ROLES, StaffRole.POLICY_OFFICER}) and not access.membership:
        offer("inbox:list", _("消息"), _unread(request))
    if access.has(REVIEW_ROLES):
        offer(
            "desk:worklist",
            _("审核"),
            also=("desk:rectifications", "desk:interests", "desk:absences", "desk:own_limits", "desk:paths"),
        )
        offer("desk:quality", _("抽查"))
        offer("desk:evidence", _("证照登记"))
    if access.has(FINANCE_ROLES):
        money = (
            "batches_waiting",
            "payables",
            "clawbacks",
            "accounts",
            "returns",
            "exceptions",
            "budget_lines",
            "limits",
            "gateways",
        )
        offer("desk:cycles", _("兑现"), also=tuple(f"desk:{name}" for name in money))
    if access.has({StaffRole.SUPERVISOR}):
        offer("desk:supervision", _("督查"), also=("desk:urgings", "desk:paths"))
        if not access.has(REVIEW_ROLES):
            offer("desk:quality", _("抽查"))
    if access.has({StaffRole.ADMINISTRATOR}):
        ruled: tuple[str, ...] = (
            () if access.has(FINANCE_ROLES) else ("desk:budget_lines", "desk:gateways", "desk:limits")
        )
        offer("desk:admin_home", _("系统管理"), also=ruled)
    if access.has({StaffRole.POLICY_OFFICER}):
        offer("wagtailadmin_home", _("政策编辑"))
        offer("desk:paths", _("四种快享"))
        if not access.has(FINANCE_ROLES):
            offer("desk:limits", _("享受上限"))
    matching = [(prefix, url) for prefix, url in places if request.path.startswith(prefix)]
    here = max(matching, key=lambda place: len(place[0]))[1] if matching else None
    return [Entry(label, url, url == here, count) for label, url, count in found]


def _unread(request: HttpRequest) -> int:
    from portal.inbox import selectors  # the inbox stands beside the accounts, not under them

    return selectors.unread_count(request)
