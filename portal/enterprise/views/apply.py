"""From “apply” to “submit”: fill in, bring materials, check your answers."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain.errors import REFUSALS, Invalid
from disbursement.domain.invoices import INVOICE_FACTS
from disbursement.domain.workflow import ApplicationState
from disbursement.models import Application
from disbursement.selectors.forms import Rules
from disbursement.selectors.invoices import rows_of
from disbursement.services import drafts, judging
from matching.criteria import Scope
from matching.days import day_of
from matching.models import PolicyItem
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.enterprise.asked import asked_of
from portal.enterprise.invoices import table_for
from portal.enterprise.materials import material_rows
from portal.facts.display import fact_lines
from portal.facts.fields import PREFIX, FactsForm
from portal.forms import PHONE
from portal.refusals import attempt, lay_on, words_of


class ContactForm(forms.Form):
    contact_name = forms.CharField(label=gettext_lazy("联系人"), max_length=60, required=False)
    contact_phone = forms.CharField(
        label=gettext_lazy("联系电话"),
        max_length=40,
        required=False,
        validators=[PHONE],
        help_text=gettext_lazy("办理中有事会打这个电话。"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )


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
    return redirect("enterprise:opportunity", code) if draft is None else redirect("enterprise:edit", draft.pk)


@enterprise_required
def edit(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Step one: the form. Whatever is typed is kept, complete or not."""
    application = own_application(request, application_id)
    if (led_on := handed_in(request, application)) is not None:
        return led_on
    now = timezone.now()
    form = facts_form(request, application)
    data = request.POST if request.method == "POST" else None
    rules = judging.rules_of(version=application.version, now=now)
    invoices = table_for(application=application, rules=rules, data=data)
    invoices_fit = data is None or invoices is None or invoices.read(now=now)
    contact = ContactForm(
        data,
        initial={
            "contact_name": application.contact_name or request.user.get_full_name(),  # type: ignore[union-attr]
            "contact_phone": application.contact_phone or getattr(request.user, "phone", ""),
        },
    )
    if request.method == "POST" and form.is_valid() and contact.is_valid() and invoices_fit:
        typed = {key: form.cleaned_facts.get(key) for key in form.definitions}
        try:
            drafts.save_draft(
                application_id=application.pk,
                actor=enterprise_actor(request),
                now=now,
                form=typed,
                invoices=None if invoices is None else invoices.typed,
                **contact.cleaned_data,
            )
        except REFUSALS as refusal:
            lay_on(form, refusal, {f"form.{key}": f"{PREFIX}{key}" for key in form.definitions})
        else:
            if "more" in request.POST:
                application.refresh_from_db(fields=["form"])
                invoices = table_for(application=application, rules=rules, data=data)
            elif "next" in request.POST:
                return redirect("enterprise:materials", application.pk)
            else:
                messages.success(request, _("草稿已保存，随时可以回来继续。"))
                return redirect("enterprise:edit", application.pk)
    return render(
        request,
        "enterprise/apply_form.html",
        {
            "application": application,
            "form": form,
            "contact": contact,
            "invoices": invoices,
            "assessment": _rehearsal(application),
        },
    )


@enterprise_required
def check(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Step three: check your answers, promise what is still missing, and submit."""
    application = own_application(request, application_id)
    if (led_on := handed_in(request, application)) is not None:
        return led_on
    now = timezone.now()
    actor = enterprise_actor(request)
    gaps = read_gaps(request.POST) if request.method == "POST" else {}
    refused: list[str] = []
    if request.method == "POST":
        try:
            drafts.submit(
                application_id=application.pk,
                actor=actor,
                now=now,
                gaps=gaps,
                acknowledge_unmet=bool(request.POST.get("acknowledge_unmet")),
            )
        except REFUSALS as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("已提交。我们会在承诺时限内受理，进展会及时告诉您。"))
            return redirect("enterprise:application", application.pk)
    try:
        readiness = drafts.check_draft(application_id=application.pk, actor=actor, now=now, gaps=gaps)
    except Invalid as closed:
        return render(
            request, "enterprise/apply_closed.html", {"application": application, "reasons": words_of(closed)}
        )
    rules = judging.rules_of(version=application.version, now=now)
    vocabulary = rules.vocabulary
    answers = [
        (vocabulary.facts[key].label, fact_lines(key, application.form.get(key), vocabulary))
        for key in asked_of(rules, as_of=day_of(now))
    ]
    return render(
        request,
        "enterprise/apply_check.html",
        {
            "application": application,
            "answers": answers,
            "invoices": rows_of(application=application),
            "rows": material_rows(application),
            "readiness": readiness,
            "todo": [(fault, _place_url(application, fault.place)) for fault in readiness.faults],
            "gaps": {code: day.isoformat() for code, day in gaps.items()},
            "refused": refused,
            "fillable": {k for k, d in vocabulary.facts.items() if d.scope is Scope.ENTERPRISE},
        },
        status=422 if refused else 200,
    )


def typed_facts(rules: Rules, *, as_of: date) -> dict[str, dict[str, Any]]:
    """What is asked of the enterprise and typed; the total of invoices follows from their table."""
    return {key: options for key, options in asked_of(rules, as_of=as_of).items() if key not in INVOICE_FACTS}


def facts_form(request: HttpRequest, application: Application) -> FactsForm:
    """The form generated from the item's rules, filled with what is there."""
    now = timezone.now()
    rules = judging.rules_of(version=application.version, now=now)
    return FactsForm(
        request.POST if request.method == "POST" else None,
        vocabulary=rules.vocabulary,
        wanted=typed_facts(rules, as_of=day_of(now)),
        values=application.form,
        as_of=day_of(now),
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


def _rehearsal(application: Application) -> judging.Assessment | None:
    try:
        return judging.rehearse(
            version=application.version,
            enterprise=application.enterprise,
            form=application.form,
            now=timezone.now(),
        )
    except Invalid:
        return None


def _place_url(application: Application, place: str) -> str:
    if place.startswith("material."):
        return reverse("enterprise:materials", args=[application.pk]) + f"#{place}"
    if place.startswith("form."):
        return reverse("enterprise:edit", args=[application.pk]) + f"#id_{PREFIX}{place.removeprefix('form.')}"
    return reverse("enterprise:edit", args=[application.pk]) + f"#id_{place}"
