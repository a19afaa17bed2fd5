"""Notices that were issued: their bytes, their hash, their number.

Append-only (guarded by triggers on PostgreSQL): `Document`.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application


class DocumentKind(models.TextChoices):
    ACCEPTANCE = "acceptance", _("受理通知书")
    CORRECTION = "correction", _("补正通知书")
    NON_ACCEPTANCE = "non_acceptance", _("不予受理通知书")
    DECISION = "decision", _("审核决定书")
    PAYMENT = "payment", _("兑现通知书")
    BATCH = "batch", _("兑现批次汇总表")
    HANDOVER = "handover", _("资金拨付移交单")
    MONTH = "month", _("月度兑现报告")
    CLAWBACK = "clawback", _("追回通知书")
    YEAR = "year", _("年度兑现决算报告")
    INSTALMENTS = "instalments", _("分期退回通知书")
    SET_OFF = "set_off", _("抵扣通知书")
    SUPERVISION = "supervision", _("电子监察月报")


# What is about a batch, a month or a year, and so about no single application.
OF_THE_MONTH = [
    DocumentKind.BATCH.value,
    DocumentKind.HANDOVER.value,
    DocumentKind.MONTH.value,
    DocumentKind.YEAR.value,
    DocumentKind.SUPERVISION.value,
]


class Document(models.Model):
    """A notice as it was issued (append-only): rendered once, its bytes and SHA-256 kept, never rendered
    again.

    `subject` names what it is about (`decision:12`); unique by (kind, subject). `number` is public: anyone
    who holds the paper can confirm number, hash and date at `/verify/<number>/`.
    """

    number = models.CharField(_("文书编号"), max_length=24, unique=True)
    kind = models.CharField(_("种类"), max_length=16, choices=DocumentKind.choices)
    subject = models.CharField(_("对象"), max_length=60)
    title = models.CharField(_("标题"), max_length=200)
    application = models.ForeignKey(
        Application, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("申报")
    )
    content = models.BinaryField(_("内容"))
    sha256 = models.CharField(_("摘要"), max_length=64, db_index=True)
    size = models.PositiveIntegerField(_("大小（字节）"))
    issued_at = models.DateTimeField(_("签发时间"))

    class Meta:
        ordering = ["-issued_at", "-id"]
        verbose_name = verbose_name_plural = _("文书")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="document_once"),
            models.CheckConstraint(condition=Q(kind__in=DocumentKind.values), name="document_kind_known"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_hash_shape"),
            models.CheckConstraint(condition=Q(size__gt=0), name="document_not_empty"),
            models.CheckConstraint(
                condition=Q(number__regex=r"^[A-Z]{2}-[0-9]{4}-[0-9]{6}$"), name="document_number_shape"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OF_THE_MONTH, application__isnull=True)
                | (~Q(kind__in=OF_THE_MONTH) & Q(application__isnull=False)),
                name="document_has_its_application",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.number}"
