"""What makes tampering evident: links written with every row, anchors over the links, and the audits that were run.

A link is written by the database in the statement that writes the rows (`disbursement.guards.chain`), and signed with
a secret that only the platform's own sessions have (`disbursement.audit.signing`). An anchor chains all links written
since the one before; printed and kept by the supervisor, it shows a chain that was rewritten or cut off.
Nobody but those two writes here; all three tables are guarded by triggers.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ChainShape(models.Model):
    """Which columns a link covers: those of `table` as they were when its triggers were installed."""

    table = models.CharField(max_length=63)
    key = models.CharField(max_length=16)
    # Comma-separated, in the order in which they are read.
    columns = models.TextField()

    class Meta:
        verbose_name = verbose_name_plural = _("存证列")
        constraints = [models.UniqueConstraint(fields=["table", "key"], name="chainshape_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.key}"


class Anchor(models.Model):
    """The digest of everything linked up to a moment, chained to the anchor before (append-only).

    `digest` is SHA-256 over `previous` and the signatures of its links in order of their ids.
    """

    number = models.PositiveIntegerField(_("序号"), unique=True)
    previous = models.CharField(_("前次摘要"), max_length=64)
    digest = models.CharField(_("摘要"), max_length=64, unique=True)
    links = models.PositiveIntegerField(_("存证数"))
    signature = models.CharField(_("签名"), max_length=64)
    made_at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["-number"]
        verbose_name = verbose_name_plural = _("存证锚点")
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1) & Q(links__gte=1), name="anchor_holds_something"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.digest[:12]}"


class ChainKind(models.TextChoices):
    INSERT = "insert", _("新增")
    ROW = "row", _("整行")
    UPDATE = "update", _("更新")


class ChainLink(models.Model):
    """What one statement wrote into one table (`stream`): which rows (`ids`, a multirange), and their content's digest.

    INSERT covers columns that never change afterwards; ROW the whole row as it stands until its next link; UPDATE says
    only that the rows were changed, and by whom. `session` and `mac` are empty where something other than the platform
    wrote.
    """

    stream = models.CharField(max_length=63)
    kind = models.CharField(max_length=6, choices=ChainKind.choices)
    shape = models.CharField(max_length=16, blank=True)
    ids = models.TextField()
    count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, blank=True)
    session = models.CharField(max_length=32, blank=True)
    mac = models.CharField(max_length=64, blank=True)
    written_by = models.CharField(max_length=63)
    written_at = models.DateTimeField()
    anchor = models.ForeignKey(Anchor, models.PROTECT, null=True, blank=True, related_name="chained")

    class Meta:
        verbose_name = verbose_name_plural = _("存证")
        indexes = [
            models.Index(fields=["stream", "id"], name="chainlink_stream"),
            models.Index(fields=["id"], condition=Q(anchor__isnull=True), name="chainlink_unanchored"),
        ]
        constraints = [
            # A signature is for one moment of one session: the same one twice is a copy.
            models.UniqueConstraint(fields=["mac", "written_at"], condition=~Q(mac=""), name="chainlink_signed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.ids}"


class AuditRun(models.Model):
    """One run of `manage.py audit`. `checked`: {what: how many}; `findings`: the first thousand, as JSON."""

    started_at = models.DateTimeField(_("开始时间"))
    finished_at = models.DateTimeField(_("结束时间"))
    scope = models.JSONField(_("范围"), default=dict)
    checked = models.JSONField(_("核对数量"), default=dict)
    findings = models.JSONField(_("发现"), default=list)
    finding_count = models.PositiveIntegerField(_("发现数"))
    anchor = models.ForeignKey(Anchor, models.PROTECT, null=True, blank=True, related_name="+")
    run_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("审计")

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.finding_count}"
