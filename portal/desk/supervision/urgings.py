"""督办 on the pages: the supervisor's list and form, the department's answer, the closing."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.errors import REFUSALS
from disbursement.models import Application, Urging
from disbursement.selectors import supervision as selectors
from disbursement.services.supervision import urgings as service
from matching.days import day_of
from matching.registry.models import Department
from portal.accounts.access import REVIEW_ROLES, access_for, actor_for, role_required
from portal.accounts.models import StaffRole
from portal.desk.supervision.scope import places
from portal.forms import DateInput
from portal.refusals import lay_on

_SEE = (StaffRole.SUPERVISOR, *REVIEW_ROLES)


class NewForm(forms.Form):
    department = forms.ModelChoiceField(label=gettext_lazy("督办部门"), queryset=Department.objects.none())
    number = forms.CharField(
        label=gettext_lazy("申报编号"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("就一件申报督办的，填写编号。"),
    )
    text = forms.CharField(label=gettext_lazy("督办要求"), max_length=2000, widget=forms.Textarea(attrs={"rows": 5}))
    due_on = forms.DateField(label=gettext_lazy("答复期限"), widget=DateInput())

    def __init__(self, *args: object, own: frozenset[int] | None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["department"]
        assert isinstance(field, forms.ModelChoiceField)
        every = Department.objects.order_by("name")
        field.queryset = every if own is None else every.filter(pk__in=own)

    def clean_number(self) -> Application | None:
        """The application of that number."""
        text = self.cleaned_data.get("number", "").replace("\0", "")
        if not text:
            return None
        found = Application.objects.filter(number=text).first()
        if found is None:
            raise forms.ValidationError(_("没有编号为 %(number)s 的申报，请核对。") % {"number": text})
        return found


class ReplyForm(forms.Form):
    reply = forms.CharField(
        label=gettext_lazy("整改说明"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("写明原因、已采取的措施和完成时间。提交后不能更改。"),
    )


class CloseForm(forms.Form):
    is_settled = forms.TypedChoiceField(
        label=gettext_lazy("结论"),
        choices=[("yes", gettext_lazy("整改到位")), ("no", gettext_lazy("整改未到位"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    closing = forms.CharField(label=gettext_lazy("办结意见"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))


@role_required(*_SEE)
def urging_list(request: HttpRequest) -> HttpResponseBase:
    """What is urged: a supervisor sees their departments', the others their own."""
    open_only = request.GET.get("show") != "all"
    found = selectors.urgings(department_ids=_places(request), open_only=open_only)
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/supervision/urgings.html",
        {
            "page": page,
            "open_only": open_only,
            "today": day_of(timezone.now()),
            "oversees": access_for(request).has({StaffRole.SUPERVISOR}),
        },
    )


@role_required(StaffRole.SUPERVISOR)
def urging_new(request: HttpRequest) -> HttpResponseBase:
    """Urge a department at large, or because of an application."""
    now = timezone.now()
    form = NewForm(request.POST or None, own=places(request), initial={"due_on": service.default_due(now=now)})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            made = service.send(
                department_id=told["department"].pk,
                application_id=told["number"].pk if told["number"] else None,
                text=told["text"],
                due_on=told["due_on"],
                actor=actor_for(request),
                now=now,
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("督办已发出，部门会收到。"))
            return redirect("desk:urging", made.pk)
    return render(request, "desk/supervision/urging_new.html", {"form": form}, status=422 if form.errors else 200)


@role_required(*_SEE)
def urging(request: HttpRequest, urging_id: int) -> HttpResponseBase:
    return _page(request, _visible(request, urging_id))


@role_required(*REVIEW_ROLES)
@require_POST
def urging_answer(request: HttpRequest, urging_id: int) -> HttpResponseBase:
    found = _visible(request, urging_id)
    form = ReplyForm(request.POST)
    if form.is_valid():
        try:
            service.answer(
                urging_id=found.pk, reply=form.cleaned_data["reply"], actor=actor_for(request), now=timezone.now()
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("整改说明已提交。"))
            return redirect("desk:urging", found.pk)
    return _page(request, found, reply=form, status=422)


@role_required(StaffRole.SUPERVISOR)
@require_POST
def urging_close(request: HttpRequest, urging_id: int) -> HttpResponseBase:
    found = _visible(request, urging_id)
    form = CloseForm(request.POST)
    if form.is_valid():
        try:
            service.close(
                urging_id=found.pk,
                is_settled=form.cleaned_data["is_settled"],
                closing=form.cleaned_data["closing"],
                actor=actor_for(request),
                now=timezone.now(),
            )
        except REFUSALS as refusal:
            lay_on(form, refusal)
        else:
            messages.success(request, _("督办已办结。"))
            return redirect("desk:urging", found.pk)
    return _page(request, found, closing=form, status=422)


def _places(request: HttpRequest) -> frozenset[int] | None:
    return access_for(request).departments_of(set(_SEE))


def _visible(request: HttpRequest, urging_id: int) -> Urging:
    return get_object_or_404(selectors.urgings(department_ids=_places(request)), pk=urging_id)


def _page(
    request: HttpRequest,
    found: Urging,
    *,
    reply: ReplyForm | None = None,
    closing: CloseForm | None = None,
    status: int = 200,
) -> HttpResponseBase:
    actor = actor_for(request)
    oversees = actor.supervises(found.department_id)
    return render(
        request,
        "desk/supervision/urging.html",
        {
            "urging": found,
            "today": day_of(timezone.now()),
            "oversees": oversees,
            "may_answer": found.replied_at is None and service.may_answer(urging=found, actor=actor),
            "may_close": oversees
            and found.replied_at is not None
            and found.is_open
            and request.user.pk != found.replied_by_id,
            "reply": reply or ReplyForm(),
            "closing": closing or CloseForm(),
        },
        status=status,
    )
