"""An item told to an enterprise."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from matching.models.enterprise import Enterprise
from matching.models.match import Verdict
from matching.models.policy import PolicyVersion


class PushCause(models.TextChoices):
    POLICY = "policy", _("政策发布或调整")
    PROFILE = "profile", _("企业信息更新")
    DATE = "date", _("日期推移")


class Push(models.Model):
    """One item, told to one enterprise (推送), for a reason; once for each version and verdict."""

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="pushes", verbose_name=_("企业"))
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="pushes", verbose_name=_("政策版本"))
    verdict = models.CharField(_("结论"), max_length=12, choices=Verdict.choices)
    cause = models.CharField(_("起因"), max_length=10, choices=PushCause.choices)
    # The sentences that say why it fits, as they stood on that day.
    reason = models.JSONField(_("理由"))
    created_at = models.DateTimeField(_("推送时间"))

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = verbose_name_plural = _("推送")
        # A run's chunk reads one version's pushes to a stretch of enterprises.
        indexes = [models.Index(fields=["version", "enterprise"], name="matching_push_stretch")]
        constraints = [
            models.UniqueConstraint(fields=["enterprise", "version", "verdict"], name="matching_push_told_once"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["eligible", "undetermined"]),
                name="matching_push_only_fitting",
            ),
            models.CheckConstraint(condition=models.Q(cause__in=PushCause.values), name="matching_push_cause_known"),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise_id} ← {self.version_id}"
