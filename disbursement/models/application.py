"""Applications, what happened to them, and who took part.

Append-only (guarded by triggers on PostgreSQL): `TransitionLog`, `Participation`, `Judgement`. Only
`disbursement.services.application.applications` changes `Application.state`.
"""

import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from disbursement.domain.workflow import ApplicationAction, ApplicationState, Role
from matching.models import Enterprise, PolicyItem, PolicyVersion
from matching.registry.models import VocabularyRevision

_S = ApplicationState

# States in which nothing has been decided yet; a withdrawn application may be either side of a decision.
UNDECIDED = (
    _S.DRAFT,
    _S.SUBMITTED,
    _S.CORRECTION,
    _S.NOT_ACCEPTED,
    _S.ACCEPTED,
    _S.IN_REVIEW,
    _S.REVIEW_CORRECTION,
    _S.EXPERT,
    _S.SITE_VISIT,
    _S.JOINT_REVIEW,
    _S.SECOND_REVIEW,
    _S.PUBLICITY,
)
REFUSED = (_S.REJECTED, _S.APPEAL, _S.REJECTION_UPHELD)
GRANTED = (_S.APPROVED, _S.REVOKED, _S.CLOSED)
# States that an application reaches only after it has been accepted.
AFTER_ACCEPTANCE = (
    _S.ACCEPTED,
    _S.IN_REVIEW,
    _S.REVIEW_CORRECTION,
    _S.EXPERT,
    _S.SITE_VISIT,
    _S.JOINT_REVIEW,
    _S.SECOND_REVIEW,
    _S.PUBLICITY,
    *REFUSED,
    *GRANTED,
)


class Counter(models.Model):
    """The last number given out in a series (`application-2026`, `acceptance-2026`); locked while it is
    raised.
    """

    series = models.CharField(max_length=60, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.series}: {self.last}"


class Application(models.Model):
    """One enterprise applying for one policy item (申报).

    `version` is the one in force at submission (for a draft: at its creation). `form` holds the
    application-scope facts as typed. Amounts are 元.
    """

    number = models.CharField(_("申报编号"), max_length=16, unique=True, null=True, blank=True)
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="applications", verbose_name=_("企业"))
    item = models.ForeignKey(PolicyItem, models.PROTECT, related_name="applications", verbose_name=_("政策事项"))
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="applications", verbose_name=_("政策版本"))
    state = models.CharField(_("状态"), max_length=20, choices=_S.choices(), default=_S.DRAFT.value)
    # Rises with each transition: the number of the latest row in the log.
    revision = models.PositiveIntegerField(default=0)
    form = models.JSONField(_("申报表"), default=dict, blank=True)
    contact_name = models.CharField(_("联系人"), max_length=60, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=40, blank=True)
    # The member of staff who has it on the desk now; empty while nobody of the step has taken it.
    handler = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("经办人员")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("填报人"))
    created_at = models.DateTimeField(_("建立时间"))
    updated_at = models.DateTimeField(_("更新时间"))
    submitted_at = models.DateTimeField(_("提交时间"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("受理时间"), null=True, blank=True)
    decided_at = models.DateTimeField(_("决定时间"), null=True, blank=True)
    approved_amount = models.DecimalField(_("核定金额（元）"), max_digits=16, decimal_places=2, null=True, blank=True)
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = verbose_name_plural = _("申报")
        constraints = [
            models.CheckConstraint(
                condition=Q(state=_S.DRAFT, number__isnull=True, submitted_at__isnull=True)
                | Q(state=_S.WITHDRAWN, number__isnull=True, submitted_at__isnull=True)
                | (~Q(state=_S.DRAFT) & Q(number__isnull=False, submitted_at__isnull=False)),
                name="application_numbered_once_submitted",
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True) | Q(number__regex=r"^[0-9]{4}-[0-9]{6}$"),
                name="application_number_shape",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=AFTER_ACCEPTANCE) | Q(accepted_at__isnull=False),
                name="application_reviewed_only_if_accepted",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[_S.SUBMITTED, _S.CORRECTION, _S.NOT_ACCEPTED, _S.DRAFT])
                | Q(accepted_at__isnull=True),
                name="application_accepted_at_only_if_accepted",
            ),
            # Names every state, so that an unknown one is refused here too.
            models.CheckConstraint(
                condition=Q(state__in=UNDECIDED, decided_at__isnull=True)
                | Q(state__in=[*REFUSED, *GRANTED], decided_at__isnull=False)
                | Q(state=_S.WITHDRAWN),
                name="application_decided_at_with_decision",
            ),
            models.CheckConstraint(
                condition=Q(state__in=GRANTED, approved_amount__isnull=False, approved_amount__gt=0)
                | (~Q(state__in=GRANTED) & Q(approved_amount__isnull=True)),
                name="application_amount_with_approval",
            ),
            models.CheckConstraint(
                condition=Q(state=_S.CLOSED, closed_at__isnull=False)
                | (~Q(state=_S.CLOSED) & Q(closed_at__isnull=True)),
                name="application_closed_at_with_closing",
            ),
            # The second of two clicks on “apply” finds the first one's draft.
            models.UniqueConstraint(
                fields=["enterprise", "item"], condition=Q(state=_S.DRAFT), name="application_one_draft"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "item"]),
            models.Index(fields=["enterprise", "-created_at"]),
        ]

    def __str__(self) -> str:
        return self.number or f"草稿 #{self.pk}"

    @property
    def status(self) -> ApplicationState:
        """The state as a member of the typed table."""
        return ApplicationState(self.state)


