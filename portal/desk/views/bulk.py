"""Many applications at once: what would happen to each, then what did."""

from __future__ import annotations

from functools import cache
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from disbursement.domain.actors import Actor
from disbursement.domain.errors import REFUSALS
from disbursement.models import BulkDeed, BulkOutcome, BulkRun
from disbursement.services.review import bulk_review
from portal.accounts import people
from portal.accounts.access import REVIEW_ROLES, access_for, actor_for, role_required
from portal.desk.worklist import visible
from portal.refusals import words_of


class BulkForm(forms.Form):
    deed = forms.ChoiceField(choices=BulkDeed.choices, widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)
    note = forms.CharField(
        label=gettext_lazy("意见"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("写入每一件。建议通过须写明核对了什么、结论是什么；审核通过可不填。"),
    )


def _candidates() -> bulk_review.Candidates:
    """Whom a department could assign to, read once for each department."""

    @cache
    def of(department_id: int) -> tuple[Actor, ...]:
        return tuple(people.reviewers(department_id=department_id))

    return of


def _chosen(request: HttpRequest) -> dict[int, int | None]:
    """Ticked applications of the person's own, with the revision that was shown, if any."""
    wanted: dict[int, int | None] = {}
    for text in request.POST.getlist("application")[: bulk_review.MOST + 1]:
        pk, _dot, revision = text.partition(":")
        if pk.isascii() and pk.isdigit() and len(pk) <= 18:
            shown = revision if revision.isascii() and revision.isdigit() and len(revision) <= 9 else ""
            wanted[int(pk)] = int(shown) if shown else None
    own = set(visible(access=access_for(request)).filter(pk__in=wanted).values_list("pk", flat=True))
    return {pk: revision for pk, revision in wanted.items() if pk in own}


@role_required(*REVIEW_ROLES)
@require_POST
def preview(request: HttpRequest) -> HttpResponseBase:
    deed = request.POST.get("deed", "")
    if deed not in BulkDeed.values:
        messages.error(request, _("请选择要批量办理的事项。"))
        return redirect("desk:worklist")
    try:
        rows = bulk_review.preview(
            deed=BulkDeed(deed),
            application_ids=list(_chosen(request)),
            actor=actor_for(request),
            now=timezone.now(),
            candidates=_candidates(),
        )
    except REFUSALS as refusal:
        for sentence in words_of(refusal):
            messages.error(request, sentence)
        return redirect("desk:worklist")
    form = BulkForm(initial={"deed": deed, "key": uuid4()})
    if deed in (BulkDeed.ASSIGN, BulkDeed.PUBLICISE):
        del form.fields["note"]
    return render(
        request,
        "desk/bulk_preview.html",
        {
            "title": BulkDeed(deed).label,
            "form": form,
            "ready": [row for row in rows if row.will],
            "others": [row for row in rows if not row.will],
        },
    )


@role_required(*REVIEW_ROLES)
@require_POST
def run(request: HttpRequest) -> HttpResponseBase:
    """Begin, and do it; pressed twice, it is the same run."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请重新预览后再办理。"))
        return redirect("desk:worklist")
    key: UUID = form.cleaned_data["key"]
    try:
        made = bulk_review.begin(
            key=key,
            deed=BulkDeed(form.cleaned_data["deed"]),
            revisions={pk: revision for pk, revision in _chosen(request).items() if revision is not None},
            note=form.cleaned_data["note"],
            actor=actor_for(request),
            now=timezone.now(),
        )
    except REFUSALS as refusal:
        for sentence in words_of(refusal):
            messages.error(request, sentence)
        return redirect("desk:worklist")
    _work_off(request, made)
    return redirect("desk:bulk", made.pk)


@role_required(*REVIEW_ROLES)
def result(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """What became of each row; where a run was cut short, its button goes on."""
    made = get_object_or_404(BulkRun, pk=run_id, asked_by_id=request.user.pk)
    if request.method == "POST":
        _work_off(request, made)
        return redirect("desk:bulk", made.pk)
    rows = list(made.rows.select_related("application__enterprise", "application__item"))
    return render(
        request,
        "desk/bulk.html",
        {
            "run": made,
            "rows": sorted(rows, key=lambda row: row.outcome != BulkOutcome.REFUSED),
            "done": sum(row.outcome == BulkOutcome.DONE for row in rows),
            "waiting": sum(row.outcome == BulkOutcome.WAITING for row in rows),
        },
    )


def _work_off(request: HttpRequest, made: BulkRun) -> None:
    bulk_review.work_off(run_id=made.pk, actor=actor_for(request), now=timezone.now(), candidates=_candidates())
