"""What stands in for a material that is not there: a tolerated gap (容缺), a signed promise (告知承诺)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application

_USER = settings.AUTH_USER_MODEL


class ToleratedGap(models.Model):
    """A material still missing at submission (容缺受理), promised by a day; nothing is approved before it is in.

    The enterprise asks for it with its submission; the acceptor grants it by accepting.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="gaps", verbose_name=_("申报"))
    material_code = models.CharField(_("材料"), max_length=80)
    promised_by = models.DateField(_("承诺补齐日期"))
    asked_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("承诺人"))
    asked_at = models.DateTimeField(_("承诺时间"))
    granted_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("同意人")
    )
    granted_at = models.DateTimeField(_("同意时间"), null=True, blank=True)
    filled_at = models.DateTimeField(_("补齐时间"), null=True, blank=True)

    class Meta:
        ordering = ["promised_by", "id"]
        verbose_name = verbose_name_plural = _("容缺事项")
        constraints = [
            models.UniqueConstraint(fields=["application", "material_code"], name="gap_once_a_material"),
            models.CheckConstraint(
                condition=Q(granted_by__isnull=True, granted_at__isnull=True)
                | Q(granted_by__isnull=False, granted_at__isnull=False),
                name="gap_granted_by_somebody",
            ),
        ]


class Promise(models.Model):
    """A signed promise that stands in for a material (告知承诺); `kept` is what a later check found."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="promises", verbose_name=_("申报"))
    material_code = models.CharField(_("替代材料"), max_length=80)
    text = models.TextField(_("承诺内容"))
    signed_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("承诺人"))
    signed_at = models.DateTimeField(_("承诺时间"))
    kept = models.BooleanField(_("已履行"), null=True, blank=True)
    checked_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("核查人")
    )
    checked_at = models.DateTimeField(_("核查时间"), null=True, blank=True)
    finding = models.TextField(_("核查情况"), blank=True)

    class Meta:
        ordering = ["signed_at", "id"]
        verbose_name = verbose_name_plural = _("告知承诺")
        constraints = [
            models.UniqueConstraint(fields=["application", "material_code"], name="promise_once_a_material"),
            models.CheckConstraint(
                condition=Q(kept__isnull=True, checked_by__isnull=True, checked_at__isnull=True, finding="")
                | (Q(kept__isnull=False, checked_by__isnull=False, checked_at__isnull=False) & ~Q(finding="")),
                name="promise_checked_whole",
            ),
        ]
