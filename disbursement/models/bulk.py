"""The same deed on many applications (批量办理): what was asked, row by row, and what became of each."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application

_USER = settings.AUTH_USER_MODEL


class BulkDeed(models.TextChoices):
    ACCEPT = "accept", _("批量受理")
    ASSIGN = "assign", _("批量分派")
    RECOMMEND = "recommend", _("批量建议通过")
    PUBLICISE = "publicise", _("批量发起公示")
    APPROVE = "approve", _("批量审核通过")


class BulkRun(models.Model):
    """One press of the button after the preview. `key` is the preview's: pressed twice, it is the same run."""

    key = models.UUIDField(unique=True)
    deed = models.CharField(_("事项"), max_length=10, choices=BulkDeed.choices)
    note = models.TextField(_("意见"), blank=True)
    asked_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("发起人"))
    asked_at = models.DateTimeField(_("发起时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("批量办理")
        constraints = [models.CheckConstraint(condition=Q(deed__in=BulkDeed.values), name="bulkrun_deed_known")]


class BulkOutcome(models.TextChoices):
    WAITING = "waiting", _("待办理")
    DONE = "done", _("已办理")
    REFUSED = "refused", _("未办理")


class BulkRow(models.Model):
    """One application of a run, done in a transaction of its own. `revision` is the one that the preview showed."""

    run = models.ForeignKey(BulkRun, models.PROTECT, related_name="rows", verbose_name=_("批量办理"))
    application = models.ForeignKey(Application, models.PROTECT, related_name="+", verbose_name=_("申报"))
    revision = models.PositiveIntegerField()
    outcome = models.CharField(_("结果"), max_length=8, choices=BulkOutcome.choices, default=BulkOutcome.WAITING)
    message = models.TextField(_("说明"), blank=True)
    done_at = models.DateTimeField(_("办理时间"), null=True, blank=True)

    class Meta:
        ordering = ["run", "id"]
        verbose_name = verbose_name_plural = _("批量办理明细")
        constraints = [
            models.UniqueConstraint(fields=["run", "application"], name="bulkrow_once_a_run"),
            models.CheckConstraint(
                condition=Q(outcome="waiting", done_at__isnull=True, message="")
                | Q(outcome="done", done_at__isnull=False)
                | (Q(outcome="refused", done_at__isnull=False) & ~Q(message="")),
                name="bulkrow_outcome_whole",
            ),
        ]
