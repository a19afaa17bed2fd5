"""What changes a budget line, what moves from one year's line to the next, and the end of a line's year."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.payable import Payable
from matching.registry.models import BudgetLine


class ChangeKind(models.TextChoices):
    ADJUST = "adjust", _("调整额度")
    TRANSFER = "transfer", _("科目间调剂")
    FREEZE = "freeze", _("冻结")
    UNFREEZE = "unfreeze", _("解冻")


class BudgetChange(models.Model):
    """A change of a budget line (预算调整): proposed on a paper by one person, decided by another.

    `amount` (元): what an adjustment adds (below zero: takes away), what a transfer moves to `to_line`; None for a
    freeze. `approved` is None until it is decided; what was approved took effect in the same transaction.
    """

    kind = models.CharField(_("类别"), max_length=8, choices=ChangeKind.choices)
    line = models.ForeignKey(BudgetLine, models.PROTECT, related_name="changes", verbose_name=_("预算科目"))
    to_line = models.ForeignKey(
        BudgetLine, models.PROTECT, null=True, blank=True, related_name="changes_in", verbose_name=_("调入科目")
    )
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    paper_number = models.CharField(_("批准文号"), max_length=80)
    reason = models.CharField(_("原因"), max_length=300)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"))
    approved = models.BooleanField(_("是否批准"), null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(_("决定时间"), null=True, blank=True)
    note = models.CharField(_("意见"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("预算调整")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="adjust", to_line__isnull=True, amount__isnull=False) & ~Q(amount=0)
                | Q(kind="transfer", to_line__isnull=False, amount__gt=0) & ~Q(to_line=F("line"))
                | Q(kind__in=["freeze", "unfreeze"], to_line__isnull=True, amount__isnull=True),
                name="disbursement_budgetchange_shape",
            ),
            models.CheckConstraint(
                condition=~Q(paper_number="") & ~Q(reason=""), name="disbursement_budgetchange_has_paper"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="disbursement_budgetchange_two_people",
            ),
            models.CheckConstraint(
                condition=Q(approved__isnull=True, decided_by__isnull=True, decided_at__isnull=True)
                | Q(approved__isnull=False, decided_by__isnull=False, decided_at__isnull=False),
                name="disbursement_budgetchange_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(approved=False) | ~Q(note=""), name="disbursement_budgetchange_refusal_has_note"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.paper_number}"


class CarryOver(models.Model):
    """A reserved payable that went from one year's line to the next with its money (append-only); 元."""

    payable = models.ForeignKey(Payable, models.PROTECT, related_name="carry_overs", verbose_name=_("应付款项"))
    from_line = models.ForeignKey(BudgetLine, models.PROTECT, related_name="carried_out", verbose_name=_("原科目"))
    to_line = models.ForeignKey(BudgetLine, models.PROTECT, related_name="carried_in", verbose_name=_("新科目"))
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    reason = models.CharField(_("原因"), max_length=300)
    moved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    moved_at = models.DateTimeField(_("结转时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("结转")
        constraints = [
            models.UniqueConstraint(fields=["payable", "from_line"], name="disbursement_carryover_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="disbursement_carryover_positive"),
            models.CheckConstraint(
                condition=~Q(from_line=F("to_line")) & ~Q(reason=""), name="disbursement_carryover_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payable_id}: {self.from_line_id} → {self.to_line_id}"


class YearEnd(models.Model):
    """The end of a budget line's year (append-only): nothing is posted to the line after it. Amounts in 元.

    `ceiling` is what the line had at the end, `carried` went to the next year with payables, `released` was taken back.
    """

    line = models.OneToOneField(BudgetLine, models.PROTECT, related_name="year_end", verbose_name=_("预算科目"))
    ceiling = models.DecimalField(_("年末额度（元）"), max_digits=16, decimal_places=2)
    paid = models.DecimalField(_("已支付（元）"), max_digits=16, decimal_places=2)
    carried = models.DecimalField(_("结转下年（元）"), max_digits=16, decimal_places=2)
    carried_count = models.PositiveIntegerField(_("结转笔数"))
    released = models.DecimalField(_("收回（元）"), max_digits=16, decimal_places=2)
    paper_number = models.CharField(_("批准文号"), max_length=80)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(_("关闭时间"))

    class Meta:
        ordering = ["line"]
        verbose_name = verbose_name_plural = _("年终关账")
        constraints = [
            models.CheckConstraint(
                condition=Q(ceiling__gte=0, paid__gte=0, carried__gte=0, released__gte=0) & ~Q(paper_number=""),
                name="disbursement_yearend_figures",
            ),
        ]

    def __str__(self) -> str:
        return str(self.line)
