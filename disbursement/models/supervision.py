"""The supervision of time and care (电子监察): warnings before cards, the ledger, what is contested, what is urged.

Append-only (guarded by triggers): `ClockWarning`, `SupervisionEntry`. An `EntryAppeal` and an `Urging` are answered
once; nothing of them is ever deleted.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.supervision import EntryKind, WarningLevel
from disbursement.domain.workflow import ClockStep
from disbursement.models.application import Application
from disbursement.models.clock import StepClock
from matching.registry.models import Department

_USER = settings.AUTH_USER_MODEL


class WarningRule(models.Model):
    """When the holder of a step is warned (预警设置): at a share of the limit, or so many working days before its end.

    A step without a rule takes `domain.supervision.DEFAULT_RULE`.
    """

    step = models.CharField(_("环节"), max_length=12, choices=ClockStep.choices(), unique=True)
    percent = models.PositiveSmallIntegerField(
        _("用去时限的比例（%）"), null=True, blank=True, help_text=_("达到即提醒；应低于黄牌线 80%。留空不按比例提醒。")
    )
    days_before = models.PositiveSmallIntegerField(
        _("到期前的工作日数"), null=True, blank=True, help_text=_("剩余不超过这个数即提醒。留空不按天数提醒。")
    )
    changed_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("设置人"))
    changed_at = models.DateTimeField(_("设置时间"))

    class Meta:
        ordering = ["step"]
        verbose_name = verbose_name_plural = _("预警设置")
        constraints = [
            models.CheckConstraint(condition=Q(step__in=[s.value for s in ClockStep]), name="warningrule_step_known"),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__gte=1, percent__lt=80), name="warningrule_before_yellow"
            ),
            models.CheckConstraint(
                condition=Q(days_before__isnull=True) | Q(days_before__gte=1, days_before__lte=60),
                name="warningrule_days_in_bounds",
            ),
        ]


class ClockWarning(models.Model):
    """A clock came near its limit and its holder was told (预警): once for each clock and level."""

    clock = models.ForeignKey(StepClock, models.PROTECT, related_name="warnings", verbose_name=_("时限"))
    level = models.CharField(_("预警"), max_length=8, choices=WarningLevel.choices())
    used = models.PositiveSmallIntegerField(_("已用工作日"))
    limit = models.PositiveSmallIntegerField(_("时限（工作日）"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("责任部门"))
    holder = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("责任人"))
    warned_at = models.DateTimeField(_("预警时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("时限预警")
        constraints = [
            models.UniqueConstraint(fields=["clock", "level"], name="clockwarning_once"),
            models.CheckConstraint(
                condition=Q(level__in=[level.value for level in WarningLevel]), name="clockwarning_level_known"
            ),
            models.CheckConstraint(condition=Q(used__lte=F("limit")), name="clockwarning_within_limit"),
        ]


class SupervisionEntry(models.Model):
    """One line of the ledger (监察台账): what happened, in whose charge, on which day. Never changed, never deleted;
    what proved wrong is struck out by an `EntryAppeal` that was upheld.

    `source` names the row from which the line was written (`card:12`): it is written once. How the step ended stands on
    `clock`.
    """

    kind = models.CharField(_("类别"), max_length=16, choices=EntryKind.choices())
    source = models.CharField(_("来源"), max_length=40, unique=True)
    application = models.ForeignKey(Application, models.PROTECT, related_name="supervision", verbose_name=_("申报"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("责任部门"))
    person = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("责任人"))
    clock = models.ForeignKey(
        StepClock, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("时限")
    )
    limit = models.PositiveSmallIntegerField(_("时限（工作日）"), null=True, blank=True)
    used = models.PositiveSmallIntegerField(_("已用工作日"), null=True, blank=True)
    text = models.CharField(_("情况"), max_length=500)
    happened_on = models.DateField(_("发生日期"))
    entered_at = models.DateTimeField(_("登记时间"))

    class Meta:
        ordering = ["-happened_on", "-id"]
        verbose_name = verbose_name_plural = _("监察台账")
        indexes = [
            models.Index(fields=["-happened_on", "-id"], name="supervisionentry_by_day"),
            models.Index(fields=["department", "-happened_on"], name="supervisionentry_by_place"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in EntryKind]) & ~Q(text="") & ~Q(source=""),
                name="supervisionentry_says_what",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["warning", "yellow", "red"])
                | Q(clock__isnull=False, limit__isnull=False, used__isnull=False),
                name="supervisionentry_of_a_clock",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.happened_on}"


class EntryAppeal(models.Model):
    """The person charged says that a line is wrong (申辩); a supervisor decides, once, with reasons.

    `is_struck` True: the line is struck out, stands in the ledger with the reason, and counts nowhere.
    """

    entry = models.OneToOneField(SupervisionEntry, models.PROTECT, related_name="appeal", verbose_name=_("台账记录"))
    grounds = models.TextField(_("申辩理由"))
    filed_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("申辩人"))
    filed_at = models.DateTimeField(_("申辩时间"))
    is_struck = models.BooleanField(_("予以撤销"), null=True, blank=True)
    decision = models.TextField(_("处理理由"), blank=True)
    decided_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("处理人")
    )
    decided_at = models.DateTimeField(_("处理时间"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("台账申辩")
        constraints = [
            models.CheckConstraint(condition=~Q(grounds=""), name="entryappeal_gives_grounds"),
            models.CheckConstraint(
                condition=Q(is_struck__isnull=True, decision="", decided_by__isnull=True, decided_at__isnull=True)
                | (Q(is_struck__isnull=False, decided_by__isnull=False, decided_at__isnull=False) & ~Q(decision="")),
                name="entryappeal_decided_whole",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("filed_by")),
                name="entryappeal_decided_by_another",
            ),
        ]


class Urging(models.Model):
    """A supervisor urges a department in writing (督办): it answers by a day (整改说明), and the supervisor closes it.

    `is_settled` is what the supervisor finds of the answer; where it does not do, another urging follows.
    """

    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("督办部门"))
    person = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("督办人员")
    )
    application = models.ForeignKey(
        Application, models.PROTECT, null=True, blank=True, related_name="urgings", verbose_name=_("申报")
    )
    entry = models.ForeignKey(
        SupervisionEntry, models.PROTECT, null=True, blank=True, related_name="urgings", verbose_name=_("台账记录")
    )
    text = models.TextField(_("督办要求"))
    due_on = models.DateField(_("答复期限"))
    sent_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("督办发起人"))
    sent_at = models.DateTimeField(_("发出时间"))
    reply = models.TextField(_("整改说明"), blank=True)
    replied_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("答复人")
    )
    replied_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    is_settled = models.BooleanField(_("整改到位"), null=True, blank=True)
    closing = models.TextField(_("办结意见"), blank=True)
    closed_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("办结人")
    )
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("督办")
        indexes = [models.Index(fields=["department", "closed_at"], name="urging_open_by_place")]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="urging_asks_something"),
            models.CheckConstraint(
                condition=Q(reply="", replied_by__isnull=True, replied_at__isnull=True)
                | (Q(replied_by__isnull=False, replied_at__isnull=False) & ~Q(reply="")),
                name="urging_replied_whole",
            ),
            models.CheckConstraint(
                condition=Q(closing="", is_settled__isnull=True, closed_by__isnull=True, closed_at__isnull=True)
                | (
                    Q(is_settled__isnull=False, closed_by__isnull=False, closed_at__isnull=False)
                    & Q(replied_at__isnull=False)
                    & ~Q(closing="")
                ),
                name="urging_closed_whole",
            ),
            models.CheckConstraint(
                condition=Q(replied_by__isnull=True) | ~Q(replied_by=F("sent_by")), name="urging_replied_by_another"
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None
