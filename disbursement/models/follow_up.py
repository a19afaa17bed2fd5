"""Following things up: who looks after an exception, and findings of an audit that were looked into."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.returns import ReturnLine

_USER = settings.AUTH_USER_MODEL


class Remedy(models.TextChoices):
    """How an exception was dealt with; each asks for its own words."""

    DUPLICATE = "duplicate", _("重复回单，已入过账")
    NOT_OURS = "not_ours", _("不是本系统的付款")
    CORRECTED = "corrected", _("银行已更正，另发回单")
    BOOKED = "booked", _("已在别处登记（退款、追回或更正）")
    RECOVERY = "recovery", _("追回款到账，已登记")
    OTHER = "other", _("其他，见说明")


class ExceptionNote(models.Model):
    """A word on an exception (append-only): who looks after it from here on, what was found, how it ended."""

    line = models.ForeignKey(ReturnLine, models.PROTECT, related_name="notes", verbose_name=_("回单明细"))
    owner = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("经办人"))
    remedy = models.CharField(_("处理方式"), max_length=10, choices=Remedy.choices, blank=True)
    text = models.CharField(_("说明"), max_length=300)
    written_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("登记人"))
    written_at = models.DateTimeField(_("登记时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("例外处理记录")
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="disbursement_exceptionnote_says_something"),
            models.CheckConstraint(
                condition=Q(remedy__in=["", *Remedy.values]), name="disbursement_exceptionnote_remedy_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.text[:20]}"


class FindingAcknowledgement(models.Model):
    """A supervisor looked into a finding of the audit and says what it is (append-only). It stands for exactly that
    finding (`digest` of check, place and problem): another problem in the same place is another finding.
    """

    digest = models.CharField(_("摘要"), max_length=64, unique=True)
    check_name = models.CharField(_("检查"), max_length=40)
    place = models.CharField(_("位置"), max_length=300)
    problem = models.TextField(_("问题"))
    reason = models.CharField(_("核查结论"), max_length=300)
    paper_number = models.CharField(_("依据文号"), max_length=80, blank=True)
    by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("督查人员"))
    at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("审计发现的核查")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="disbursement_acknowledgement_has_reason"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="disbursement_acknowledgement_digest_shape"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.check_name}: {self.place}"
