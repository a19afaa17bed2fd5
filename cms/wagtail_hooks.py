"""What the Wagtail admin gets from us: the vocabulary, runs of matching, and no aliases of items."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.widgets.button import Button

from cms.home_panel import PolicyPanel
from cms.models import PolicyDocumentPage, PolicyItemPage
from cms.runs import urls as run_urls
from cms.simulation.views import simulation
from cms.vocabulary_admin import urls as vocabulary_urls
from cms.vocabulary_admin.views import PERMISSION


class VocabularyMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)


@hooks.register("register_admin_urls")
def vocabulary_admin_urls() -> list[URLPattern | URLResolver]:
    return [
        path("vocabulary/", include(vocabulary_urls)),
        path("simulation/", simulation, name="cms_simulation"),
        path("match-runs/", include(run_urls)),
    ]


@hooks.register("register_admin_menu_item")
def vocabulary_menu_item() -> MenuItem:
    return VocabularyMenuItem(
        gettext_lazy("事实词表"), reverse("cms_vocabulary:index"), name="vocabulary", icon_name="list-ul", order=300
    )


@hooks.register("register_admin_menu_item")
def runs_menu_item() -> MenuItem:
    return MenuItem(gettext_lazy("推送进度"), reverse("cms_runs:index"), name="match-runs", icon_name="mail", order=290)


@hooks.register("register_page_header_buttons")
def runs_of_an_item(page: Any, user: Any, view_name: str, next_url: str | None = None) -> Iterator[Button]:
    if isinstance(page, PolicyItemPage) and page.first_published_at:
        yield Button(_("推送进度"), _runs_of(page), icon_name="mail", priority=60)


@hooks.register("after_publish_page")
def lead_to_the_run(request: HttpRequest, page: Any) -> None:
    if isinstance(page, PolicyItemPage):
        told = _("“%(title)s”已发布，正在判定企业并推送。") % {"title": page.title}
        messages.info(request, told, buttons=[messages.button(_runs_of(page), _("看推送进度"))])


def _runs_of(page: PolicyItemPage) -> str:
    return f"{reverse('cms_runs:index')}?{urlencode({'item': page.code})}"


@hooks.register("construct_homepage_panels")
def policies_first(request: HttpRequest, panels: list[Any]) -> None:
    panels.insert(0, PolicyPanel())


@hooks.register("construct_help_menu")
def no_news_of_the_editor(request: HttpRequest, items: list[Any]) -> None:
    """What is new in Wagtail, and its guide, are English and no news to a policy officer."""
    items[:] = [item for item in items if not item.name.startswith(("whats-new", "editor-guide"))]


@hooks.register("register_admin_menu_item")
def website_menu_item() -> MenuItem:
    # Not "/", which the menu would take for the start of every address and mark as where one is.
    return MenuItem(gettext_lazy("公众网站"), reverse("public:policy_list"), name="website", icon_name="home", order=1)


@hooks.register("register_admin_menu_item")
def inbox_menu_item() -> MenuItem:
    # What an officer gave a time and did not go live is told there.
    return MenuItem(gettext_lazy("我的消息"), reverse("inbox:list"), name="inbox", icon_name="comment", order=2)


@hooks.register("before_copy_page")
def no_alias_of_an_item(request: HttpRequest, page: Any) -> HttpResponse | None:
    """An alias would be the same item twice; a copy is another item with a code of its own."""
    if request.POST.get("alias") and isinstance(page.specific, PolicyItemPage | PolicyDocumentPage):
        messages.error(request, _("政策事项和文件不能建别名页；请建副本，副本会得到新的编码。"))
        return redirect("wagtailadmin_pages:copy", page.pk)
    return None
