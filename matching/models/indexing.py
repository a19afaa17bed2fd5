"""What the search server has still to be told, and by what reading of profiles its documents were made."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class PendingIndexWrite(models.Model):
    """An object whose present state has to reach the index of its kind: written with the change, taken away when the
    index has it. One object may stand here many times; the number says in which order."""

    kind = models.CharField(_("索引"), max_length=20)
    object_id = models.BigIntegerField(_("对象编号"))
    noted_at = models.DateTimeField(_("登记时间"), db_default=Now())

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("待写入索引")
        indexes = [models.Index(fields=["kind", "object_id"]), models.Index(fields=["kind", "id"])]
        constraints = [
            models.CheckConstraint(condition=~Q(kind=""), name="matching_pendingindexwrite_kind_named"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class ProfileReading(models.Model):
    """How profiles are read into documents of the profile index: by which vocabulary, with which figures beside facts.

    Numbered from 1; the highest is in force. A new one comes with a pending write for every profile. `facts` stands for
    what the vocabulary says of facts (types and codes), `figures` are texts of
    `matching.backends.elastic.profiles.figures`.
    """

    number = models.PositiveIntegerField(_("序号"), primary_key=True)
    facts = models.CharField(_("事实摘要"), max_length=64)
    figures = models.JSONField(_("派生指标"), default=list)

    class Meta:
        ordering = ["number"]
        verbose_name = verbose_name_plural = _("画像读法")
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=1) & Q(number__lt=2**20), name="matching_profilereading_number_in_version"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"
