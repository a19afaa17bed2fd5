"""What reviewers do with an application: corrections, opinions, decisions, publicity, appeals.

Append-only (guarded by triggers on PostgreSQL): `Decision`, `Opinion`. A `Correction`'s list never changes
once it is asked for: it is told once, complete (一次告知).
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.workflow import Role
from disbursement.models.application import Application, Judgement

_USER = settings.AUTH_USER_MODEL


class Stage(models.TextChoices):
    ACCEPTANCE = "acceptance", _("受理")
    REVIEW = "review", _("审核")


class Correction(models.Model):
    """One request to mend an application (补正): a complete list, a deadline, and the clock stands still
    meanwhile.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="corrections", verbose_name=_("申报"))
    stage = models.CharField(_("阶段"), max_length=12, choices=Stage.choices)
    round = models.PositiveSmallIntegerField(_("次数"))
    note = models.TextField(_("说明"), blank=True)
    # Why something is asked for now that the first list could have named; supervision reads it.
    late_reason = models.CharField(_("追加理由"), max_length=300, blank=True)
    asked_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("告知人"))
    asked_at = models.DateTimeField(_("告知时间"))
    due_on = models.DateField(_("补正期限"))
    supplied_at = models.DateTimeField(_("补正时间"), null=True, blank=True)
    lapsed_at = models.DateTimeField(_("逾期或撤回时间"), null=True, blank=True)

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("补正")
        constraints = [
            models.CheckConstraint(condition=Q(stage__in=["acceptance", "review"]), name="correction_stage_known"),
            models.CheckConstraint(condition=Q(round__gte=1), name="correction_round_from_1"),
            models.UniqueConstraint(fields=["application", "stage", "round"], name="correction_round_once"),
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(supplied_at__isnull=True, lapsed_at__isnull=True),
                name="correction_one_open",
            ),
            models.CheckConstraint(
                condition=Q(supplied_at__isnull=True) | Q(lapsed_at__isnull=True), name="correction_ends_one_way"
            ),
        ]

    @property
    def is_open(self) -> bool:
        return self.supplied_at is None and self.lapsed_at is None


class CorrectionSubject(models.TextChoices):
    MATERIAL = "material", _("申报材料")
    FIELD = "field", _("申报表")
    LEAF = "leaf", _("申报条件")


class CorrectionItem(models.Model):
    """One thing to mend: a material (its code), a field of the form (a fact key) or a condition (a leaf
    id).
    """

    correction = models.ForeignKey(Correction, models.PROTECT, related_name="items", verbose_name=_("补正"))
    subject = models.CharField(_("类别"), max_length=10, choices=CorrectionSubject.choices)
    code = models.CharField(_("对象"), max_length=120)
    label = models.CharField(_("名称"), max_length=200)
    problem = models.CharField(_("存在的问题"), max_length=500)
    remedy = models.CharField(_("补正要求"), max_length=500)
    # Not on the step's first list, though nothing about it has changed since.
    is_late = models.BooleanField(_("追加"), default=False)

    class Meta:
        ordering = ["correction", "id"]
        verbose_name = verbose_name_plural = _("补正事项")
        constraints = [
            models.UniqueConstraint(fields=["correction", "subject", "code"], name="correctionitem_once"),
            models.CheckConstraint(
                condition=Q(subject__in=["material", "field", "leaf"]) & ~Q(problem="") & ~Q(remedy=""),
                name="correctionitem_says_what_and_how",
            ),
        ]


class OpinionKind(models.TextChoices):
    APPROVAL = "approval", _("建议通过")
    REJECTION = "rejection", _("建议不通过")
    EXPERT = "expert", _("专家意见")
    SEND_BACK = "send_back", _("退回审核")


