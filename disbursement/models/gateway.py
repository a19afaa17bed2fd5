"""Which way payment files go, for which budget line, and what became of each: a row before anything is sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.models.batch import SealedFile
from matching.registry.models import BudgetLine


class GatewayKind(models.TextChoices):
    BY_HAND = "by_hand", _("人工下载并交银行")
    FOLDER = "folder", _("共享文件夹（SFTP）")
    HTTP = "http", _("银行接口（HTTPS）")


class Gateway(models.Model):
    """One way to a bank (发送通道). Its secret stands in the environment under `token_variable`, never here."""

    code = models.SlugField(_("通道代码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=80)
    kind = models.CharField(_("方式"), max_length=10, choices=GatewayKind.choices)
    # Below HUIDA_TREASURY_FOLDERS: nobody points a gateway at another place of the machine.
    folder = models.SlugField(_("文件夹"), max_length=60, blank=True)
    done_marker = models.BooleanField(_("使用 .done 标记文件"), default=False)
    url = models.CharField(_("接口地址"), max_length=300, blank=True)
    token_variable = models.CharField(_("凭据的环境变量名"), max_length=80, blank=True)
    timeout = models.PositiveSmallIntegerField(_("超时（秒）"), default=30)
    is_active = models.BooleanField(_("启用"), default=True)
    is_default = models.BooleanField(_("默认通道"), default=False)
    collected_at = models.DateTimeField(_("最近取回单"), null=True, blank=True)
    problem = models.CharField(_("最近问题"), max_length=300, blank=True)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    updated_at = models.DateTimeField(_("更新时间"))

    class Meta:
        ordering = ["name"]
        verbose_name = verbose_name_plural = _("发送通道")
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=GatewayKind.values), name="disbursement_gateway_kind_known"),
            models.CheckConstraint(
                condition=~Q(kind="http") | ~Q(url=""), name="disbursement_gateway_http_has_address"
            ),
            models.CheckConstraint(
                condition=~Q(kind="folder") | ~Q(folder=""), name="disbursement_gateway_folder_has_folder"
            ),
            models.CheckConstraint(
                condition=Q(token_variable="") | Q(token_variable__startswith="HUIDA_GATEWAY_"),
                name="disbursement_gateway_token_variable",
            ),
            models.CheckConstraint(
                condition=Q(timeout__gte=1, timeout__lte=300), name="disbursement_gateway_timeout_bounded"
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="disbursement_gateway_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GatewayLine(models.Model):
    """A budget line whose files go through this gateway rather than the default."""

    budget_line = models.OneToOneField(
        BudgetLine, models.CASCADE, related_name="gateway_choice", verbose_name=_("预算科目")
    )
    gateway = models.ForeignKey(Gateway, models.CASCADE, related_name="lines", verbose_name=_("发送通道"))

    class Meta:
        verbose_name = verbose_name_plural = _("科目通道")

    def __str__(self) -> str:
        return f"{self.budget_line} → {self.gateway}"


class DeliveryState(models.TextChoices):
    PLANNED = "planned", _("待发送")
    BY_HAND = "by_hand", _("待人工交银行")
    UNSURE = "unsure", _("不能确定银行是否收到")
    REFUSED = "refused", _("银行拒收")
    DONE = "done", _("银行已收到")


class Delivery(models.Model):
    """The one sending of a sealed file (发送记录), written before its first try. `key` names it to the bank for ever;
    `tries` counts how often something may have left the house. `gateway` is empty for the folder of the settings.
    """

    sealed_file = models.OneToOneField(SealedFile, models.PROTECT, related_name="delivery", verbose_name=_("封存文件"))
    gateway = models.ForeignKey(
        Gateway, models.PROTECT, null=True, blank=True, related_name="deliveries", verbose_name=_("发送通道")
    )
    key = models.CharField(_("幂等键"), max_length=80, unique=True)
    state = models.CharField(_("状态"), max_length=8, choices=DeliveryState.choices, default=DeliveryState.PLANNED)
    tries = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    reference = models.CharField(_("银行回执号"), max_length=100, blank=True)
    problem = models.CharField(_("问题"), max_length=300, blank=True)
    planned_at = models.DateTimeField(_("登记时间"))
    tried_at = models.DateTimeField(_("最近尝试"), null=True, blank=True)
    done_at = models.DateTimeField(_("完成时间"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("交付人")
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("发送记录")
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="disbursement_delivery_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False) | (~Q(state="done") & Q(done_at__isnull=True)),
                name="disbursement_delivery_done_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["unsure", "refused"]) | (~Q(problem="") & Q(tries__gte=1)),
                name="disbursement_delivery_problem_told",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class DeliveryRoute(models.Model):
    """That a file goes another way than it went before, and who chose it (改走通道, append-only)."""

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="routes", verbose_name=_("发送记录"))
    from_gateway = models.ForeignKey(
        Gateway, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("原通道")
    )
    to_gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="+", verbose_name=_("改走通道"))
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("办理人"))
    chosen_at = models.DateTimeField(_("办理时间"))

    class Meta:
        ordering = ["id"]
        verbose_name = verbose_name_plural = _("改走通道")

    def __str__(self) -> str:
        return f"{self.delivery_id} → {self.to_gateway}"


class BankInquiry(models.Model):
    """Asking a bank in writing about a file in doubt (书面核实): begun by one of finance, and from then on the file is
    not tried; the bank's letter entered, and agreed to by another person. Where it ends otherwise, tries go on.

    `has_file`: whether the bank says that it took the file. `approved` is None until the end.
    """

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="inquiries", verbose_name=_("发送记录"))
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("发起人"))
    asked_at = models.DateTimeField(_("发起时间"))
    has_file = models.BooleanField(_("银行是否受理了该文件"), null=True, blank=True)
    paper_number = models.CharField(_("银行书面材料编号"), max_length=80, blank=True)
    written_on = models.DateField(_("书面材料日期"), null=True, blank=True)
    text = models.CharField(_("银行的说明"), max_length=300, blank=True)
    reference = models.CharField(_("银行受理回执号"), max_length=100, blank=True)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("登记人")
    )
    entered_at = models.DateTimeField(_("登记时间"), null=True, blank=True)
    approved = models.BooleanField(_("是否同意"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("决定人")
    )
    ended_at = models.DateTimeField(_("决定时间"), null=True, blank=True)
    note = models.CharField(_("意见"), max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = verbose_name_plural = _("书面核实")
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"], condition=Q(ended_at__isnull=True), name="disbursement_bankinquiry_one_open"
            ),
            models.CheckConstraint(
                condition=Q(entered_at__isnull=True, entered_by__isnull=True, has_file__isnull=True, paper_number="")
                | Q(entered_at__isnull=False, entered_by__isnull=False, has_file__isnull=False)
                & Q(written_on__isnull=False)
                & ~Q(paper_number="")
                & ~Q(text=""),
                name="disbursement_bankinquiry_letter_whole",
            ),
            models.CheckConstraint(
                condition=Q(approved__isnull=True, ended_by__isnull=True, ended_at__isnull=True)
                | Q(approved__isnull=False, ended_by__isnull=False, ended_at__isnull=False),
                name="disbursement_bankinquiry_ended_whole",
            ),
            models.CheckConstraint(
                condition=~Q(approved=True) | Q(entered_at__isnull=False) & ~Q(ended_by=F("entered_by")),
                name="disbursement_bankinquiry_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(approved=False) | ~Q(note=""), name="disbursement_bankinquiry_refused_with_note"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.paper_number}"
