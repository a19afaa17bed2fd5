"""Sampling for quality (抽查): what a month's draw picked of the decided applications and of the promises, and what
was found. A draw can be drawn again from its seed and gives the same; a finding is written once.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application
from disbursement.models.promise import Promise

_USER = settings.AUTH_USER_MODEL


class QualityDraw(models.Model):
    """One month's draw. `month` is its first day; `population` how many there were to draw from, in order of ids."""

    month = models.DateField(_("月份"), unique=True)
    seed = models.CharField(_("种子"), max_length=64)
    share = models.PositiveSmallIntegerField(_("审核抽查比例（%）"))
    promise_share = models.PositiveSmallIntegerField(_("承诺抽查比例（%）"))
    population = models.PositiveIntegerField(_("当月审结件数"))
    promise_population = models.PositiveIntegerField(_("当月承诺件数"))
    drawn_at = models.DateTimeField(_("抽取时间"))
    drawn_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("抽取人")
    )

    class Meta:
        ordering = ["-month"]
        verbose_name = verbose_name_plural = _("抽查批次")
        constraints = [
            models.CheckConstraint(
                condition=Q(share__lte=100) & Q(promise_share__lte=100) & ~Q(seed=""), name="qualitydraw_shares"
            ),
        ]


class Finding(models.TextChoices):
    SOUND = "sound", _("规范")
    MINOR = "minor", _("有瑕疵")
    SERIOUS = "serious", _("有错误")


class QualityCheck(models.Model):
    """One thing drawn: a decided application, or (`promise`) a promise that stood in for a material."""

    draw = models.ForeignKey(QualityDraw, models.PROTECT, related_name="checks", verbose_name=_("抽查批次"))
    application = models.ForeignKey(Application, models.PROTECT, related_name="+", verbose_name=_("申报"))
    promise = models.OneToOneField(
        Promise, models.PROTECT, null=True, blank=True, related_name="quality_check", verbose_name=_("承诺")
    )
    stratum = models.CharField(_("层"), max_length=120)
    decided_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("原审核人")
    )
    assigned_to = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("抽查人")
    )
    finding = models.CharField(_("结论"), max_length=8, choices=Finding.choices, blank=True, default="")
    text = models.TextField(_("抽查情况"), blank=True)
    checked_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("登记人")
    )
    checked_at = models.DateTimeField(_("登记时间"), null=True, blank=True)

    class Meta:
        ordering = ["draw", "id"]
        verbose_name = verbose_name_plural = _("抽查")
        constraints = [
            models.UniqueConstraint(
                fields=["draw", "application"], condition=Q(promise__isnull=True), name="qualitycheck_once"
            ),
            models.CheckConstraint(
                condition=Q(finding="", text="", checked_by__isnull=True, checked_at__isnull=True)
                | (Q(finding__in=Finding.values, checked_by__isnull=False, checked_at__isnull=False) & ~Q(text="")),
                name="qualitycheck_found_whole",
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | Q(decided_by__isnull=True) | ~Q(checked_by=F("decided_by")),
                name="qualitycheck_by_another",
            ),
            models.CheckConstraint(
                condition=Q(assigned_to__isnull=True) | Q(decided_by__isnull=True) | ~Q(assigned_to=F("decided_by")),
                name="qualitycheck_given_to_another",
            ),
        ]
