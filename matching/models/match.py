"""What matching found, kept until it finds otherwise."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from matching.models.enterprise import Enterprise
from matching.models.policy import PolicyVersion


class Verdict(models.TextChoices):
    ELIGIBLE = "eligible", _("符合")
    UNDETERMINED = "undetermined", _("待补充信息")
    INELIGIBLE = "ineligible", _("不符合")


class Match(models.Model):
    """The latest verdict (匹配结果) of a version in force for an enterprise; absent where ineligible and not near.

    `unmet` and `unknown` are leaf ids on the cheapest way to qualify; `as_of` is the day on which this was found (a
    later run that finds the same leaves the row alone).
    """

    enterprise = models.ForeignKey(Enterprise, models.CASCADE, related_name="matches")
    version = models.ForeignKey(PolicyVersion, models.CASCADE, related_name="matches")
    verdict = models.CharField(_("结论"), max_length=12, choices=Verdict.choices)
    form_only = models.BooleanField(_("仅待申报表填报"), default=False)
    unmet = models.JSONField(_("未满足条件"), default=list)
    unknown = models.JSONField(_("待补信息"), default=list)
    as_of = models.DateField(_("判定日"))

    class Meta:
        verbose_name = verbose_name_plural = _("匹配结果")
        constraints = [
            models.UniqueConstraint(fields=["enterprise", "version"], name="matching_match_once"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["eligible", "undetermined", "ineligible"]),
                name="matching_match_verdict_known",
            ),
            models.CheckConstraint(
                condition=models.Q(form_only=False) | models.Q(verdict="undetermined"),
                name="matching_match_form_only_is_undetermined",
            ),
        ]
        indexes = [
            models.Index(fields=["version", "verdict"]),
            # A run's chunk reads one version's rows of a stretch of enterprises.
            models.Index(fields=["version", "enterprise"], name="matching_match_stretch"),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise_id}×{self.version_id}: {self.verdict}"