class TransitionLog(models.Model):
    """One transition of an application, for ever (append-only). `seq` counts from 1; two at once cannot both
    be n.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="log", verbose_name=_("申报"))
    seq = models.PositiveIntegerField()
    action = models.CharField(_("操作"), max_length=24, choices=ApplicationAction.choices())
    source = models.CharField(_("原状态"), max_length=20, choices=_S.choices())
    target = models.CharField(_("新状态"), max_length=20, choices=_S.choices())
    role = models.CharField(_("身份"), max_length=20, choices=Role.choices())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("操作人")
    )
    # Whose desk it was, where the actor stood in for somebody who was away (代理).
    for_person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("代理何人")
    )
    at = models.DateTimeField(_("时间"))
    note = models.TextField(_("说明"), blank=True)

    class Meta:
        ordering = ["application", "seq"]
        verbose_name = verbose_name_plural = _("办理记录")
        constraints = [
            models.UniqueConstraint(fields=["application", "seq"], name="transitionlog_seq_once"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="transitionlog_seq_from_1"),
            models.CheckConstraint(
                condition=Q(role=Role.SYSTEM, actor__isnull=True) | (~Q(role=Role.SYSTEM) & Q(actor__isnull=False)),
                name="transitionlog_somebody_acted",
            ),
            models.CheckConstraint(
                condition=Q(for_person__isnull=True) | (Q(actor__isnull=False) & ~Q(for_person=models.F("actor"))),
                name="transitionlog_deputy_is_another",
            ),
            models.CheckConstraint(
                condition=Q(action__in=[a.value for a in ApplicationAction])
                & Q(source__in=[s.value for s in _S])
                & Q(target__in=[s.value for s in _S])
                & Q(role__in=[r.value for r in Role]),
                name="transitionlog_words_known",
            ),
        ]


class Participation(models.Model):
    """The one role in which a person takes part in one application (append-only).

    Unique by (application, person): nobody acts twice on one application in different roles.
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="participations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=Role.choices())
    since = models.DateTimeField()

    class Meta:
        verbose_name = verbose_name_plural = _("参与人员")
        constraints = [
            models.UniqueConstraint(fields=["application", "user"], name="participation_one_role_each"),
            models.CheckConstraint(
                condition=Q(role__in=[r.value for r in Role if r is not Role.SYSTEM]), name="participation_role_known"
            ),
        ]


class InterestDeclaration(models.Model):
    """A person has an interest in an enterprise (利益关系申报) and takes no part in its applications while it
    lasts.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("人员"))
    enterprise = models.ForeignKey(Enterprise, models.PROTECT, related_name="+", verbose_name=_("企业"))
    reason = models.CharField(_("利益关系"), max_length=200)
    declared_at = models.DateTimeField(_("申报时间"))
    ended_at = models.DateTimeField(_("解除时间"), null=True, blank=True)

    class Meta:
        ordering = ["-declared_at"]
        verbose_name = verbose_name_plural = _("利益关系申报")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "enterprise"], condition=Q(ended_at__isnull=True), name="interest_one_alive"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=models.F("declared_at")),
                name="interest_ends_after_it_begins",
            ),
        ]


class Occasion(models.TextChoices):
    SUBMISSION = "submission", _("提交申报")
    CORRECTION = "correction", _("提交补正")
    DECISION = "decision", _("作出决定")


class Judgement(models.Model):
    """What the criteria said of an application on an occasion, with all that they saw (append-only).

    `inputs` and `result` are canonical JSON text. `inputs`: {"as_of", "credit_as_of", "facts",
    "policy_version", "rule_hash", "vocabulary"}; `result`: {"estimate", "leaves", "unknown", "unmet",
    "verdict"}. Judged again from `inputs` it must give `result` byte for byte (`services.application.judging.replay`).
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="judgements", verbose_name=_("申报"))
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="+", verbose_name=_("政策版本"))
    vocabulary = models.ForeignKey(VocabularyRevision, models.PROTECT, related_name="+", verbose_name=_("词表版本"))
    occasion = models.CharField(_("时点"), max_length=12, choices=Occasion.choices)
    as_of = models.DateField(_("判定基准日"))
    verdict = models.CharField(_("结论"), max_length=12)
    inputs = models.TextField(_("判定输入"))
    result = models.TextField(_("判定结果"))
    inputs_sha256 = models.CharField(max_length=64)
    result_sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField(_("判定时间"))

    class Meta:
        ordering = ["application", "id"]
        verbose_name = verbose_name_plural = _("判定记录")
        constraints = [
            models.CheckConstraint(
                condition=Q(occasion__in=["submission", "correction", "decision"]), name="judgement_occasion_known"
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["eligible", "undetermined", "ineligible"]), name="judgement_verdict_known"
            ),
        ]

    @property
    def facts(self) -> dict[str, Any]:
        """The facts seen, as the JSON of the criteria language (docs/schemas/)."""
        facts: dict[str, Any] = json.loads(self.inputs)["facts"]
        return facts

    @property
    def outcome(self) -> dict[str, Any]:
        """`result` as data."""
        outcome: dict[str, Any] = json.loads(self.result)
        return outcome
