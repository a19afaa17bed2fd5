"""What an enterprise hands in with an application."""

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.application import Application


def private_storage() -> Storage:
    """Where files lie that no web server serves."""
    return storages["private"]


class MaterialType(models.TextChoices):
    """Content types that are taken, as found in the bytes."""

    PDF = "application/pdf", "PDF"
    JPEG = "image/jpeg", "JPG"
    PNG = "image/png", "PNG"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "XLSX"


class Material(models.Model):
    """One file of an application (材料). A file is never overwritten: a replaced one keeps its row,
    `replaced_at` set.

    `code` is that of the item's list of materials. Files lie under their SHA-256; rows may share one.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="materials", verbose_name=_("申报"))
    code = models.CharField(_("材料"), max_length=80)
    file = models.FileField(_("文件"), storage=private_storage, max_length=200)
    name = models.CharField(_("文件名"), max_length=200)
    content_type = models.CharField(_("类型"), max_length=80, choices=MaterialType.choices)
    size = models.PositiveIntegerField(_("大小（字节）"))
    sha256 = models.CharField(_("摘要"), max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("上传人")
    )
    uploaded_at = models.DateTimeField(_("上传时间"))
    reused_from = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("沿用自")
    )
    replaced_at = models.DateTimeField(_("替换时间"), null=True, blank=True)

    class Meta:
        ordering = ["code", "id"]
        verbose_name = verbose_name_plural = _("申报材料")
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="material_not_empty"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="material_hash_shape"),
            models.CheckConstraint(condition=Q(content_type__in=MaterialType.values), name="material_type_taken"),
            # The same bytes twice for one material of one application is a double click.
            models.UniqueConstraint(
                fields=["application", "code", "sha256"],
                condition=Q(replaced_at__isnull=True),
                name="material_same_bytes_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name
