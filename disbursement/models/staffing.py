"""On whose desk an application lies: who is away and who stands in, and each time it changed hands.

Append-only (guarded by triggers): `Handover`.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application

_USER = settings.AUTH_USER_MODEL


class Absence(models.Model):
    """A person is away (休假、外出) from `starts_on` to `ends_on`, both included; the deputy has their desk meanwhile.

    Days are calendar days in Asia/Shanghai. Nobody is away twice at once (a trigger says so).
    """

    person = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("离岗人员"))
    deputy = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("代理人员"))
    starts_on = models.DateField(_("开始日"))
    ends_on = models.DateField(_("结束日"))
    reason = models.CharField(_("事由"), max_length=200)
    declared_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("登记人"))
    declared_at = models.DateTimeField(_("登记时间"))
    ended_at = models.DateTimeField(_("提前结束时间"), null=True, blank=True)

    class Meta:
        ordering = ["-starts_on", "-id"]
        verbose_name = verbose_name_plural = _("离岗代理")
        constraints = [
            models.CheckConstraint(condition=~Q(person=F("deputy")), name="absence_deputy_is_another"),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="absence_days_in_order"),
            models.CheckConstraint(condition=~Q(reason=""), name="absence_gives_reason"),
        ]


class HandoverKind(models.TextChoices):
    ASSIGNED = "assigned", _("分派")
    REASSIGNED = "reassigned", _("改派")
    DEPUTISED = "deputised", _("代理")
    RELEASED = "released", _("退回待领")
    RETURNED = "returned", _("代理期满交还")


class Handover(models.Model):
    """An application passes to another desk; `by` None: the machine, because of an absence."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="handovers", verbose_name=_("申报"))
    kind = models.CharField(_("方式"), max_length=10, choices=HandoverKind.choices)
    giver = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("原经办"))
    taker = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("现经办"))
    absence = models.ForeignKey(
        Absence, models.PROTECT, null=True, blank=True, related_name="handovers", verbose_name=_("离岗")
    )
    reason = models.CharField(_("理由"), max_length=300, blank=True)
    by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作人"))
    at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("转办记录")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="assigned", taker__isnull=False, absence__isnull=True)
                | (Q(kind="reassigned", taker__isnull=False, by__isnull=False, absence__isnull=True) & ~Q(reason=""))
                | Q(kind__in=["deputised", "returned"], taker__isnull=False, giver__isnull=False, absence__isnull=False)
                | Q(kind="released", taker__isnull=True, giver__isnull=False, absence__isnull=False),
                name="handover_whole",
            ),
            models.CheckConstraint(
                condition=Q(giver__isnull=True) | Q(taker__isnull=True) | ~Q(giver=F("taker")),
                name="handover_to_another",
            ),
        ]
