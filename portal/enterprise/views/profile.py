"""What the district knows of the enterprise, where from, since when; and what the enterprise adds itself."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from matching.criteria import FactDefinition, InvalidInput, Scope
from matching.days import day_of
from matching.models import Fact
from matching.services import facts
from matching.services.vocabulary import current_vocabulary
from portal.accounts.access import current_enterprise, enterprise_required
from portal.enterprise.declare import declare, may_declare
from portal.facts.display import fact_lines
from portal.facts.fields import FactsForm
from portal.forms import DateInput


@dataclass(frozen=True, slots=True)
class Row:
    definition: FactDefinition
    lines: list[str]
    fact: Fact | None
    declarable: bool
    warning: str = ""


class ValidOnForm(forms.Form):
    valid_on = forms.DateField(
        label=gettext_lazy("数据日期"),
        widget=DateInput(),
        help_text=gettext_lazy("从哪一天起是这样。不能晚于今天。"),
    )


@enterprise_required
def profile(request: HttpRequest) -> HttpResponseBase:
    """Every fact of the vocabulary: the known ones first, then what would still help."""
    enterprise = current_enterprise(request)
    today = day_of(timezone.now())
    vocabulary = current_vocabulary()
    warnings = {stale.key: stale.warning for stale in facts.stale_facts(enterprise=enterprise, day=today)}
    latest = _latest(list(Fact.objects.filter(enterprise=enterprise, valid_on__lte=today)))
    known: list[Row] = []
    unknown: list[Row] = []
    for key, definition in vocabulary.facts.items():
        if definition.scope is not Scope.ENTERPRISE:
            continue
        fact = latest.get(key)
        value = fact.value if fact else None
        source = fact.source if fact and value is not None else None
        row = Row(
            definition=definition,
            lines=fact_lines(key, value, vocabulary),
            fact=fact,
            declarable=may_declare(definition=definition, source=source),
            warning=warnings.get(key, ""),
        )
        (unknown if value is None else known).append(row)
    return render(request, "enterprise/profile.html", {"enterprise": enterprise, "known": known, "unknown": unknown})


@enterprise_required
def fact(request: HttpRequest, key: str) -> HttpResponseBase:
    """One fact: its history, and a form where the enterprise may state it."""
    enterprise = current_enterprise(request)
    now = timezone.now()
    today = day_of(now)
    vocabulary = current_vocabulary()
    definition = vocabulary.facts.get(key)
    if definition is None or definition.scope is not Scope.ENTERPRISE:
        raise Http404
    history = list(
        Fact.objects.filter(enterprise=enterprise, key=key)
        .select_related("recorded_by")
        .order_by("-valid_on", "-recorded_at", "-id")
    )
    current = _latest([row for row in history if row.valid_on <= today]).get(key)
    value = current.value if current else None
    declarable = may_declare(definition=definition, source=current.source if current and value is not None else None)
    form = FactsForm(
        request.POST if request.method == "POST" else None,
        vocabulary=vocabulary,
        wanted={key: {"required": True}},
        values={} if value is None else {key: value},
        as_of=today,
    )
    when = ValidOnForm(request.POST if request.method == "POST" else None, initial={"valid_on": today})
    if request.method == "POST" and form.is_valid() and when.is_valid():
        valid_on = when.cleaned_data["valid_on"]
        if valid_on > today:
            when.add_error("valid_on", _("数据日期不能晚于今天（%(today)s）。") % {"today": today})
        else:
            try:
                declare(
                    enterprise=enterprise,
                    definition=definition,
                    value=form.cleaned_facts.get(key),
                    valid_on=valid_on,
                    user=request.user,  # type: ignore[arg-type]
                    now=now,
                )
            except InvalidInput as error:
                form.add_error(None, [problem.message for problem in error.problems])
            else:
                messages.success(request, _("已记录“%(label)s”，正在据此重新匹配政策。") % {"label": definition.label})
                return redirect("enterprise:profile")
    return render(
        request,
        "enterprise/fact.html",
        {
            "definition": definition,
            "history": [(row, fact_lines(key, row.value, vocabulary)) for row in history],
            "declarable": declarable,
            "form": form,
            "when": when,
        },
    )


def _latest(rows: list[Fact]) -> dict[str, Fact]:
    """The row that holds, by key: the latest day, and of one day what was learned last."""
    found: dict[str, Fact] = {}
    for row in sorted(rows, key=lambda row: (row.valid_on, row.recorded_at, row.pk)):
        found[row.key] = row
    return found
