"""The bank accounts that enterprises are paid to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.models import Enterprise

ACCOUNT_SHAPE = r"^[0-9]{8,32}$"


class AccountState(models.TextChoices):
    PROPOSED = "proposed", _("待核对")
    CHECKED = "checked", _("已核对")
    REFUSED = "refused", _("核对不通过")
    RETIRED = "retired", _("已停用")


class PayeeAccount(models.Model):
    """A bank account of an enterprise; paid to only after a second person checked it."""

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="payee_accounts", verbose_name=_("企业"))
    account_name = models.CharField(_("户名"), max_length=200)
    bank_name = models.CharField(_("开户银行"), max_length=200)
    bank_code = models.CharField(_("联行号"), max_length=14, blank=True)
    account_number = models.CharField(_("账号"), max_length=32)
    state = models.CharField(_("状态"), max_length=10, choices=AccountState.choices)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("登记时间"))
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(_("核对时间"), null=True, blank=True)
    note = models.CharField(_("核对意见"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("收款账户")
        constraints = [
            models.UniqueConstraint(
                fields=["enterprise"], condition=Q(state="checked"), name="disbursement_payee_one_in_use"
            ),
            models.UniqueConstraint(
                fields=["enterprise"], condition=Q(state="proposed"), name="disbursement_payee_one_proposed"
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("proposed_by")),
                name="disbursement_payee_checked_by_another",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "retired"]) | Q(checked_by__isnull=False, checked_at__isnull=False),
                name="disbursement_payee_checked_has_checker",
            ),
            models.CheckConstraint(condition=Q(state__in=AccountState.values), name="disbursement_payee_state_known"),
            models.CheckConstraint(
                condition=Q(account_number__regex=ACCOUNT_SHAPE), name="disbursement_payee_number_shape"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_name} {self.masked}"

    @property
    def masked(self) -> str:
        """The number as people outside finance may see it: the last four digits."""
        return f"****{self.account_number[-4:]}"
