"""How the matching and telling of a published version gets on, in the Wagtail admin."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cms.models import PolicyItemPage
from matching.models import MatchRun, PolicyItem
from matching.services import run_progress, runs

PER_PAGE = 20
CHANGES_SHOWN = 50
REFRESH_SECONDS = 3


class _Echo:
    """Gives a written line back, for a response that streams."""

    def write(self, line: str) -> str:
        return line


def _runs() -> Any:
    return MatchRun.objects.select_related("version", "item", "replaced")


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The runs, the latest first; with `item`, those of one item."""
    code = request.GET.get("item", "")
    item = PolicyItem.objects.filter(code=code).first() if code else None
    rows = _runs().filter(item__code=code) if code else _runs()
    page = Paginator(rows.order_by("-created_at", "-pk"), PER_PAGE).get_page(request.GET.get("p"))
    told = run_progress.progress_of_many(runs=list(page.object_list), now=timezone.now())
    context = {
        "page_title": _("匹配推送进度"),
        "page": page,
        "told": told,
        "item": item,
        "code": code,
        "alive": any(progress.run.is_alive for progress in told),
        "seconds": REFRESH_SECONDS,
    }
    part = request.GET.get("part") == "rows"
    return render(request, "cms/admin/_runs_rows.html" if part else "cms/admin/runs.html", context)


@require_GET
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: progress, numbers, troubles, and who changed sides."""
    found = get_object_or_404(_runs(), pk=pk)
    newly_in = request.GET.get("side") != "out"
    changes = Paginator(run_progress.changes_of(run=found, newly_in=newly_in), CHANGES_SHOWN)
    context = {
        **_context(request, found),
        "page_title": _("匹配推送：%(item)s") % {"item": found.item.name},
        "newly_in": newly_in,
        "changes": changes.get_page(request.GET.get("p")),
    }
    return render(request, "cms/admin/run.html", context)


@require_GET
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while a run is under way."""
    return render(request, "cms/admin/_run_progress.html", _context(request, get_object_or_404(_runs(), pk=pk)))


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try again what failed."""
    found = get_object_or_404(_runs(), pk=pk)
    if not _may_retry(request, found):
        raise PermissionDenied
    if runs.retry(run_id=found.pk, now=timezone.now()):
        messages.success(request, _("已重新开始，进度见下。"))
    else:
        messages.error(request, _("没有需要重试的部分，或者事项已有新版本、已下架，本次推送不再继续。"))
    return redirect("cms_runs:run", pk)


@require_GET
def changes_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Who is newly in and who fell out, as a file that spreadsheets open."""
    found = get_object_or_404(_runs(), pk=pk)
    writer = csv.writer(_Echo(), lineterminator="\r\n")

    def lines() -> Iterator[str]:
        head = [_("统一社会信用代码"), _("企业名称"), _("变化"), _("原来"), _("现在"), _("条件编号"), _("说明")]
        yield "\ufeff" + writer.writerow(head)
        for row in run_progress.changes_as_rows(run=found):
            yield writer.writerow([_as_text(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    name = f"{found.item.code}-v{found.version.number}-changes.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _context(request: HttpRequest, found: MatchRun) -> dict[str, Any]:
    return {
        "progress": run_progress.progress_of(run=found, now=timezone.now()),
        "run": found,
        "may_retry": _may_retry(request, found),
        "seconds": REFRESH_SECONDS,
    }


def _may_retry(request: HttpRequest, found: MatchRun) -> bool:
    """Who may publish the item may have it told."""
    page = PolicyItemPage.objects.filter(code=found.item.code, alias_of=None).first()
    if page is None:
        return bool(request.user.is_superuser)
    return bool(page.permissions_for_user(request.user).can_publish())


def _as_text(value: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value
