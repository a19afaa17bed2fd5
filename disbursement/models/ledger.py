"""The ledger of the budget lines: accounts, and transfers between them that are never changed.

Each budget line has one account of each kind. A transfer takes its amount from the debit account and gives it
to the credit account, so a balance is what was credited less what was debited, all balances together are
always zero, and no entry can be out of balance: its shape does not allow it. Only the source (the budget's
approval) may go below zero; its balance is minus the appropriation.

    source → appropriated → reserved (approval) → committed (seal) → paid (receipt)
                    ↑            └── a bounce reverses the commitment ──┘   │
                    └──────────── refunds and recovered clawbacks ──────────┘

A year that is closed keeps what it paid. Where such money comes back, the line that succeeded takes the payment over
(TAKE_OVER, source → paid: its ceiling rises by as much) and the refund or clawback is posted there; what is still being
asked back when a year is closed goes back to paid on the old line (HAND_OVER) and is asked back on the new one.

Balances are kept by a database trigger on the insertion of transfers (migration 0002), in the same statement;
nothing else may write them. A mistake is reversed by a transfer that names the one it reverses.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.registry.models import BudgetLine


class AccountKind(models.TextChoices):
    SOURCE = "source", _("预算来源")
    APPROPRIATED = "appropriated", _("可用预算")
    RESERVED = "reserved", _("已预留")
    COMMITTED = "committed", _("已封存待付")
    PAID = "paid", _("已支付")
    RECEIVABLE = "receivable", _("待追回")


class TransferKind(models.TextChoices):
    """Why money moved; the two accounts follow from it (`disbursement.ledger.posting.ROUTES`)."""

    APPROPRIATE = "appropriate", _("下达预算")
    REDUCE = "reduce", _("调减预算")
    RESERVE = "reserve", _("审核通过预留")
    UNRESERVE = "unreserve", _("取消预留")
    COMMIT = "commit", _("封存")
    UNCOMMIT = "uncommit", _("退票退回预留")
    PAY = "pay", _("支付")
    UNPAY = "unpay", _("支付后退票")
    REFUND = "refund", _("退款")
    CLAW_BACK = "claw_back", _("发起追回")
    RECOVER = "recover", _("追回到账")
    HAND_OVER = "hand_over", _("追回转下年度")
    TAKE_OVER = "take_over", _("承接以前年度支出")


class LedgerAccount(models.Model):
    """One kind of money of one budget line. `balance` is in 元."""

    budget_line = models.ForeignKey(
        BudgetLine, models.PROTECT, related_name="ledger_accounts", verbose_name=_("预算科目")
    )
    kind = models.CharField(_("账户"), max_length=12, choices=AccountKind.choices)
    balance = models.DecimalField(_("余额（元）"), max_digits=16, decimal_places=2, default=0)

    class Meta:
        ordering = ["budget_line", "id"]
        verbose_name = verbose_name_plural = _("预算账户")
        constraints = [
            models.UniqueConstraint(fields=["budget_line", "kind"], name="disbursement_account_once_a_line"),
            models.CheckConstraint(
                condition=Q(kind=AccountKind.SOURCE) | Q(balance__gte=0),
                name="disbursement_account_not_negative",
            ),
            models.CheckConstraint(
                condition=~Q(kind=AccountKind.SOURCE) | Q(balance__lte=0),
                name="disbursement_account_source_not_positive",
            ),
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="disbursement_account_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.budget_line} {self.get_kind_display()}"


class LedgerTransfer(models.Model):
    """One movement of money, for ever. `key` makes it happen once, however often it is tried."""

    debit = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="debits", verbose_name=_("转出"))
    credit = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="credits", verbose_name=_("转入"))
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    kind = models.CharField(_("事由"), max_length=12, choices=TransferKind.choices)
    key = models.CharField(_("唯一标识"), max_length=80)
    payable = models.ForeignKey("disbursement.Payable", models.PROTECT, null=True, blank=True, related_name="transfers")
    attempt = models.ForeignKey(
        "disbursement.PaymentAttempt", models.PROTECT, null=True, blank=True, related_name="transfers"
    )
    reversal_of = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by", verbose_name=_("冲销")
    )
    memo = models.CharField(_("说明"), max_length=200, blank=True)
    posted_at = models.DateTimeField(_("记账时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("预算流水")
        constraints = [
            # A constraint, not `unique` of the field, which adds an index for LIKE to the longest table there is.
            models.UniqueConstraint(fields=["key"], name="disbursement_transfer_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_transfer_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="disbursement_transfer_between_two_accounts"),
            models.CheckConstraint(condition=Q(kind__in=TransferKind.values), name="disbursement_transfer_kind_known"),
            models.CheckConstraint(
                condition=Q(kind__in=[TransferKind.APPROPRIATE, TransferKind.REDUCE], payable__isnull=True)
                | (~Q(kind__in=[TransferKind.APPROPRIATE, TransferKind.REDUCE]) & Q(payable__isnull=False)),
                name="disbursement_transfer_names_its_payable",
            ),
        ]

    def __str__(self) -> str:
        return self.key
