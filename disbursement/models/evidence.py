"""The evidence library (电子证照库): certificates and files of an enterprise, given once, with their validity.

A certificate is a row with versions; a version never changes. What happened to it stands in events, which are only
ever added. The application that used a version keeps its bytes (`Material.evidence_version`), whatever follows.
"""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.files import StoredFile
from matching.models import Enterprise
from matching.registry.models import Department

_USER = settings.AUTH_USER_MODEL


class EvidenceSource(models.TextChoices):
    """Who put it there. What the issuing department registered itself is the stronger."""

    OWN = "own", _("企业自存")
    ATTESTED = "attested", _("部门登记")


class Evidence(models.Model):
    """One certificate or file of an enterprise (证照). `kind` is the code under which items ask for it."""

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="evidence", verbose_name=_("企业"))
    kind = models.CharField(_("种类"), max_length=80)
    kind_name = models.CharField(_("种类名称"), max_length=200)
    source = models.CharField(_("来源"), max_length=8, choices=EvidenceSource.choices)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("登记部门")
    )
    opened_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("存入人"))
    opened_at = models.DateTimeField(_("存入时间"))
    withdrawn_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("停用人")
    )
    withdrawn_at = models.DateTimeField(_("停用时间"), null=True, blank=True)
    withdraw_reason = models.CharField(_("停用原因"), max_length=300, blank=True)

    class Meta:
        ordering = ["enterprise", "kind", "id"]
        verbose_name = verbose_name_plural = _("证照")
        indexes = [models.Index(fields=["enterprise", "kind"], name="evidence_by_kind")]
        constraints = [
            models.CheckConstraint(condition=~Q(kind="") & ~Q(kind_name=""), name="evidence_kind_named"),
            models.CheckConstraint(
                condition=Q(source=EvidenceSource.OWN, department__isnull=True)
                | Q(source=EvidenceSource.ATTESTED, department__isnull=False),
                name="evidence_attested_by_a_department",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True, withdraw_reason="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdraw_reason="")),
                name="evidence_withdrawn_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.kind_name


class EvidenceVersion(models.Model):
    """One state of a certificate: its bytes, number, issuer and validity. The latest is the one in use. Append-only."""

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="versions", verbose_name=_("证照"))
    seq = models.PositiveSmallIntegerField(_("版次"))
    stored = models.ForeignKey(StoredFile, models.PROTECT, related_name="versions", verbose_name=_("文件"))
    name = models.CharField(_("文件名"), max_length=200)
    number = models.CharField(_("证照编号"), max_length=100, blank=True)
    issuer = models.CharField(_("签发单位"), max_length=200)
    issued_on = models.DateField(_("签发日期"))
    valid_until = models.DateField(_("有效期至"), null=True, blank=True)
    is_long_term = models.BooleanField(_("长期有效"))
    given_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("提供人"))
    given_at = models.DateTimeField(_("提供时间"))

    class Meta:
        ordering = ["evidence", "seq"]
        verbose_name = verbose_name_plural = _("证照版本")
        constraints = [
            models.UniqueConstraint(fields=["evidence", "seq"], name="evidenceversion_seq_once"),
            models.CheckConstraint(condition=Q(seq__gt=0), name="evidenceversion_seq_from_1"),
            models.CheckConstraint(condition=~Q(issuer=""), name="evidenceversion_issuer_named"),
            models.CheckConstraint(
                condition=Q(is_long_term=True, valid_until__isnull=True)
                | Q(is_long_term=False, valid_until__gte=F("issued_on")),
                name="evidenceversion_validity_said",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_valid_on(self, day: date) -> bool:
        """Both days included, in Asia/Shanghai."""
        return self.issued_on <= day and (self.valid_until is None or day <= self.valid_until)


class EvidenceEventKind(models.TextChoices):
    ADDED = "added", _("存入")
    REPLACED = "replaced", _("换新")
    WITHDRAWN = "withdrawn", _("停用")
    EXPIRING = "expiring", _("临近到期")
    EXPIRED = "expired", _("到期")
    INFECTED = "infected", _("查出病毒")
    CLEARED = "cleared", _("查毒通过")


class EvidenceEvent(models.Model):
    """What happened to a certificate, when, and by whom (empty: by itself). Each kind once a version. Append-only."""

    version = models.ForeignKey(EvidenceVersion, models.PROTECT, related_name="events", verbose_name=_("证照版本"))
    kind = models.CharField(_("事项"), max_length=10, choices=EvidenceEventKind.choices)
    by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("经办人"))
    at = models.DateTimeField(_("时间"))
    note = models.CharField(_("说明"), max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("证照记录")
        constraints = [
            models.UniqueConstraint(fields=["version", "kind"], name="evidenceevent_once"),
            models.CheckConstraint(condition=Q(kind__in=EvidenceEventKind.values), name="evidenceevent_kind_known"),
        ]

    def __str__(self) -> str:
        return self.kind
