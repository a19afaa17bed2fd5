"""What the bank sends back: files kept as they came, and each line with what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.batch import Batch
from disbursement.models.payable import PaymentAttempt


class ReturnResult(models.TextChoices):
    PAID = "paid", _("成功")
    BOUNCED = "bounced", _("退票")
    REFUNDED = "refunded", _("退款")


class LineStatus(models.TextChoices):
    POSTED = "posted", _("已入账")
    DUPLICATE = "duplicate", _("重复，已入过账")
    EXCEPTION = "exception", _("例外")


class ReturnFile(models.Model):
    """One file from the bank; the same bytes are one file, however often they come."""

    name = models.CharField(_("文件名"), max_length=200)
    sha256 = models.CharField(_("摘要"), max_length=64, unique=True)
    content = models.BinaryField(_("内容"))
    is_complete = models.BooleanField(_("完整"), default=True)
    problems = models.JSONField(_("文件问题"), default=list)
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    received_at = models.DateTimeField(_("接收时间"))
    posted_at = models.DateTimeField(_("处理时间"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("回单文件")

    def __str__(self) -> str:
        return self.name


class ReturnLine(models.Model):
    """One line of a return file. `result` is posted at most once for an attempt; everything else is an
    exception.
    """

    file = models.ForeignKey(ReturnFile, models.PROTECT, related_name="lines", db_index=False, verbose_name=_("文件"))
    # Lines that a word for a whole batch stands for are numbered in millions.
    row_no = models.PositiveBigIntegerField(_("行"))
    line_id = models.CharField(_("明细号"), max_length=60, blank=True)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="return_lines")
    attempt = models.ForeignKey(PaymentAttempt, models.PROTECT, null=True, blank=True, related_name="return_lines")
    result = models.CharField(_("结果"), max_length=10, choices=ReturnResult.choices, blank=True)
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    occurred_on = models.DateField(_("处理日期"), null=True, blank=True)
    reference = models.CharField(_("银行流水号"), max_length=80, blank=True)
    reason = models.CharField(_("原因"), max_length=300, blank=True)
    status = models.CharField(_("处理"), max_length=10, choices=LineStatus.choices)
    problem = models.CharField(_("问题"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("接收时间"))
    resolved_at = models.DateTimeField(_("处理完毕"), null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    resolution = models.CharField(_("处理说明"), max_length=300, blank=True)

    class Meta:
        ordering = ["file", "row_no"]
        verbose_name = verbose_name_plural = _("回单明细")
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(status="exception", resolved_at__isnull=True),
                name="disbursement_return_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["file", "row_no"], name="disbursement_returnline_row_once"),
            models.UniqueConstraint(
                fields=["attempt", "result"],
                condition=Q(status="posted"),
                name="disbursement_returnline_posted_once",
            ),
            models.CheckConstraint(
                condition=~Q(status="posted")
                | (
                    Q(attempt__isnull=False, batch__isnull=False, occurred_on__isnull=False)
                    & Q(amount__isnull=False, amount__gt=0)
                    & ~Q(result="")
                ),
                name="disbursement_returnline_posted_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(status="exception") | ~Q(problem=""),
                name="disbursement_returnline_exception_has_problem",
            ),
            models.CheckConstraint(
                condition=Q(status__in=LineStatus.values), name="disbursement_returnline_status_known"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True)
                | (Q(resolved_at__isnull=False, resolved_by__isnull=False) & ~Q(resolution="")),
                name="disbursement_returnline_resolved_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return self.line_id or f"#{self.row_no}"
