"""Step three: check your answers, promise what is still missing, and submit."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from disbursement.domain.errors import REFUSALS, Invalid
from disbursement.models import Application
from disbursement.selectors.calendar import working_calendar
from disbursement.selectors.invoices import rows_of
from disbursement.selectors.pay_month import pay_month
from disbursement.services.application import drafts, judging, sheets
from disbursement.services.award.clashes import clashes_of
from matching.days import day_of
from portal.accounts.access import enterprise_actor, enterprise_required
from portal.enterprise.answers import answers_of
from portal.enterprise.materials import material_rows
from portal.enterprise.places import place_url
from portal.enterprise.views.apply import handed_in, own_application, up_to_date
from portal.refusals import words_of


@enterprise_required
def check(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Every answer with the way to change it, what is missing, what the rules say; a POST submits."""
    application = own_application(request, application_id)
    if (led_on := handed_in(request, application)) is not None:
        return led_on
    now = timezone.now()
    actor = enterprise_actor(request)
    gaps = read_gaps(request.POST) if request.method == "POST" else {}
    refused: list[tuple[str, str]] = []
    if request.method == "POST":
        try:
            submitted = drafts.submit(
                application_id=application.pk,
                actor=actor,
                now=now,
                gaps=gaps,
                acknowledge_unmet=bool(request.POST.get("acknowledge_unmet")),
            )
        except Invalid as invalid:
            refused = [(fault.message, _url(application, fault.place)) for fault in invalid.faults]
        except REFUSALS as refusal:
            refused = [(text, "") for text in words_of(refusal)]
        else:
            if submitted.accepted_at is not None:  # 即申即享: the machine has looked at it already
                messages.success(request, _("已提交，数据核验通过，当场办理。结果和下一步见下。"))
            else:
                messages.success(request, _("已提交。我们会在承诺时限内受理，进展会及时告诉您。"))
            return redirect("enterprise:application", application.pk)
    application = up_to_date(request, application)
    try:
        readiness = drafts.check_draft(application_id=application.pk, actor=actor, now=now, gaps=gaps)
    except Invalid as closed:
        return render(
            request, "enterprise/apply_closed.html", {"application": application, "reasons": words_of(closed)}
        )
    rules = judging.rules_of(version=application.version, now=now)
    faults = {fault.place: fault.message for fault in readiness.faults}
    answers = [
        {
            "answer": answer,
            "fault": faults.get(f"form.{answer.key}"),
            "url": place_url(application, f"form.{answer.key}"),
        }
        for answer in answers_of(application=application, rules=rules, day=day_of(now))
        for place in [f"form.{answer.key}"]
    ]
    return render(
        request,
        "enterprise/apply_check.html",
        {
            "application": application,
            "answers": answers,
            "edit": reverse("enterprise:edit", args=[application.pk]),
            "invoices": rows_of(application=application),
            "rows": material_rows(application),
            "readiness": readiness,
            "todo": [(fault, _url(application, fault.place)) for fault in readiness.faults],
            "gaps": {code: day.isoformat() for code, day in gaps.items()},
            "refused": refused,
            "clashes": clashes_of(application=application, year=day_of(now).year),
            "copied": sheets.sheet_of(application=application).copied,
            "forecast": pay_month(application=application, as_of=day_of(now), calendar=working_calendar())
            if application.version.rules.get("award")
            else None,
        },
        status=422 if refused else 200,
    )


def read_gaps(data: Any) -> dict[str, date]:
    """Promised days by material code, from fields named `gap-CODE`."""
    found: dict[str, date] = {}
    for name, text in data.items():
        if name.startswith("gap-") and text:
            try:
                day = parse_date(str(text))
            except ValueError:
                day = None
            # A day that cannot be read is one that cannot be promised: the service says which days can.
            found[name.removeprefix("gap-").replace("\0", "")] = day or date.min
    return found


def _url(application: Application, place: str) -> str:
    """Where a fault is mended; what was unmet is acknowledged on this page."""
    return "#acknowledge" if place.startswith("leaf.") else place_url(application, place)
