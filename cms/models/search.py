"""One row for each published page, with what the public list shows, filters by and searches in."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.models import Page

from matching.registry.models import Department


class Kind(models.TextChoices):
    ITEM = "item", _("政策事项")
    DOCUMENT = "document", _("政策文件")
    READING = "reading", _("政策解读")


class SearchRow(models.Model):
    """Derived from a live page by `cms.services.listing`; rebuilt whenever the page is published, gone with it.

    `texts` are what is searched, by the fields of `matching.search.base.FIELDS`; `words` their tokens, separated by
    spaces and cut by the dictionary `words_version`. `stamp` is another one after every change. `sizes` and
    `industries` hold the codes that the criteria do not exclude, each between commas (",micro,small,").
    """

    page = models.OneToOneField(Page, models.CASCADE, primary_key=True, related_name="search_row")
    kind = models.CharField(_("类别"), max_length=10, choices=Kind.choices)
    code = models.CharField(_("编码"), max_length=80, blank=True)
    title = models.CharField(_("标题"), max_length=255)
    summary = models.TextField(_("摘要"), blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("主管部门")
    )
    item_type = models.CharField(_("事项类型"), max_length=60, blank=True)
    delivery = models.CharField(_("办理方式"), max_length=12, blank=True)
    window_from = models.DateField(_("申报起始日"), null=True, blank=True)
    window_until = models.DateField(_("申报截止日"), null=True, blank=True)
    expires_on = models.DateField(_("有效期至"), null=True, blank=True)
    award_words = models.CharField(_("支持标准"), max_length=300, blank=True)
    sizes = models.TextField(blank=True)
    industries = models.TextField(blank=True)
    texts = models.JSONField(default=dict)
    words = models.JSONField(default=dict)
    words_version = models.CharField(max_length=16, blank=True)
    stamp = models.CharField(max_length=32)
    published_at = models.DateTimeField(_("发布时间"))

    class Meta:
        ordering = ["-published_at", "page"]
        verbose_name = verbose_name_plural = _("检索条目")
        constraints = [models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="cms_searchrow_kind")]
        indexes = [models.Index(fields=["kind", "-published_at"])]

    def __str__(self) -> str:
        return self.title
