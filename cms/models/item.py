"""The policy item (政策事项) as officers edit it; publishing it makes a version in matching."""

import secrets
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from cms.blocks import MaterialBlocks, StepBlocks, SubItemBlocks
from cms.completeness import missing_elements
from cms.delivery import TermsBlocks
from cms.fields import AWARD_HELP, CRITERIA_HELP
from cms.form_blocks import FormBlocks
from cms.forms import ItemPageForm
from cms.limits import own_of
from cms.models.panels import item_tabs
from cms.rules import item_details, item_rules, problems_of, told_together, unpublishable
from cms.serving import ItemView
from matching.models import PolicyItem, PolicyVersion
from matching.registry.models import Department

CODE_SHAPE = RegexValidator(r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", _("事项编码只用小写字母、数字和短横，如 kj-hightech"))
UP_TO_1000 = [MinValueValidator(0), MaxValueValidator(1000)]
FROM_1_TO_1000 = [MinValueValidator(1), MaxValueValidator(1000)]


def new_code() -> str:
    """A code for an item that nobody named yet."""
    return f"item-{secrets.token_hex(4)}"


class Delivery(models.TextChoices):
    AUTOMATIC = "automatic", _("免申即享")
    INSTANT = "instant", _("即申即享")
    FAST = "fast", _("快申快享")
    WINDOW = "window", _("限时即享")


class PolicyItemPage(ItemView, Page):
    """One policy item. `code` ties it for ever to its `matching.PolicyItem`; a copied page gets a new one."""

    code = models.CharField(
        _("事项编码"),
        max_length=60,
        unique=True,
        default=new_code,
        validators=[CODE_SHAPE],
        help_text=_("保存后不能再改；其他事项的“不可同享”用它指称本事项"),
    )
    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("主管部门"))
    item_type = models.CharField(_("事项类型"), max_length=60)
    document_page = models.ForeignKey(
        "cms.PolicyDocumentPage",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("依据文件"),
    )
    clause = models.CharField(_("依据条款"), max_length=120, blank=True)
    audience = models.CharField(_("适用对象（一句话）"), max_length=300, blank=True)
    summary = models.TextField(_("摘要"), blank=True, help_text=_("一两句大白话，显示在列表里"))
    sub_items = StreamField(SubItemBlocks(required=False), verbose_name=_("子项"), blank=True)
    criteria = models.TextField(_("申报条件"), help_text=CRITERIA_HELP)
    award = models.TextField(_("支持标准"), blank=True, help_text=AWARD_HELP)
    form_fields = StreamField(
        FormBlocks(required=False),
        verbose_name=_("申报表字段"),
        blank=True,
        help_text=_("条件和标准用到的项目信息会自动列入申报表；在这里写明顺序、说明、界限，并加上本事项自己的问题"),
    )
    materials = StreamField(MaterialBlocks(required=False), verbose_name=_("申报材料"), blank=True)
    steps = StreamField(StepBlocks(required=False), verbose_name=_("办理流程"), blank=True)
    fees = models.CharField(_("收费"), max_length=120, default="不收费", blank=True)
    statutory_days = models.PositiveSmallIntegerField(
        _("法定时限（工作日）"), null=True, blank=True, validators=UP_TO_1000
    )
    promised_days = models.PositiveSmallIntegerField(
        _("承诺时限（工作日）"), null=True, blank=True, validators=UP_TO_1000
    )
    acceptance_statutory_days = models.PositiveSmallIntegerField(
        _("受理法定时限（工作日）"), null=True, blank=True, validators=FROM_1_TO_1000
    )
    acceptance_promised_days = models.PositiveSmallIntegerField(
        _("受理承诺时限（工作日）"), null=True, blank=True, validators=FROM_1_TO_1000
    )
    appeal_statutory_days = models.PositiveSmallIntegerField(
        _("复核法定时限（工作日）"), null=True, blank=True, validators=FROM_1_TO_1000
    )
    appeal_promised_days = models.PositiveSmallIntegerField(
        _("复核承诺时限（工作日）"), null=True, blank=True, validators=FROM_1_TO_1000
    )
    delivery = models.CharField(_("办理方式"), max_length=12, choices=Delivery.choices, default=Delivery.FAST)
    delivery_terms = StreamField(
        TermsBlocks(required=False),
        verbose_name=_("办理方式的条件"),
        blank=True,
        help_text=_("选与“办理方式”一致的一项；不写的，办理方式只作标识，按普通流程办理"),
    )
    window_from = models.DateField(_("申报起始日"), null=True, blank=True)
    window_until = models.DateField(_("申报截止日"), null=True, blank=True)
    expires_on = models.DateField(_("有效期至"), null=True, blank=True)
    budget_line = models.CharField(_("预算科目"), max_length=40, blank=True)
    ceiling = models.DecimalField(
        _("本事项年度额度（元）"),
        max_digits=16,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    publicity_days = models.PositiveSmallIntegerField(
        _("公示期（工作日）"), default=5, validators=[MaxValueValidator(60)], help_text=_("0 表示不公示")
    )
    contact_phone = models.CharField(_("咨询电话"), max_length=60, blank=True)
    contact_office = models.CharField(_("咨询科室"), max_length=120, blank=True)
    contact_address = models.CharField(_("办理地点"), max_length=200, blank=True)
    contact_hours = models.CharField(_("办公时间"), max_length=120, blank=True)
    fair_reviewed_on = models.DateField(_("公平竞争审查日期"), null=True, blank=True)
    fair_reviewer = models.CharField(_("审查机构"), max_length=120, blank=True)
    fair_conclusion = models.TextField(_("审查结论"), blank=True)
    assessment = models.TextField(_("事前评估"), blank=True)

    template = "cms/policy_item_page.html"
    base_form_class = ItemPageForm
    parent_page_types = ["cms.PolicyIndexPage"]
    subpage_types: list[str] = []
    exclude_fields_in_copy = ["code"]
    search_fields = [
        *Page.search_fields,
        *(index.SearchField(name) for name in ("code", "summary", "audience", "clause", "criteria")),
    ]
    edit_handler = item_tabs()

    class Meta:
        verbose_name = verbose_name_plural = _("政策事项")
        constraints = [
            models.CheckConstraint(
                condition=Q(window_from__isnull=True)
                | Q(window_until__isnull=True)
                | Q(window_from__lte=F("window_until")),
                name="cms_item_window_order",
                violation_error_message=_("申报截止日不能早于起始日"),
            ),
            models.CheckConstraint(
                condition=Q(ceiling__isnull=True) | Q(ceiling__gte=0),
                name="cms_item_ceiling_not_negative",
                violation_error_message=_("额度不能小于 0"),
            ),
            models.CheckConstraint(condition=Q(delivery__in=Delivery.values), name="cms_item_delivery_known"),
        ]

    def clean(self) -> None:
        super().clean()
        problems = problems_of(self)
        old = type(self).objects.filter(pk=self.pk).values_list("code", flat=True).first() if self.pk else None
        if old is not None and old != self.code:
            problems.setdefault("code", []).append(_("事项编码不能更改，原为 %(code)s") % {"code": old})
        if problems:
            raise ValidationError({name: told_together(self, name, told) for name, told in problems.items()})

    @property
    def missing_elements(self) -> list[str]:
        """The elements of a complete item (三级十同) that are still missing, by their Chinese names."""
        return missing_elements(self)

    @property
    def own_limits(self) -> list[dict[str, Any]]:
        """The limits that the item names for steps beside the review."""
        return own_of(self)

    @property
    def item(self) -> PolicyItem | None:
        """The item in matching, from the first publication on."""
        return PolicyItem.objects.filter(code=self.code).select_related("current_version").first()

    @property
    def versions(self) -> "models.QuerySet[PolicyVersion]":
        """What was published so far, the latest first."""
        return PolicyVersion.objects.filter(item__code=self.code).order_by("-number")

    def rules(self) -> dict[str, Any]:
        """What decides, as a version keeps it (docs/import-formats.md)."""
        return item_rules(self)

    def details(self) -> dict[str, Any]:
        """The rest of the item as published."""
        return item_details(self)

    # Wagtail saves the page and then tells: one transaction holds the page, its version and the event.
    @transaction.atomic
    def publish(self, revision: Any, *args: Any, **options: Any) -> Any:
        unpublishable(revision.as_object())
        return super().publish(revision, *args, **options)

    @transaction.atomic
    def unpublish(self, *args: Any, **options: Any) -> Any:
        return super().unpublish(*args, **options)

    @transaction.atomic
    def delete(self, *args: Any, **options: Any) -> Any:
        return super().delete(*args, **options)
