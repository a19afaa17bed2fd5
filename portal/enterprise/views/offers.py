"""免申即享 for the enterprise: what is put before it, a page for each with all that a consent is about, its answer."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.delivery import CONSENT_WORDS, OfferState
from disbursement.domain.errors import REFUSALS
from disbursement.models import Application, Offer
from disbursement.selectors.delivery import shown_amounts
from disbursement.services.delivery import consents, offers
from matching.days import day_of
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.forms import PHONE
from portal.refusals import lay_on

PER_PAGE = 30


class ConsentForm(forms.Form):
    # What was on the page when the button was pressed: a consent is to this and to nothing else.
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    contact_name = forms.CharField(label=gettext_lazy("联系人"), max_length=60)
    contact_phone = forms.CharField(label=gettext_lazy("联系电话"), max_length=40, validators=[PHONE])


class DeclineForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("放弃的原因"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("例如：选择享受其他政策、信息与实际不符。放弃后本年不再告知，仍可自行申报。"),
    )


@enterprise_required
def offer_list(request: HttpRequest) -> HttpResponseBase:
    """Those that wait first, by their last day; then the answered, the latest first."""
    found = Offer.objects.filter(enterprise=current_enterprise(request)).select_related("item__department")
    waiting = list(found.filter(state=OfferState.OPEN).order_by("last_day", "pk"))
    rest = found.exclude(state=OfferState.OPEN).order_by("-opened_at", "-pk")
    page = Paginator(rest, PER_PAGE).get_page(request.GET.get("page"))
    amounts = shown_amounts(offer_ids=[offer.pk for offer in (*waiting, *page.object_list)])
    return render(
        request,
        "enterprise/offers.html",
        {"waiting": waiting, "page": page, "amounts": amounts, "today": day_of(timezone.now())},
    )


def _own(request: HttpRequest, offer_id: int) -> Offer:
    found = Offer.objects.filter(enterprise=current_enterprise(request))
    return get_object_or_404(found.select_related("item__department", "enterprise", "application"), pk=offer_id)


def _contact(request: HttpRequest, offer: Offer) -> dict[str, str]:
    """Whom to call: as in the enterprise's latest application, else the person who looks."""
    latest = Application.objects.filter(enterprise=offer.enterprise).exclude(contact_phone="").order_by("-pk").first()
    user: Any = request.user
    if latest is not None:
        return {"contact_name": latest.contact_name, "contact_phone": latest.contact_phone}
    phone = user.phone if re.fullmatch(PHONE.regex, user.phone or "") else ""
    return {"contact_name": user.get_full_name(), "contact_phone": phone}


@enterprise_required
def offer(request: HttpRequest, offer_id: int) -> HttpResponseBase:
    """The verdict, the amount with its working, the account, and what consent means."""
    found = _own(request, offer_id)
    return _page(request, found)


@enterprise_required
def consent(request: HttpRequest, offer_id: int) -> HttpResponseBase:
    """One click: agree to what was shown."""
    found = _own(request, offer_id)
    if request.method != "POST":
        return redirect("enterprise:offer", found.pk)
    form = ConsentForm(request.POST)
    if form.is_valid():
        try:
            application = consents.consent(
                offer_id=found.pk,
                seen=form.cleaned_data["seen"],
                contact_name=form.cleaned_data["contact_name"],
                contact_phone=form.cleaned_data["contact_phone"],
                actor=enterprise_actor(request),
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal, places={"seen": ""})
        else:
            messages.success(request, _("已确认。办理进展和兑现月份见下。"))
            return redirect("enterprise:application", application.pk)
    return _page(request, _own(request, offer_id), consent_form=form)


@enterprise_required
def decline(request: HttpRequest, offer_id: int) -> HttpResponseBase:
    found = _own(request, offer_id)
    if request.method != "POST":
        return redirect("enterprise:offer", found.pk)
    form = DeclineForm(request.POST)
    if form.is_valid():
        try:
            consents.decline(
                offer_id=found.pk,
                reason=form.cleaned_data["reason"],
                actor=enterprise_actor(request),
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("已放弃享受。如改变主意，可以自行申报。"))
            return redirect("enterprise:offers")
    return _page(request, _own(request, offer_id), decline_form=form)


def _page(
    request: HttpRequest,
    found: Offer,
    *,
    consent_form: ConsentForm | None = None,
    decline_form: DeclineForm | None = None,
) -> HttpResponseBase:
    edition = offers.shown(offer=found)
    refused = next((form for form in (consent_form, decline_form) if form is not None and form.errors), None)
    if consent_form is None or refused is consent_form:
        # Whatever was refused: the next click is for what is on the page now.
        given = consent_form.data if consent_form is not None else _contact(request, found)
        fresh = ConsentForm(
            initial={
                "seen": edition.digest,
                "contact_name": given.get("contact_name", ""),
                "contact_phone": given.get("contact_phone", ""),
            }
        )
    else:
        fresh = consent_form
    editions = list(found.editions.order_by("-seq")[:10])
    return render(
        request,
        "enterprise/offer.html",
        {
            "offer": found,
            "edition": edition,
            "leaves": edition.outcome["leaves"],
            "changes": [one for one in editions if one.why],
            "words": CONSENT_WORDS,
            "refused": refused,
            "consent_form": fresh,
            "decline_form": decline_form or DeclineForm(),
            "is_open": found.status is OfferState.OPEN and day_of(timezone.now()) <= found.last_day,
        },
        status=422 if refused is not None else 200,
    )