class Opinion(models.Model):
    """What one reviewer (or the experts) said, before the decision (append-only).

    `reasons`: [{"leaf": leaf id or "", "reason": text}]. `amount` is the proposed award in 元.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="opinions", verbose_name=_("申报"))
    kind = models.CharField(_("意见"), max_length=12, choices=OpinionKind.choices)
    text = models.TextField(_("意见内容"))
    reasons = models.JSONField(_("理由"), default=list, blank=True)
    checklist = models.JSONField(_("核对清单"), default=list, blank=True)
    amount = models.DecimalField(_("建议金额（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("审核人员"))
    role = models.CharField(_("身份"), max_length=20, choices=Role.choices())
    at = models.DateTimeField(_("时间"))

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("审核意见")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["approval", "rejection", "expert", "send_back"]), name="opinion_kind_known"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="opinion_says_something"),
            models.CheckConstraint(condition=Q(amount__isnull=True) | Q(amount__gt=0), name="opinion_amount_positive"),
        ]


class DecisionKind(models.TextChoices):
    ACCEPTED = "accepted", _("受理")
    NOT_ACCEPTED = "not_accepted", _("不予受理")
    APPROVED = "approved", _("审核通过")
    REJECTED = "rejected", _("审核不通过")
    UPHELD = "upheld", _("复核维持不通过")
    REVOKED = "revoked", _("撤销决定")


NEGATIVE_DECISIONS = ("not_accepted", "rejected", "upheld", "revoked")


class Decision(models.Model):
    """A decision taken on an application (append-only): what, by whom, why, and what the criteria had said.

    `reasons`: [{"leaf": leaf id, "material": code, "reason": text}], one of leaf and material or neither; a
    decision against the enterprise gives reasons and says how to mend or what may be done against it
    (`remedy`).
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="decisions", verbose_name=_("申报"))
    kind = models.CharField(_("决定"), max_length=14, choices=DecisionKind.choices)
    summary = models.TextField(_("决定内容"))
    reasons = models.JSONField(_("理由"), default=list, blank=True)
    checklist = models.JSONField(_("核对清单"), default=list, blank=True)
    remedy = models.TextField(_("如何补救"), blank=True)
    amount = models.DecimalField(_("核定金额（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    judgement = models.ForeignKey(Judgement, models.PROTECT, null=True, blank=True, related_name="decisions")
    by = models.ForeignKey(_USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("决定人员"))
    role = models.CharField(_("身份"), max_length=20, choices=Role.choices())
    at = models.DateTimeField(_("决定时间"))

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("决定")
        constraints = [
            # A refusal may come twice: an objection sustained after a granted appeal opens the case again.
            models.UniqueConstraint(
                fields=["application", "kind"], condition=~Q(kind="rejected"), name="decision_each_kind_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="approved", amount__isnull=False, amount__gt=0, judgement__isnull=False)
                | Q(kind="rejected", amount__isnull=True, judgement__isnull=False)
                | Q(kind__in=["accepted", "not_accepted", "upheld", "revoked"], amount__isnull=True),
                name="decision_amount_and_judgement_with_kind",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=NEGATIVE_DECISIONS) | (~Q(summary="") & ~Q(remedy="")),
                name="decision_against_gives_reasons",
            ),
        ]


class DecisionDraft(models.Model):
    """What a reviewer has written so far and not yet sent; one for each person and application."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="drafts", verbose_name=_("申报"))
    user = models.ForeignKey(_USER, models.CASCADE, related_name="+", verbose_name=_("人员"))
    content = models.JSONField(_("草稿"), default=dict)
    saved_at = models.DateTimeField(_("保存时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("决定草稿")
        constraints = [models.UniqueConstraint(fields=["application", "user"], name="decisiondraft_one_each")]


class Publicity(models.Model):
    """The public may look and object (公示), from `starts_on` up to and including `ends_on`, both working
    days.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="publicities", verbose_name=_("申报"))
    starts_on = models.DateField(_("公示开始"))
    ends_on = models.DateField(_("公示结束"))
    amount = models.DecimalField(_("拟兑现金额（元）"), max_digits=16, decimal_places=2)
    # What the second reviewer ticked before the public was asked; the approval takes it over.
    checklist = models.JSONField(_("核对清单"), default=list, blank=True)
    # Empty where the machine opened it (免申即享, 即申即享).
    opened_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("发起人")
    )
    opened_at = models.DateTimeField(_("发起时间"))
    closed_at = models.DateTimeField(_("结束时间"), null=True, blank=True)

    class Meta:
        ordering = ["-starts_on", "-id"]
        verbose_name = verbose_name_plural = _("公示")
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="publicity_days_in_order"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="publicity_amount_positive"),
            models.UniqueConstraint(
                fields=["application"], condition=Q(closed_at__isnull=True), name="publicity_one_open"
            ),
        ]


class Objection(models.Model):
    """Somebody objects during publicity (异议); each is answered before the application goes on."""

    publicity = models.ForeignKey(Publicity, models.PROTECT, related_name="objections", verbose_name=_("公示"))
    name = models.CharField(_("异议人"), max_length=80)
    contact = models.CharField(_("联系方式"), max_length=120)
    text = models.TextField(_("异议内容"))
    received_at = models.DateTimeField(_("收到时间"))
    sustained = models.BooleanField(_("异议成立"), null=True, blank=True)
    answer = models.TextField(_("处理意见"), blank=True)
    answered_by = models.ForeignKey(
        _USER, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("处理人")
    )
    answered_at = models.DateTimeField(_("处理时间"), null=True, blank=True)

    class Meta:
        ordering = ["received_at", "id"]
        verbose_name = verbose_name_plural = _("异议")
        constraints = [
            models.CheckConstraint(
                condition=Q(sustained__isnull=True, answer="", answered_by__isnull=True, answered_at__isnull=True)
                | (Q(sustained__isnull=False, answered_by__isnull=False, answered_at__isnull=False) & ~Q(answer="")),
                name="objection_answered_whole",
            ),
        ]


class Appeal(models.Model):
    """The enterprise asks for another look (复核), once; the result is the next `Decision`."""

    application = models.OneToOneField(Application, models.PROTECT, related_name="appeal", verbose_name=_("申报"))
    grounds = models.TextField(_("复核理由"))
    filed_by = models.ForeignKey(_USER, models.PROTECT, related_name="+", verbose_name=_("申请人"))
    filed_at = models.DateTimeField(_("申请时间"))

    class Meta:
        verbose_name = verbose_name_plural = _("复核申请")
        constraints = [models.CheckConstraint(condition=~Q(grounds=""), name="appeal_gives_grounds")]
