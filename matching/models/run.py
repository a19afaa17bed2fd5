"""A published version told to all whom it concerns, as work that is planned, shared out, and seen."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from matching.models.enterprise import Enterprise
from matching.models.policy import PolicyItem, PolicyVersion

EVERYONE_BEYOND = 2**63 - 1
"""The last id of a run's last chunk: enterprises registered later are in its range too."""


class RunState(models.TextChoices):
    PLANNING = "planning", _("正在筛选企业")
    RUNNING = "running", _("正在匹配推送")
    DONE = "done", _("已完成")
    SUPERSEDED = "superseded", _("已被替代")
    FAILED = "failed", _("未完成，需处理")


class RunCause(models.TextChoices):
    PUBLISHED = "published", _("新版本发布")
    RELISTED = "relisted", _("重新上架")


ALIVE = (RunState.PLANNING, RunState.RUNNING)


class Numbers(models.Model):
    """What matching did: enterprises judged, pairs that come up (the near ones too), those that fit, pushes made,
    enterprises newly in and fallen out against the version replaced, rows written and taken away."""

    enterprises = models.PositiveIntegerField(_("判定企业"), default=0)
    pairs = models.PositiveIntegerField(_("匹配结果"), default=0)
    fitting = models.PositiveIntegerField(_("符合"), default=0)
    pushed = models.PositiveIntegerField(_("推送"), default=0)
    newly_in = models.PositiveIntegerField(_("新增符合"), default=0)
    fell_out = models.PositiveIntegerField(_("不再符合"), default=0)
    written = models.PositiveIntegerField(_("写入结果"), default=0)
    removed = models.PositiveIntegerField(_("移除结果"), default=0)

    class Meta:
        abstract = True


NUMBERS = tuple(field.name for field in Numbers._meta.local_fields)


class MatchRun(Numbers):
    """One version matched with every enterprise (匹配推送). Its numbers are those of its chunks, summed at the end.

    `as_of` is the day (Asia/Shanghai) on which it was asked for; what is still to do when the day passes is judged as
    of the day on which it is done. `replaced` is the version that this one is compared with. Everybody up to
    `planned_to` stands in a chunk. `population` and `highest` are the number of profiles and the highest enterprise id
    at the start: what progress is measured by.
    """

    item = models.ForeignKey(PolicyItem, models.PROTECT, related_name="runs", verbose_name=_("事项"))
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="runs", verbose_name=_("政策版本"))
    replaced = models.ForeignKey(
        PolicyVersion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("对比版本")
    )
    cause = models.CharField(_("起因"), max_length=10, choices=RunCause.choices)
    # What asked for it, so that asking twice for one reason makes one run.
    occasion = models.CharField(max_length=80, null=True, blank=True, unique=True)
    as_of = models.DateField(_("判定日"))
    state = models.CharField(_("状态"), max_length=10, choices=RunState.choices, default=RunState.PLANNING)
    # Whether the profile index named the candidates of (some of) its chunks.
    by_index = models.BooleanField(_("由画像索引筛选"), default=False)
    population = models.PositiveIntegerField(_("企业总数"), default=0)
    highest = models.BigIntegerField(default=0)
    planned_to = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(_("发起时间"))
    planned_at = models.DateTimeField(_("筛选完成时间"), null=True, blank=True)
    finished_at = models.DateTimeField(_("结束时间"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    error = models.TextField(_("失败原因"), blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = verbose_name_plural = _("匹配推送")
        constraints = [
            models.CheckConstraint(condition=Q(cause__in=RunCause.values), name="matching_matchrun_cause_known"),
            models.CheckConstraint(
                condition=Q(state__in=ALIVE, finished_at__isnull=True)
                | Q(state__in=[RunState.DONE, RunState.SUPERSEDED, RunState.FAILED], finished_at__isnull=False),
                name="matching_matchrun_alive_until_finished",
            ),
            models.UniqueConstraint(
                fields=["item"], condition=Q(state__in=ALIVE), name="matching_matchrun_one_alive_for_an_item"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} ({self.state})"

    @property
    def is_alive(self) -> bool:
        return self.state in ALIVE


class ChunkState(models.TextChoices):
    PENDING = "pending", _("待处理")
    DONE = "done", _("已完成")
    FAILED = "failed", _("失败")


class MatchChunk(Numbers):
    """A stretch of enterprise ids, both ends included, whose pairs are judged, stored and told in one transaction.

    `candidates` are the ids in it that may come up; null where all of them are to be judged. They are dropped when the
    chunk is done.
    """

    run = models.ForeignKey(MatchRun, models.CASCADE, related_name="chunks")
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    candidates = models.JSONField(null=True)
    state = models.CharField(_("状态"), max_length=10, choices=ChunkState.choices, default=ChunkState.PENDING)
    done_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["run", "first"]
        verbose_name = verbose_name_plural = _("推送分段")
        constraints = [
            models.UniqueConstraint(fields=["run", "first"], name="matching_matchchunk_planned_once"),
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="matching_matchchunk_range"),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False)
                | Q(state__in=["pending", "failed"], done_at__isnull=True),
                name="matching_matchchunk_state_and_time_agree",
            ),
        ]
        indexes = [models.Index(fields=["run", "id"], condition=Q(state="pending"), name="matching_chunk_waiting")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.first}–{self.last} ({self.state})"


class Standing(models.TextChoices):
    """How an enterprise stands to a version's rules."""

    FITS = "fits", _("符合")
    FORM = "form", _("仅待申报表填报")
    LACKING = "lacking", _("缺少数据")
    OUT = "out", _("不符合")
    CLOSED = "closed", _("不在受理期")


FITTING = (Standing.FITS, Standing.FORM)


class MatchChange(models.Model):
    """An enterprise that fits one of a version and the version it replaced, and not the other (进出名单).

    Both are judged by the facts of the same moment, so that it is the rules that made the difference. `leaf` is the
    condition that decides (of the version that it does not fit), `reason` what was compared with what there.
    """

    run = models.ForeignKey(MatchRun, models.CASCADE, related_name="changes")
    enterprise = models.ForeignKey(Enterprise, models.CASCADE, related_name="+", verbose_name=_("企业"))
    was = models.CharField(_("原来"), max_length=10, choices=Standing.choices)
    now = models.CharField(_("现在"), max_length=10, choices=Standing.choices)
    leaf = models.CharField(_("条件"), max_length=200, blank=True)
    reason = models.TextField(_("理由"), blank=True)

    class Meta:
        ordering = ["run", "enterprise"]
        verbose_name = verbose_name_plural = _("进出名单")
        constraints = [
            models.UniqueConstraint(fields=["run", "enterprise"], name="matching_matchchange_once"),
            models.CheckConstraint(
                condition=Q(was__in=FITTING, now__in=["lacking", "out", "closed"])
                | Q(was__in=["lacking", "out", "closed"], now__in=FITTING),
                name="matching_matchchange_crosses",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise_id}: {self.was} → {self.now}"

    @property
    def is_in(self) -> bool:
        return self.now in FITTING
