"""How an application is handled by its item's way of delivery: the lane taken, what a machine verified, a promise of
time, and what of the machine's decisions is drawn for a person's audit.

Append-only (guarded by triggers): `LaneChoice`, `MachineVerification`, `MachineDraw`.
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.delivery import Lane
from disbursement.models.application import Application, Judgement
from disbursement.models.quality import QualityDraw
from matching.delivery_terms import MODES

_MODES = [(code, _(label)) for code, label in MODES.items()]


class LaneChoice(models.Model):
    """The lane that an application takes from now on, and why (append-only): the highest `seq` counts.

    `reasons` are [{"code", "text"}]: why it is not on the lane that its item offers.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="lanes", verbose_name=_("申报"))
    seq = models.PositiveSmallIntegerField()
    mode = models.CharField(_("办理方式"), max_length=12, choices=_MODES)
    lane = models.CharField(_("通道"), max_length=10, choices=Lane.choices())
    reasons = models.JSONField(_("原因"), default=list)
    at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["application", "seq"]
        verbose_name = verbose_name_plural = _("办理通道")
        constraints = [
            models.UniqueConstraint(fields=["application", "seq"], name="lanechoice_in_order"),
            models.CheckConstraint(condition=Q(mode__in=list(MODES)), name="lanechoice_mode_known"),
            models.CheckConstraint(condition=Q(lane__in=[lane.value for lane in Lane]), name="lanechoice_lane_known"),
        ]


class MachineVerification(models.Model):
    """What the machine verified of an application at its submission, and whether it may act on it (append-only).

    `proofs` are the facts that data proves, as {"fact", "label", "source", "valid_on"}; `reasons` what stood against
    it. `accepts`, `reviews` and `decides` are the steps that it may take; the database lets the machine take no other.
    `amount` and `most` are 元.
    """

    application = models.OneToOneField(Application, models.PROTECT, related_name="verification", verbose_name=_("申报"))
    mode = models.CharField(_("办理方式"), max_length=12, choices=_MODES)
    judgement = models.ForeignKey(Judgement, models.PROTECT, related_name="+", verbose_name=_("判定记录"))
    passed = models.BooleanField(_("核验通过"))
    accepts = models.BooleanField(_("受理"), default=False)
    reviews = models.BooleanField(_("初审"), default=False)
    decides = models.BooleanField(_("复审决定"), default=False)
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    most = models.DecimalField(_("金额上限（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    proofs = models.JSONField(_("数据核验"), default=list)
    reasons = models.JSONField(_("原因"), default=list)
    made_at = models.DateTimeField(_("核验时间"))

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("系统核验")
        constraints = [
            models.CheckConstraint(
                condition=Q(passed=True, accepts=True, amount__isnull=False, amount__gt=0)
                | Q(passed=False, accepts=False, reviews=False, decides=False),
                name="verification_acts_only_if_passed",
            ),
            models.CheckConstraint(
                condition=Q(decides=False) | Q(reviews=True), name="verification_decides_what_it_reviews"
            ),
            models.CheckConstraint(
                condition=Q(passed=False) | Q(most__isnull=True) | Q(amount__lte=F("most")),
                name="verification_within_its_limit",
            ),
        ]


class MachineDraw(models.Model):
    """How many of an item's decisions by machine a month's draw drew from, and at which share in % (append-only)."""

    draw = models.ForeignKey(QualityDraw, models.PROTECT, related_name="machine_draws", verbose_name=_("抽查批次"))
    item_code = models.CharField(_("事项编码"), max_length=60)
    share = models.PositiveSmallIntegerField(_("抽查比例（%）"))
    population = models.PositiveIntegerField(_("系统决定件数"))

    class Meta:
        ordering = ["draw", "item_code"]
        verbose_name = verbose_name_plural = _("系统决定抽查")
        constraints = [
            models.UniqueConstraint(fields=["draw", "item_code"], name="machinedraw_once_an_item"),
            models.CheckConstraint(condition=Q(share__lte=100), name="machinedraw_share"),
        ]


class TimePromise(models.Model):
    """A promise of time (限时即享): a decision within `days` working days of acceptance, at first by `due_on`, and the
    money in `pay_month` (its first day; empty where nothing is paid). The clock of the review measures it.

    `broken_on` is the day on which it was found to be past; `kept` is what came of it, empty where the enterprise
    withdrew.
    """

    application = models.OneToOneField(Application, models.PROTECT, related_name="time_promise", verbose_name=_("申报"))
    days = models.PositiveSmallIntegerField(_("承诺时限（工作日）"))
    promised_on = models.DateField(_("承诺日"))
    due_on = models.DateField(_("最迟决定日"))
    pay_month = models.DateField(_("承诺兑现月份"), null=True, blank=True)
    broken_on = models.DateField(_("超限日"), null=True, blank=True)
    ended_on = models.DateField(_("决定日"), null=True, blank=True)
    used = models.PositiveSmallIntegerField(_("实际用时（工作日）"), null=True, blank=True)
    kept = models.BooleanField(_("已兑现承诺"), null=True, blank=True)

    class Meta:
        ordering = ["-promised_on", "-id"]
        verbose_name = verbose_name_plural = _("限时承诺")
        constraints = [
            models.CheckConstraint(
                condition=Q(days__gte=1) & Q(due_on__gte=F("promised_on")), name="timepromise_ahead"
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True, used__isnull=True, kept__isnull=True)
                | Q(ended_on__isnull=False, used__isnull=True, kept__isnull=True)
                | Q(ended_on__isnull=False, used__lte=F("days"), kept=True)
                | Q(ended_on__isnull=False, used__gt=F("days"), kept=False),
                name="timepromise_kept_as_measured",
            ),
        ]
