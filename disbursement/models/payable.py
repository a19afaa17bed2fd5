"""What an enterprise is owed, in instalments, each attempt to pay one, and what is asked back.

A payable is one instalment, unique by (application, number). Its attempts are many, one alive at a time: an
attempt is a line of one batch, with its own snapshot of amount and payee that never changes.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.workflow import PayableState
from disbursement.models.award import Award
from matching.models import Enterprise
from matching.registry.models import BudgetLine


class HoldKind(models.TextChoices):
    """Why a payable is held: found by a check (looked at again each month), or by a person (until
    released).
    """

    NONE = "", _("未暂缓")
    CREDIT = "credit", _("信用校验")
    ACCOUNT = "account", _("账户校验")
    CONFLICT = "conflict", _("收款冲突")
    CAP = "cap", _("上限校验")
    RECOVERY = "recovery", _("追回校验")
    CONTRADICTION = "contradiction", _("银行结果矛盾")
    PERSON = "person", _("人工暂缓")


class AttemptOutcome(models.TextChoices):
    PENDING = "pending", _("待支付")
    PAID = "paid", _("已支付")
    BOUNCED = "bounced", _("退票")
    REFUNDED = "refunded", _("已退款")
    WITHDRAWN = "withdrawn", _("移出批次")


class Payable(models.Model):
    """One instalment owed (应付).

    `entitled` is what the award gives; `amount` what is paid, smaller only where a short budget is shared
    out. The payee columns are what will be paid to; they change only with a checked account, never while a
    batch holds it.
    """

    # Not indexed alone where an index of two columns begins with it: each index is written with each change of state.
    application = models.ForeignKey(
        "disbursement.Application", models.PROTECT, related_name="payables", db_index=False, verbose_name=_("申报")
    )
    award = models.ForeignKey(Award, models.PROTECT, related_name="payables")
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="payables", verbose_name=_("企业"))
    number = models.PositiveSmallIntegerField(_("期次"))
    entitled = models.DecimalField(_("应付金额（元）"), max_digits=16, decimal_places=2)
    amount = models.DecimalField(_("实付金额（元）"), max_digits=16, decimal_places=2)
    budget_code = models.SlugField(_("科目代码"), max_length=40, db_index=False)
    budget_year = models.PositiveSmallIntegerField(_("预算年度"))
    budget_line = models.ForeignKey(
        BudgetLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payables",
        db_index=False,
        verbose_name=_("预算科目"),
    )
    state = models.CharField(_("状态"), max_length=12, choices=PayableState.choices())
    pay_month = models.DateField(_("兑现月份"))
    promised_month = models.DateField(_("承诺兑现月份"))
    slip_reason = models.CharField(_("延期原因"), max_length=300, blank=True)
    hold_kind = models.CharField(_("暂缓类别"), max_length=14, choices=HoldKind.choices, blank=True)
    hold_reason = models.CharField(_("暂缓原因"), max_length=300, blank=True)
    payee_name = models.CharField(_("收款户名"), max_length=200)
    bank_name = models.CharField(_("开户银行"), max_length=200)
    bank_code = models.CharField(_("联行号"), max_length=14, blank=True)
    account_number = models.CharField(_("收款账号"), max_length=32)
    created_at = models.DateTimeField(_("生成时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("应付款项")
        indexes = [
            models.Index(fields=["state", "pay_month"]),
            models.Index(fields=["budget_line", "state"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["application", "number"], name="disbursement_payable_once_an_instalment"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_payable_positive"),
            models.CheckConstraint(
                condition=Q(amount__lte=F("entitled")), name="disbursement_payable_not_above_entitled"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="disbursement_payable_number_from_1"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in PayableState]), name="disbursement_payable_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["awaiting", "cancelled"]) | Q(budget_line__isnull=False),
                name="disbursement_payable_reserved_has_line",
            ),
            models.CheckConstraint(
                condition=(Q(state="held") & ~Q(hold_reason="") & ~Q(hold_kind=""))
                | (~Q(state="held") & Q(hold_reason="", hold_kind="")),
                name="disbursement_payable_held_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(pay_month__lte=F("promised_month")) | ~Q(slip_reason=""),
                name="disbursement_payable_slip_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application_id}-{self.number}"

    @property
    def is_held(self) -> bool:
        return self.state == PayableState.HELD

    @property
    def masked_account(self) -> str:
        return f"****{self.account_number[-4:]}"


class PaymentAttempt(models.Model):
    """One try to pay a payable: a line of a batch. Amount and payee are a snapshot; only the outcome
    changes.
    """

    payable = models.ForeignKey(Payable, models.PROTECT, related_name="attempts")
    batch = models.ForeignKey("disbursement.Batch", models.PROTECT, related_name="attempts", db_index=False)
    line_no = models.PositiveIntegerField(_("行号"), null=True, blank=True)
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    payee_name = models.CharField(_("收款户名"), max_length=200)
    bank_name = models.CharField(_("开户银行"), max_length=200)
    bank_code = models.CharField(_("联行号"), max_length=14, blank=True)
    account_number = models.CharField(_("收款账号"), max_length=32)
    outcome = models.CharField(_("结果"), max_length=10, choices=AttemptOutcome.choices, default="pending")
    outcome_on = models.DateField(_("结果日期"), null=True, blank=True)
    outcome_reason = models.CharField(_("结果说明"), max_length=300, blank=True)
    # The bank said both that it paid and that it could not, the payment dated later: a person must ask the
    # bank.
    contradicted = models.BooleanField(_("银行结果矛盾"), default=False)
    created_at = models.DateTimeField(_("列入时间"))

    class Meta:
        ordering = ["batch", "line_no", "id"]
        verbose_name = verbose_name_plural = _("支付明细")
        constraints = [
            models.UniqueConstraint(
                fields=["payable"],
                condition=Q(outcome__in=["pending", "paid"]),
                name="disbursement_attempt_one_alive",
            ),
            models.UniqueConstraint(fields=["batch", "line_no"], name="disbursement_attempt_line_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_attempt_positive"),
            models.CheckConstraint(
                condition=Q(outcome__in=AttemptOutcome.values), name="disbursement_attempt_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["pending", "withdrawn"]) | Q(outcome_on__isnull=False, line_no__isnull=False),
                name="disbursement_attempt_outcome_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}-{self.line_no}"


class Clawback(models.Model):
    """A demand for money back (追回): the notice's number, the reason, and the day by which it is due."""

    payable = models.OneToOneField(Payable, models.PROTECT, related_name="clawback", verbose_name=_("应付款项"))
    number = models.CharField(_("通知编号"), max_length=40, unique=True)
    amount = models.DecimalField(_("追回金额（元）"), max_digits=16, decimal_places=2)
    reason = models.CharField(_("追回原因"), max_length=300)
    due_on = models.DateField(_("退回期限"))
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ordered_at = models.DateTimeField(_("发起时间"))
    recovered_at = models.DateTimeField(_("到账时间"), null=True, blank=True)
    recovered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("追回")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_clawback_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="disbursement_clawback_has_reason"),
            models.CheckConstraint(
                condition=Q(recovered_by__isnull=True) | ~Q(recovered_by=F("ordered_by")),
                name="disbursement_clawback_confirmed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return self.number
