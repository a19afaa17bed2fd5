"""The simulation of a draft, as a piece of the item's editor."""

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cms.fields import read_award, read_criteria
from matching.criteria import InvalidInput
from matching.services.simulate import simulate


@require_POST
def simulation(request: HttpRequest) -> HttpResponse:
    """What the criteria, award, budget line and ceiling that stand in the editor would do. Stores nothing."""
    problems: list[str] = []
    criteria = award = None
    try:
        criteria = read_criteria(request.POST.get("criteria", ""))
    except InvalidInput as error:
        problems += [str(problem) for problem in error.problems]
    if award_text := request.POST.get("award", "").strip():
        try:
            award = read_award(award_text)
        except InvalidInput as error:
            problems += [str(problem) for problem in error.problems]
    ceiling: Decimal | None = None
    if typed := request.POST.get("ceiling", "").strip():
        try:
            ceiling = Decimal(typed)
        except InvalidOperation:
            ceiling = None
        if ceiling is None or not ceiling.is_finite() or ceiling < 0:
            problems.append(_("年度额度“%(typed)s”不是数字；请填写以元为单位的金额") % {"typed": typed[:40]})
    context: dict[str, Any] = {"problems": problems}
    if criteria is not None and not problems:
        context["simulation"] = simulate(
            criteria=criteria,
            award=award,
            budget_line=request.POST.get("budget_line", ""),
            ceiling=ceiling,
            as_of=timezone.localdate(),
            item_code=request.POST.get("code", "").strip(),
            window=(_day(request.POST.get("window_from", "")), _day(request.POST.get("window_until", ""))),
        )
    return render(request, "cms/admin/simulation.html", context)


def _day(typed: str) -> date | None:
    """A day of the form; what is no day is said by the form itself when it is saved."""
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        return None
