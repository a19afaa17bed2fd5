"""What belongs to a draft while it is being typed, and goes with its submission: its revision, who changed what, who
is at it now. Nothing here decides anything."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DraftSheet(models.Model):
    """The draft as it is typed. `revision` rises with each saving that changes something.

    `typed`: by answer key, what was typed and cannot be used as it stands: {"raw", "messages"}. `copied`: what was
    taken over from an earlier application, and what was not and why (`services.application.copying`).
    """

    application = models.OneToOneField(
        "disbursement.Application", models.CASCADE, primary_key=True, related_name="sheet", verbose_name=_("申报")
    )
    revision = models.PositiveIntegerField(_("修订号"), default=0)
    typed = models.JSONField(_("尚不能用的填写"), default=dict, blank=True)
    copied = models.JSONField(_("沿用记录"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("申报草稿")
        constraints = [models.CheckConstraint(condition=Q(revision__gte=0), name="draftsheet_revision_from_0")]

    def __str__(self) -> str:
        return f"{self.application_id} r{self.revision}"


class DraftChange(models.Model):
    """One answer changed with one revision: from what to what, by whom (states as `domain.merging` has them)."""

    sheet = models.ForeignKey(DraftSheet, models.CASCADE, related_name="changes")
    revision = models.PositiveIntegerField()
    key = models.CharField(max_length=80)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["sheet", "revision", "id"]
        verbose_name = verbose_name_plural = _("草稿修改")
        constraints = [
            models.UniqueConstraint(fields=["sheet", "revision", "key"], name="draftchange_once_a_revision"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="draftchange_revision_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.sheet_id} r{self.revision} {self.key}"


class DraftPresence(models.Model):
    """When a person was last at a draft."""

    sheet = models.ForeignKey(DraftSheet, models.CASCADE, related_name="present")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = _("正在填写")
        constraints = [models.UniqueConstraint(fields=["sheet", "user"], name="draftpresence_once_each")]

    def __str__(self) -> str:
        return f"{self.sheet_id} {self.user_id}"
