"""Money asked back: the plan by which it is paid, what was received, what was set off, what crossed a year's end.

Append-only (guarded by triggers): `ClawbackEntry`, `PlanChange`, `SetOff`, `TakeOver`. A `ClawbackPlan` moves only by
its table (`disbursement.domain.instalments.PLAN`) and with its log; its amounts never change. Amounts in 元.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.instalments import PlanAction, PlanState
from disbursement.domain.workflow import Role
from disbursement.models.payable import Clawback, Payable
from disbursement.models.returns import ReturnLine
from matching.registry.models import BudgetLine

_USER = settings.AUTH_USER_MODEL
_PROPOSED = ["proposed", "in_force", "fulfilled", "defaulted", "replaced"]
_APPROVED = ["in_force", "fulfilled", "defaulted", "replaced"]


class ClawbackPlan(models.Model):
    """Paying back in instalments (分期退回): asked for by the enterprise, proposed by one person, approved by another.

    `amount` is what was still owed when it was proposed; its entries add up to it.
    """

    clawback = models.ForeignKey(Clawback, models.PROTECT, related_name="plans", verbose_name=_("追回"))
    number = models.PositiveSmallIntegerField(_("序号"))
    state = models.CharField(_("状态"), max_length=10, choices=PlanState.choices())
    asked_by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(_("申请时间"), null=True, blank=True)
    ask_reason = models.CharField(_("申请理由"), max_length=300, blank=True)
    wished = models.PositiveSmallIntegerField(_("希望的期数"), null=True, blank=True)
    amount = models.DecimalField(_("分期金额（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    proposed_by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+")
    proposed_at = models.DateTimeField(_("提出时间"), null=True, blank=True)
    reason = models.CharField(_("提出依据"), max_length=300, blank=True)
    approved_by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(_("批准时间"), null=True, blank=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("分期退回计划")
        constraints = [
            models.UniqueConstraint(fields=["clawback", "number"], name="disbursement_plan_number_once"),
            models.UniqueConstraint(
                fields=["clawback"], condition=Q(state__in=["asked", "proposed"]), name="disbursement_plan_one_open"
            ),
            models.UniqueConstraint(
                fields=["clawback"], condition=Q(state="in_force"), name="disbursement_plan_one_in_force"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in PlanState]), name="disbursement_plan_state_known"
            ),
            models.CheckConstraint(
                condition=(Q(asked_by__isnull=True, asked_at__isnull=True) & ~Q(state="asked"))
                | (Q(asked_by__isnull=False, asked_at__isnull=False) & ~Q(ask_reason="")),
                name="disbursement_plan_asked_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=_PROPOSED)
                | (Q(proposed_by__isnull=False, proposed_at__isnull=False, amount__gt=0) & ~Q(reason="")),
                name="disbursement_plan_proposed_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=_APPROVED) | Q(approved_by__isnull=False, approved_at__isnull=False),
                name="disbursement_plan_approved_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
                name="disbursement_plan_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clawback_id}-{self.number}"


class ClawbackEntry(models.Model):
    """One instalment of a plan: how much is due by when."""

    plan = models.ForeignKey(ClawbackPlan, models.PROTECT, related_name="entries")
    number = models.PositiveSmallIntegerField(_("期次"))
    due_on = models.DateField(_("应退日期"))
    amount = models.DecimalField(_("应退金额（元）"), max_digits=16, decimal_places=2)

    class Meta:
        ordering = ["plan", "number"]
        verbose_name = verbose_name_plural = _("分期")
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="disbursement_entry_number_once"),
            models.UniqueConstraint(fields=["plan", "due_on"], name="disbursement_entry_day_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, number__gte=1), name="disbursement_entry_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}-{self.number}"


class PlanChange(models.Model):
    """One step of a plan: from where to where, who, why (办理记录)."""

    plan = models.ForeignKey(ClawbackPlan, models.PROTECT, related_name="changes")
    action = models.CharField(_("操作"), max_length=10)
    source = models.CharField(_("原状态"), max_length=10)
    target = models.CharField(_("新状态"), max_length=10)
    role = models.CharField(_("身份"), max_length=20, choices=Role.choices())
    person = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("人员"))
    note = models.CharField(_("说明"), max_length=300, blank=True)
    made_at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("分期办理记录")
        constraints = [
            models.CheckConstraint(
                condition=Q(role="system", person__isnull=True) | (~Q(role="system") & Q(person__isnull=False)),
                name="disbursement_planchange_person_unless_system",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.source} → {self.target}"

    @property
    def label(self) -> str:
        """The step as people call it."""
        return PlanAction(self.action).label


class SetOff(models.Model):
    """A coming payable that pays back what is owed instead of being paid out (抵扣), by decision."""

    clawback = models.ForeignKey(Clawback, models.PROTECT, related_name="set_offs", verbose_name=_("追回"))
    payable = models.OneToOneField(Payable, models.PROTECT, related_name="set_off", verbose_name=_("抵扣的款项"))
    amount = models.DecimalField(_("抵扣金额（元）"), max_digits=16, decimal_places=2)
    reason = models.CharField(_("抵扣依据"), max_length=300)
    decided_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("决定人"))
    decided_at = models.DateTimeField(_("决定时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("抵扣")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0) & ~Q(reason=""), name="disbursement_setoff_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.clawback_id} ← {self.payable_id}"


class ClawbackReceipt(models.Model):
    """Money that came back: `applied` to what was owed, `excess` beyond it, which is to be given back.

    `reference` is the bank's number of the entry: the same money is recorded once, whoever records it.
    """

    clawback = models.ForeignKey(Clawback, models.PROTECT, related_name="receipts", verbose_name=_("追回"))
    amount = models.DecimalField(_("到账金额（元）"), max_digits=16, decimal_places=2)
    applied = models.DecimalField(_("冲抵金额（元）"), max_digits=16, decimal_places=2)
    excess = models.DecimalField(_("多退金额（元）"), max_digits=16, decimal_places=2, default=0)
    received_on = models.DateField(_("到账日期"))
    reference = models.CharField(_("银行流水号"), max_length=80, unique=True)
    return_line = models.OneToOneField(
        ReturnLine, models.PROTECT, null=True, blank=True, related_name="receipt", verbose_name=_("回单明细")
    )
    set_off = models.OneToOneField(SetOff, models.PROTECT, null=True, blank=True, related_name="receipt")
    note = models.CharField(_("说明"), max_length=300, blank=True)
    recorded_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("登记人"))
    recorded_at = models.DateTimeField(_("登记时间"))
    returned_on = models.DateField(_("多退款退还日期"), null=True, blank=True)
    returned_by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+")
    returned_reference = models.CharField(_("退还流水号"), max_length=80, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("追回到账")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, applied__gte=0, excess__gte=0, amount=F("applied") + F("excess")),
                name="disbursement_receipt_adds_up",
            ),
            models.CheckConstraint(condition=~Q(reference=""), name="disbursement_receipt_has_reference"),
            models.CheckConstraint(
                condition=Q(returned_on__isnull=True, returned_by__isnull=True, returned_reference="")
                | (Q(returned_on__isnull=False, returned_by__isnull=False, excess__gt=0) & ~Q(returned_reference="")),
                name="disbursement_receipt_excess_returned_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(returned_by__isnull=True) | ~Q(returned_by=F("recorded_by")),
                name="disbursement_receipt_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.clawback_id}: {self.applied}"


class TakeOver(models.Model):
    """A paid payable whose year is closed, taken over by the line that succeeded it, so that money can come back there.

    The closed line keeps it as paid; `amount` is what the new line answers for. `moved_by` None: the machine, on a
    return of the bank.
    """

    payable = models.ForeignKey(Payable, models.PROTECT, related_name="take_overs", verbose_name=_("应付款项"))
    from_line = models.ForeignKey(BudgetLine, models.PROTECT, related_name="taken_from", verbose_name=_("原科目"))
    to_line = models.ForeignKey(BudgetLine, models.PROTECT, related_name="taken_over", verbose_name=_("承接科目"))
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    reason = models.CharField(_("原因"), max_length=300)
    moved_by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+")
    moved_at = models.DateTimeField(_("承接时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("以前年度承接")
        constraints = [
            models.UniqueConstraint(fields=["payable", "from_line"], name="disbursement_takeover_once"),
            models.CheckConstraint(condition=Q(amount__gt=0) & ~Q(reason=""), name="disbursement_takeover_has_reason"),
            models.CheckConstraint(condition=~Q(from_line=F("to_line")), name="disbursement_takeover_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.payable_id}: {self.from_line_id} → {self.to_line_id}"
