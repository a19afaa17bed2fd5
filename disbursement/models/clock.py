"""The clocks of an application's steps, and the cards they drew. Days are calendar days in Asia/Shanghai.

Append-only (guarded by triggers on PostgreSQL): `ClockCard`.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.clocks import Clock, Colour, Pause
from disbursement.domain.workflow import ClockStep
from disbursement.models.application import Application
from matching.registry.models import Department


class StepClock(models.Model):
    """How long one step of one application has taken: limits in working days, days of its life, who holds
    it.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="clocks", verbose_name=_("申报"))
    step = models.CharField(_("环节"), max_length=12, choices=ClockStep.choices())
    statutory_limit = models.PositiveSmallIntegerField(_("法定时限（工作日）"))
    promised_limit = models.PositiveSmallIntegerField(_("承诺时限（工作日）"))
    started_on = models.DateField(_("起算日"))
    stopped_on = models.DateField(_("停止日"), null=True, blank=True)
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("责任部门"))
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("责任人")
    )

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("办理时限")
        constraints = [
            models.UniqueConstraint(
                fields=["application", "step"], condition=~Q(step=ClockStep.JOINT), name="stepclock_one_a_step"
            ),
            models.UniqueConstraint(
                fields=["application", "department"],
                condition=Q(step=ClockStep.JOINT, stopped_on__isnull=True),
                name="stepclock_one_running_a_department",
            ),
            models.CheckConstraint(condition=Q(step__in=[s.value for s in ClockStep]), name="stepclock_step_known"),
            models.CheckConstraint(
                condition=Q(promised_limit__gte=1) & Q(statutory_limit__gte=F("promised_limit")),
                name="stepclock_promise_within_statute",
            ),
            models.CheckConstraint(
                condition=Q(stopped_on__isnull=True) | Q(stopped_on__gte=F("started_on")),
                name="stepclock_stops_after_it_starts",
            ),
        ]
        indexes = [
            models.Index(fields=["step", "started_on"], condition=Q(stopped_on__isnull=True), name="stepclock_running")
        ]

    def as_clock(self, pauses: Iterable["ClockPause"] | None = None) -> Clock:
        """The pure clock of the promised limit; `pauses` where they are already at hand."""
        rows = self.pauses.all() if pauses is None else pauses
        return Clock(
            start=self.started_on,
            limit=self.promised_limit,
            pauses=tuple(Pause(row.started_on, row.ended_on) for row in rows),
            stopped=self.stopped_on,
        )


class ClockPause(models.Model):
    """The clock stands still (补正, 专家评审, 公示) from `started_on` until `ended_on`."""

    clock = models.ForeignKey(StepClock, models.PROTECT, related_name="pauses", verbose_name=_("时限"))
    started_on = models.DateField(_("暂停日"))
    ended_on = models.DateField(_("恢复日"), null=True, blank=True)
    reason = models.CharField(_("原因"), max_length=40)

    class Meta:
        ordering = ["clock", "id"]
        verbose_name = verbose_name_plural = _("时限暂停")
        constraints = [
            models.UniqueConstraint(fields=["clock"], condition=Q(ended_on__isnull=True), name="clockpause_one_open"),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")), name="clockpause_in_order"
            ),
        ]


class ClockCard(models.Model):
    """A yellow or red card (黄牌, 红牌), drawn once for each clock and colour, charged to department and
    person.
    """

    clock = models.ForeignKey(StepClock, models.PROTECT, related_name="cards", verbose_name=_("时限"))
    colour = models.CharField(_("牌色"), max_length=8, choices=[c for c in Colour.choices() if c[0] != "green"])
    charged_on = models.DateField(_("出牌日"))
    used = models.PositiveSmallIntegerField(_("已用工作日"))
    limit = models.PositiveSmallIntegerField(_("时限（工作日）"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("责任部门"))
    holder = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("责任人")
    )

    class Meta:
        ordering = ["-charged_on", "-id"]
        verbose_name = verbose_name_plural = _("红黄牌")
        constraints = [
            models.UniqueConstraint(fields=["clock", "colour"], name="clockcard_once"),
            models.CheckConstraint(
                condition=Q(colour="yellow") | Q(colour="red", used__gt=F("limit")),
                name="clockcard_red_only_past_limit",
            ),
        ]
