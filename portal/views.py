"""Pages of no room in particular: the way home, and the health of the whole."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from cms.services.finding import published_rows
from disbursement.services.evidence import scans
from matching.services import health, indexing
from matching.services.listed import listed_versions
from portal.accounts.access import DESK_ROLES, access_for
from portal.accounts.models import StaffRole


def home_for_role(request: HttpRequest) -> HttpResponseBase:
    """Each person's own desk: the enterprise's, the district's, or the account page of one who has neither yet."""
    if not request.user.is_authenticated:
        return redirect("accounts:login")
    access = access_for(request)
    if access.membership:
        return redirect("enterprise:overview")
    if access.has(DESK_ROLES):
        return redirect("desk:home")
    if access.has({StaffRole.POLICY_OFFICER}):
        return redirect("wagtailadmin_home")
    if access.memberships:
        return redirect("accounts:choose")
    return redirect("accounts:me")


def login_of_wagtail(request: HttpRequest, permission: str = "") -> HttpResponseBase:
    """Wagtail's own logins count no wrong passwords: ours stands in their place. `permission` opens the room behind."""
    if request.user.is_authenticated and not (permission and request.user.has_perm(permission)):
        raise PermissionDenied  # from the login page they would be led straight back here, for ever
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{reverse('accounts:login')}?{query}" if query else "accounts:login")


@never_cache
def healthz(request: HttpRequest) -> HttpResponseBase:
    """For machines: 200 while the database answers. Notices tell what works, but not as it should."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    troubles = [
        (_("匹配引擎暂由内置引擎代替：%(why)s"), listed_versions().trouble),
        (_("检索引擎暂由内置引擎代替：%(why)s"), published_rows().trouble),
        (_("Elasticsearch 索引落后于数据库：%(why)s"), indexing.trouble(now=timezone.now())),
    ]
    notices = [notice % {"why": why} for notice, why in troubles if why] + health.notices()
    notices += scans.troubles(now=timezone.now())
    return JsonResponse({"status": "ok", "notices": notices}, json_dumps_params={"ensure_ascii": False})
