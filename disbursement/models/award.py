"""What an approved application was granted, the caps that it was held to, and the papers that it stands on."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.models import Enterprise, PolicyVersion


class Award(models.Model):
    """What an approved application was granted (核定), with its working; never changed afterwards.

    `computed` is what the item's rules give, `amount` what remained after caps and exclusions, both in 元.
    `year` is the calendar year of approval, in which yearly caps and exclusive items count.
    """

    application = models.OneToOneField(
        "disbursement.Application", models.PROTECT, related_name="award", verbose_name=_("申报")
    )
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="awards")
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="awards")
    item_code = models.SlugField(_("事项编码"), max_length=60)
    year = models.PositiveSmallIntegerField(_("核定年度"))
    computed = models.DecimalField(_("测算金额（元）"), max_digits=16, decimal_places=2)
    amount = models.DecimalField(_("核定金额（元）"), max_digits=16, decimal_places=2)
    working = models.JSONField(_("计算过程"), default=list)
    shortfall = models.CharField(_("预算不足时"), max_length=10)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    granted_at = models.DateTimeField(_("核定时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("核定")
        indexes = [models.Index(fields=["enterprise", "year", "item_code"])]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_award_positive"),
            models.CheckConstraint(
                condition=Q(computed__gte=F("amount")), name="disbursement_award_not_above_computed"
            ),
            models.CheckConstraint(
                condition=Q(shortfall__in=["first_come", "pro_rata", "defer"]),
                name="disbursement_award_shortfall_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_code} {self.amount}"


class CapUse(models.Model):
    """A cap that an award was held to (append-only): of `ceiling`, `used` was taken before it, both in 元.

    `limit` is the declared one; None is the item's own yearly cap. For a cap by a fact `ceiling` is what the fact gave.
    """

    award = models.ForeignKey(Award, models.PROTECT, related_name="cap_uses", verbose_name=_("核定"))
    limit = models.ForeignKey(
        "disbursement.AwardLimit", models.PROTECT, null=True, blank=True, related_name="uses", verbose_name=_("上限")
    )
    kind = models.CharField(_("类别"), max_length=10)
    label = models.CharField(_("名称"), max_length=200)
    ceiling = models.DecimalField(_("上限（元）"), max_digits=16, decimal_places=2)
    used = models.DecimalField(_("此前已用（元）"), max_digits=16, decimal_places=2)
    granted = models.DecimalField(_("本次核定（元）"), max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["award", "id"]
        verbose_name = verbose_name_plural = _("上限使用")
        constraints = [
            models.UniqueConstraint(fields=["award", "limit", "kind"], name="disbursement_capuse_once"),
            models.UniqueConstraint(
                fields=["award", "kind"], condition=Q(limit__isnull=True), name="disbursement_capuse_own_once"
            ),
            models.CheckConstraint(
                condition=Q(granted__gt=0, used__gte=0, ceiling__gte=F("used") + F("granted")),
                name="disbursement_capuse_within",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["item_year", "per_year", "total", "fact"]), name="disbursement_capuse_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.award_id} {self.label}"


class PaperKind(models.TextChoices):
    INVOICE = "invoice", _("发票")
    CONTRACT = "contract", _("合同")


class Paper(models.Model):
    """An invoice or a contract that awards stand on, once in the district, however its number was written.

    `key` is what tells it from others (`domain.invoices.Invoice.key`); `amount` (元) is its own, with tax. Its amount
    changes only while no award stands on it.
    """

    kind = models.CharField(_("种类"), max_length=8, choices=PaperKind.choices)
    key = models.CharField(_("识别码"), max_length=260)
    amount = models.DecimalField(_("票面金额（元）"), max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("票据")
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="disbursement_paper_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_paper_positive"),
            models.CheckConstraint(condition=Q(kind__in=PaperKind.values), name="disbursement_paper_kind_known"),
            models.CheckConstraint(condition=~Q(key=""), name="disbursement_paper_named"),
        ]

    def __str__(self) -> str:
        return self.key


class ClaimedInvoice(models.Model):
    """An invoice or a contract that an award was computed from, with how much of it: all awards together use no more
    than it has (guarded by a trigger). `amount` is the paper's, `used` what this award stands on, both in 元.
    """

    application = models.ForeignKey("disbursement.Application", models.PROTECT, related_name="claimed_invoices")
    paper = models.ForeignKey(Paper, models.PROTECT, related_name="claims", verbose_name=_("票据"))
    issuer = models.CharField(_("开票方"), max_length=200)
    number = models.CharField(_("发票号码"), max_length=40)
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    used = models.DecimalField(_("使用金额（元）"), max_digits=16, decimal_places=2)
    released_at = models.DateTimeField(_("释放时间"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("已用发票")
        constraints = [
            models.UniqueConstraint(
                fields=["application", "paper"],
                condition=Q(released_at__isnull=True),
                name="disbursement_invoice_once_an_award",
            ),
            models.CheckConstraint(condition=Q(used__gt=0), name="disbursement_invoice_positive"),
            models.CheckConstraint(condition=Q(used__lte=F("amount")), name="disbursement_invoice_within"),
        ]

    def __str__(self) -> str:
        return self.number
