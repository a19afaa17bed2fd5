"""Who is asking, and for whom: one answer per request, read from the database each time.

A person of the district acts by roles, a person of an enterprise by a membership that is alive. Both may be true of one
account; then it acts for the enterprise only after saying so in this session, never by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import update_wrapper
from typing import TYPE_CHECKING, Concatenate, ParamSpec
from urllib.parse import quote, urlsplit, urlunsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from disbursement.domain.actors import Actor, Grant
from disbursement.domain.workflow import Role
from portal.accounts.models import Membership, MembershipKind, RoleAssignment, StaffRole

if TYPE_CHECKING:
    from matching.models import Enterprise

SESSION_KEY = "acting_enterprise"
FINANCE_ROLES = frozenset({StaffRole.FINANCE_MAKER, StaffRole.FINANCE_CHECKER, StaffRole.FINANCE_APPROVER})
REVIEW_ROLES = frozenset({StaffRole.ACCEPTOR, StaffRole.REVIEWER, StaffRole.SECOND_REVIEWER})
DESK_ROLES = FINANCE_ROLES | REVIEW_ROLES | {StaffRole.SUPERVISOR, StaffRole.ADMINISTRATOR}

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Access:
    """What one person may do in this request. `departments` holds None for a role held in the whole district."""

    memberships: tuple[Membership, ...] = ()
    membership: Membership | None = None
    departments: dict[str, frozenset[int] | None] | None = None

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(self.departments or ())

    @property
    def enterprise(self) -> Enterprise | None:
        return self.membership.enterprise if self.membership else None

    @property
    def is_legal_representative(self) -> bool:
        return self.membership is not None and self.membership.kind == MembershipKind.LEGAL_REPRESENTATIVE

    @property
    def is_staff(self) -> bool:
        return bool(self.departments)

    def has(self, roles: Iterable[str]) -> bool:
        return not self.roles.isdisjoint(roles)

    def departments_of(self, roles: Iterable[str]) -> frozenset[int] | None:
        """Departments in which one of the roles is held; None where one is held in the whole district."""
        found: set[int] = set()
        for role in roles:
            if role in self.roles:
                held = (self.departments or {})[role]
                if held is None:
                    return None
                found |= held
        return frozenset(found)


def access_for(request: HttpRequest) -> Access:
    """The access of the request's user, worked out once per request."""
    known: Access | None = getattr(request, "_huida_access", None)
    if known is None:
        known = _read(request)
        request._huida_access = known  # type: ignore[attr-defined]
    return known


def forget(request: HttpRequest) -> None:
    """Work the access out anew: something about it was changed in this request."""
    if hasattr(request, "_huida_access"):
        del request._huida_access


def _read(request: HttpRequest) -> Access:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Access()
    memberships = tuple(
        Membership.objects.filter(user=user, revoked_at__isnull=True)
        .select_related("enterprise")
        .order_by("enterprise__name", "id")
    )
    departments: dict[str, frozenset[int] | None] = {}
    for role, department in RoleAssignment.objects.filter(user=user).values_list("role", "department_id"):
        held = departments.get(role, frozenset())
        departments[role] = None if department is None or held is None else held | {department}
    if user.is_superuser:
        departments[StaffRole.ADMINISTRATOR] = None
    chosen = request.session.get(SESSION_KEY) if hasattr(request, "session") else None
    membership = next((m for m in memberships if m.enterprise_id == chosen), None)
    if membership is None and len(memberships) == 1 and not departments:
        membership = memberships[0]
    return Access(memberships=memberships, membership=membership, departments=departments)


def actor_for(request: HttpRequest) -> Actor:
    """The person as the money path knows them at a desk of the district: every role, each in its department.

    The enterprises they act for are among it, so that nobody handles what is their own.
    """
    access = access_for(request)
    known = {role.value for role in Role}
    grants = {
        Grant(Role(role), place)
        for role, places in (access.departments or {}).items()
        if role in known
        for place in ([None] if places is None else places)
    }
    overseen = (access.departments or {}).get(StaffRole.SUPERVISOR, frozenset())
    return Actor(
        user_id=request.user.pk,
        grants=frozenset(grants),
        enterprise_ids=frozenset(m.enterprise_id for m in access.memberships),
        supervised=frozenset({None}) if overseen is None else frozenset(overseen),
    )


def enterprise_actor(request: HttpRequest) -> Actor:
    """The person as one who acts for the enterprise chosen, and as nothing else."""
    return Actor(user_id=request.user.pk, enterprise_ids=frozenset({current_enterprise(request).pk}))


def to_login(request: HttpRequest) -> HttpResponseBase:
    """To the login page, and from there back. What was sent after the session had ended is lost, and is told so."""
    if request.method not in ("GET", "HEAD"):
        messages.warning(request, _("登录已过期，刚才提交的内容没有保存。请登录后回到原来的页面重新提交。"))
    return redirect_to_login(_way_back(request))


def _way_back(request: HttpRequest) -> str:
    """The page that is asked for, or the one whose form was sent: an address that takes forms alone shows nothing."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(page, {request.get_host()}, request.is_secure()):
        parts = urlsplit(page)
        return urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return reverse("home-for-role")


def role_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """Only for people of the district who hold one of the roles: others get 403, strangers the login page."""

    def decorate(view: View[P]) -> View[P]:
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return to_login(request)
            if not access_for(request).has(roles):
                labels = "、".join(str(StaffRole(role).label) for role in StaffRole if role in roles)
                raise PermissionDenied(_("这里由%(roles)s办理，您的账户没有这些角色。") % {"roles": labels})
            return view(request, *args, **kwargs)

        update_wrapper(guarded, view)
        return guarded

    return decorate


def enterprise_required(view: View[P]) -> View[P]:
    """Only for people acting for an enterprise; who may act for several is asked first for which."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return to_login(request)
        access = access_for(request)
        if access.membership is None:
            if access.memberships:
                return redirect(f"{reverse('accounts:choose')}?next={quote(_way_back(request))}")
            raise PermissionDenied(_("您的账户尚未获任何企业授权。请联系企业法定代表人在“经办人授权”中添加您。"))
        return view(request, *args, **kwargs)

    update_wrapper(guarded, view)
    return guarded


def current_enterprise(request: HttpRequest) -> Enterprise:
    """The enterprise acted for, in a view that `enterprise_required` guards."""
    enterprise = access_for(request).enterprise
    if enterprise is None:
        raise PermissionDenied(_("请先选择要代表的企业。"))
    return enterprise


def legal_representative_required(view: View[P]) -> View[P]:
    """Only for the legal representative of the enterprise acted for."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not access_for(request).is_legal_representative:
            raise PermissionDenied(_("经办人授权只能由本企业法定代表人办理。"))
        return view(request, *args, **kwargs)

    update_wrapper(guarded, view)
    return enterprise_required(guarded)


__all__ = [
    "DESK_ROLES",
    "FINANCE_ROLES",
    "REVIEW_ROLES",
    "SESSION_KEY",
    "Access",
    "access_for",
    "actor_for",
    "current_enterprise",
    "enterprise_actor",
    "enterprise_required",
    "forget",
    "legal_representative_required",
    "role_required",
    "to_login",
]
