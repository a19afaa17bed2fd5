"""The month's run: cycle, batches, signatures, sealed files, and the log of who moved what.

A batch is everything that one budget line pays in one cycle. Its file's bytes are computed when the maker
submits it; checker and approvers sign the hash of those bytes; sealing stores them, once. What was sent is
what was signed.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.workflow import BatchState, CycleState, Role
from matching.registry.models import BudgetLine


class PaymentFormat(models.TextChoices):
    BANK_CSV = "bank_csv", _("银行批量代发（CSV）")
    BANK_XLSX = "bank_xlsx", _("银行批量代发（XLSX）")
    PAIN001 = "pain001", _("ISO 20022 pain.001")
    VOUCHER = "voucher", _("国库集中支付凭证（XML，UTF-8）")
    VOUCHER_GBK = "vouchergbk", _("国库集中支付凭证（XML，GBK）")


_SIGNED_BY_MAKER = ["made", "verified", "approved", "sealed", "sent", "acknowledged", "reconciled", "closed"]
_SIGNED_BY_CHECKER = _SIGNED_BY_MAKER[1:]
_SIGNED_BY_APPROVER = _SIGNED_BY_MAKER[2:]


class Cycle(models.Model):
    """One month's run (兑现周期); `month` is its first day. `cut_at` is set when the cut-off begins and
    stays.
    """

    month = models.DateField(_("月份"), unique=True)
    cut_off_on = models.DateField(_("截止日"))
    state = models.CharField(_("状态"), max_length=8, choices=CycleState.choices())
    opened_at = models.DateTimeField(_("开启时间"))
    cut_at = models.DateTimeField(_("截止时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("关闭时间"), null=True, blank=True)

    class Meta:
        ordering = ["-month"]
        verbose_name = verbose_name_plural = _("兑现周期")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in CycleState]), name="disbursement_cycle_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="open") | Q(cut_at__isnull=False), name="disbursement_cycle_cut_has_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month.year}年{self.month.month}月"


class Batch(models.Model):
    """What one budget line pays in one cycle (批次).

    `count` and `total` (元) are fixed when the batch is checked; `file_sha256` is what everybody after the
    maker signs.
    """

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="batches", verbose_name=_("兑现周期"))
    budget_line = models.ForeignKey(BudgetLine, models.PROTECT, related_name="batches", verbose_name=_("预算科目"))
    number = models.CharField(_("批次号"), max_length=20, unique=True)
    state = models.CharField(_("状态"), max_length=12, choices=BatchState.choices())
    format = models.CharField(_("文件格式"), max_length=10, choices=PaymentFormat.choices)
    # Who pays, as it stands in the file: {"name", "account_number", "bank_name", "bank_code"}.
    payer = models.JSONField(_("付款方"), default=dict)
    count = models.PositiveIntegerField(_("笔数"), default=0)
    total = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2, default=0)
    # Every sending back begins a new round, in which all sign anew.
    round = models.PositiveSmallIntegerField(_("轮次"), default=1)
    approvals_needed = models.PositiveSmallIntegerField(_("需审批人数"), default=1)
    file_sha256 = models.CharField(_("文件摘要"), max_length=64, blank=True)
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("经办")
    )
    checker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("复核")
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("审批")
    )
    assembled_at = models.DateTimeField(_("归集时间"))
    frozen_at = models.DateTimeField(_("冻结时间"), null=True, blank=True)
    sent_at = models.DateTimeField(_("发送时间"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("银行受理时间"), null=True, blank=True)
    acknowledgement = models.CharField(_("受理回执"), max_length=100, blank=True)
    reconciled_at = models.DateTimeField(_("对账时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("关闭时间"), null=True, blank=True)

    class Meta:
        ordering = ["-cycle", "number"]
        verbose_name = verbose_name_plural = _("批次")
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "budget_line"],
                condition=~Q(state="dissolved"),
                name="disbursement_batch_one_a_line",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in BatchState]), name="disbursement_batch_state_known"
            ),
            models.CheckConstraint(
                condition=Q(maker__isnull=True) | Q(checker__isnull=True) | ~Q(maker=F("checker")),
                name="disbursement_batch_maker_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(maker__isnull=True) | Q(approver__isnull=True) | ~Q(maker=F("approver")),
                name="disbursement_batch_maker_not_approver",
            ),
            models.CheckConstraint(
                condition=Q(checker__isnull=True) | Q(approver__isnull=True) | ~Q(checker=F("approver")),
                name="disbursement_batch_checker_not_approver",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=_SIGNED_BY_MAKER)
                | (Q(maker__isnull=False, count__gt=0, total__gt=0) & ~Q(file_sha256="")),
                name="disbursement_batch_made_has_maker",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=_SIGNED_BY_CHECKER) | Q(checker__isnull=False),
                name="disbursement_batch_verified_has_checker",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=_SIGNED_BY_APPROVER) | Q(approver__isnull=False),
                name="disbursement_batch_approved_has_approver",
            ),
            models.CheckConstraint(condition=Q(approvals_needed__gte=1), name="disbursement_batch_needs_an_approval"),
        ]

    def __str__(self) -> str:
        return self.number

    def line_id(self, line_no: int) -> str:
        """The id under which a line stands in the file and comes back in returns."""
        return f"{self.number}-{line_no:06d}"


class BatchApproval(models.Model):
    """One signature on a batch, bound to the hash of the bytes that it is for; never changed."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="approvals", verbose_name=_("批次"))
    round = models.PositiveSmallIntegerField(_("轮次"))
    role = models.CharField(_("身份"), max_length=20, choices=Role.choices())
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("签署人"))
    file_sha256 = models.CharField(_("文件摘要"), max_length=64)
    count = models.PositiveIntegerField(_("笔数"))
    total = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    note = models.CharField(_("意见"), max_length=300, blank=True)
    signed_at = models.DateTimeField(_("签署时间"))

    class Meta:
        ordering = ["batch", "round", "id"]
        verbose_name = verbose_name_plural = _("批次签署")
        constraints = [
            models.UniqueConstraint(fields=["batch", "round", "person"], name="disbursement_approval_once_a_person"),
            models.CheckConstraint(
                condition=Q(role__in=["finance_maker", "finance_checker", "finance_approver"]),
                name="disbursement_approval_role_known",
            ),
            models.CheckConstraint(
                condition=~Q(file_sha256="") & Q(count__gt=0, total__gt=0),
                name="disbursement_approval_bound_to_bytes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.role}"


class SealedFile(models.Model):
    """The payment file of a batch: its bytes, hash and control totals, stored before anything is sent, once,
    for ever.
    """

    batch = models.OneToOneField(Batch, models.PROTECT, related_name="sealed_file", verbose_name=_("批次"))
    format = models.CharField(_("文件格式"), max_length=10, choices=PaymentFormat.choices)
    name = models.CharField(_("文件名"), max_length=60, unique=True)
    content = models.BinaryField(_("内容"))
    sha256 = models.CharField(_("摘要"), max_length=64, unique=True)
    count = models.PositiveIntegerField(_("笔数"))
    total = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    sealed_at = models.DateTimeField(_("封存时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("封存文件")
        constraints = [
            models.CheckConstraint(condition=Q(count__gt=0, total__gt=0), name="disbursement_sealedfile_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name


class Reconciliation(models.Model):
    """One comparison of the four figures of a batch (对账), as it came out; never changed.

    `figures`: {"approved" | "batch" | "file" | "bank": {"count", "total"}}; `differences`: sentences for
    people.
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="reconciliations")
    figures = models.JSONField(_("四项数据"))
    differences = models.JSONField(_("差异"), default=list)
    agrees = models.BooleanField(_("一致"))
    made_at = models.DateTimeField(_("对账时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("对账记录")

    def __str__(self) -> str:
        return f"{self.batch_id} {self.agrees}"


class StateChange(models.Model):
    """One step of a payable, a batch or a cycle: from where to where, who, why (办理记录); never changed."""

    # Indexed below: each row has one subject, and the latest step of a subject is asked for with each new one.
    payable = models.ForeignKey(
        "disbursement.Payable", models.PROTECT, null=True, blank=True, related_name="changes", db_index=False
    )
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="changes", db_index=False)
    cycle = models.ForeignKey(Cycle, models.PROTECT, null=True, blank=True, related_name="changes", db_index=False)
    action = models.CharField(_("操作"), max_length=20)
    source = models.CharField(_("原状态"), max_length=12)
    target = models.CharField(_("新状态"), max_length=12)
    role = models.CharField(_("身份"), max_length=20, choices=Role.choices())
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("人员")
    )
    note = models.CharField(_("说明"), max_length=300, blank=True)
    made_at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("办理记录")
        indexes = [
            models.Index(
                fields=[subject, "id"],
                condition=Q(**{f"{subject}__isnull": False}),
                name=f"disbursement_change_{subject}",
            )
            for subject in ("payable", "batch", "cycle")
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(payable__isnull=False, batch__isnull=True, cycle__isnull=True)
                | Q(payable__isnull=True, batch__isnull=False, cycle__isnull=True)
                | Q(payable__isnull=True, batch__isnull=True, cycle__isnull=False),
                name="disbursement_statechange_one_subject",
            ),
            models.CheckConstraint(
                condition=Q(role="system", person__isnull=True) | (~Q(role="system") & Q(person__isnull=False)),
                name="disbursement_statechange_person_unless_system",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.source} → {self.target}"
