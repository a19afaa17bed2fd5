"""模拟审批: what would come of the draft, on a page that can be printed and binds nobody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from disbursement.services.application import rehearsal as rehearsals
from portal.accounts.access import enterprise_actor, enterprise_required
from portal.enterprise.places import place_url
from portal.enterprise.views.apply import handed_in, own_application, up_to_date


@enterprise_required
def rehearsal(request: HttpRequest, application_id: int) -> HttpResponseBase:
    application = own_application(request, application_id)
    if (led_on := handed_in(request, application)) is not None:
        return led_on
    application = up_to_date(request, application)
    found = rehearsals.rehearse(application_id=application.pk, actor=enterprise_actor(request), now=timezone.now())
    todo = [(fault, place_url(application, fault.place)) for fault in found.faults]
    return render(request, "enterprise/rehearsal.html", {"application": application, "r": found, "todo": todo})
