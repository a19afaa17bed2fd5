"""Around an account that money goes to: the paper that proves it, and paying to it again what a bank sent back by its
own fault.

Append-only (guarded by triggers): `AccountProof`. A `Reissue` is asked for once and decided once.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.account import PayeeAccount
from disbursement.models.files import StoredFile
from disbursement.models.payable import Payable, PaymentAttempt

_USER = settings.AUTH_USER_MODEL


class AccountProof(models.Model):
    """The paper that came with a proposed account (开户证明), which its checker holds the account against."""

    account = models.OneToOneField(PayeeAccount, models.PROTECT, related_name="proof", verbose_name=_("收款账户"))
    stored = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("文件"))
    name = models.CharField(_("文件名"), max_length=200)

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("开户证明")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="disbursement_accountproof_named"),
        ]

    def __str__(self) -> str:
        return self.name


class Reissue(models.Model):
    """Paying a bounced instalment once more to the same account (原账户重新支付), because the account was not at fault:
    asked for by one person of finance, decided by another. `approved` is None until it is decided.
    """

    payable = models.ForeignKey(Payable, models.PROTECT, related_name="reissues", verbose_name=_("应付款项"))
    attempt = models.ForeignKey(PaymentAttempt, models.PROTECT, related_name="reissues", verbose_name=_("退票明细"))
    reason = models.CharField(_("依据"), max_length=300)
    proposed_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("提出人"))
    proposed_at = models.DateTimeField(_("提出时间"))
    approved = models.BooleanField(_("是否同意"), null=True, blank=True)
    decided_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("决定人")
    )
    decided_at = models.DateTimeField(_("决定时间"), null=True, blank=True)
    note = models.CharField(_("意见"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("原账户重新支付")
        constraints = [
            # What bounced is paid again to the same account once; if it bounces again, that is another attempt.
            models.UniqueConstraint(
                fields=["attempt"],
                condition=Q(approved__isnull=True) | Q(approved=True),
                name="disbursement_reissue_once_an_attempt",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="disbursement_reissue_gives_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="disbursement_reissue_two_people",
            ),
            models.CheckConstraint(
                condition=Q(approved__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | Q(approved__isnull=False, decided_by__isnull=False, decided_at__isnull=False),
                name="disbursement_reissue_decided_whole",
            ),
            models.CheckConstraint(
                condition=~Q(approved=False) | ~Q(note=""), name="disbursement_reissue_refused_with_note"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payable_id} {self.reason}"
