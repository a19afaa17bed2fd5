"""Entries of the district's account that people recorded, and the account to which money is paid back.

Append-only but for the decision on a proposed account (guarded by triggers).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.account import ACCOUNT_SHAPE
from disbursement.models.payable import Clawback, PaymentAttempt
from disbursement.models.recovery import ClawbackReceipt

_USER = settings.AUTH_USER_MODEL


class EntryUse(models.TextChoices):
    RECOVERY = "recovery", _("追回到账")
    REFUND = "refund", _("退款到账")
    EXCESS = "excess", _("退还多退款")


class BankEntry(models.Model):
    """One entry of the bank by its reference, and what it was recorded as: the same money is recorded once, whether as
    a recovery, as a refund, or as an excess that was given back.
    """

    reference = models.CharField(_("银行流水号"), max_length=80, unique=True)
    use = models.CharField(_("登记为"), max_length=10, choices=EntryUse.choices)
    clawback = models.ForeignKey(Clawback, models.PROTECT, null=True, blank=True, related_name="bank_entries")
    attempt = models.OneToOneField(
        PaymentAttempt, models.PROTECT, null=True, blank=True, related_name="bank_entry", verbose_name=_("支付明细")
    )
    receipt = models.OneToOneField(
        ClawbackReceipt, models.PROTECT, null=True, blank=True, related_name="excess_entry", verbose_name=_("追回到账")
    )
    recorded_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("登记人"))
    recorded_at = models.DateTimeField(_("登记时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("银行流水登记")
        constraints = [
            models.CheckConstraint(
                condition=Q(use="recovery", clawback__isnull=False, attempt__isnull=True, receipt__isnull=True)
                | Q(use="refund", clawback__isnull=True, attempt__isnull=False, receipt__isnull=True)
                | Q(use="excess", clawback__isnull=True, attempt__isnull=True, receipt__isnull=False),
                name="disbursement_bankentry_is_of_one_thing",
            ),
            models.CheckConstraint(
                condition=~Q(reference="") & ~Q(reference__startswith="抵扣-"),
                name="disbursement_bankentry_is_the_banks",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class RepaymentDecision(models.TextChoices):
    NONE = "", _("待批准")
    APPROVED = "approved", _("已批准")
    REFUSED = "refused", _("不同意")


class RepaymentAccount(models.Model):
    """The account of the district to which enterprises pay money back, and whom they ask: proposed by one person of
    finance, decided on by another. The one last approved is in force.
    """

    account_name = models.CharField(_("户名"), max_length=120)
    bank_name = models.CharField(_("开户银行"), max_length=120)
    account_number = models.CharField(_("账号"), max_length=32)
    contact = models.CharField(_("联系人或科室"), max_length=60)
    phone = models.CharField(_("联系电话"), max_length=40)
    reason = models.CharField(_("依据"), max_length=300)
    proposed_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("提出人"))
    proposed_at = models.DateTimeField(_("提出时间"))
    decision = models.CharField(_("决定"), max_length=10, choices=RepaymentDecision.choices, blank=True)
    decided_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("决定人")
    )
    decided_at = models.DateTimeField(_("决定时间"), null=True, blank=True)
    note = models.CharField(_("意见"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("退款账户")
        constraints = [
            models.UniqueConstraint(
                fields=["decision"], condition=Q(decision=""), name="disbursement_repayment_one_waits"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_by__isnull=True, decided_at__isnull=True)
                | Q(decision__in=["approved", "refused"], decided_by__isnull=False, decided_at__isnull=False),
                name="disbursement_repayment_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="disbursement_repayment_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(account_name="") & ~Q(bank_name="") & ~Q(contact="") & ~Q(phone="") & ~Q(reason=""),
                name="disbursement_repayment_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(account_number__regex=ACCOUNT_SHAPE), name="disbursement_repayment_number_shape"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_name} {self.account_number}"
