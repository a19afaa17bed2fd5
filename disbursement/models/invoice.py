"""The invoices and contracts that an application names (发票清单); awards stand on those of `award.ClaimedInvoice`."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.award import PaperKind


class ApplicationInvoice(models.Model):
    """One row of an application's invoice table, as the enterprise stated it: `amount` is the paper's, `used` the part
    that this application counts, both in 元. `plain_number` is the number however it was written (`domain.invoices`).
    """

    application = models.ForeignKey(
        "disbursement.Application", models.CASCADE, related_name="invoices", verbose_name=_("申报")
    )
    kind = models.CharField(_("种类"), max_length=8, choices=PaperKind.choices, default=PaperKind.INVOICE)
    issuer = models.CharField(_("开票方"), max_length=200)
    number = models.CharField(_("发票号码"), max_length=40)
    plain_number = models.CharField(_("号码识别码"), max_length=40, db_index=True)
    issued_on = models.DateField(_("开票日期"))
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    used = models.DecimalField(_("本次使用（元）"), max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("申报发票")
        constraints = [
            models.UniqueConstraint(
                fields=["application", "kind", "issuer", "plain_number"], name="applicationinvoice_once"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, used__gt=0, used__lte=F("amount")), name="applicationinvoice_positive"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=PaperKind.values) & ~Q(plain_number=""), name="applicationinvoice_known"
            ),
            models.CheckConstraint(condition=~Q(issuer="") & ~Q(number=""), name="applicationinvoice_named"),
        ]

    def __str__(self) -> str:
        return self.number
