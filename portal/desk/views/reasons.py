"""Deeds that name what is wrong, point by point: corrections, refusals, and facts that the evidence proves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from disbursement.domain import reasons as reasons_known
from disbursement.domain.errors import REFUSALS
from disbursement.domain.reasons import REASONS
from disbursement.domain.workflow import ApplicationAction, ApplicationState
from disbursement.models import Application, Correction, CorrectionSubject, Stage
from disbursement.selectors.forms import form_fields, material_rules, questions
from disbursement.services.application import applications, corrections, judging
from disbursement.services.application.correction_answers import locked_questions
from disbursement.services.review import decisions, reviews
from disbursement.services.review.complete_list import Ask, compose
from disbursement.services.review.conditions import Reason
from matching.criteria import Scope, leaves
from matching.days import day_of
from portal.accounts.access import REVIEW_ROLES, actor_for, role_required
from portal.desk.context import drafts_of
from portal.desk.views.review import desk_application
from portal.facts.fields import PREFIX, FactsForm
from portal.forms import typed
from portal.refusals import lay_on, words_of


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that can be named: a material, a field of the form, or a condition, and what was typed about it."""

    subject: str
    code: str
    label: str
    kind: str
    chosen: bool = False
    problem: str = ""
    remedy: str = ""
    reason_code: str = "criteria"
    by_machine: bool = False

    @property
    def name(self) -> str:
        return f"{self.subject}.{self.code}"


