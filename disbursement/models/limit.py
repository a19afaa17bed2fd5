"""Caps over items and groups of items, declared by policy officers, and what enterprises chose among what competes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.models import Enterprise, PolicyItem


class AwardLimit(models.Model):
    """What one enterprise may get from an item, a group of items, or all of them (`covers_all`); amounts in 元.

    `is_exclusive`: of its items an enterprise keeps only the highest in a calendar year of approval (就高不重复).
    `per_year` and `total` bound what is granted in such a year, and in all. `fact` (as an award's `cap_fact`, such as
    `district_contribution@last`) bounds a year's grants to `fact_share` % of it (不超过当年贡献).
    Never changed once declared: it is ended, and another declared. Years are calendar years of approval.
    """

    name = models.CharField(_("名称"), max_length=120)
    basis = models.CharField(_("依据"), max_length=300, help_text=_("文件名、文号和条款。"))
    covers_all = models.BooleanField(_("适用于全部事项"), default=False)
    is_exclusive = models.BooleanField(_("就高不重复"), default=False)
    per_year = models.DecimalField(_("每家企业每年上限（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    total = models.DecimalField(_("每家企业累计上限（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    fact = models.CharField(_("不超过的指标"), max_length=80, blank=True)
    fact_share = models.DecimalField(_("指标比例（%）"), max_digits=7, decimal_places=2, default=100)
    from_year = models.PositiveSmallIntegerField(_("起始年度"))
    until_year = models.PositiveSmallIntegerField(_("截止年度"), null=True, blank=True)
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    declared_at = models.DateTimeField(_("设定时间"))
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    end_reason = models.CharField(_("停用原因"), max_length=300, blank=True)

    class Meta:
        ordering = ["name", "id"]
        verbose_name = verbose_name_plural = _("享受上限")
        constraints = [
            models.CheckConstraint(
                condition=Q(is_exclusive=True) | Q(per_year__isnull=False) | Q(total__isnull=False) | ~Q(fact=""),
                name="disbursement_limit_limits_something",
            ),
            models.CheckConstraint(
                condition=(Q(per_year__isnull=True) | Q(per_year__gte=0)) & (Q(total__isnull=True) | Q(total__gte=0)),
                name="disbursement_limit_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(fact_share__gt=0, fact_share__lte=1000), name="disbursement_limit_share_positive"
            ),
            models.CheckConstraint(
                condition=Q(until_year__isnull=True) | Q(until_year__gte=F("from_year")),
                name="disbursement_limit_years_in_order",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, end_reason="")
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(end_reason="")),
                name="disbursement_limit_ended_by_someone",
            ),
            models.CheckConstraint(condition=~Q(name="") & ~Q(basis=""), name="disbursement_limit_has_basis"),
        ]

    def __str__(self) -> str:
        return self.name


class LimitedItem(models.Model):
    """An item under a limit (append-only)."""

    limit = models.ForeignKey(AwardLimit, models.PROTECT, related_name="items", verbose_name=_("上限"))
    item = models.ForeignKey(PolicyItem, models.PROTECT, related_name="award_limits", verbose_name=_("事项"))

    class Meta:
        ordering = ["limit", "id"]
        verbose_name = verbose_name_plural = _("上限适用事项")
        constraints = [models.UniqueConstraint(fields=["limit", "item"], name="disbursement_limiteditem_once")]

    def __str__(self) -> str:
        return f"{self.limit_id} {self.item_id}"


class Choice(models.Model):
    """What an enterprise chose among what competes (append-only); the newest of a year counts.

    `taken` and `given_up` are lists of {"item", "application", "label", "amount", "reasons", "cost", "for"}, as it was
    shown: `for` names the items for which one was given up. `year` is the calendar year of approval.
    """

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="choices", verbose_name=_("企业"))
    year = models.PositiveSmallIntegerField(_("年度"))
    taken = models.JSONField(_("选择享受"))
    given_up = models.JSONField(_("放弃"))
    total = models.DecimalField(_("合计（元）"), max_digits=16, decimal_places=2)
    best = models.DecimalField(_("最优组合合计（元）"), max_digits=16, decimal_places=2)
    proven = models.BooleanField(_("已证明最优"))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(_("选择时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("就高不重复选择")
        indexes = [models.Index(fields=["enterprise", "year"])]
        constraints = [
            models.CheckConstraint(condition=Q(total__gte=0, best__gte=0), name="disbursement_choice_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.enterprise_id} {self.year}"
