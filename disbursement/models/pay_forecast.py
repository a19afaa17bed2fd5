"""How the forecast of the pay month came about (append-only): each change once, with its reason."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.pay_month import Cause
from disbursement.models.application import Application

_CAUSES = [cause.value for cause in Cause]


class PayForecast(models.Model):
    """What was forecast from `at` on: of an application before its approval (`instalment` 0), or of one instalment.

    `month` is the month's first day, None where no money comes (any more); `previous` what was forecast before. `cause`
    says why it is another than before, `basis` what it stands on from now on: a correction that came in moves a month,
    and then the limits run as promised.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="pay_forecasts", verbose_name=_("申报"))
    instalment = models.PositiveSmallIntegerField(_("期次"), default=0)
    seq = models.PositiveSmallIntegerField(_("序号"))
    month = models.DateField(_("预计兑现月份"), null=True, blank=True)
    previous = models.DateField(_("原预计月份"), null=True, blank=True)
    cause = models.CharField(_("原因"), max_length=12, choices=Cause.choices())
    basis = models.CharField(_("依据"), max_length=12, choices=Cause.choices())
    text = models.CharField(_("说明"), max_length=300)
    at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["application", "instalment", "seq"]
        verbose_name = verbose_name_plural = _("兑现月份预测")
        constraints = [
            models.UniqueConstraint(fields=["application", "instalment", "seq"], name="payforecast_seq_once"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="payforecast_seq_from_1"),
            models.CheckConstraint(
                condition=Q(cause__in=_CAUSES, basis__in=_CAUSES) & ~Q(text=""), name="payforecast_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application_id}-{self.instalment}: {self.month}"

    @property
    def has_moved(self) -> bool:
        """Whether this row is a move from one known month to another."""
        return self.month is not None and self.previous is not None and self.month != self.previous
