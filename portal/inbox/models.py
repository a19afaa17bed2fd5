"""What was told to whom, who has read it, who does not want to hear it, and the daily mail."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from matching.models import Enterprise, PolicyItem
from matching.registry.models import Department

_USER = settings.AUTH_USER_MODEL


class NotificationKind(models.TextChoices):
    POLICY = "policy", _("政策推送")
    APPLICATION = "application", _("申报进度")
    PAYMENT = "payment", _("兑现进度")
    SERVICE = "service", _("服务通知")
    SUPERVISION = "supervision", _("监察督办")


class Notification(models.Model):
    """One thing told (消息), to one person or to everyone who acts for an enterprise; each reads it for themselves.

    `dedupe_key` names the occasion: the same occasion tells once. `link` is a path of this site. Item and department
    are what it is about, so that a person may mute them.
    """

    enterprise = models.ForeignKey(
        Enterprise, models.PROTECT, null=True, blank=True, related_name="notifications", verbose_name=_("企业")
    )
    user = models.ForeignKey(
        _USER, models.CASCADE, null=True, blank=True, related_name="notifications", verbose_name=_("人员")
    )
    kind = models.CharField(_("类别"), max_length=12, choices=NotificationKind.choices)
    title = models.CharField(_("标题"), max_length=300)
    body = models.TextField(_("内容"), blank=True)
    link = models.CharField(_("链接"), max_length=300, blank=True)
    item = models.ForeignKey(
        PolicyItem, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("政策事项")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("部门")
    )
    dedupe_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = verbose_name_plural = _("消息")
        indexes = [
            models.Index(fields=["enterprise", "-created_at", "-id"]),
            models.Index(fields=["user", "-created_at", "-id"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(enterprise__isnull=False, user__isnull=True)
                | Q(enterprise__isnull=True, user__isnull=False),
                name="inbox_notification_one_recipient",
            ),
            models.CheckConstraint(condition=Q(kind__in=NotificationKind.values), name="inbox_notification_kind_known"),
            models.CheckConstraint(condition=~Q(title=""), name="inbox_notification_titled"),
        ]

    def __str__(self) -> str:
        return self.title


class ReadMark(models.Model):
    """A person has read a notification."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="read_marks")
    user = models.ForeignKey(_USER, models.CASCADE, related_name="+")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "notification"], name="inbox_readmark_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} ✓ {self.notification_id}"


class Mute(models.Model):
    """A person does not want to be told of a kind, a department or an item. What is muted is kept apart, never lost."""

    user = models.ForeignKey(_USER, models.CASCADE, related_name="mutes", verbose_name=_("人员"))
    kind = models.CharField(_("类别"), max_length=12, choices=NotificationKind.choices, blank=True)
    department = models.ForeignKey(
        Department, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("部门")
    )
    item = models.ForeignKey(
        PolicyItem, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("政策事项")
    )
    created_at = models.DateTimeField(_("设置时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("静音")
        constraints = [
            models.CheckConstraint(
                condition=(~Q(kind="") & Q(department__isnull=True, item__isnull=True))
                | Q(kind="", department__isnull=False, item__isnull=True)
                | Q(kind="", department__isnull=True, item__isnull=False),
                name="inbox_mute_one_thing",
            ),
            models.CheckConstraint(condition=Q(kind__in=["", *NotificationKind.values]), name="inbox_mute_kind_known"),
            models.UniqueConstraint(fields=["user", "kind"], condition=~Q(kind=""), name="inbox_mute_kind_once"),
            models.UniqueConstraint(
                fields=["user", "department"], condition=Q(department__isnull=False), name="inbox_mute_department_once"
            ),
            models.UniqueConstraint(
                fields=["user", "item"], condition=Q(item__isnull=False), name="inbox_mute_item_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.item or self.department or self.get_kind_display())


class DigestState(models.TextChoices):
    PREPARED = "prepared", _("待发送")
    SENDING = "sending", _("发送中")
    SENT = "sent", _("已发送")
    FAILED = "failed", _("发送失败")


class Digest(models.Model):
    """The mail of one day to one person (消息摘要), written before it is sent, and sent at most once.

    It is claimed (`sending`) before the mail server is spoken to. If the process dies in between, the row stays
    `sending`: whether the mail left is then not known, and it is not sent again. The notifications stay in the inbox.
    """

    user = models.ForeignKey(_USER, models.CASCADE, related_name="+", verbose_name=_("人员"))
    day = models.DateField(_("日期"))
    recipient = models.EmailField(_("收件地址"))
    subject = models.CharField(_("主题"), max_length=200)
    body = models.TextField(_("正文"))
    state = models.CharField(_("状态"), max_length=10, choices=DigestState.choices, default=DigestState.PREPARED)
    prepared_at = models.DateTimeField(_("生成时间"))
    claimed_at = models.DateTimeField(_("开始发送时间"), null=True, blank=True)
    sent_at = models.DateTimeField(_("发送时间"), null=True, blank=True)
    error = models.TextField(_("失败原因"), blank=True)

    class Meta:
        ordering = ["-day", "id"]
        verbose_name = verbose_name_plural = _("消息摘要")
        constraints = [
            models.UniqueConstraint(fields=["user", "day"], name="inbox_digest_once_a_day"),
            models.CheckConstraint(
                condition=Q(state="prepared", claimed_at__isnull=True, sent_at__isnull=True)
                | Q(state__in=["sending", "failed"], claimed_at__isnull=False, sent_at__isnull=True)
                | Q(state="sent", claimed_at__isnull=False, sent_at__isnull=False),
                name="inbox_digest_state_and_times_agree",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient} {self.day}"


class DigestEntry(models.Model):
    """A notification that a digest tells a person of: once, whatever becomes of the mail."""

    digest = models.ForeignKey(Digest, models.CASCADE, related_name="entries")
    user = models.ForeignKey(_USER, models.CASCADE, related_name="+")
    notification = models.ForeignKey(Notification, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "notification"], name="inbox_digestentry_told_once"),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id}: {self.notification_id}"
