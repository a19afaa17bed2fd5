"""What competes for an enterprise (组合比选): the best lawful combination, what else it could take, and its choice."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from disbursement.domain.combination import Combination, left_out
from disbursement.domain.errors import REFUSALS
from disbursement.services.award import combinations
from portal.accounts.access import current_enterprise, enterprise_actor, enterprise_required
from portal.refusals import words_of


@enterprise_required
def choices(request: HttpRequest) -> HttpResponseBase:
    """The alternatives with their amounts and what each gives up; a set may be tried before it is chosen."""
    enterprise, now = current_enterprise(request), timezone.now()
    refused: list[str] = []
    if request.method == "POST" and "try" not in request.POST:
        taken = request.POST.getlist("take")[: combinations.MOST_OPTIONS]
        try:
            combinations.choose(
                enterprise_id=enterprise.pk,
                taken=taken,
                give_up="give_up" in request.POST,
                actor=enterprise_actor(request),
                now=now,
            )
        except REFUSALS as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("选择已记录，审核时按您的选择办理。审核通过前可以重新选择。"))
            return redirect("enterprise:choices")
    else:
        taken = (request.POST if request.method == "POST" else request.GET).getlist("take")[: combinations.MOST_OPTIONS]
    found = combinations.compare(enterprise=enterprise, now=now)
    keys = {option.key for option in found.problem.options}
    tried: Combination | None = None
    wrong: list[str] = []
    shown = set(found.best.paid)
    if taken:
        shown = {key for key in taken if key in keys}
        tried, wrong = combinations.try_out(comparison=found, taken=sorted(shown))
    out = {each.option.key: each for each in (left_out(found.problem, tried) if tried and not wrong else found.out)}
    paid = tried.paid if tried is not None and not wrong else found.best.paid
    labels = {candidate.key: candidate.item.name for candidate in found.candidates}
    rows = [
        {
            "candidate": candidate,
            "taken": candidate.key in shown,
            "paid": paid.get(candidate.key),
            "out": out.get(candidate.key),
            "gives_up": [labels[key] for key in out[candidate.key].gives_up] if candidate.key in out else [],
        }
        for candidate in found.candidates
    ]
    return render(
        request,
        "enterprise/choices.html",
        {
            "comparison": found,
            "rows": rows,
            "tried": tried,
            "wrong": [*refused, *(wrong if not refused else [])],
            "loss": None if tried is None or wrong else found.best.total - tried.total,
        },
        status=422 if refused else 200,
    )
