"""The inbox of the person who asks: what was told to them and to the enterprise they act for."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from portal.accounts.models import User
from portal.inbox import selectors, services
from portal.inbox.models import Mute, NotificationKind

PER_PAGE = 20


class PreferencesForm(forms.Form):
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("不提醒这些类别"),
        choices=[choice for choice in NotificationKind.choices if choice[0] not in selectors.ALWAYS_HEARD],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("静音的消息不计入未读、不发邮件，仍可在“已静音”中查看。"),
    )


@login_required
def inbox(request: HttpRequest) -> HttpResponseBase:
    kind = request.GET.get("kind", "")
    kind = kind if kind in NotificationKind.values else ""
    show = request.GET.get("show", "")
    rows = selectors.listing(
        user=_person(request),
        enterprise_ids=selectors.enterprises_in(request=request),
        kind=kind,
        unread_only=show == "unread",
        muted=show == "muted",
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "kinds": NotificationKind.choices,
        "kind": kind,
        "show": show if show in ("unread", "muted") else "",
        "several": len(selectors.enterprises_in(request=request)) > 1,
    }
    return render(request, "inbox/list.html", context)


@login_required
def detail(request: HttpRequest, notification_id: int) -> HttpResponseBase:
    """One message; looking at it marks it as read."""
    notification = _find(request, notification_id)
    services.mark_read(
        user=_person(request),
        enterprise_ids=selectors.enterprises_in(request=request),
        notification_ids=[notification.pk],
        now=timezone.now(),
    )
    muted = selectors.muted_by(user=_person(request))
    return render(request, "inbox/detail.html", {"notification": notification, "is_muted": muted.covers(notification)})


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponseBase:
    count = services.mark_read(
        user=_person(request), enterprise_ids=selectors.enterprises_in(request=request), now=timezone.now()
    )
    messages.success(request, _("已将 %(count)s 条消息标为已读。") % {"count": count})
    return redirect("inbox:list")


@login_required
@require_POST
def mute(request: HttpRequest, notification_id: int) -> HttpResponseBase:
    """Mute what a message is about: its item, its department or its kind."""
    notification = _find(request, notification_id)
    what = request.POST.get("what", "")
    about: dict[str, Any] = {
        "item": notification.item,
        "department": notification.department,
        "kind": notification.kind,
    }
    if not about.get(what) or notification.kind in selectors.ALWAYS_HEARD:
        raise Http404
    services.mute(user=_person(request), now=timezone.now(), **{what: about[what]})
    name = notification.get_kind_display() if what == "kind" else str(about[what])
    messages.success(request, _("已静音“%(name)s”。可在提醒设置中恢复。") % {"name": name})
    return redirect("inbox:list")


@login_required
def preferences(request: HttpRequest) -> HttpResponseBase:
    user = _person(request)
    mutes = Mute.objects.filter(user=user).select_related("item", "department")
    kinds = [row.kind for row in mutes if row.kind]
    # An empty form is an answer, too: nothing is muted.
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial={"kinds": kinds})
    if form.is_valid():
        services.set_muted_kinds(user=user, kinds=form.cleaned_data["kinds"], now=timezone.now())
        messages.success(request, _("提醒设置已保存。"))
        return redirect("inbox:preferences")
    context = {"form": form, "mutes": [row for row in mutes if not row.kind], "email": user.email}
    return render(request, "inbox/preferences.html", context)


@login_required
@require_POST
def unmute(request: HttpRequest, mute_id: int) -> HttpResponseBase:
    row = get_object_or_404(Mute.objects.select_related("item", "department"), pk=mute_id, user=_person(request))
    services.unmute(user=_person(request), kind=row.kind, department=row.department, item=row.item)
    messages.success(request, _("已恢复提醒“%(name)s”。") % {"name": row})
    return redirect("inbox:preferences")


def _find(request: HttpRequest, notification_id: int) -> Any:
    rows = selectors.visible(user=_person(request), enterprise_ids=selectors.enterprises_in(request=request))
    return get_object_or_404(rows.select_related("enterprise", "item", "department"), pk=notification_id)


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)
