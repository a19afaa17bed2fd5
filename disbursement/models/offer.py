"""Offers of items that need no application (免申即享): what an enterprise was shown, and what it answered.

Append-only (guarded by triggers): `OfferEdition`, `OfferEvent`. An `Offer` moves only with its log.
"""

import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.delivery import OfferAction, OfferState
from disbursement.domain.workflow import Role
from disbursement.models.account import PayeeAccount
from disbursement.models.application import Application
from matching.models import Enterprise, PolicyItem, PolicyVersion
from matching.registry.models import VocabularyRevision

_USER = settings.AUTH_USER_MODEL
_S = OfferState


class Offer(models.Model):
    """One item put before one enterprise in one calendar year (免申即享告知), by the machine; open until `last_day`.

    `edition` is the number of the edition that it now shows, `revision` that of the latest row in its log. `reason` is
    why it was declined or taken back.
    """

    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="offers", verbose_name=_("企业"))
    item = models.ForeignKey(PolicyItem, models.PROTECT, related_name="offers", verbose_name=_("政策事项"))
    year = models.PositiveSmallIntegerField(_("年度"))
    state = models.CharField(_("状态"), max_length=10, choices=_S.choices(), default=_S.OPEN.value)
    edition = models.PositiveIntegerField(_("内容版次"), default=1)
    revision = models.PositiveIntegerField(default=0)
    last_day = models.DateField(_("确认截止日"))
    opened_at = models.DateTimeField(_("告知时间"))
    reason = models.CharField(_("原因"), max_length=500, blank=True)
    answered_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("答复人")
    )
    answered_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    application = models.OneToOneField(
        Application, models.PROTECT, null=True, blank=True, related_name="offer", verbose_name=_("申报")
    )

    class Meta:
        ordering = ["-opened_at", "-id"]
        verbose_name = verbose_name_plural = _("免申即享告知")
        constraints = [
            # A run that is killed and repeated, or two runs at once, make no second offer.
            models.UniqueConstraint(fields=["enterprise", "item", "year"], name="offer_once_a_year"),
            models.CheckConstraint(condition=Q(edition__gte=1), name="offer_shows_an_edition"),
            models.CheckConstraint(
                condition=Q(
                    state__in=[_S.OPEN.value, _S.LAPSED.value], reason="", answered_by__isnull=True, application=None
                )
                | (Q(state=_S.WITHDRAWN.value, answered_by__isnull=True, application=None) & ~Q(reason=""))
                | (Q(state=_S.DECLINED.value, answered_by__isnull=False, application=None) & ~Q(reason=""))
                | Q(state=_S.CONSENTED.value, answered_by__isnull=False, application__isnull=False, reason=""),
                name="offer_answered_whole",
            ),
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True, answered_at__isnull=True)
                | Q(answered_by__isnull=False, answered_at__isnull=False),
                name="offer_answered_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["item", "state"]), models.Index(fields=["state", "last_day"])]

    def __str__(self) -> str:
        return f"{self.enterprise_id}×{self.item_id}/{self.year}: {self.state}"

    @property
    def status(self) -> OfferState:
        return OfferState(self.state)


class OfferEdition(models.Model):
    """What an offer shows from one change to the next, with all that the machine saw (append-only).

    `inputs` and `result` are as a `Judgement`'s and can be judged again; `digest` is what a consent names; `proofs` are
    the facts it stands on as {"label", "source", "valid_on"}; `why` tells what changed against the edition before.
    """

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="editions", verbose_name=_("告知"))
    seq = models.PositiveIntegerField(_("版次"))
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="+", verbose_name=_("政策版本"))
    vocabulary = models.ForeignKey(VocabularyRevision, models.PROTECT, related_name="+", verbose_name=_("词表版本"))
    as_of = models.DateField(_("判定基准日"))
    amount = models.DecimalField(_("金额（元）"), max_digits=16, decimal_places=2)
    working = models.JSONField(_("测算过程"), default=list)
    account = models.ForeignKey(
        PayeeAccount, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("收款账户")
    )
    proofs = models.JSONField(_("数据核验"), default=list)
    inputs = models.TextField(_("判定输入"))
    result = models.TextField(_("判定结果"))
    inputs_sha256 = models.CharField(max_length=64)
    result_sha256 = models.CharField(max_length=64)
    digest = models.CharField(_("内容摘要"), max_length=64)
    why = models.JSONField(_("变化"), default=list)
    made_at = models.DateTimeField(_("测算时间"))

    class Meta:
        ordering = ["offer", "seq"]
        verbose_name = verbose_name_plural = _("告知内容")
        constraints = [
            models.UniqueConstraint(fields=["offer", "seq"], name="offeredition_numbered"),
            models.CheckConstraint(condition=Q(seq__gte=1) & Q(amount__gt=0), name="offeredition_offers_something"),
            models.CheckConstraint(condition=~Q(digest="") & ~Q(inputs=""), name="offeredition_has_digest"),
        ]

    @property
    def outcome(self) -> dict[str, Any]:
        """`result` as data."""
        outcome: dict[str, Any] = json.loads(self.result)
        return outcome

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.inputs)["facts"]
        return facts


class OfferEvent(models.Model):
    """One step of an offer, for ever (append-only). A consent names the edition and the digest that were seen, and
    keeps in `note` the words agreed to.
    """

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="log", verbose_name=_("告知"))
    seq = models.PositiveIntegerField()
    action = models.CharField(_("操作"), max_length=10, choices=OfferAction.choices())
    source = models.CharField(_("原状态"), max_length=10, choices=_S.choices())
    target = models.CharField(_("新状态"), max_length=10, choices=_S.choices())
    role = models.CharField(_("身份"), max_length=20, choices=Role.choices())
    actor = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("人员"))
    edition = models.PositiveIntegerField(_("内容版次"))
    digest = models.CharField(_("内容摘要"), max_length=64)
    note = models.TextField(_("说明"), blank=True)
    at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["offer", "seq"]
        verbose_name = verbose_name_plural = _("告知记录")
        constraints = [
            models.UniqueConstraint(fields=["offer", "seq"], name="offerevent_in_order"),
            models.CheckConstraint(
                condition=Q(role=Role.SYSTEM.value, actor__isnull=True)
                | (~Q(role=Role.SYSTEM.value) & Q(actor__isnull=False)),
                name="offerevent_by_somebody",
            ),
        ]


class PassedOver(models.Model):
    """An enterprise that the criteria call eligible and to which no offer was made, and why: for officers. What the
    latest run saw, written over by the next.
    """

    enterprise = models.ForeignKey(Enterprise, models.CASCADE, related_name="+", verbose_name=_("企业"))
    item = models.ForeignKey(PolicyItem, models.CASCADE, related_name="+", verbose_name=_("政策事项"))
    year = models.PositiveSmallIntegerField(_("年度"))
    reasons = models.JSONField(_("原因"), default=list)
    seen_at = models.DateTimeField(_("核查时间"))

    class Meta:
        ordering = ["item", "enterprise"]
        verbose_name = verbose_name_plural = _("未告知企业")
        constraints = [models.UniqueConstraint(fields=["enterprise", "item", "year"], name="passedover_once_a_year")]


__all__ = ["Offer", "OfferEdition", "OfferEvent", "PassedOver"]
