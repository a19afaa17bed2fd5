"""Step one: the form. Whatever is typed is kept, complete or not, while it is typed and when it is sent."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application
from disbursement.selectors.forms import material_rules
from disbursement.services.application import sheets
from portal.accounts.access import enterprise_actor, enterprise_required
from portal.enterprise.filling import Filling, read_sent, stale_page
from portal.enterprise.materials import material_rows
from portal.enterprise.views.apply import handed_in, own_application, up_to_date
from portal.facts.fields import PREFIX
from portal.refusals import words_of

CHANGED = gettext_lazy("申报要求已更新：填写的内容已保存，请刷新页面，按新的要求继续填写。")


@enterprise_required
@never_cache
def edit(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """The form as the draft has it; a POST is merged into it, and says what could not be used or was changed twice."""
    application = own_application(request, application_id)
    if (led_on := handed_in(request, application)) is not None:
        return led_on
    if request.method != "POST":  # what is sent is read by what the page showed
        application = up_to_date(request, application)
    filling = Filling(application, timezone.now())
    refused: list[str] = []
    if request.method == "POST":
        try:
            saved, filling = _keep(request, filling)
        except REFUSALS as refusal:
            refused = words_of(refusal)
        else:
            more = next((name for name in request.POST if name == "more" or name.startswith(f"more-{PREFIX}")), "")
            filling.more = more.removeprefix("more-")
            if not (saved.clashes or filling.told or more):
                return _led_on(request, application)
    return render(request, "enterprise/apply_form.html", _context(request, filling, refused))


@enterprise_required
@never_cache
def keep(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """The same for a page that saves by itself, as JSON. GET: who else is at it, and a token after a new login."""
    application = own_application(request, application_id)
    if application.state != ApplicationState.DRAFT.value:
        gone = reverse("enterprise:application", args=[application.pk])
        return JsonResponse({"gone": gone, "message": _("这份申报已提交，不能再修改。")}, status=409)
    filling = Filling(application, timezone.now())
    if request.method != "POST":
        sheet, beside = sheets.look(application_id=application.pk, actor=enterprise_actor(request), now=filling.now)
        told = {"token": get_token(request), "revision": sheet.revision, "beside": _beside(beside)}
        return JsonResponse(told)
    try:
        saved, filling = _keep(request, filling)
    except REFUSALS as refusal:
        return JsonResponse({"message": "".join(words_of(refusal))}, status=422)
    beside = sheets.beside(sheet=filling.sheet, user_id=request.user.pk, now=filling.now)
    return JsonResponse(
        {
            "revision": saved.revision,
            "saved": f"{timezone.localtime(filling.now):%H:%M}",
            "beside": _beside(beside),
            "blocks": {key: _block(request, filling, key) for key in saved.taken},
            "notes": _notes(request, filling),
            "wrong": [key for key in _keys(filling) if _told(filling, key)],
            "clashes": list(filling.clashes),
            "changed": str(CHANGED) if stale_page(request.POST, filling) else "",
            "aside": render_to_string("enterprise/_apply_aside.html", _context(request, filling), request),
        }
    )


def _keep(request: HttpRequest, filling: Filling) -> tuple[sheets.Saved, Filling]:
    """Merge what was sent; returns what came of it and the page as it is afterwards."""
    sent = read_sent(request, filling)
    saved = sheets.save(
        application_id=filling.application.pk,
        actor=enterprise_actor(request),
        now=filling.now,
        base=sent.base,
        states=sent.states,
        settled=sent.settled,
    )
    fresh = Filling(own_application(request, filling.application.pk), filling.now)
    fresh.tell(saved.clashes)
    return saved, fresh


def _led_on(request: HttpRequest, application: Application) -> HttpResponseBase:
    if "next" in request.POST:
        return redirect("enterprise:materials", application.pk)
    if "upload" in request.POST:
        code = request.POST["upload"]
        known = any(rule.code == code for rule in material_rules(version=application.version))
        url = reverse("enterprise:materials", args=[application.pk])
        return redirect(f"{url}#material.{code}" if known else url)
    if "estimate" in request.POST:
        return redirect(reverse("enterprise:edit", args=[application.pk]) + "#estimate")
    messages.success(request, _("草稿已保存，随时可以回来继续。"))
    return redirect("enterprise:edit", application.pk)


def _context(request: HttpRequest, filling: Filling, refused: list[str] | None = None) -> dict[str, Any]:
    return {
        "application": filling.application,
        "filling": filling,
        "revision": filling.sheet.revision,
        "clashes": filling.clashes,
        "files": {row["rule"].code: row for row in material_rows(filling.application)},
        "assessment": filling.assessment,
        "unmet": [
            leaf for leaf in (filling.assessment.leaves if filling.assessment else ()) if leaf["outcome"] == "unmet"
        ],
        "beside": sheets.beside(sheet=filling.sheet, user_id=request.user.pk, now=filling.now),
        "refused": refused or [],
        "keep": reverse("enterprise:keep", args=[filling.application.pk]),
    }


def _keys(filling: Filling) -> list[str]:
    found = [row.key for row in filling.rows if row.bound is not None] + [row["key"] for row in filling.contact]
    return [*found, sheets.INVOICES] if filling.invoices is not None else found


def _told(filling: Filling, key: str) -> list[str]:
    if key == sheets.INVOICES:
        return [fault.message for fault in filling.invoices.faults] if filling.invoices else []
    for row in filling.rows:
        if row.key == key:
            return row.told
    return next((row["told"] for row in filling.contact if row["key"] == key), [])


def _notes(request: HttpRequest, filling: Filling) -> dict[str, str]:
    revision = filling.sheet.revision
    return {
        key: render_to_string(
            "enterprise/_sheet_note.html",
            {"told": _told(filling, key), "clash": filling.clashes.get(key), "key": key, "revision": revision},
            request,
        ).strip()
        for key in _keys(filling)
    }


def _block(request: HttpRequest, filling: Filling, key: str) -> str:
    """One question as the page would show it now."""
    context = _context(request, filling)
    if key == sheets.INVOICES:
        return render_to_string("enterprise/_invoices.html", {**context, "invoices": filling.invoices}, request)
    for row in filling.rows:
        if row.key == key:
            return render_to_string("enterprise/_sheet_row.html", {**context, "row": row}, request)
    contact = next(row for row in filling.contact if row["key"] == key)
    return render_to_string("enterprise/_contact_row.html", {**context, "row": contact}, request)


def _beside(people: list[sheets.Beside]) -> str:
    if not people:
        return ""
    return _("%(names)s也在填写这份申报") % {"names": "、".join(person.name for person in people)}
