"""The steps that an item may ask for between first and second review: a visit on the spot, other departments' opinions.

Append-only (guarded by triggers): `SiteVisit`, `VisitPhoto`, `ExpertVoice`, `ExpertPaper`. A `JointReview` is asked
once and answered once, by the department or, where the request was taken back, by whoever asked.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application
from disbursement.models.files import StoredFile
from disbursement.models.review import Opinion
from matching.registry.models import Department

_USER = settings.AUTH_USER_MODEL


class SiteVisit(models.Model):
    """What was found on the spot (现场核查): who went, when, where; photographs are `VisitPhoto`."""

    application = models.ForeignKey(Application, models.PROTECT, related_name="visits", verbose_name=_("申报"))
    visited_on = models.DateField(_("核查日期"))
    place = models.CharField(_("核查地点"), max_length=200)
    visitors = models.CharField(_("核查人员"), max_length=200)
    met = models.CharField(_("企业在场人员"), max_length=200, blank=True)
    is_confirmed = models.BooleanField(_("与申报一致"))
    finding = models.TextField(_("核查情况"))
    recorded_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("登记人"))
    recorded_at = models.DateTimeField(_("登记时间"))

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("现场核查")
        constraints = [
            models.CheckConstraint(
                condition=~Q(finding="") & ~Q(place="") & ~Q(visitors=""), name="sitevisit_says_who_where_what"
            ),
        ]


class VisitPhoto(models.Model):
    """A photograph taken on a visit."""

    visit = models.ForeignKey(SiteVisit, models.PROTECT, related_name="photos", verbose_name=_("现场核查"))
    stored = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("文件"))
    name = models.CharField(_("文件名"), max_length=200)

    class Meta:
        ordering = ["visit", "id"]
        verbose_name = verbose_name_plural = _("核查照片")
        constraints = [
            models.UniqueConstraint(fields=["visit", "stored"], name="visitphoto_same_bytes_once"),
        ]


class JointAnswer(models.TextChoices):
    OPEN = "", _("待出具")
    AGREE = "agree", _("同意")
    DISAGREE = "disagree", _("不同意")
    LAPSED = "lapsed", _("逾期视为同意")
    RECALLED = "recalled", _("已撤回")


class JointReview(models.Model):
    """One department asked for its opinion (会审), within `limit` working days of its own clock.

    `silence_consents` is what the item says of a department that does not answer in time.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="joint_reviews", verbose_name=_("申报"))
    round = models.PositiveSmallIntegerField(_("次数"))
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("会审部门"))
    question = models.TextField(_("会审事项"))
    limit = models.PositiveSmallIntegerField(_("时限（工作日）"))
    silence_consents = models.BooleanField(_("逾期视为同意"))
    asked_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("提请人"))
    asked_at = models.DateTimeField(_("提请时间"))
    answer = models.CharField(_("意见"), max_length=8, choices=JointAnswer.choices, blank=True, default="")
    text = models.TextField(_("意见内容"), blank=True)
    by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("会审人"))
    at = models.DateTimeField(_("出具时间"), null=True, blank=True)

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("部门会审")
        constraints = [
            models.UniqueConstraint(fields=["application", "round", "department"], name="jointreview_asked_once"),
            models.CheckConstraint(condition=Q(limit__gte=1) & Q(round__gte=1), name="jointreview_counts_from_1"),
            models.CheckConstraint(condition=~Q(question=""), name="jointreview_asks_something"),
            models.CheckConstraint(
                condition=Q(answer="", text="", by__isnull=True, at__isnull=True)
                | (Q(answer__in=["agree", "disagree", "recalled"], by__isnull=False, at__isnull=False) & ~Q(text=""))
                | Q(answer="lapsed", silence_consents=True, by__isnull=True, at__isnull=False),
                name="jointreview_answered_whole",
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.at is None


class ExpertVoice(models.Model):
    """One expert behind an experts' opinion (专家评审): who it is; no interest binds them to the enterprise."""

    opinion = models.ForeignKey(Opinion, models.PROTECT, related_name="experts", verbose_name=_("专家意见"))
    name = models.CharField(_("姓名"), max_length=40)
    unit = models.CharField(_("工作单位"), max_length=100)
    title = models.CharField(_("职称或职务"), max_length=60, blank=True)
    is_unconcerned = models.BooleanField(_("已声明无利害关系"))

    class Meta:
        ordering = ["opinion", "id"]
        verbose_name = verbose_name_plural = _("评审专家")
        constraints = [
            models.UniqueConstraint(fields=["opinion", "name", "unit"], name="expertvoice_once"),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(unit="") & Q(is_unconcerned=True), name="expertvoice_known_and_unconcerned"
            ),
        ]


class ExpertPaper(models.Model):
    """A paper of the experts, signed as a rule, that the opinion was taken from."""

    opinion = models.ForeignKey(Opinion, models.PROTECT, related_name="papers", verbose_name=_("专家意见"))
    stored = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("文件"))
    name = models.CharField(_("文件名"), max_length=200)

    class Meta:
        ordering = ["opinion", "id"]
        verbose_name = verbose_name_plural = _("专家评审材料")
        constraints = [models.UniqueConstraint(fields=["opinion", "stored"], name="expertpaper_same_bytes_once")]
