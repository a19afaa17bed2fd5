"""Public pages outside the CMS: does an item fit, and the open catalogue. No login, nothing stored."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cms.models import PolicyItemPage
from cms.services.finding import published_rows, rows_in_order
from cms.serving import library_page, serve_library, window_state
from matching.criteria import Outcome, parse_facts
from matching.criteria.award import estimate, parse_award
from matching.models import PolicyItem
from matching.services.explanations import criteria_of, explain_pair
from matching.services.vocabulary import current_vocabulary
from portal.public.catalogue import catalogue, catalogue_csv
from portal.public.fit_form import FitForm, needs_of


@require_GET
def policy_list(request: HttpRequest) -> HttpResponseBase:
    """The library at its usual address; where the editors moved it, the way there."""
    url, response = serve_library(request)
    if response is not None:
        return response
    if url is None:
        raise Http404
    query = request.META.get("QUERY_STRING", "")
    return redirect(f"{url}?{query}" if query else url)


@require_GET
def suggest(request: HttpRequest) -> HttpResponse:
    """What a reader may be about to type: words to search for, titles to go to. A piece of a page, for htmx."""
    kind = request.GET.get("kind", "")
    typed = request.GET.get("q", "").replace("\x00", "")
    found = published_rows().suggest(text=typed, kind=kind)
    rows = {str(row.pk): row for row in rows_in_order(ids=[entry.id for entry in found if entry.id])}
    entries = [(entry.text, rows.get(entry.id)) for entry in found if not entry.id or entry.id in rows]
    context = {"entries": entries, "library": library_page(), "kind": kind, "typed": [typed.strip()[:50]]}
    return render(request, "cms/_suggestions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def fit(request: HttpRequest, code: str) -> HttpResponse:
    """“适合我的企业吗？”: a form of the facts that the item looks at, and the verdict with its reasons."""
    item = PolicyItem.objects.filter(code=code, is_listed=True).select_related("current_version", "department").first()
    if item is None or item.current_version is None:
        raise Http404(_("没有这个事项，或已经停止办理"))
    today = timezone.localdate()
    vocabulary = current_vocabulary()
    version = item.current_version
    version.item = item
    tree = criteria_of(version=version, vocabulary=vocabulary)
    award_data = version.rules.get("award")
    award = parse_award(award_data, vocabulary) if award_data else None
    needs = needs_of(tree=tree, award=award, as_of=today)
    page = PolicyItemPage.objects.live().filter(code=code).first()
    form = FitForm(request.POST if request.method == "POST" else None, needs=needs, vocabulary=vocabulary, as_of=today)
    context: dict[str, Any] = {
        "item": item,
        "page": page,
        "page_url": page.get_url(request) if page else None,
        "library": library_page(),
        "form": form,
        "questions": form.questions(),
        "window_state": window_state(page, today) if page else "open",
    }
    if request.method == "POST":
        if form.is_valid():
            explanation = explain_pair(version=version, facts=form.facts, as_of=today, vocabulary=vocabulary)
            facts = parse_facts(form.facts, vocabulary)
            money = estimate(award, facts, today) if award and explanation.verdict != "ineligible" else None
            context.update(
                explanation=explanation,
                met=[leaf for leaf in explanation.leaves if leaf.outcome is Outcome.MET],
                way=[
                    leaf
                    for leaf in explanation.leaves
                    if leaf.on_way and not leaf.soft and leaf.outcome is not Outcome.MET
                ],
                aside=[
                    leaf
                    for leaf in explanation.leaves
                    if leaf.outcome is not Outcome.MET and (leaf.soft or not leaf.on_way)
                ],
                money=money,
            )
        context["questions"] = form.questions()
    response = render(request, "cms/fit.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_GET
def catalogue_json(request: HttpRequest) -> JsonResponse:
    """The open catalogue as JSON."""
    body = {"district": settings.HUIDA_DISTRICT, "items": catalogue(request=request)}
    return JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 1})


@require_GET
def catalogue_table(request: HttpRequest) -> HttpResponse:
    """The open catalogue as CSV."""
    response = HttpResponse(catalogue_csv(entries=catalogue(request=request)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="catalogue.csv"'
    return response
