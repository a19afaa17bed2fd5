"""What an enterprise hands in with an application."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application
from disbursement.models.evidence import EvidenceVersion
from disbursement.models.files import FileType, private_storage


class Material(models.Model):
    """One file of an application (材料). A file is never overwritten: a replaced one keeps its row,
    `replaced_at` set.

    `code` is that of the item's list of materials. Files lie under their SHA-256 (`StoredFile`); rows may share one.
    `evidence_version` is the version of a certificate in the library from which it was taken, bytes and all.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="materials", verbose_name=_("申报"))
    code = models.CharField(_("材料"), max_length=80)
    file = models.FileField(_("文件"), storage=private_storage, max_length=200)
    name = models.CharField(_("文件名"), max_length=200)
    content_type = models.CharField(_("类型"), max_length=80, choices=FileType.choices)
    size = models.PositiveIntegerField(_("大小（字节）"))
    sha256 = models.CharField(_("摘要"), max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("上传人")
    )
    uploaded_at = models.DateTimeField(_("上传时间"))
    reused_from = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("沿用自")
    )
    evidence_version = models.ForeignKey(
        EvidenceVersion, models.PROTECT, null=True, blank=True, related_name="uses", verbose_name=_("取自证照库")
    )
    replaced_at = models.DateTimeField(_("替换时间"), null=True, blank=True)

    class Meta:
        ordering = ["code", "id"]
        verbose_name = verbose_name_plural = _("申报材料")
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="material_not_empty"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="material_hash_shape"),
            models.CheckConstraint(condition=Q(content_type__in=FileType.values), name="material_type_taken"),
            # The same bytes twice for one material of one application is a double click.
            models.UniqueConstraint(
                fields=["application", "code", "sha256"],
                condition=Q(replaced_at__isnull=True),
                name="material_same_bytes_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MaterialFlagReason(models.TextChoices):
    REPLACED = "replaced", _("证照已换新版")
    WITHDRAWN = "withdrawn", _("证照已停用")
    EXPIRED = "expired", _("证照已到期")
    INFECTED = "infected", _("文件查出病毒")


class MaterialFlag(models.Model):
    """What happened to a material's certificate while the application is under review (材料变动): for its reviewer.

    It is settled when another file takes the material's place, or by a reviewer who writes why it may stay.
    """

    material = models.ForeignKey(Material, models.PROTECT, related_name="flags", verbose_name=_("材料"))
    reason = models.CharField(_("变动"), max_length=10, choices=MaterialFlagReason.choices)
    raised_at = models.DateTimeField(_("发现时间"))
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("处理人")
    )
    settled_at = models.DateTimeField(_("处理时间"), null=True, blank=True)
    note = models.CharField(_("处理说明"), max_length=300, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("材料变动")
        constraints = [
            models.UniqueConstraint(fields=["material", "reason"], name="materialflag_once"),
            models.CheckConstraint(condition=Q(reason__in=MaterialFlagReason.values), name="materialflag_reason_known"),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by__isnull=True, note="")
                | (Q(settled_at__isnull=False) & ~Q(note="")),
                name="materialflag_settled_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
