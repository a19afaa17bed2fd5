"""What the enterprise can get, and why."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from disbursement.models import Application
from disbursement.selectors.forms import material_rules, questions
from matching.criteria import Scope
from matching.days import day_of
from matching.models import Enterprise, PolicyItem
from matching.services.facts import profile_as_of
from matching.services.vocabulary import current_vocabulary
from portal.accounts.access import current_enterprise, enterprise_required
from portal.enterprise.opportunities import (
    Kind,
    counts_of,
    matches_of,
    readable_facts,
    rules_for,
    tell,
    tell_one,
)

PER_PAGE = 20


@enterprise_required
def opportunities(request: HttpRequest) -> HttpResponseBase:
    """One kind of fit at a time, each item with its reason."""
    enterprise = current_enterprise(request)
    counts = counts_of(enterprise=enterprise)
    asked = request.GET.get("kind", "")
    kind = Kind(asked) if asked in set(Kind) else next((kind for kind in Kind if counts[kind]), Kind.FITS)
    found = matches_of(enterprise=enterprise).filter(kind.query)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    told = tell(
        enterprise=enterprise,
        versions=[match.version for match in page.object_list],
        as_of=day_of(timezone.now()),
    )
    return render(
        request,
        "enterprise/opportunities.html",
        {
            "kind": kind,
            "kinds": [(k, counts[k]) for k in Kind],
            "page": page,
            "opportunities": told,
            "latest": _latest(enterprise, [match.version.item_id for match in page.object_list]),
        },
    )


def _latest(enterprise: Enterprise, item_ids: list[int]) -> dict[int, Application]:
    """The newest application for each item, so that nobody is told to apply for what is under way or paid."""
    rows = Application.objects.filter(enterprise=enterprise, item__in=item_ids).order_by("created_at", "pk")
    return {row.item_id: row for row in rows}


@enterprise_required
def opportunity(request: HttpRequest, code: str) -> HttpResponseBase:
    """One item for this enterprise: each condition beside what is known, what it may pay, and the way in."""
    enterprise = current_enterprise(request)
    item = get_object_or_404(
        PolicyItem.objects.select_related("current_version__vocabulary", "department"), code=code, is_listed=True
    )
    version = item.current_version
    assert version is not None  # a listed item has one, by constraint
    version.item = item
    today = day_of(timezone.now())
    rules = rules_for(version=version, vocabulary=current_vocabulary())
    facts = readable_facts(profile_as_of(enterprise=enterprise, day=today), rules)
    told = tell_one(version=version, rules=rules, facts=facts, as_of=today)
    definitions = rules.vocabulary.facts
    fillable = {key for key, definition in definitions.items() if definition.scope is Scope.ENTERPRISE}
    opens_later = version.window_from is not None and version.window_from > today
    is_over = version.window_until is not None and version.window_until < today
    return render(
        request,
        "enterprise/opportunity.html",
        {
            "item": item,
            "version": version,
            "told": told,
            "fillable": fillable,
            "asked": questions(rules=rules),
            "materials": material_rules(version=version),
            "opens_later": opens_later,
            "is_over": is_over,
            "applications": Application.objects.filter(enterprise=enterprise, item=item).order_by("-created_at")[:5],
        },
    )
