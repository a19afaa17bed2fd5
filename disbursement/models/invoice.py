"""The invoices that an application names (发票清单); those that an award stands on are `payable.ClaimedInvoice`."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ApplicationInvoice(models.Model):
    """One row of an application's invoice table, as the enterprise stated it; amount in 元."""

    application = models.ForeignKey(
        "disbursement.Application", models.CASCADE, related_name="invoices", verbose_name=_("申报")
    )
    issuer = models.CharField(_("开票方"), max_length=200)
    number = models.CharField(_("发票号码"), max_length=40, db_index=True)
    issued_on = models.DateField(_("开票日期"))
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("申报发票")
        constraints = [
            models.UniqueConstraint(fields=["application", "issuer", "number"], name="applicationinvoice_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="applicationinvoice_positive"),
            models.CheckConstraint(condition=~Q(issuer="") & ~Q(number=""), name="applicationinvoice_named"),
        ]

    def __str__(self) -> str:
        return self.number
