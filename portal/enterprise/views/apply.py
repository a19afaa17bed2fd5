"""The way into an application, and who may go it."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application
from disbursement.services.application import drafts
from matching.models import PolicyItem
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.forms import PHONE
from portal.refusals import attempt


def own_application(request: HttpRequest, application_id: int, *, draft: bool = True) -> Application:
    """The application if it is the acting enterprise's, else 404; a draft is one only where it may be."""
    found = Application.objects.filter(enterprise=current_enterprise(request)).select_related(
        "item__department", "item__current_version", "version__vocabulary", "enterprise"
    )
    if not draft:
        found = found.exclude(state=ApplicationState.DRAFT.value)
    return get_object_or_404(found, pk=application_id)


def handed_in(request: HttpRequest, application: Application) -> HttpResponseBase | None:
    """Whoever comes back to a step of the draft after handing it in (a second click, the back button) is led on."""
    if application.state == ApplicationState.DRAFT.value:
        return None
    messages.info(request, _("这份申报已提交，不能再在这里修改。进展见下。"))
    return redirect("enterprise:application", application.pk)


def up_to_date(request: HttpRequest, application: Application) -> Application:
    """The draft under the version in force, which its owner is told where the item was changed since."""
    if application.version_id == application.item.current_version_id:
        return application
    actor = enterprise_actor(request)
    if not drafts.bring_up_to_date(application_id=application.pk, actor=actor, now=timezone.now()):
        return application
    messages.info(
        request,
        _("这个事项的申报要求已更新，草稿已改按新的要求。已填写的内容都在；请核对各项内容和材料。"),
    )
    return own_application(request, application.pk)


@enterprise_required
def apply(request: HttpRequest, code: str) -> HttpResponseBase:
    """Begin, or go on with the draft there is."""
    item = get_object_or_404(PolicyItem, code=code, is_listed=True)
    if request.method != "POST":
        return redirect("enterprise:opportunity", code)
    draft = attempt(
        request,
        lambda: drafts.create_draft(
            item_id=item.pk,
            enterprise_id=current_enterprise(request).pk,
            actor=enterprise_actor(request),
            now=timezone.now(),
        ),
    )
    if draft is None:
        return redirect("enterprise:opportunity", code)
    if not (draft.contact_name or draft.contact_phone):
        user: Any = request.user
        drafts.save_draft(
            application_id=draft.pk,
            actor=enterprise_actor(request),
            now=timezone.now(),
            contact_name=user.get_full_name(),
            contact_phone=user.phone if re.fullmatch(PHONE.regex, user.phone or "") else "",
        )
    return redirect("enterprise:edit", draft.pk)
