"""What is published and looked at before a month is cut off: its day, where it was set, and its preflights.

Both are append-only (guarded by triggers).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.batch import Cycle


class CutOffDay(models.Model):
    """Somebody set the cut-off day of a month (its first day), for a reason; the last one counts."""

    month = models.DateField(_("月份"))
    day = models.DateField(_("截止日"))
    former = models.DateField(_("原截止日"))
    reason = models.CharField(_("原因"), max_length=300)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("决定人"))
    decided_at = models.DateTimeField(_("决定时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("截止日调整")
        indexes = [models.Index(fields=["month"], name="cutoffday_month")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="disbursement_cutoffday_has_reason"),
            models.CheckConstraint(condition=~Q(day=F("former")), name="disbursement_cutoffday_is_another"),
            models.CheckConstraint(condition=Q(day__gte=F("month")), name="disbursement_cutoffday_in_its_month"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.day}"


class CyclePreflight(models.Model):
    """What a preflight of a cycle saw (`domain.preflight.Outlook` as JSON); `made_by` None: the machine."""

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="preflights", verbose_name=_("兑现周期"))
    content = models.JSONField(_("内容"))
    stops = models.PositiveIntegerField(_("须先处理"))
    unpaid = models.PositiveIntegerField(_("不会支付（笔）"))
    made_at = models.DateTimeField(_("预检时间"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("预检人")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("预检")

    def __str__(self) -> str:
        return f"{self.cycle_id} {self.made_at:%Y-%m-%d %H:%M}"
