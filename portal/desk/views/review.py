"""The reviewers' desk: the list, one application, and everything that is done with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.domain.workflow import UNDER_WAY, ApplicationAction, ApplicationState
from disbursement.models import Application, Document, Material, Objection
from disbursement.selectors import desk
from disbursement.selectors.applications import lines, with_clocks
from disbursement.selectors.attention import attention
from disbursement.selectors.invoices import rows_of
from disbursement.services.application import applications, judging, materials
from disbursement.services.award import awards
from disbursement.services.month.payment_checks import credit_warnings
from disbursement.services.review import bulk_review, conditions, publicity, reviews, staffing
from matching.criteria import leaves
from matching.days import day_of
from matching.models import Fact, PolicyItem
from portal.accounts.access import REVIEW_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.actions import BY_NAME, DEEDS, Deed
from portal.desk.context import drafts_of, review_context
from portal.desk.worklist import WAITING, visible, worst_first
from portal.dossier import Dossier
from portal.downloads import attachment, streamed
from portal.enterprise.answers import answer_lines
from portal.enterprise.materials import material_rows
from portal.facts.display import fact_text
from portal.forms import typed
from portal.refusals import attempt, lay_on

PER_PAGE = 30
_READERS = (*REVIEW_ROLES, StaffRole.SUPERVISOR)
# Actions that ask for a list of reasons; each has a page of its own (`portal.desk.views.reasons`).
WITH_REASONS = {
    ApplicationAction.REFUSE: "refuse",
    ApplicationAction.RECOMMEND_REJECTION: "recommend-rejection",
    ApplicationAction.REJECT: "reject",
    ApplicationAction.REVOKE: "revoke",
}


@role_required(*REVIEW_ROLES)
def worklist(request: HttpRequest) -> HttpResponseBase:
    """Open applications of one's departments. Filters: whose turn, item, words."""
    access = access_for(request)
    found = visible(access=access)
    today = day_of(timezone.now())
    item, query = typed(request.GET, "item", most=60), typed(request.GET, "q", most=60)
    mine = desk.worklist(actor=actor_for(request), as_of=today)
    seen = attention(applications=found.filter(state__in=UNDER_WAY), as_of=today)
    tabs = {
        "mine": (_("待我办理"), len(mine)),
        "attention": (_("需关注"), len(seen)),
        "open": (_("全部在办"), found.filter(state__in=UNDER_WAY).count()),
        "waiting": (_("等待中"), found.filter(state__in=WAITING).count()),
        "done": (_("已办"), found.exclude(state__in=UNDER_WAY).count()),
    }
    show = request.GET.get("show", "mine")
    show = show if show in tabs else "mine"
    chosen = found.filter(state__in=WAITING if show == "waiting" else UNDER_WAY)
    if show == "mine":
        chosen = found.filter(pk__in=[line.application.pk for line in mine])
    elif show == "attention":
        chosen = found.filter(pk__in=list(seen))
    elif show == "done":
        chosen = found.exclude(state__in=UNDER_WAY)
    if item:
        chosen = chosen.filter(item__code=item)
    if query:
        chosen = chosen.filter(Q(number__icontains=query) | Q(enterprise__name__icontains=query))
    page: Any
    if show == "done":
        page = Paginator(chosen.order_by("-updated_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
        page.object_list = lines(applications=list(with_clocks(page.object_list)), as_of=today)
    else:
        told = mine
        if show != "mine" or item or query:
            told = sorted(lines(applications=list(with_clocks(chosen)), as_of=today), key=worst_first)
        page = Paginator(told, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/worklist.html",
        {
            "page": page,
            "show": show,
            "tabs": [(name, label, number) for name, (label, number) in tabs.items()],
            "seen": {pk: [what.label for what in marks] for pk, marks in seen.items()},
            "items": PolicyItem.objects.filter(applications__in=found).distinct().only("code", "name"),
            "item": item,
            "query": query,
            "bulk_deeds": bulk_review.deeds_for(actor=actor_for(request)) if show in ("mine", "open") else [],
            "principals": staffing.principals(application_ids=[line.application.pk for line in page.object_list]),
        },
    )


def desk_application(request: HttpRequest, application_id: int) -> Application:
    """The application if it is this person's department's, else 404."""
    found = visible(access=access_for(request)).select_related(
        "enterprise", "item__department", "version__vocabulary", "handler"
    )
    return get_object_or_404(found, pk=application_id)


@role_required(*_READERS)
def application(request: HttpRequest, application_id: int) -> HttpResponseBase:
    found = desk_application(request, application_id)
    if "replay" in request.GET:
        _replay(request, found)
    return application_page(request, found)


def _replay(request: HttpRequest, found: Application) -> None:
    """Judge once more from what was stored, and say whether it comes to the same."""
    judgement = found.judgements.order_by("-pk").first()
    if judgement is None:
        return
    try:
        again = judging.replay(judgement=judgement)
    except (ValueError, LookupError):
        messages.error(request, _("判定的存档已无法读取，请联系督查人员核查（manage.py audit）。"))
        return
    if again.same and again.intact:
        messages.success(request, _("已用存档的输入重新判定：结论与金额相同，存档完好。"))
    else:
        messages.error(request, _("用存档的输入重新判定，与所存结果不一致或存档被改动，请联系督查人员核查。"))


def application_page(
    request: HttpRequest, found: Application, *, bound: dict[str, forms.Form] | None = None, status: int = 200
) -> HttpResponseBase:
    """Each condition beside its evidence and the machine's verdict, and what may be done now."""
    now = timezone.now()
    today = day_of(now)
    actor = actor_for(request)
    dossier = Dossier(found, today)
    permitted = applications.permitted_actions(application=found, actor=actor) if actor.grants else []
    rules = judging.rules_of(version=found.version, now=now)
    rows = material_rows(found)
    answers = answer_lines(application=found, rules=rules, day=day_of(found.submitted_at or now))
    may_grant = found.status in (ApplicationState.SECOND_REVIEW, ApplicationState.APPEAL, ApplicationState.PUBLICITY)
    judgement = dossier.judgement
    proposal = awards.propose(application=found, judgement=judgement, now=now) if may_grant and judgement else None
    context = {
        "application": found,
        "dossier": dossier,
        "answers": answers,
        "rows": rows,
        "invoices": rows_of(application=found),
        "conditions": _conditions(found, dossier, rules, rows),
        "deeds": _deeds(found, permitted, bound or {}, drafts_of(request, found)),
        "reasoned": [(WITH_REASONS[action], action.label) for action in permitted if action in WITH_REASONS],
        "may_correct": ApplicationAction.ASK_CORRECTION in permitted,
        "may_confirm": bool(permitted) and found.status in _CONFIRMABLE,
        "may_claim": bool(permitted) and found.handler_id is None,
        "may_answer_objections": StaffRole.SECOND_REVIEWER in access_for(request).roles,
        "proposal": proposal,
        "credit": credit_warnings(enterprise_id=found.enterprise_id, day=today) if found.status in UNDER_WAY else [],
        "stays": publicity.stays_because(application=found, now=now)
        if found.status is ApplicationState.PUBLICITY
        else [],
        "names": True,
        **review_context(request, found, dossier, permitted, now=now),
    }
    return render(request, "desk/application.html", context, status=status)


_CONFIRMABLE = frozenset(
    {
        ApplicationState.SUBMITTED,
        ApplicationState.ACCEPTED,
        ApplicationState.IN_REVIEW,
        ApplicationState.SECOND_REVIEW,
        ApplicationState.APPEAL,
    }
)


@role_required(*REVIEW_ROLES)
@require_POST
def act(request: HttpRequest, application_id: int, deed: str) -> HttpResponseBase:
    """Do one of the simple deeds."""
    found = desk_application(request, application_id)
    wanted = BY_NAME.get(deed)
    if wanted is None:
        raise Http404
    form = wanted.form(request.POST, request.FILES, prefix=wanted.name, application=found)
    if form.is_valid():
        try:
            wanted.do(application_id=found.pk, actor=actor_for(request), now=timezone.now(), data=form.cleaned_data)
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, wanted.done)
            return redirect("desk:application", found.pk)
    found.refresh_from_db()
    return application_page(request, desk_application(request, found.pk), bound={wanted.name: form}, status=422)


@role_required(*REVIEW_ROLES)
@require_POST
def claim(request: HttpRequest, application_id: int) -> HttpResponseBase:
    found = desk_application(request, application_id)
    attempt(
        request,
        lambda: reviews.claim(application_id=found.pk, actor=actor_for(request), now=timezone.now()),
        done=_("已领取，办理时限由您负责。"),
    )
    return redirect("desk:application", found.pk)


@role_required(*REVIEW_ROLES)
@require_POST
def answer_objection(request: HttpRequest, application_id: int, objection_id: int) -> HttpResponseBase:
    found = desk_application(request, application_id)
    objection = get_object_or_404(Objection, pk=objection_id, publicity__application=found)
    attempt(
        request,
        lambda: publicity.answer_objection(
            objection_id=objection.pk,
            sustained=request.POST.get("sustained") == "yes",
            answer=typed(request.POST, "answer", most=2000),
            actor=actor_for(request),
            now=timezone.now(),
        ),
        done=_("异议已处理。"),
    )
    return redirect("desk:application", found.pk)


@role_required(*_READERS)
def download_material(request: HttpRequest, material_id: int) -> HttpResponseBase:
    material = get_object_or_404(Material, pk=material_id)
    found = desk_application(request, material.application_id)
    opened = attempt(
        request,
        lambda: materials.open_material(material_id=material.pk, actor=actor_for(request), now=timezone.now()),
    )
    if opened is None:
        return redirect("desk:application", found.pk)
    return streamed(opened)


@role_required(*_READERS)
def download_document(request: HttpRequest, document_id: int) -> HttpResponseBase:
    document = get_object_or_404(Document, pk=document_id, application__isnull=False)
    desk_application(request, document.application_id or 0)
    return attachment(content=bytes(document.content), name=f"{document.number}.pdf", content_type="application/pdf")


def _deeds(
    found: Application,
    permitted: list[ApplicationAction],
    bound: dict[str, forms.Form],
    drafts: dict[str, dict[str, Any]],
) -> list[tuple[Deed, forms.Form, bool]]:
    """What may be done, each with its form, and whether it is the usual next step."""
    shown = [deed for deed in DEEDS if deed.action in permitted]
    if ApplicationAction.ACCEPT in permitted:
        # The service chooses between the two by whether there are gaps to grant.
        shown = [deed for deed in shown if deed.action is not ApplicationAction.ACCEPT_WITH_GAP]
    unusual = {deed.name for deed in shown if deed.style}
    if found.status is not ApplicationState.PUBLICITY:
        unusual.add("approve" if conditions.publicity_days(found) else "publicise")
    told = [
        (
            deed,
            bound.get(deed.name)
            or deed.form(prefix=deed.name, application=found, initial=drafts.get(deed.name) or None),
            deed.name not in unusual,
        )
        for deed in shown
    ]
    return sorted(told, key=lambda row: not row[2])


def _conditions(found: Application, dossier: Dossier, rules: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each leaf as judged, with the value it looked at, where that came from, and the files that prove it."""
    judgement = dossier.judgement
    if judgement is None:
        return []
    keys = {leaf.id: leaf.fact for leaf in leaves(rules.tree)}
    values = judgement.facts
    sources: dict[str, Fact] = {}
    for fact in Fact.objects.filter(
        enterprise=found.enterprise_id, key__in=set(keys.values()), valid_on__lte=judgement.as_of
    ).order_by("valid_on", "recorded_at", "id"):
        sources[fact.key] = fact
    files = {row["rule"].code: row for row in rows}
    told = []
    for leaf in judgement.outcome["leaves"]:
        key = keys.get(leaf["id"], "")
        typed = key in found.form
        told.append(
            {
                "leaf": leaf,
                "value": fact_text(key, values.get(key), rules.vocabulary) if key else "",
                "source": _("企业申报表") if typed else (sources[key].source if key in sources else ""),
                "on": None if typed or key not in sources else sources[key].valid_on,
                "evidence": [files[code] for code in leaf["evidence"] if code in files],
            }
        )
    return told
