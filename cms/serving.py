"""How the public pages are served: each reads the day, asks the services and renders. Mixed into the page models."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.views import serve

from matching.criteria import InvalidInput, leaves, render_criteria
from matching.services.vocabulary import current_vocabulary


class HomeView:
    """The front page."""

    def get_context(self, request: HttpRequest, *args: Any, **options: Any) -> dict[str, Any]:
        from cms.models.search import Kind, SearchRow
        from cms.services.listing import choices, open_on

        context: dict[str, Any] = super().get_context(request, *args, **options)  # type: ignore[misc]
        today = timezone.localdate()
        rows = SearchRow.objects.select_related("page", "department")
        items = rows.filter(kind=Kind.ITEM)
        offered = choices(vocabulary=current_vocabulary())["type"]
        context.update(
            library=library_page(),
            newest=items.order_by("-published_at", "pk")[:6],
            readings=rows.filter(kind=Kind.READING).order_by("-published_at", "pk")[:4],
            documents=rows.filter(kind=Kind.DOCUMENT).order_by("-published_at", "pk")[:4],
            item_count=items.count(),
            open_count=items.filter(open_on(day=today)).count(),
            automatic_count=items.filter(delivery="automatic").count(),
            classes=[(code, label) for code, label in offered if not label.startswith("　")],
            type_labels={code: label.strip() for code, label in offered},
            today=today,
        )
        return context


class LibraryView:
    """The list with its filters and search."""

    def get_context(self, request: HttpRequest, *args: Any, **options: Any) -> dict[str, Any]:
        from cms.models.search import Kind
        from cms.personal import fits_of
        from cms.services.finding import find, rows_in_order
        from cms.services.listing import PAGE_SIZE, Narrowing, choices

        context: dict[str, Any] = super().get_context(request, *args, **options)  # type: ignore[misc]
        today = timezone.localdate()
        vocabulary = current_vocabulary()
        narrowing = Narrowing.read(request.GET)
        fits = fits_of(request)
        number = request.GET.get("page", "")
        page = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1
        found = find(narrowing=narrowing, today=today, fits=fits, page=page)
        results = found.results
        # The engine counted and cut out the page; the paginator only numbers.
        page_obj: Any = Paginator(range(results.total), PAGE_SIZE).get_page(found.page)
        page_obj.object_list = rows_in_order(ids=[hit.id for hit in results.hits])
        offered = choices(vocabulary=vocabulary)
        asked = [
            ("department", "department", _("主管部门"), narrowing.department),
            ("type", "item_type", _("支持类型"), narrowing.item_type),
            ("delivery", "delivery", _("办理方式"), narrowing.delivery),
            ("size", "size", _("企业规模"), narrowing.size),
            ("industry", "industry", _("所属行业"), narrowing.industry),
        ]
        codes = {row.page_id: row.code for row in page_obj.object_list}
        context.update(
            narrowing=narrowing,
            kinds=[(kind, label, results.facets.kinds.get(kind, 0)) for kind, label in Kind.choices],
            page_obj=page_obj,
            together=results.together,
            words=results.words if narrowing.query else (),
            corrected=results.corrected,
            nearest=results.nearest,
            popular=found.popular,
            newest=found.newest,
            personal=fits is not None,
            fitting_ids={pk for pk, code in codes.items() if fits and code in fits.sure},
            fitting_count=results.facets.fitting,
            open_count=results.facets.open_now,
            filters=[
                (name, label, chosen, _counted(offered[name], results.facets.counts[facet], chosen))
                for name, facet, label, chosen in asked
            ],
            type_labels={code: label.strip() for code, label in offered["type"]},
            today=today,
        )
        return context


def _counted(options: list[tuple[str, str]], counts: Any, chosen: str) -> list[tuple[str, str]]:
    """What a filter offers, with how many each would leave; what would leave nothing is left out unless chosen."""
    return [
        (code, _("%(label)s（%(count)s）") % {"label": label, "count": counts.get(code, 0)})
        for code, label in options
        if counts.get(code) or code == chosen
    ]


class ItemView:
    """One item: who it is for, what it pays, how to get it."""

    def get_context(self, request: HttpRequest, *args: Any, **options: Any) -> dict[str, Any]:
        from cms.award_words import award_headline, award_sentences
        from cms.fields import read_award, read_criteria
        from cms.services.listing import type_label

        page: Any = self
        context: dict[str, Any] = super().get_context(request, *args, **options)  # type: ignore[misc]
        vocabulary = current_vocabulary()
        today = timezone.localdate()
        materials = {block.value["code"]: block.value for block in page.materials}
        try:
            tree = read_criteria(page.criteria)
            award = read_award(page.award) if page.award else None
        except InvalidInput as error:  # only a preview can show what cannot be published
            context["problems"] = [str(problem) for problem in error.problems]
        else:
            known = {leaf.id: leaf for leaf in leaves(tree)}
            context["conditions"] = [
                {
                    "line": line,
                    "clause": leaf.text if leaf else "",
                    "evidence": [materials[code]["name"] for code in leaf.evidence if code in materials]
                    if leaf
                    else [],
                }
                for line in render_criteria(tree, vocabulary)
                for leaf in [known.get(line.leaf_id) if line.leaf_id else None]
            ]
            context["award_lines"] = award_sentences(award, vocabulary)
            context["headline"] = award_headline(award)
            context["exclusive"] = exclusive_pages(award.exclusive_with if award else ())
        context.update(
            item_type_label=type_label(code=page.item_type, vocabulary=vocabulary),
            material_list=[block.value for block in page.materials],
            step_list=[block.value for block in page.steps],
            versions=list(page.versions),
            live_readings=list(page.readings.live().order_by("-first_published_at")) if page.pk else [],
            document=page.document_page if page.document_page_id and page.document_page.live else None,
            window_state=window_state(page, today),
            library=library_page(),
            today=today,
        )
        return context


class DocumentView:
    """One issued document with the items cut from it and its readings."""

    def get_context(self, request: HttpRequest, *args: Any, **options: Any) -> dict[str, Any]:
        page: Any = self
        context: dict[str, Any] = super().get_context(request, *args, **options)  # type: ignore[misc]
        today = timezone.localdate()
        context.update(
            items=list(page.items.live().select_related("department").order_by("code")) if page.pk else [],
            live_readings=list(page.readings.live().order_by("-first_published_at")) if page.pk else [],
            in_force=page.is_valid_on(today) if page.issued_on else None,
            library=library_page(),
            today=today,
        )
        return context


class ReadingView:
    """Plain words about an item or a document."""

    def get_context(self, request: HttpRequest, *args: Any, **options: Any) -> dict[str, Any]:
        page: Any = self
        context: dict[str, Any] = super().get_context(request, *args, **options)  # type: ignore[misc]
        about = page.item_page or page.document_page
        context.update(about=about if about is not None and about.live else None, library=library_page())
        return context


def library_page() -> Any:
    """The live list page, or None where there is none."""
    from cms.models.home import PolicyIndexPage

    return PolicyIndexPage.objects.live().order_by("path").first()


def serve_library(request: HttpRequest) -> tuple[str | None, HttpResponseBase | None]:
    """(the address of the list page, its answer where that is the address asked for). (None, None): there is none."""
    page = library_page()
    url = page.get_url(request) if page is not None else None
    return (url, serve(request, request.path.lstrip("/")) if url == request.path else None)


def exclusive_pages(codes: Any) -> list[dict[str, Any]]:
    """The items that cannot be had together with this one, with their pages where they are published."""
    from cms.models.item import PolicyItemPage

    pages = {page.code: page for page in PolicyItemPage.objects.live().filter(code__in=list(codes))}
    return [{"code": code, "page": pages.get(code)} for code in codes]


def window_state(page: Any, today: Any) -> str:
    """``open``, ``not_yet``, ``closed`` or ``expired`` on a day."""
    if page.expires_on and today > page.expires_on:
        return "expired"
    if page.window_from and today < page.window_from:
        return "not_yet"
    if page.window_until and today > page.window_until:
        return "closed"
    return "open"