class CorrectionForm(forms.Form):
    days = forms.IntegerField(
        label=gettext_lazy("补正期限（工作日）"),
        min_value=1,
        max_value=corrections.LONGEST_DAYS,
        initial=corrections.DEFAULT_DAYS,
        help_text=gettext_lazy("补正期间办理时限暂停。本环节只能一次性告知，请列全。"),
    )
    note = forms.CharField(
        label=gettext_lazy("说明"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )

    late_reason = forms.CharField(
        label=gettext_lazy("追加理由"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("本环节告知过补正、又要追加首次没有列出的内容时填写；督查部门会看到。"),
    )

    def __init__(self, *args: Any, is_first: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_first:
            del self.fields["late_reason"]


class RefusalForm(forms.Form):
    other = forms.CharField(
        label=gettext_lazy("其他理由"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    remedy = forms.CharField(
        label=gettext_lazy("如何补救"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("企业补上什么可重新申报，或者怎样主张权利。"),
    )


class RecommendationForm(RefusalForm):
    remedy = forms.CharField(label=gettext_lazy("审核意见"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


@dataclass(frozen=True, slots=True)
class Refusal:
    action: ApplicationAction
    title: str
    call: Callable[..., Any]
    done: str
    form: type[RefusalForm] = RefusalForm
    remedy_as: str = "remedy"


_A = ApplicationAction
REFUSALS_BY_NAME = {
    "refuse": Refusal(_A.REFUSE, "不予受理", reviews.not_accept, "已作出不予受理决定。"),
    "recommend-rejection": Refusal(
        _A.RECOMMEND_REJECTION,
        "建议不通过",
        reviews.recommend_rejection,
        "已提交复审。",
        RecommendationForm,
        "text",
    ),
    "reject": Refusal(_A.REJECT, "审核不通过", decisions.reject, "已作出审核不通过决定。"),
    "revoke": Refusal(_A.REVOKE, "撤销决定", decisions.revoke, "已撤销决定，预留预算已释放。"),
}


@role_required(*REVIEW_ROLES)
def ask_correction(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """List what has to be mended, all at once (一次告知)."""
    found = desk_application(request, application_id)
    actor, now = actor_for(request), timezone.now()
    posted = request.POST if request.method == "POST" else None
    stage = Stage.ACCEPTANCE if found.status is ApplicationState.SUBMITTED else Stage.REVIEW
    earlier = Correction.objects.filter(application=found).prefetch_related("items")
    draft = drafts_of(request, found).get("correction") or {}
    form = CorrectionForm(posted, initial=draft, is_first=not earlier.filter(stage=stage).exists())
    seen = {} if posted or draft or found.submitted_at is None else _found_by_machine(found)
    points = _points(found, posted or draft, with_fields=True, seen=seen)
    refused: list[str] = []
    if request.method == "POST" and form.is_valid():
        items = [
            corrections.Ask(CorrectionSubject(point.subject), point.code, point.problem, point.remedy)
            for point in points
            if point.chosen
        ]
        try:
            corrections.ask(
                application_id=found.pk,
                items=items,
                actor=actor,
                now=now,
                note=form.cleaned_data["note"],
                days=form.cleaned_data["days"],
                late_reason=form.cleaned_data.get("late_reason", ""),
            )
        except REFUSALS as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, _("补正通知已发出，办理时限暂停。"))
            return redirect("desk:application", found.pk)
    permitted = applications.permitted_actions(application=found, actor=actor)
    return render(
        request,
        "desk/points.html",
        {
            "application": found,
            "title": ApplicationAction.ASK_CORRECTION.label,
            "points": points,
            "with_remedy": True,
            "form": form,
            "refused": refused,
            "possible": ApplicationAction.ASK_CORRECTION in permitted,
            "earlier": earlier,
            "seen": len(seen),
            "draft_name": "correction",
        },
        status=422 if refused or form.errors else 200,
    )


@role_required(*REVIEW_ROLES)
def refuse(request: HttpRequest, application_id: int, deed: str) -> HttpResponseBase:
    """Refuse with reasons, each pointing at a condition or a material."""
    wanted = REFUSALS_BY_NAME.get(deed)
    if wanted is None:
        raise Http404
    found = desk_application(request, application_id)
    actor, now = actor_for(request), timezone.now()
    posted = request.POST if request.method == "POST" else None
    draft = drafts_of(request, found).get(deed) or {}
    form = wanted.form(posted, initial=draft)
    points = _points(found, posted or draft, with_fields=False)
    refused: list[str] = []
    if request.method == "POST" and form.is_valid():
        reasons = [
            Reason(
                reason=point.problem or REASONS[point.reason_code].text,
                code=point.reason_code,
                leaf=point.code if point.subject == CorrectionSubject.LEAF else "",
                material=point.code if point.subject == CorrectionSubject.MATERIAL else "",
            )
            for point in points
            if point.chosen
        ]
        if form.cleaned_data["other"].strip():
            reasons.append(Reason(reason=form.cleaned_data["other"], code="other"))
        try:
            wanted.call(
                application_id=found.pk,
                reasons=reasons,
                actor=actor,
                now=now,
                **{wanted.remedy_as: form.cleaned_data["remedy"]},
            )
        except REFUSALS as refusal:
            refused = words_of(refusal)
        else:
            messages.success(request, wanted.done)
            return redirect("desk:application", found.pk)
    permitted = applications.permitted_actions(application=found, actor=actor)
    return render(
        request,
        "desk/points.html",
        {
            "application": found,
            "title": wanted.title,
            "points": points,
            "with_remedy": False,
            "form": form,
            "refused": refused,
            "possible": wanted.action in permitted,
            "codes": reasons_known.choices(),
            "draft_name": deed,
        },
        status=422 if refused or form.errors else 200,
    )


@role_required(*REVIEW_ROLES)
def confirm_facts(request: HttpRequest, application_id: int) -> HttpResponseBase:
    """Put on record what the evidence proves of the enterprise (审核认定), and judge anew."""
    found = desk_application(request, application_id)
    now = timezone.now()
    rules = judging.rules_of(version=found.version, now=now)
    known = {definition.key for definition in form_fields(rules=rules)}
    keys = [
        key for key in rules.fact_keys() if key not in known and rules.vocabulary.facts[key].scope is Scope.ENTERPRISE
    ]
    judgement = found.judgements.order_by("-pk").first()
    values = judgement.facts if judgement else {}
    posted = request.POST if request.method == "POST" else None
    form = FactsForm(
        posted,
        vocabulary=rules.vocabulary,
        wanted={key: {} for key in keys},
        values={key: values[key] for key in keys if key in values},
        as_of=day_of(now),
    )
    note = NoteForm(posted)
    if request.method == "POST" and form.is_valid() and note.is_valid():
        changed = {key: value for key, value in form.cleaned_facts.items() if value != values.get(key)}
        if not changed:
            form.add_error(None, _("没有改动任何事实。请更正与证明材料不符的内容后再保存。"))
        else:
            try:
                reviews.confirm_facts(
                    application_id=found.pk,
                    facts=changed,
                    note=note.cleaned_data["note"],
                    actor=actor_for(request),
                    now=now,
                )
            except REFUSALS as refusal:
                lay_on(form, refusal, {f"fact.{key}": f"{PREFIX}{key}" for key in keys})
            else:
                messages.success(request, _("已认定，并据此重新判定。"))
                return redirect("desk:application", found.pk)
    return render(request, "desk/confirm_facts.html", {"application": found, "form": form, "note": note})


class NoteForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("认定依据"),
        max_length=60,
        help_text=gettext_lazy("写明核对了哪份材料，例如“2025年度审计报告”。"),
    )


def _found_by_machine(found: Application) -> dict[tuple[str, str], Ask]:
    """What the machine would ask to be mended, by subject and code: the start of the one complete list."""
    return {ask.key: ask for ask in compose(application=found, now=timezone.now())}


def _points(
    found: Application, posted: Any, *, with_fields: bool, seen: dict[tuple[str, str], Ask] | None = None
) -> list[Point]:
    """Everything of the item that can be named, with what was typed, or what the machine found; that comes first."""
    rules = judging.rules_of(version=found.version, now=timezone.now())
    facts = rules.vocabulary.facts
    named: list[tuple[str, str, str]] = [
        (CorrectionSubject.MATERIAL.value, rule.code, rule.name)
        for rule in material_rules(version=found.version)
        if not rule.is_typed  # the form itself: its answers are named one by one
    ]
    if with_fields:
        # What an authority answers is found by the department (认定事实), never asked of the enterprise.
        locked = locked_questions(application=found, rules=rules)
        asked = [(key, label) for key, label in questions(rules=rules) if key not in locked]
        named += [(CorrectionSubject.FIELD.value, key, label) for key, label in asked]
    named += [
        (CorrectionSubject.LEAF.value, leaf.id, leaf.text or facts[leaf.fact].label) for leaf in leaves(rules.tree)
    ]
    told = []
    for subject, code, label in named:
        name = f"{subject}.{code}"
        ask = (seen or {}).get((subject, code))
        if ask is not None:
            kind = str(CorrectionSubject(subject).label)
            told.append(Point(subject, code, label, kind, True, ask.problem, ask.remedy, by_machine=True))
            continue
        usual = "criteria" if subject == CorrectionSubject.LEAF else "evidence"
        chosen_code = typed(posted or {}, f"{name}.code", most=20)
        told.append(
            Point(
                subject=subject,
                code=code,
                label=label,
                kind=str(CorrectionSubject(subject).label),
                chosen=bool(posted and (posted.get(name) or posted.get(f"{name}.problem", "").strip())),
                problem=typed(posted or {}, f"{name}.problem", most=500),
                remedy=typed(posted or {}, f"{name}.remedy", most=500),
                reason_code=chosen_code if chosen_code in REASONS else usual,
            )
        )
    return sorted(told, key=lambda point: not point.by_machine)
