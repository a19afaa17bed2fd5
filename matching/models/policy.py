"""Policy items and their immutable versions."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.registry.models import Department, VocabularyRevision


class PolicyItem(models.Model):
    """The smallest thing that can be applied for (政策事项). Its `code` never changes: it is the id in files."""

    code = models.SlugField(_("事项编码"), max_length=60, unique=True)
    name = models.CharField(_("事项名称"), max_length=200)
    department = models.ForeignKey(Department, models.PROTECT, related_name="policy_items", verbose_name=_("主管部门"))
    current_version = models.ForeignKey(
        "PolicyVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("现行版本")
    )
    is_listed = models.BooleanField(_("已发布"), default=False)
    # Words may be mended without a new version: leaf id -> {"text": …, "advice": …}, laid over the version's own.
    words = models.JSONField(_("条款措辞"), default=dict, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = verbose_name_plural = _("政策事项")
        constraints = [
            models.CheckConstraint(
                condition=Q(is_listed=False) | Q(current_version__isnull=False),
                name="matching_policyitem_listed_has_version",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """What an item said from one publication to the next (政策版本): numbered, hashed, never changed.

    `rules` holds what decides: {"criteria", "award", "materials", "limits", "exclusive_with", "window"};
    `details` holds the rest of the item as published (name, contact, steps, …), for the record.
    `rule_hash` is the SHA-256 of the canonical rules without texts and advice: same hash, no new version.
    """

    item = models.ForeignKey(PolicyItem, models.PROTECT, related_name="versions", verbose_name=_("事项"))
    number = models.PositiveIntegerField(_("版本号"))
    rule_hash = models.CharField(_("规则摘要"), max_length=64)
    rules = models.JSONField(_("规则"))
    details = models.JSONField(_("事项要素"))
    vocabulary = models.ForeignKey(VocabularyRevision, models.PROTECT, related_name="+", verbose_name=_("词表版本"))
    window_from = models.DateField(_("申报起始日"), null=True, blank=True)
    window_until = models.DateField(_("申报截止日"), null=True, blank=True)
    published_at = models.DateTimeField(_("发布时间"))

    class Meta:
        ordering = ["item", "number"]
        verbose_name = verbose_name_plural = _("政策版本")
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="matching_policyversion_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="matching_policyversion_number_from_1"),
            models.CheckConstraint(
                condition=Q(window_from__isnull=True)
                | Q(window_until__isnull=True)
                | Q(window_from__lte=F("window_until")),
                name="matching_policyversion_window_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item.code} v{self.number}"
