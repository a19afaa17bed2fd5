"""The working-day calendar as the district edits it: a year entered here replaces the shipped one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CalendarYear(models.Model):
    """One year whose special days are complete."""

    year = models.PositiveSmallIntegerField(_("年份"), unique=True)
    is_official = models.BooleanField(_("已按国务院办公厅通知核对"), default=False)
    source = models.CharField(_("依据"), max_length=200, blank=True)

    class Meta:
        ordering = ["year"]
        verbose_name = verbose_name_plural = _("工作日历年度")
        constraints = [
            models.CheckConstraint(
                condition=Q(year__gte=2000) & Q(year__lte=2199), name="disbursement_calendaryear_plausible"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year}年"


class SpecialDay(models.Model):
    """A public holiday, or (`is_working`) a weekend worked to make up for one."""

    year = models.ForeignKey(CalendarYear, models.CASCADE, related_name="days", verbose_name=_("年度"))
    day = models.DateField(_("日期"), unique=True)
    is_working = models.BooleanField(_("调休上班"), default=False)
    name = models.CharField(_("节日"), max_length=40)

    class Meta:
        ordering = ["day"]
        verbose_name = verbose_name_plural = _("节假日与调休")

    def __str__(self) -> str:
        return f"{self.day} {self.name}"
