"""Plain words (政策解读) about an item or a document."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from cms.blocks import PlainReadingBlocks
from cms.serving import ReadingView


class ReadingPage(ReadingView, Page):
    """A reading of one item or of one document."""

    summary = models.TextField(_("摘要"), blank=True)
    item_page = models.ForeignKey(
        "cms.PolicyItemPage",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="readings",
        verbose_name=_("解读的事项"),
    )
    document_page = models.ForeignKey(
        "cms.PolicyDocumentPage",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="readings",
        verbose_name=_("解读的文件"),
    )
    body = StreamField(PlainReadingBlocks(), verbose_name=_("正文"))

    template = "cms/reading_page.html"
    parent_page_types = ["cms.PolicyIndexPage"]
    subpage_types: list[str] = []
    search_fields = [*Page.search_fields, *(index.SearchField(name) for name in ("summary", "body"))]
    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        MultiFieldPanel(
            [FieldPanel("item_page"), FieldPanel("document_page")],
            heading=_("解读什么"),
            help_text=_("选一个事项，或者一个文件"),
        ),
        FieldPanel("body"),
    ]

    class Meta:
        verbose_name = verbose_name_plural = _("政策解读")
        constraints = [
            models.CheckConstraint(
                condition=Q(item_page__isnull=True) | Q(document_page__isnull=True),
                name="cms_reading_of_one_thing",
                violation_error_message=_("一篇解读只针对一个事项或一个文件"),
            )
        ]

    def clean(self) -> None:
        super().clean()
        if bool(self.item_page_id) == bool(self.document_page_id):
            raise ValidationError({"item_page": _("请选择解读的事项或文件（二选一）")})
