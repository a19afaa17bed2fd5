"""Ratings of the service (好差评), and what the district does about the worst of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application
from matching.registry.models import Department

_USER = settings.AUTH_USER_MODEL


class RatingLevel(models.IntegerChoices):
    VERY_SATISFIED = 5, _("非常满意")
    SATISFIED = 4, _("满意")
    FAIR = 3, _("基本满意")
    DISSATISFIED = 2, _("不满意")
    VERY_DISSATISFIED = 1, _("非常不满意")


LOWEST_TWO = (RatingLevel.DISSATISFIED.value, RatingLevel.VERY_DISSATISFIED.value)


class Rating(models.Model):
    """What an enterprise thinks of how its application was handled; once for each application.

    `rectify_by` is set exactly where the level is one of the lowest two: the `Rectification` must be answered
    by then.
    """

    application = models.OneToOneField(Application, models.PROTECT, related_name="rating", verbose_name=_("申报"))
    level = models.PositiveSmallIntegerField(_("评价"), choices=RatingLevel.choices)
    comment = models.TextField(_("意见"), blank=True)
    rated_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("评价人"))
    rated_at = models.DateTimeField(_("评价时间"))
    rectify_by = models.DateField(_("整改期限"), null=True, blank=True)

    class Meta:
        ordering = ["-rated_at", "-id"]
        verbose_name = verbose_name_plural = _("好差评")
        constraints = [
            models.CheckConstraint(condition=Q(level__in=RatingLevel.values), name="rating_level_known"),
            models.CheckConstraint(
                condition=Q(level__in=LOWEST_TWO, rectify_by__isnull=False)
                | (~Q(level__in=LOWEST_TWO) & Q(rectify_by__isnull=True)),
                name="rating_lowest_two_are_rectified",
            ),
        ]


class Rectification(models.Model):
    """What is done about a low rating (整改): opened with it, answered by its department within the limit."""

    rating = models.OneToOneField(Rating, models.PROTECT, related_name="rectification", verbose_name=_("评价"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("责任部门"))
    due_on = models.DateField(_("整改期限"))
    opened_at = models.DateTimeField(_("发起时间"))
    answered_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    answered_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("答复人")
    )
    reply = models.TextField(_("整改答复"), blank=True)

    class Meta:
        ordering = ["due_on", "id"]
        verbose_name = verbose_name_plural = _("差评整改")
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, reply="")
                | (Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(reply="")),
                name="rectification_answered_whole",
            ),
        ]
