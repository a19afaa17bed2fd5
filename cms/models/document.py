"""The issued text (政策文件): number, issuer, dates, validity, attachments."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from cms.blocks import AttachmentBlocks, DocumentBlocks
from cms.serving import DocumentView


class PolicyDocumentPage(DocumentView, Page):
    """A policy document, known by its number (文号)."""

    # Null only in a copy that was not given its own number yet.
    number = models.CharField(_("文号"), max_length=80, unique=True, null=True, help_text=_("如：青府发〔2026〕1号"))
    issuer = models.CharField(_("发文机关"), max_length=120)
    issued_on = models.DateField(_("发文日期"))
    effective_on = models.DateField(_("施行日期"), null=True, blank=True)
    expires_on = models.DateField(_("有效期至"), null=True, blank=True)
    summary = models.TextField(_("摘要"), blank=True)
    body = StreamField(DocumentBlocks(required=False), verbose_name=_("正文"), blank=True)
    attachments = StreamField(AttachmentBlocks(required=False), verbose_name=_("附件"), blank=True)

    template = "cms/policy_document_page.html"
    parent_page_types = ["cms.PolicyIndexPage"]
    subpage_types: list[str] = []
    exclude_fields_in_copy = ["number"]
    search_fields = [
        *Page.search_fields,
        *(index.SearchField(name) for name in ("number", "issuer", "summary", "body")),
    ]
    content_panels = [
        *Page.content_panels,
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("number"), FieldPanel("issuer")]),
                FieldRowPanel([FieldPanel("issued_on"), FieldPanel("effective_on"), FieldPanel("expires_on")]),
            ],
            heading=_("发文信息"),
        ),
        FieldPanel("summary"),
        FieldPanel("body"),
        FieldPanel("attachments"),
    ]

    class Meta:
        verbose_name = verbose_name_plural = _("政策文件")
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_on__isnull=True)
                | Q(effective_on__isnull=True)
                | Q(expires_on__gte=F("effective_on")),
                name="cms_document_expires_after_effective",
                violation_error_message=_("有效期至不能早于施行日期"),
            )
        ]

    def clean(self) -> None:
        super().clean()
        if self.effective_on and self.expires_on and self.expires_on < self.effective_on:
            raise ValidationError({"expires_on": _("有效期至不能早于施行日期 %(day)s") % {"day": self.effective_on}})

    def is_valid_on(self, day: date) -> bool:
        """Whether the document is in force on a day."""
        return (self.effective_on or self.issued_on) <= day and (self.expires_on is None or day <= self.expires_on)
