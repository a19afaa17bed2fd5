"""The front page, and the library under which documents, items and readings stand."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page

from cms.serving import HomeView, LibraryView


class HomePage(HomeView, Page):
    """The front page (首页): search, what is open now, what is new."""

    lead = models.CharField(_("首页导语"), max_length=200, blank=True)
    notice = models.TextField(_("公告"), blank=True)

    template = "cms/home_page.html"
    content_panels = [*Page.content_panels, FieldPanel("lead"), FieldPanel("notice")]
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["cms.PolicyIndexPage"]
    max_count = 1

    class Meta:
        verbose_name = verbose_name_plural = _("首页")


class PolicyIndexPage(LibraryView, Page):
    """The list of everything published (政策库), with filters and search."""

    introduction = models.TextField(_("说明"), blank=True)

    template = "cms/policy_index_page.html"
    content_panels = [*Page.content_panels, FieldPanel("introduction")]
    parent_page_types = ["cms.HomePage"]
    subpage_types = ["cms.PolicyItemPage", "cms.PolicyDocumentPage", "cms.ReadingPage"]

    class Meta:
        verbose_name = verbose_name_plural = _("政策库")
