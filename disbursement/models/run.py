"""Long work with money that is done in the background: what it is, how far it has come, how it ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.batch import Cycle
from disbursement.models.returns import ReturnFile


class RunKind(models.TextChoices):
    CUT_OFF = "cut_off", _("截止")
    SEAL = "seal", _("封存并发送")
    RETURNS = "returns", _("回单入账")
    PREFLIGHT = "look", _("预检")
    YEAR_END = "year_end", _("年终关账")


class RunState(models.TextChoices):
    WAITING = "waiting", _("等待开始")
    RUNNING = "running", _("进行中")
    DONE = "done", _("已完成")
    REFUSED = "refused", _("未能完成")
    BROKEN = "broken", _("中断")


class BackgroundRun(models.Model):
    """One run (后台办理) of a month, a return file or a budget year. It moves no money itself: what it does can be done
    again, by hand or by another run, and what was done stands. `done` of `total` are steps of the work; `beat_at` is
    when it last told of any.
    """

    kind = models.CharField(_("事项"), max_length=8, choices=RunKind.choices)
    cycle = models.ForeignKey(Cycle, models.PROTECT, null=True, blank=True, related_name="runs")
    file = models.ForeignKey(ReturnFile, models.PROTECT, null=True, blank=True, related_name="runs")
    year = models.PositiveSmallIntegerField(_("预算年度"), null=True, blank=True)
    # On which a year is closed.
    paper_number = models.CharField(_("批准文号"), max_length=80, blank=True)
    state = models.CharField(_("状态"), max_length=8, choices=RunState.choices, default=RunState.WAITING.value)
    step = models.CharField(_("步骤"), max_length=200, blank=True)
    done = models.PositiveIntegerField(_("已完成"), default=0)
    total = models.PositiveIntegerField(_("合计"), default=0)
    message = models.TextField(_("结果"), blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField(_("发起时间"))
    beat_at = models.DateTimeField(_("最近进展"))
    ended_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("后台办理")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["cut_off", "seal", "look"], cycle__isnull=False, file__isnull=True, year=None)
                | Q(kind="returns", cycle__isnull=True, file__isnull=False, year=None)
                | (Q(kind="year_end", cycle__isnull=True, file__isnull=True, year__isnull=False) & ~Q(paper_number="")),
                name="disbursement_run_subject_of_kind",
            ),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="disbursement_run_state_known"),
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="disbursement_run_done_within_total"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running"], ended_at__isnull=True)
                | Q(state__in=["done", "refused", "broken"], ended_at__isnull=False),
                name="disbursement_run_ended_has_time",
            ),
            models.UniqueConstraint(
                fields=["kind", "cycle"],
                condition=Q(state__in=["waiting", "running"], cycle__isnull=False),
                name="disbursement_run_one_of_a_cycle",
            ),
            models.UniqueConstraint(
                fields=["file"],
                condition=Q(state__in=["waiting", "running"], file__isnull=False),
                name="disbursement_run_one_of_a_file",
            ),
            models.UniqueConstraint(
                fields=["year"],
                condition=Q(state__in=["waiting", "running"], year__isnull=False),
                name="disbursement_run_one_of_a_year",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.cycle or self.file or self.year}"

    @property
    def is_over(self) -> bool:
        return self.state in (RunState.DONE, RunState.REFUSED, RunState.BROKEN)

    @property
    def percent(self) -> int:
        """How much of the work is done, 0 to 100."""
        return 100 if self.state == RunState.DONE else 100 * self.done // max(self.total, 1)
