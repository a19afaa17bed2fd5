"""The floor under everything: departments, budget lines, vocabulary revisions and the outbox.

Imports nothing else of ours, so that every other room may stand on it.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Department(models.Model):
    """A department of the district (主管部门) that owns policy items, reviews and budget lines."""

    code = models.SlugField(_("部门代码"), max_length=40, unique=True)
    name = models.CharField(_("部门名称"), max_length=80)
    short_name = models.CharField(_("简称"), max_length=40, blank=True)
    phone = models.CharField(_("咨询电话"), max_length=40, blank=True)
    address = models.CharField(_("地址"), max_length=200, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = verbose_name_plural = _("部门")

    def __str__(self) -> str:
        return self.short_name or self.name


class Fund(models.TextChoices):
    """Whose money a budget line is (资金级次)."""

    CENTRAL = "central", _("中央资金")
    PROVINCIAL = "provincial", _("省级资金")
    CITY = "city", _("市级资金")
    DISTRICT = "district", _("区级资金")


class BudgetLine(models.Model):
    """One line of one year's budget (预算科目). `ceiling` is the approved amount in 元; the ledger keeps the rest.

    `source` names the fund's paper or project in words; `fund` says whose money it is.
    """

    code = models.SlugField(_("科目代码"), max_length=40)
    year = models.PositiveSmallIntegerField(_("年度"))
    name = models.CharField(_("科目名称"), max_length=120)
    department = models.ForeignKey(Department, models.PROTECT, related_name="budget_lines", verbose_name=_("部门"))
    fund = models.CharField(_("资金级次"), max_length=10, choices=Fund.choices, default=Fund.DISTRICT)
    source = models.CharField(_("资金来源"), max_length=80, blank=True)
    ceiling = models.DecimalField(_("预算额度（元）"), max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["year", "code"]
        verbose_name = verbose_name_plural = _("预算科目")
        constraints = [
            models.UniqueConstraint(fields=["code", "year"], name="registry_budgetline_once_a_year"),
            models.CheckConstraint(condition=Q(ceiling__gte=0), name="registry_budgetline_ceiling_not_negative"),
            models.CheckConstraint(condition=Q(fund__in=Fund.values), name="registry_budgetline_fund_known"),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.name}"


class VocabularyRevision(models.Model):
    """A content-addressed state of the vocabulary; decisions refer to the revision they were taken under."""

    digest = models.CharField(_("摘要"), max_length=64, unique=True)
    content = models.JSONField(_("内容"))
    created_at = models.DateTimeField(_("生成时间"))
    note = models.CharField(_("说明"), max_length=200, blank=True)
    is_current = models.BooleanField(_("现行"), default=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = verbose_name_plural = _("事实词表版本")
        constraints = [
            models.UniqueConstraint(
                fields=["is_current"], condition=Q(is_current=True), name="registry_vocabulary_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:12]}（{self.created_at:%Y-%m-%d}）"


class OutboxMessage(models.Model):
    """Something that happened, written in the transaction in which it happened, delivered by a worker afterwards."""

    topic = models.CharField(max_length=60)
    payload = models.JSONField()
    # Two messages with one key are one event: the second is not written.
    dedupe_key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(delivered_at__isnull=True),
                name="registry_outbox_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} #{self.pk}"
