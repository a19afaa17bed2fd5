"""Log in and out, choose the enterprise to act for, authorise agents."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import url_has_allowed_host_and_scheme, urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.accounts import services
from portal.accounts.access import (
    SESSION_KEY,
    access_for,
    current_enterprise,
    forget,
    legal_representative_required,
)
from portal.accounts.forms import AgentForm, ChooseForm, LoginForm
from portal.accounts.models import Membership, MembershipKind, User
from portal.forms import add_errors


class LoginView(auth_views.LoginView):
    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Never back to where one signs in: who is signed in would go there for ever."""
        url: str = super().get_redirect_url()
        return "" if url.partition("?")[0] == self.request.path else url


class PasswordChangeView(auth_views.PasswordChangeView):
    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("accounts:me")

    def form_valid(self, form):
        messages.success(self.request, _("密码已修改。"))
        return super().form_valid(form)


class InvitationView(auth_views.PasswordResetConfirmView):
    """A person invited by a legal representative sets a first password."""

    template_name = "accounts/invitation.html"
    success_url = reverse_lazy("accounts:login")
    reset_url_token = "set"

    def form_valid(self, form):
        messages.success(self.request, _("密码已设置，请登录。"))
        return super().form_valid(form)


@login_required
def me(request: HttpRequest) -> HttpResponseBase:
    roles = request.user.role_assignments.select_related("department")  # type: ignore[union-attr]
    return render(request, "accounts/me.html", {"roles": roles})


@login_required
def choose(request: HttpRequest) -> HttpResponseBase:
    """Say for which enterprise to act from now on; kept in the session, checked on every request."""
    access = access_for(request)
    if request.method == "POST":
        form = ChooseForm(request.POST)
        wanted = form.cleaned_data["enterprise"] if form.is_valid() else None
        membership = next((m for m in access.memberships if m.enterprise_id == wanted), None)
        if membership is None:
            messages.error(request, _("您没有获得该企业的授权，或授权已撤销。请在下面的企业中选择。"))
            return redirect("accounts:choose")
        request.session[SESSION_KEY] = membership.enterprise_id
        forget(request)
        messages.success(request, _("现在代表：%(name)s") % {"name": membership.enterprise.name})
        following = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(following, {request.get_host()}, request.is_secure()):
            following = reverse("home-for-role")
        return redirect(following)
    return render(request, "accounts/choose.html", {})


@login_required
@require_POST
def stop_acting(request: HttpRequest) -> HttpResponseBase:
    """Act for no enterprise any more."""
    request.session.pop(SESSION_KEY, None)
    return redirect("home-for-role")


@legal_representative_required
def agents(request: HttpRequest) -> HttpResponseBase:
    enterprise = current_enterprise(request)
    form = AgentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            membership, is_new = services.authorise_agent(
                enterprise=enterprise, now=timezone.now(), **form.cleaned_data
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("已授权%(name)s为经办人。") % {"name": membership.user.full_name})
            if is_new:
                messages.info(
                    request,
                    _("请将此邀请链接交给本人设置密码（三天内有效）：%(link)s")
                    % {"link": invitation_link(membership.user)},
                )
            return redirect("accounts:agents")
    rows = (
        Membership.objects.filter(enterprise=enterprise, kind=MembershipKind.AGENT)
        .select_related("user")
        .order_by("revoked_at", "-granted_at", "-id")
    )
    alive = [row for row in rows if row.revoked_at is None]
    ended = [row for row in rows if row.revoked_at is not None]
    return render(request, "accounts/agents.html", {"form": form, "alive": alive, "ended": ended})


@legal_representative_required
@require_POST
def revoke_agent(request: HttpRequest, membership_id: int) -> HttpResponseBase:
    enterprise = current_enterprise(request)
    get_object_or_404(Membership, pk=membership_id, enterprise=enterprise, kind=MembershipKind.AGENT)
    membership = services.revoke_agent(enterprise=enterprise, membership_id=membership_id, now=timezone.now())
    messages.success(request, _("已撤销%(name)s的授权，即时生效。") % {"name": membership.user.full_name})
    return redirect("accounts:agents")


def invitation_link(user: User) -> str:
    """Where a person without a password sets one; the link dies with its use."""
    path = reverse(
        "accounts:invitation",
        kwargs={
            "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
        },
    )
    return str(settings.HUIDA_BASE_URL).rstrip("/") + path
