"""Enterprises and what is known of them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Enterprise(models.Model):
    """One enterprise (企业), known by its unified social credit code (统一社会信用代码)."""

    credit_code = models.CharField(_("统一社会信用代码"), max_length=18, unique=True)
    name = models.CharField(_("企业名称"), max_length=200, db_index=True)
    # The id under which files in the criteria language (docs/schemas/) name it; the credit code where a file gives
    # none.
    external_id = models.CharField(_("外部编号"), max_length=100, unique=True)
    created_at = models.DateTimeField(_("登记时间"))

    class Meta:
        ordering = ["name", "id"]
        verbose_name = verbose_name_plural = _("企业")
        constraints = [
            models.CheckConstraint(
                condition=Q(credit_code__regex=r"^[0-9A-HJ-NPQRTUWXY]{18}$"),
                name="matching_enterprise_credit_code_shape",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Fact(models.Model):
    """One thing known of an enterprise (事实), never changed: a later row replaces an earlier one.

    `valid_on` is the day from which it held (Asia/Shanghai), `recorded_at` when the district learned it. `value` is
    the JSON of the criteria language (docs/schemas/); SQL NULL says that from then on the fact is unknown again.
    """

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="facts", verbose_name=_("企业"))
    key = models.CharField(_("事实"), max_length=80)
    value = models.JSONField(_("值"), null=True)
    source = models.CharField(_("来源"), max_length=80)
    valid_on = models.DateField(_("有效日期"))
    recorded_at = models.DateTimeField(_("登记时间"))
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("登记人"),
    )

    class Meta:
        ordering = ["enterprise", "key", "valid_on", "recorded_at", "id"]
        verbose_name = verbose_name_plural = _("企业事实")
        constraints = [
            models.CheckConstraint(condition=~Q(key=""), name="matching_fact_key_named"),
            models.CheckConstraint(condition=~Q(source=""), name="matching_fact_source_named"),
        ]
        indexes = [
            models.Index(fields=["enterprise", "key", "-valid_on", "-recorded_at"]),
            # The night looks for facts that become valid with the day.
            models.Index(fields=["valid_on"]),
        ]

    def __str__(self) -> str:
        return f"{self.enterprise_id}.{self.key}"


class Profile(models.Model):
    """The profile of today (企业画像): the current facts of an enterprise, folded from its history for matching.

    Derived from `Fact`, rebuilt by `matching.services.facts`; `revision` rises with every change. `as_of` is the day
    (Asia/Shanghai) for which it was folded: facts that become valid later are folded in by the night after.
    """

    enterprise = models.OneToOneField(Enterprise, models.CASCADE, primary_key=True, related_name="profile")
    facts = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)
    as_of = models.DateField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(revision__gte=0), name="matching_profile_revision")]

    def __str__(self) -> str:
        return f"{self.enterprise_id} r{self.revision}"
