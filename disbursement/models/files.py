"""Bytes that people handed in, each once under its SHA-256, and who of the district read them."""

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def private_storage() -> Storage:
    """Where files lie that no web server serves."""
    return storages["private"]


class FileType(models.TextChoices):
    """Content types that are taken, as found in the bytes (`disbursement.scanning.FileKind`)."""

    PDF = "application/pdf", "PDF"
    OFD = "application/ofd", "OFD"
    JPEG = "image/jpeg", "JPG"
    PNG = "image/png", "PNG"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "DOCX"


class ScanState(models.TextChoices):
    """What the virus scanner said. `none`: no scanner was configured when the file came in."""

    NONE = "none", _("未配置查毒")
    WAITING = "waiting", _("等待查毒")
    CLEAN = "clean", _("查毒通过")
    INFECTED = "infected", _("发现病毒")


class StoredFile(models.Model):
    """The bytes of one or many materials and certificates. They lie under their hash and are never overwritten.

    While a file waits for the scanner, or was found infected, nobody opens it.
    """

    sha256 = models.CharField(_("摘要"), max_length=64, unique=True)
    path = models.CharField(_("存放位置"), max_length=200)
    size = models.PositiveIntegerField(_("大小（字节）"))
    content_type = models.CharField(_("类型"), max_length=80, choices=FileType.choices)
    scan = models.CharField(_("查毒"), max_length=8, choices=ScanState.choices)
    finding = models.CharField(_("查毒结果"), max_length=200, blank=True)
    scanned_at = models.DateTimeField(_("查毒时间"), null=True, blank=True)
    stored_at = models.DateTimeField(_("存入时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("存放的文件")
        indexes = [
            models.Index(fields=["stored_at"], name="storedfile_waiting", condition=Q(scan="waiting")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="storedfile_not_empty"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="storedfile_hash_shape"),
            models.CheckConstraint(condition=Q(content_type__in=FileType.values), name="storedfile_type_taken"),
            models.CheckConstraint(
                condition=Q(scan__in=[ScanState.NONE, ScanState.WAITING], scanned_at__isnull=True, finding="")
                | Q(scan=ScanState.CLEAN, scanned_at__isnull=False, finding="")
                | (Q(scan=ScanState.INFECTED, scanned_at__isnull=False) & ~Q(finding="")),
                name="storedfile_scan_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def may_be_opened(self) -> bool:
        return self.scan in (ScanState.NONE, ScanState.CLEAN)


class FileReading(models.Model):
    """A person of the district opened a file (查阅记录): which bytes, as what. Append-only."""

    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("查阅人"))
    at = models.DateTimeField(_("查阅时间"))
    sha256 = models.CharField(_("摘要"), max_length=64)
    material = models.ForeignKey(
        "disbursement.Material", models.PROTECT, null=True, blank=True, related_name="readings", verbose_name=_("材料")
    )
    version = models.ForeignKey(
        "disbursement.EvidenceVersion",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="readings",
        verbose_name=_("证照版本"),
    )

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("查阅记录")
        constraints = [
            models.CheckConstraint(
                condition=Q(material__isnull=False, version__isnull=True)
                | Q(material__isnull=True, version__isnull=False),
                name="filereading_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} {self.at:%Y-%m-%d %H:%M}"
